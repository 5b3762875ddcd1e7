package deliver

// coming is what a Pool knows of mail that is not due yet.
type coming int

const (
	nothingComes coming = iota
	mailComes           // and no connection was opened for it
	mailAwaited         // the connection is there, or being dialled
)

// Expect tells that something will be due in a moment, so that the first
// connection is opened meanwhile; with false, that nothing came of it. A target
// that rests, or has not answered lately, is left alone until there is mail.
// What becomes due takes the word back by itself.
func (p *Pool) Expect(soon bool) {
	next := nothingComes
	if soon {
		next = mailComes
	}
	p.mu.Lock()
	changed := (p.coming != nothingComes) != soon
	if changed {
		p.coming = next
	}
	p.mu.Unlock()
	if changed {
		p.signal()
	}
}

// awaits tells whether a connection was opened for mail that has not come yet.
func (p *Pool) awaits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.coming == mailAwaited
}

// greet opens the first connection for mail that is expected. The attempt is
// booked before the dial like any other (rule 44).
func (r *run) greet() {
	here := len(r.ready) > 0 || r.open > 0 || r.paused || r.stopping
	well := r.attempts == 0 && r.failure == nil
	r.p.mu.Lock()
	if here {
		r.p.coming = nothingComes
	}
	hire := r.p.coming == mailComes && r.workers == 0 && well
	if hire {
		r.p.coming = mailAwaited
	}
	r.p.mu.Unlock()
	if hire {
		r.hireOne()
	}
}
