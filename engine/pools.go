package engine

import (
	"context"
	"errors"
	"sync"

	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// pool is the delivery to one target while the engine runs.
type pool struct {
	*deliver.Pool
	queue *queue
	stop  context.CancelFunc
	done  chan struct{}
	err   error
}

// Start begins delivering to every target. Copies for a target that is no
// longer configured go where their address leads now.
func (e *Engine) Start() error {
	if err := e.retarget(context.Background()); err != nil {
		return err
	}
	if err := e.routeAgain(context.Background()); err != nil {
		e.deps.Log.Error("messages wait for their routing", "error", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pools) > 0 {
		return nil
	}
	for _, t := range e.settings.Targets {
		e.pools[t.Name] = e.startPool(t)
	}
	return nil
}

func (e *Engine) startPool(t deliver.Target) *pool {
	q := &queue{e: e, target: t.Name}
	hostname, installation := e.settings.Hostname, e.deps.Store.InstallationID()
	p := &pool{queue: q, done: make(chan struct{}), Pool: deliver.NewPool(t, deliver.Deps{
		Queue:   q,
		Open:    e.open,
		Trace:   func(j mail.Job) []byte { return trace(j, hostname, installation) },
		Secret:  func(ctx context.Context) (string, error) { return e.deps.Secret(ctx, t.Name) },
		Options: deliver.Options{Log: e.deps.Log, Transcript: e.transcript("smtp", t.Name)},
		Now:     e.deps.Now,
		Random:  e.deps.Jitter,
		Log:     e.deps.Log,
	})}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go func() {
		defer close(p.done)
		p.err = p.Run(ctx)
	}()
	return p
}

// Stop ends delivering: nothing new is begun, what is in flight is finished.
// When ctx ends first, connections are cut.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	pools := e.pools
	e.pools = make(map[string]*pool)
	e.mu.Unlock()
	for _, p := range pools {
		p.stop()
	}
	var errs []error
	for _, p := range pools {
		abort := context.AfterFunc(ctx, p.Abort)
		<-p.done
		abort()
		errs = append(errs, p.err, p.queue.giveBack(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}

// retarget gives the queued copies of vanished targets to those that are there.
func (e *Engine) retarget(ctx context.Context) error {
	due, err := e.deps.Store.NextDue(ctx)
	if err != nil {
		return err
	}
	s := e.current()
	there := make(map[string]bool, len(s.Targets))
	for _, t := range s.Targets {
		there[t.Name] = true
	}
	for name := range due {
		if there[name] {
			continue
		}
		n, err := e.deps.Store.Retarget(ctx, name, s.targetFor)
		if err != nil {
			return err
		}
		e.deps.Log.Info("queued copies of a target that is gone have a new one", "target", name, "copies", n)
	}
	return nil
}

// targetFor is where an address leads today; the first target when routing
// knows it no more.
func (s Settings) targetFor(address string) string {
	if r := s.Route(address); len(r) > 0 {
		for i := range s.Targets {
			if s.Targets[i].Name == r[0].Target {
				return r[0].Target
			}
		}
	}
	if len(s.Targets) > 0 {
		return s.Targets[0].Name
	}
	return ""
}

// Targets are those of the settings in force.
func (e *Engine) Targets() []deliver.Target { return e.current().Targets }

func (e *Engine) running() []*pool {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]*pool, 0, len(e.pools))
	for _, p := range e.pools {
		out = append(out, p)
	}
	return out
}

// kick tells a target that something may be due.
func (e *Engine) kick(target string) {
	e.mu.Lock()
	p := e.pools[target]
	e.mu.Unlock()
	if p != nil {
		p.Kick()
	}
}

// Wake tells the targets that something is due for them now.
func (e *Engine) Wake(targets ...string) {
	for _, t := range targets {
		e.kick(t)
	}
}

// wake tries every target now, also those that rest.
func (e *Engine) wake() {
	for _, p := range e.running() {
		p.Resume()
	}
}

// expect tells that mail is about to come, or that none comes after all: the
// way to the target is made ready meanwhile. With several targets nobody knows
// yet which one it is for.
func (e *Engine) expect(coming bool) {
	if pools := e.running(); len(pools) == 1 {
		pools[0].Expect(coming)
	}
}

// waitQuiet returns when no target has anything left to do now. A pool that
// has ended, because the settings changed or an outcome could not be kept, has
// nothing left to do either; its error is Stop's.
func (e *Engine) waitQuiet(ctx context.Context) error {
	for _, p := range e.running() {
		if err := p.WaitQuiet(ctx); err != nil && ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// quiet returns a channel that is closed when no target has anything left to
// do now; never when ctx ends first.
func (e *Engine) quiet(ctx context.Context) <-chan struct{} {
	c := make(chan struct{})
	var wg sync.WaitGroup
	ok := make(chan bool, 1)
	ok <- true
	for _, p := range e.running() {
		wg.Go(func() {
			if p.WaitQuiet(ctx) != nil && ctx.Err() != nil {
				<-ok
				ok <- false
			}
		})
	}
	go func() {
		wg.Wait()
		if <-ok {
			close(c)
		}
	}()
	return c
}

// Target is the state of the target in the store.
func (q *queue) Target(ctx context.Context) (deliver.TargetState, error) {
	st, err := q.e.deps.Store.GetTarget(ctx, q.target)
	out := deliver.TargetState{Attempts: st.Attempts, Until: st.PausedUntil}
	if st.Code != "" {
		out.Failure = &mail.Failure{Class: st.Class, Code: st.Code, Reply: st.Reply}
	}
	return out, err
}

// SetTarget keeps the state of the target and tells when it went down or came
// back.
func (q *queue) SetTarget(ctx context.Context, s deliver.TargetState) error {
	was := false
	if s.Failure != nil {
		if err := q.giveBack(ctx); err != nil {
			return err
		}
	}
	err := q.e.deps.Store.UpdateTarget(ctx, q.target, func(st *store.TargetState) {
		was = st.Code != ""
		st.Attempts, st.PausedUntil = s.Attempts, s.Until
		st.Class, st.Code, st.Reply = 0, "", ""
		if s.Failure != nil {
			st.Class, st.Code, st.Reply = s.Failure.Class, s.Failure.Code, s.Failure.Reply
		}
	})
	if err == nil && (was || s.Failure != nil) {
		q.e.publish(Event{Kind: EventTarget, Target: q.target, Failure: s.Failure, Until: s.Until})
	}
	return err
}
