package engine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/source"
	"postbag/engine/store"
)

const (
	// underWay is how many fetched messages may wait for their durable commit at
	// once: enough to fill a group commit, few enough to keep memory small.
	underWay = 48

	// keepers is how many goroutines of a session route and keep what it fetched:
	// one is at the processor while the other waits for the disk.
	keepers = 2

	// grouped is how many messages a keeper takes at a time at most.
	grouped = 8
)

// keep hands a message to the keepers. Of two messages with one content the
// first is the first, and the other its duplicate (rule 35).
func (f *fetcher) keep(ctx context.Context, a *arrival) {
	a.fp = a.col.Fingerprint()
	f.slots <- struct{}{}
	f.under.Add(1)
	f.mu.Lock()
	if before := f.alike[a.fp]; before != nil {
		before.done = make(chan struct{})
		a.before = before.done
	}
	f.alike[a.fp] = a
	f.mu.Unlock()
	f.arrived <- a // there is room for all that have a slot
	if !f.keeping {
		f.keeping = true
		for range keepers {
			go f.serve(ctx)
		}
	}
}

// kept makes room for the next: the message is in the store, or never will be.
func (f *fetcher) kept(a *arrival) {
	f.mu.Lock()
	if f.alike[a.fp] == a {
		delete(f.alike, a.fp)
	}
	if a.done != nil {
		close(a.done)
	}
	f.mu.Unlock()
	<-f.slots
	f.under.Done()
}

// fails ends a message that cannot be kept: the first one ends the session.
func (f *fetcher) fails(a *arrival, err error) {
	a.draft.Discard()
	f.mu.Lock()
	if f.fault == nil {
		f.fault = err
	}
	f.mu.Unlock()
	f.kept(a)
}

// end lets the keepers go once they have kept everything.
func (f *fetcher) end() { close(f.arrived) }

// serve keeps what is fetched, one group after the other: what has come so far
// is one, and nothing is waited for to make it larger.
func (f *fetcher) serve(ctx context.Context) {
	g := &group{f: f, Group: f.e.deps.Store.NewGroup(grouped)}
	for a := range f.arrived {
		g.take(ctx, a)
		for n := 1; n < grouped && f.more(ctx, g); n++ {
		}
		g.flush(ctx)
	}
}

func (f *fetcher) more(ctx context.Context, g *group) bool {
	select {
	case a, ok := <-f.arrived:
		if ok {
			g.take(ctx, a)
		}
		return ok
	default:
		return false
	}
}

// group is what a keeper hands to the store together.
type group struct {
	*store.Group
	f       *fetcher
	members []*arrival
	targets []string // that have something to do
}

// take routes a message and adds it. One that is like another waits until that
// is kept; what the group has goes first, or two of them would wait for each other.
func (g *group) take(ctx context.Context, a *arrival) {
	f := g.f
	if a.before != nil {
		g.flush(ctx)
		<-a.before
	}
	ready, err := f.route(ctx, a)
	switch {
	case err != nil:
		f.fails(a, err)
	case !ready:
		f.kept(a)
	case a.kept.Apart(): // nobody need wait for its files
		go func() {
			g := &group{f: f, Group: f.e.deps.Store.NewGroup(1)}
			g.add(ctx, a)
			g.flush(ctx)
		}()
	default:
		g.add(ctx, a)
	}
}

// add makes a message one of the group.
func (g *group) add(ctx context.Context, a *arrival) {
	n := g.Len()
	err := g.f.guard(a, func() error { return g.Add(ctx, a.kept) })
	switch {
	case err != nil:
		g.f.fails(a, err)
	case g.Len() == n: // a fault of this program
		g.f.kept(a)
	default:
		g.members = append(g.members, a)
	}
}

// flush has the store keep the group. The targets hear of it before its messages
// count as kept: a session that has all it wanted waits for the targets next, and
// one that knows of nothing is not waited for.
func (g *group) flush(ctx context.Context) {
	if g.Len() == 0 {
		return
	}
	f, stored := g.f, g.members[:0]
	members := g.members
	g.Keep(ctx, func(n int, res store.KeepResult, err error) {
		a := members[n]
		if err == nil {
			err = f.guard(a, func() error { return g.booked(ctx, a, res) })
		}
		if err != nil {
			f.fails(a, err)
		} else {
			stored = append(stored, a)
		}
	})
	for _, t := range g.targets {
		f.kick(t)
	}
	for _, a := range stored {
		f.kept(a)
	}
	clear(members)
	g.members, g.targets = g.members[:0], g.targets[:0]
}

// guard runs a step for one message. A fault of this program that one message
// provokes is counted as one of that message and harms no other (rule 16).
func (f *fetcher) guard(a *arrival, step func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f.log.Error("a message met a fault of this program", "uid", a.it.UID, "stack", string(debug.Stack()))
			a.draft.Discard()
			f.refused(a.it, &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: "route", Err: fmt.Errorf("panic: %v", p)})
			err = nil
		}
	}()
	return step()
}

// route finds out what is to be kept; not ready: the message needs no keeping.
func (f *fetcher) route(ctx context.Context, a *arrival) (ready bool, err error) {
	err = f.guard(a, func() error {
		var err error
		if a.it, err = f.recorded(a.it); err != nil {
			return err
		}
		h := a.col.Header()
		decision := f.mb.Rules.Decide(h)
		row, ident, err := f.identify(ctx, a.it, a.fp, &decision)
		if err != nil {
			return err
		}
		if row != 0 {
			a.draft.Discard()
			f.holds(row, a.it)
			return nil
		}
		if a.it.ByFingerprint && f.skip != nil && f.skip(h) {
			return f.leave(ctx, a, ident)
		}
		a.kept = store.Kept{
			Row: a.it.Known.Row, Mailbox: f.mb.ID, UID: a.it.UID, Ident: ident,
			Draft: a.draft, Size: a.draft.Size(), Fingerprint: a.fp, Summary: header.Summarize(h),
			Source: f.mb.Host, Decision: &decision,
		}
		if len(decision.Recipients) == 0 {
			a.kept.QuarantineCode = mail.CodeUnknownUser
		}
		if decision.Loop {
			a.kept.QuarantineCode = mail.CodeLoop // rule 36
		}
		a.kept.Claim = f.e.books(&decision)
		ready = true
		return nil
	})
	return ready, err
}

// booked notes that a message is in the store.
func (g *group) booked(ctx context.Context, a *arrival, res store.KeepResult) error {
	f := g.f
	f.log.LogAttrs(ctx, slog.LevelInfo, "message kept", slog.String("message", res.ID), slog.String("uid", a.it.UID),
		slog.Int64("octets", a.kept.Size), slog.String("route", a.kept.Decision.Route), slog.String("state", string(res.State)))
	f.lists(res.Row, a.it)
	f.run.tookIn(f.mb.ID, res.Row, a.it)
	if code := a.kept.QuarantineCode; code != "" {
		f.run.quarantined(res.Row)
		f.e.attention(f.mb.ID, &mail.Failure{Class: mail.NeedsUser, Code: code, Op: "route"})
	}
	f.watch.expect(res.Row, res.State)
	for _, t := range res.Targets {
		if !slices.Contains(g.targets, t) {
			g.targets = append(g.targets, t)
		}
	}
	return f.e.hand(ctx, res.Job)
}

// holds notes that a message is here.
func (f *fetcher) holds(row int64, it source.Planned) {
	f.lists(row, it)
	f.run.cleared(f.mb.ID, it)
}

// lists notes that a row is a message of this session's listing.
func (f *fetcher) lists(row int64, it source.Planned) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows[row] = it.Item
}

// leave records a message that first_collection leaves out and that only its
// content identifies.
func (f *fetcher) leave(ctx context.Context, a *arrival, ident string) error {
	item := store.NewItem{UID: a.it.UID, Ident: ident, Size: a.draft.Size(), State: mail.Filtered, Reason: "first_collection"}
	a.draft.Discard()
	rows, err := f.e.deps.Store.RecordListing(ctx, f.mb.ID, []store.NewItem{item}, nil)
	for _, k := range rows {
		f.holds(k.Row, a.it)
		f.run.touch(k.Row)
	}
	return err
}
