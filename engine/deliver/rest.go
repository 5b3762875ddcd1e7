package deliver

import (
	"context"
	"slices"
	"sync"
	"time"

	"postbag/engine/mail"
)

// left handles the end of a worker.
func (r *run) left(e event) {
	r.workers--
	if !e.gone.linked {
		r.dialing--
	}
	r.hands = slices.DeleteFunc(r.hands, func(w *worker) bool { return w == e.gone })
	r.takeBack(e.gone)
	f := e.failure
	if f == nil || f.Code == mail.CodeCancelled {
		return
	}
	r.p.d.Log.Warn("connection lost", "target", r.p.t.Name, "error", f)
	others := len(r.hands)
	switch {
	case !e.gone.linked && others > 0:
		r.tune.refused(others) // it takes those that are there and no more
	case !e.gone.linked:
		r.pause(f) // no message loses an attempt
	default:
		if f.Code == mail.CodeTargetBusy && others > 0 {
			r.tune.refused(others)
		}
		if f := r.p.judge.strike(f); f != nil {
			r.pause(f)
		}
	}
}

// pause lets the target rest; what was claimed is given back by turn.
func (r *run) pause(f *mail.Failure) {
	if r.paused || r.stopping {
		return
	}
	if r.taken { // it was up until now
		r.attempts, r.booked, r.taken = 0, false, false
	}
	if !r.booked {
		r.attempts++
	}
	r.booked = false
	r.paused, r.failure = true, f
	r.until = r.p.d.Now().Add(PauseFor(f, r.attempts, r.p.d.Random))
	r.p.d.Log.Warn("target paused", "target", r.p.t.Name, "until", r.until, "error", f)
	r.save(TargetState{Attempts: r.attempts, Until: r.until, Failure: f})
	close(r.drain)
	r.drain = make(chan struct{})
}

// up forgets what was held against the target.
func (r *run) up() {
	if r.idle() && r.p.awaits() {
		return // nothing was tried yet; what comes, or Expect(false), decides
	}
	r.attempts, r.booked, r.failure, r.until = 0, false, nil, time.Time{}
	if !r.paused {
		r.save(TargetState{})
	}
}

func (r *run) release() {
	for _, w := range r.hands {
		r.takeBack(w)
	}
	if len(r.ready) == 0 {
		return
	}
	jobs := r.ready
	r.ready = nil
	r.saving++
	r.help(func() event {
		if err := r.p.d.Queue.Release(r.keep, jobs); err != nil {
			// They stay booked and come back when their time has come.
			r.p.d.Log.Error("release", "target", r.p.t.Name, "error", err)
		}
		return event{saved: true}
	})
}

// settleHeld decides what the judge holds when nothing else is under way.
func (r *run) settleHeld() {
	r.greet()
	held := r.p.judge.waiting()
	if held == 0 || r.open != held || slices.ContainsFunc(r.hands, isBusy) {
		return
	}
	var now []settlement
	var pause *mail.Failure
	switch {
	case r.stopping || r.paused:
		now = r.p.judge.abandon()
	case r.exhausted():
		now, pause = r.p.judge.flush()
	default:
		return
	}
	if pause != nil {
		r.pause(pause)
	}
	r.help(func() event { return r.p.settleAll(r.ctx, now) })
}

// exhausted tells that nothing is due any more.
func (r *run) exhausted() bool {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	return !r.p.dirty && !r.claiming && len(r.ready) == 0
}

func (r *run) save(s TargetState) {
	save := r.saver.next(s)
	r.saving++
	r.help(func() event {
		if err := save(r.keep, r.p.d.Queue); err != nil {
			r.p.d.Log.Error("keep state of target", "target", r.p.t.Name, "error", err)
		}
		return event{saved: true}
	})
}

// saver keeps the states of the target in their order, whoever writes them.
type saver struct {
	mu     sync.Mutex
	made   int
	latest int
}

// next is called by the dispatcher; what it returns, by anybody.
func (s *saver) next(state TargetState) func(context.Context, Queue) error {
	s.made++
	number := s.made
	return func(ctx context.Context, q Queue) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if number < s.latest {
			return nil
		}
		s.latest = number
		return q.SetTarget(ctx, state)
	}
}
