package engine

// watchMailbox lets a session hear of attempts at messages of its mailbox.
func (e *Engine) watchMailbox(mailbox string, w *watch) (forget func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watches[mailbox] == nil {
		e.watches[mailbox] = make(map[*watch]bool)
	}
	e.watches[mailbox][w] = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watches[mailbox], w)
	}
}

// listenTo lets a run hear of every message that is settled while it goes on.
func (e *Engine) listenTo(r *run) (forget func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.runs[r] = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.runs, r)
	}
}
