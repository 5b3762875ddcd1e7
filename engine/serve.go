package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"postbag/engine/mail"
	"postbag/engine/schedule"
)

// housekeeping is how often the queue's lifetime and the journal's age are
// looked at.
const housekeeping = time.Hour

// Run collects by schedule and delivers what is due, until ctx ends; then it
// begins nothing new, finishes what is in flight and returns nil.
func (e *Engine) Run(ctx context.Context) (err error) {
	if err := e.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Stop(context.WithoutCancel(ctx))) }()
	for ctx.Err() == nil {
		e.generation(ctx)
	}
	return nil
}

// generation works by one set of settings, until they change or ctx ends.
func (e *Engine) generation(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.mu.Lock()
	e.renew = cancel
	settings := e.settings
	e.mu.Unlock()
	var wg sync.WaitGroup
	for i := range settings.Mailboxes {
		if mb := settings.Mailboxes[i]; mb.Enabled {
			wg.Go(func() { e.follow(ctx, &mb) })
		}
	}
	wg.Go(func() { e.clockwork(ctx) })
	wg.Go(func() { e.tidy(ctx) })
	wg.Wait()
}

// follow collects one mailbox by its schedule.
func (e *Engine) follow(ctx context.Context, mb *Mailbox) {
	var last time.Time
	for ctx.Err() == nil {
		next := e.nextCollection(ctx, mb, last)
		e.plan(mb.ID, next)
		err := schedule.Wait(ctx, e.deps.Now, next)
		if errors.Is(err, schedule.ErrClockSetBack) {
			last = time.Time{}
			continue
		}
		if err != nil {
			return
		}
		if e.nextCollection(ctx, mb, last).After(e.deps.Now()) {
			continue // somebody has collected by hand meanwhile
		}
		last = e.deps.Now()
		e.collectOne(ctx, mb)
	}
}

// collectOne is the collection of one mailbox by its schedule.
func (e *Engine) collectOne(ctx context.Context, mb *Mailbox) {
	r := newRun(e)
	defer e.listenTo(r)()
	var res Result
	defer e.survive(mb, &res)
	res = e.collectMailbox(ctx, mb, r)
	e.publish(Event{Kind: EventIdle, Mailbox: mb.ID})
}

// nextCollection asks the schedule, counting from the last sign-in, whoever
// caused it.
func (e *Engine) nextCollection(ctx context.Context, mb *Mailbox, last time.Time) time.Time {
	st, err := e.deps.Store.GetMailbox(ctx, mb.ID)
	if err == nil && st.LastStart.After(last) {
		last = st.LastStart
	}
	next := schedule.Next(e.deps.Now(), last, mb.Schedule, e.current().Location)
	if err == nil && !next.IsZero() && next.Before(st.NextAllowed) && !e.deps.Now().Before(st.LastStart) {
		next = st.NextAllowed // rule 9, LOGIN-DELAY
	}
	return next
}

// plan remembers when a mailbox is collected next, for the status.
func (e *Engine) plan(mailbox string, next time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.planned[mailbox] = next
}

// Planned tells when a mailbox is collected next; zero: it is not planned.
func (e *Engine) Planned(mailbox string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.planned[mailbox]
}

// clockwork wakes the pools when a queued copy becomes due.
func (e *Engine) clockwork(ctx context.Context) {
	for ctx.Err() == nil {
		due, err := e.deps.Store.NextDue(ctx)
		if err != nil {
			e.deps.Log.Error("the queue cannot be read", "error", err)
			due = nil
		}
		next := e.deps.Now().Add(housekeeping)
		for target, at := range due {
			if !at.After(e.deps.Now()) {
				e.kick(target)
				at = e.deps.Now().Add(time.Minute)
			}
			if at.Before(next) {
				next = at
			}
		}
		e.sleep(ctx, next)
	}
}

// sleep waits for a time, for a change of the queue, or for the end.
func (e *Engine) sleep(ctx context.Context, until time.Time) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-e.deferred:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = schedule.Wait(ctx, e.deps.Now, until)
}

// expire sets aside what was queued for longer than its lifetime (rule 44) and
// tells the run, if there is one.
func (e *Engine) expire(ctx context.Context, r *run) error {
	lifetime := e.current().QueueLifetime
	if lifetime <= 0 {
		return nil
	}
	for _, t := range e.Targets() {
		// A target that a person must mend keeps its mail, however long it takes
		// (rule 45).
		st, err := e.deps.Store.GetTarget(ctx, t.Name)
		if err != nil || st.Class == mail.NeedsUser {
			return err
		}
	}
	ids, err := e.deps.Store.Expire(ctx, e.deps.Now().Add(-lifetime))
	for _, id := range ids {
		if en, err := e.deps.Store.Get(ctx, id); err == nil && r != nil {
			r.settled(en.Row, true)
		}
	}
	if len(ids) > 0 {
		e.attention("", &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeLifetime, Op: "queue"})
	}
	return err
}

// purge forgets journal lines older than the user wants to keep; identities
// and counters survive.
func (e *Engine) purge(ctx context.Context) error {
	keep := e.current().JournalKeep
	if keep <= 0 {
		return nil
	}
	const batch = 1000
	for {
		n, err := e.deps.Store.Purge(ctx, e.deps.Now().Add(-keep), batch)
		if err != nil || n < batch {
			return err
		}
	}
}

// tidy ends what has been queued for too long and forgets old journal lines.
func (e *Engine) tidy(ctx context.Context) {
	for ctx.Err() == nil {
		if err := e.expire(ctx, nil); err != nil && ctx.Err() == nil {
			e.deps.Log.Error("the queue could not be tidied", "error", err)
		}
		if err := e.purge(ctx); err != nil && ctx.Err() == nil {
			e.deps.Log.Error("the journal could not be tidied", "error", err)
		}
		_ = schedule.Wait(ctx, e.deps.Now, e.deps.Now().Add(housekeeping))
	}
}
