package deliver

import (
	"context"
	"errors"
	"io"
	"time"

	"postbag/engine/mail"
)

// worker owns one connection.
type worker struct {
	r       *run
	number  int
	drain   chan struct{} // closed: no new message
	book    func(context.Context, Queue) error
	jobs    chan mail.Job // room for handsFull; the dispatcher may take back what lies in it
	next    *Letter       // taken and begun behind the final dot before
	settled *ticket       // of the outcomes of this connection so far

	// Of the dispatcher:
	linked bool // it has its connection
	has    int  // jobs given and not done
}

// handsFull is how many jobs a worker has at most: the one under way, and the one
// after it, which is begun behind its final dot.
const handsFull = 2

// ticket tells when outcomes are durable.
type ticket struct {
	done chan struct{} // closed in the end
	err  error         // they are not
}

func (w *worker) work() {
	conn, f := w.open()
	if f != nil {
		w.r.p.event <- event{gone: w, failure: f}
		return
	}
	w.r.p.event <- event{dialed: w, away: conn.away}
	defer context.AfterFunc(w.r.p.hard, conn.Abort)()
	back, f := w.serve(conn)
	_ = conn.Close() // QUIT, unless the connection broke
	e := event{gone: w, failure: f, back: back}
	if f != nil || len(back) > 0 {
		e.done = w
	}
	w.r.p.event <- e
}

func (w *worker) open() (*Conn, *mail.Failure) {
	p := w.r.p
	if w.book != nil {
		if err := w.book(w.r.keep, p.d.Queue); err != nil {
			return nil, mail.AsFailure(err)
		}
	}
	t := p.t
	if p.d.Secret != nil {
		secret, err := p.d.Secret(w.r.ctx)
		if err != nil {
			return nil, mail.AsFailure(err)
		}
		t.Secret = secret
	}
	o := p.d.Options
	o.number, o.grouping, o.behind = w.number, &p.group, &p.behind
	conn, err := Dial(w.r.ctx, t, o)
	if err != nil {
		return nil, mail.AsFailure(err)
	}
	return conn, nil
}

// serve delivers until there is nothing to do, or the connection breaks; then
// back are the jobs it took of which nothing was said.
func (w *worker) serve(conn *Conn) (back []mail.Job, f *mail.Failure) {
	p := w.r.p
	idle := time.NewTimer(p.d.Idle)
	defer idle.Stop()
	took := false // it has brought a message to the server
	for {
		idle.Reset(p.d.Idle)
		l, ok := w.letter(idle.C)
		if !ok {
			return w.begun(), nil
		}
		outcomes, err := conn.Send(w.r.ctx, l)
		if err != nil {
			f = mail.AsFailure(err)
		}
		if conn.ungrouped {
			return w.begun(l.Job), nil // the next one says it all one by one
		}
		if p.another(l.Job.ID, took && all(outcomes, enough)) {
			return w.begun(l.Job), nil
		}
		took = took || has(outcomes, accepted)
		if f != nil && !has(outcomes, attempted) {
			return w.begun(l.Job), f
		}
		e := w.judge(settlement{l.Job, outcomes})
		if f == nil {
			e.done = w // else the end of the worker tells it
		}
		p.event <- e
		if f != nil || e.pause != nil { // the dispatcher drains all of them
			return w.begun(), f
		}
	}
}

// letter returns what comes next: what was begun, or what the dispatcher gives.
// Not ok: nothing is to come.
func (w *worker) letter(idle <-chan time.Time) (l Letter, ok bool) {
	if w.drained() {
		return l, false
	}
	if w.next != nil {
		l, w.next = *w.next, nil
		return l, true
	}
	select {
	case <-w.drain:
	case <-idle:
	case job := <-w.jobs:
		return w.write(job), true
	}
	return l, false
}

func (w *worker) drained() bool {
	select {
	case <-w.drain:
		return true
	default:
		return false
	}
}

// begun adds the job that was begun, if there is one, to those that go back.
func (w *worker) begun(back ...mail.Job) []mail.Job {
	if w.next != nil {
		back = append(back, w.next.Job)
	}
	return back
}

// write makes a letter of a job.
func (w *worker) write(job mail.Job) Letter {
	d, row := &w.r.p.d, job.Message
	return Letter{
		Job: job, Trace: d.Trace(job), Barrier: w.barrier, Next: w.following,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			body, _, err := d.Open(ctx, row)
			return body, err
		},
	}
}

// following is the letter after this one, if it is here already.
func (w *worker) following() (Letter, bool) {
	if w.drained() {
		return Letter{}, false
	}
	select {
	case job := <-w.jobs:
		l := w.write(job)
		w.next = &l
		return l, true
	default:
		return Letter{}, false
	}
}

// enough: the server wants no further message now, perhaps only not through a
// connection that has brought some: many servers end one after so many, with
// 421, with 452, or without a word. That is nobody's fault.
func enough(o mail.Outcome) bool {
	f := o.Failure
	return f != nil && f.Op == OpMAIL && (f.Code == mail.CodeTargetBusy || f.Code == mail.CodeDeferred || f.Code == mail.CodeClosed)
}

// another tells whether a job is to be tried through another connection. Where
// many connections have enough at once it may meet one of those again.
func (p *Pool) another(id string, wanted bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wanted && p.moved[id] <= maxAdaptive {
		p.moved[id]++
		return true
	}
	delete(p.moved, id)
	return false
}

func attempted(o mail.Outcome) bool { return o.Verdict != mail.NotAttempted }

// judge hands the outcomes to the judge and begins to settle what it lets go.
func (w *worker) judge(s settlement) event {
	p := w.r.p
	taken := has(s.outcomes, accepted) // what the judge holds it may change later
	now, pause := p.judge.add(s)
	if len(now) > 0 {
		before, after := w.settled, &ticket{done: make(chan struct{})}
		w.settled = after
		w.r.help(func() event {
			defer close(after.done)
			e := p.settleAll(w.r.ctx, now)
			after.err = e.lost
			if before != nil {
				<-before.done
				after.err = errors.Join(before.err, after.err)
			}
			return e
		})
	}
	return event{accepted: taken, pause: pause}
}

// barrier is rule 50: the outcome of the message before is durable before the
// final dot of the next one is sent.
func (w *worker) barrier(ctx context.Context) error {
	if w.settled == nil {
		return nil
	}
	select {
	case <-w.settled.done:
		return w.settled.err
	case <-ctx.Done():
		return &mail.Failure{Code: mail.CodeCancelled, Op: "settle", Err: context.Cause(ctx)}
	}
}

// settleAll keeps outcomes, and tries again as long as the store fails: they
// exist nowhere else. After ctx has ended it gives up soon.
func (p *Pool) settleAll(ctx context.Context, list []settlement) event {
	var e event
	for _, s := range list {
		e.settled = append(e.settled, s.job)
		e.dirty = e.dirty || has(s.outcomes, func(o mail.Outcome) bool { return o.Verdict == mail.NotAttempted })
		if err := p.settle(ctx, s); err != nil {
			p.d.Log.Error("outcome not kept", "target", p.t.Name, "id", s.job.ID, "error", err)
			e.lost = err
		}
	}
	return e
}

const (
	settleFirst = 100 * time.Millisecond
	settleLast  = 10 * time.Second
	settleStop  = 3 // attempts after the program was asked to stop

	settleStopWait = time.Second // before the second of them
)

func (p *Pool) settle(ctx context.Context, s settlement) error {
	wait, stop := settleFirst, ctx.Done()
	for stopped := 0; ; {
		err := p.d.Queue.Settle(context.WithoutCancel(ctx), s.job, s.outcomes)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			if stopped++; stopped >= settleStop {
				return err
			}
		}
		p.d.Log.Error("settle, trying again", "target", p.t.Name, "id", s.job.ID, "error", err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-stop:
			stop = nil // once: the attempts that are left keep their distance
			wait = min(wait, settleStopWait)
		case <-p.hard.Done():
			timer.Stop()
			return err
		}
		timer.Stop()
		wait = min(2*wait, settleLast)
	}
}
