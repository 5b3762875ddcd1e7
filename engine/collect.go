package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"postbag/engine/mail"
	"postbag/engine/store"
)

// Together is how many mailboxes are collected at the same time.
const Together = 8

// Collect does one collection of the named mailboxes (ids; none: all that are
// enabled), whatever the schedule says, one attempt at every queued recipient,
// and a second short session where settled mail could not be deleted in the
// first. It needs Start. The error is for what concerns the whole run; faults
// of single mailboxes are in the report.
func (e *Engine) Collect(ctx context.Context, ids []string) (Report, error) {
	defer e.elbow.room()()
	return e.collect(ctx, ids, func(work context.Context, r *run) error {
		if err := e.expire(work, r); err != nil {
			return err
		}
		return e.prepare(work)
	}, func() {})
}

// collect does a run; begin is what must be done before a message moves. It
// begins once it is known which mailboxes may be dialled: it reads the same
// store. done is called once, when what became of the mailboxes is stored.
func (e *Engine) collect(ctx context.Context, ids []string, begin func(context.Context, *run) error, done func()) (Report, error) {
	r := newRun(e)
	defer e.listenTo(r)()
	work, release := e.untilStuck(ctx)
	defer release()
	r.beginning = newBeginning(func() error { return begin(work, r) })
	boxes := e.choose(ids)
	r.open.Store(int32(len(boxes)))
	r.done = sync.OnceFunc(done)
	results := e.collectAll(work, boxes, r)
	if err := r.over(work); err != nil {
		return Report{}, err
	}
	if err := e.waitQuiet(work); err != nil && work.Err() == nil {
		return Report{}, err
	}
	r.done()
	if work.Err() == nil {
		e.sweepAll(work, boxes, results, r)
	}
	rep, err := e.report(ctx, r, results)
	if ctx.Err() == nil && work.Err() != nil {
		err = errors.Join(context.Cause(work), err)
	}
	return rep, err
}

// prepare makes everything queued due, so that the run makes one attempt at
// each, and wakes paused targets.
func (e *Engine) prepare(ctx context.Context) error {
	if err := e.deps.Store.MakeDue(ctx); err != nil {
		return err
	}
	e.wake()
	return nil
}

// choose returns the named mailboxes, or all that are enabled.
func (e *Engine) choose(ids []string) []Mailbox {
	want := make(map[string]bool, len(ids))
	for _, id := range ids {
		want[id] = true
	}
	var out []Mailbox
	for _, mb := range e.current().Mailboxes {
		if want[mb.ID] || (len(ids) == 0 && mb.Enabled) {
			out = append(out, mb)
		}
	}
	return out
}

func (e *Engine) collectAll(ctx context.Context, boxes []Mailbox, r *run) []Result {
	results := make([]Result, len(boxes))
	slots := make(chan struct{}, Together)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			defer e.survive(&boxes[i], &results[i])
			results[i] = e.collectMailbox(ctx, &boxes[i], r)
		}()
	}
	wg.Wait()
	return results
}

// survive keeps a fault of this program that one mailbox provokes from harming
// the others.
func (e *Engine) survive(mb *Mailbox, res *Result) {
	p := recover()
	if p == nil {
		return
	}
	e.deps.Log.Error("a mailbox met a fault of this program", "mailbox", mb.ID, "stack", string(debug.Stack()))
	f := &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: "collect", Err: fmt.Errorf("panic: %v", p)}
	*res = Result{Mailbox: mb.ID, Kind: ResultFailed, Failure: f}
	e.publish(Event{Kind: EventEnded, Mailbox: mb.ID, Result: *res})
}

// collectMailbox does the sessions of one mailbox in this run and books what
// became of them.
func (e *Engine) collectMailbox(ctx context.Context, mb *Mailbox, r *run) Result {
	leave, err := e.enter(ctx, mb.ID)
	if err != nil {
		return Result{Mailbox: mb.ID, Kind: ResultTemporary, Failure: mail.AsFailure(err)}
	}
	defer leave()
	if why := e.mayCollect(ctx, mb); why != nil {
		res := Result{Mailbox: mb.ID, Kind: ResultSkipped, Failure: why}
		if why.Code != mail.CodePaused {
			res.Kind = resultOf(why)
		}
		e.publish(Event{Kind: EventEnded, Mailbox: mb.ID, Result: res})
		return res
	}
	r.begin()
	e.publish(Event{Kind: EventSession, Mailbox: mb.ID})
	start := e.deps.Now()
	w := newWatch()
	forget := e.watchMailbox(mb.ID, w)
	err = e.runSessions(ctx, mb, r, w)
	forget()
	err = errors.Join(err, e.bookSuspects(ctx, mb, r))
	res := e.conclude(ctx, mb, r, start, err)
	if r.open.Add(-1) == 0 {
		r.done()
	}
	e.publish(Event{Kind: EventEnded, Mailbox: mb.ID, Result: res})
	return res
}

// conclude stores what the last session of a mailbox is owed, and the result of
// the whole.
func (e *Engine) conclude(ctx context.Context, mb *Mailbox, r *run, start time.Time, err error) Result {
	res := r.outcome(mb.ID, err)
	owed := r.owed(mb.ID)
	unstored := e.book(ctx, mb, start, res, owed)
	if unstored != nil && owed != nil { // the result is another one
		res = r.outcome(mb.ID, errors.Join(err, unstored))
		unstored = e.book(ctx, mb, start, res, nil)
	}
	if unstored != nil {
		e.deps.Log.Error("the result of a collection could not be stored", "mailbox", mb.ID, "error", unstored)
	}
	return res
}

func (e *Engine) runSessions(ctx context.Context, mb *Mailbox, r *run, w *watch) error {
	for before := -1; ; {
		again, err := e.runSession(ctx, mb, r, w)
		if err == nil && r.taken(mb.ID) == before {
			again = false // a provider whose sessions bring nothing new is left alone
		}
		before = r.taken(mb.ID)
		if err != nil {
			r.log.Warn("a session ended early", "mailbox", mb.ID, "error", err, "again", again)
		}
		if !again {
			return err
		}
		if ctx.Err() != nil {
			return &mail.Failure{Code: mail.CodeCancelled, Err: ctx.Err()}
		}
	}
}

// CollectOnce is Collect for a process that does nothing else.
func (e *Engine) CollectOnce(ctx context.Context, ids []string) (Report, error) {
	var aside sync.WaitGroup
	aside.Go(func() { e.elbow.room() }) // to the end: the memory is nobody's then
	rep, err := e.collect(ctx, ids, func(work context.Context, r *run) error {
		// Before anything is on its way: that could not be expired.
		if err := e.expire(work, r); err != nil {
			return err
		}
		if err := e.Start(); err != nil {
			return err
		}
		aside.Go(func() { e.rehearse(work) })
		return e.prepare(work)
	}, func() { go e.checkpoint(ctx) }) // closing the store waits for it
	last := context.WithoutCancel(ctx)
	return rep, errors.Join(err, atOnce(
		func() error { aside.Wait(); return nil },
		func() error { return e.Stop(last) },
		func() error {
			if err := e.purge(last); err != nil {
				e.deps.Log.Error("the journal could not be tidied", "error", err)
			}
			return nil
		},
	))
}

// spoolLeft is how many octets may still be fetched: past the quota collecting
// stops (rule 44). A spool that holds nothing takes any one message.
func (e *Engine) spoolLeft() (left int64, empty bool) {
	quota, held := e.current().SpoolQuota, e.deps.Store.SpoolBytes()+e.deps.Store.DraftBytes()
	if quota <= 0 {
		return math.MaxInt64, false
	}
	return max(quota-held, 0), held == 0
}

// sweepAll does a second short session with the mailboxes where settled mail
// could not be deleted in the first. A mailbox of which everything was fetched
// and, after all, everything deleted has nothing left to complain of.
func (e *Engine) sweepAll(ctx context.Context, boxes []Mailbox, results []Result, r *run) {
	for i := range boxes {
		mb, res := &boxes[i], &results[i]
		if res.Kind == ResultSkipped || res.Kind == ResultNeedsUser || res.LoginDelay > 0 {
			continue
		}
		if err := e.sweepOne(ctx, mb, r); err != nil {
			e.deps.Log.Warn("settled mail could not be deleted at the provider now; the next session does it",
				"mailbox", mb.ID, "error", err)
			continue
		}
		// Both sessions ended well, and still it lies there.
		if due, err := e.deletable(ctx, mb); err == nil && due {
			res.Undeleted = true
		}
		if res.Failure != nil && r.isWhole(mb.ID) {
			res.Kind, res.Failure = ResultOK, nil
			err := e.deps.Store.UpdateMailbox(context.WithoutCancel(ctx), mb.ID, func(st *store.MailboxState) {
				st.Result, st.ErrorCode, st.ErrorReply = string(ResultOK), "", ""
			})
			if err != nil {
				e.deps.Log.Error("the result of a collection could not be stored", "mailbox", mb.ID, "error", err)
			}
		}
	}
}

func (e *Engine) sweepOne(ctx context.Context, mb *Mailbox, r *run) error {
	due, err := e.deletable(ctx, mb)
	if err != nil || !due {
		return err
	}
	leave, err := e.enter(ctx, mb.ID)
	if err != nil {
		return err
	}
	defer leave()
	if why := e.mayCollect(ctx, mb); why != nil {
		return why
	}
	return e.sweep(ctx, mb, r)
}

// deletable tells whether the policy wants something deleted that still lies
// at the provider.
func (e *Engine) deletable(ctx context.Context, mb *Mailbox) (bool, error) {
	rows, err := e.deps.Store.Unconfirmed(ctx, mb.ID)
	if err != nil {
		return false, err
	}
	now := e.deps.Now()
	for _, k := range convert(rows) {
		// Without UIDL only reading everything again would find it.
		if k.UID != "" && mb.Policy.After.May(k, now) {
			return true, nil
		}
	}
	return false, nil
}

// sweep is a session that deletes and fetches nothing new.
func (e *Engine) sweep(ctx context.Context, mb *Mailbox, r *run) error {
	w := newWatch()
	defer e.watchMailbox(mb.ID, w)()
	s, err := e.signIn(ctx, mb, r, w)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	if err := s.look(ctx); err != nil {
		return err
	}
	s.fetch = newFetcher(s)
	defer s.fetch.end()
	fresh := len(s.plan.Fetch)
	if err := s.adopt(ctx, s.plan.Delete, s.plan.Keep); err != nil {
		return err
	}
	// What only its content can identify has to be read again.
	if again := s.plan.Fetch[fresh:]; len(again) > 0 {
		// finish decides by what proved to be known, so all of it must be.
		if err := s.fetch.durable(s.fetch.fetch(ctx, s.conn, again)); err != nil {
			return err
		}
		if !s.watch.idle() { // one proved to be new
			if err := s.settle(ctx); err != nil {
				return err
			}
		}
	}
	s.whole = fresh == 0
	confirmed, err := s.finish(ctx)
	if err != nil {
		return err
	}
	return e.believe(ctx, mb.ID, confirmed, nil)
}

func (e *Engine) report(ctx context.Context, r *run, results []Result) (Report, error) {
	rep := Report{Results: results, Rows: r.rows(), Interrupted: ctx.Err() != nil}
	ctx = context.WithoutCancel(ctx)
	rep.Quarantined, rep.SetAside = r.setAside()
	rep.TooBig = r.oversize()
	balance, err := e.deps.Store.Balance(ctx)
	rep.Queued = balance[mail.Queued] + balance[mail.Collected]
	e.publish(Event{Kind: EventIdle})
	return rep, err
}
