package engine

import (
	"context"
	"io"
	"log/slog"
	"math"
	"sync"
	"time"

	"postbag/engine/deliver"
	"postbag/engine/mail"
)

// queue is what the pool of one target works off: the store, with the rules
// for what an outcome means.
type queue struct {
	e      *Engine
	target string

	mu     sync.Mutex
	booked []mail.Job // claimed when they were kept
}

var _ deliver.Queue = (*queue)(nil)

// Claim books an attempt for each copy before its MAIL FROM (rule 44). Where
// that is done already nothing else is looked for: what more is due comes with
// the next call.
func (q *queue) Claim(ctx context.Context, max int) (jobs []mail.Job, err error) {
	if jobs = q.take(max); len(jobs) > 0 {
		q.e.kick(q.target)
	} else {
		jobs, err = q.e.deps.Store.Claim(ctx, q.target, max, q.e.nextAttempt)
	}
	for i := range jobs {
		q.e.prepareJob(&jobs[i])
	}
	return jobs, err
}

// Settle records the outcomes; what it returns nil for is durable.
func (q *queue) Settle(ctx context.Context, j mail.Job, outcomes []mail.Outcome) error {
	settings := q.e.current()
	list := verdicts(j, outcomes, settings, q.e.deps.Now(), q.e.nextAttempt)
	res, err := q.e.deps.Store.Settle(ctx, j, list)
	if err != nil {
		q.e.stuck.failed(q.e.deps.Now(), err)
		return err
	}
	q.e.stuck.worked()
	q.e.deps.Log.LogAttrs(ctx, slog.LevelInfo, "attempt at a message ended", slog.String("mailbox", j.Mailbox), slog.String("message", j.ID),
		slog.String("target", j.Target), slog.Int("copies", len(list)), slog.String("state", string(res.State)))
	for _, t := range res.Targets {
		q.e.kick(t)
	}
	q.e.settled(j, list, res.State)
	return nil
}

// Release takes back the attempts at jobs that were not begun.
func (q *queue) Release(ctx context.Context, jobs []mail.Job) error {
	return q.e.deps.Store.Release(ctx, jobs)
}

// take hands over what was booked when it was kept, at most max jobs.
func (q *queue) take(max int) []mail.Job {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(max, len(q.booked))
	jobs := q.booked[:n:n]
	q.booked = q.booked[n:]
	return jobs
}

// giveBack takes the booked attempts back: the target is not there (rule 44).
func (q *queue) giveBack(ctx context.Context) error {
	return q.e.deps.Store.Release(ctx, q.take(math.MaxInt))
}

// books returns how to book the attempt at a message together with keeping it:
// nil unless the target has nothing else to do and nothing is known against it.
func (e *Engine) books(d *mail.Decision) func(attempts int) time.Time {
	if len(d.Recipients) == 0 {
		return nil
	}
	e.mu.Lock()
	p := e.pools[d.Recipients[0].Target]
	e.mu.Unlock()
	if p == nil {
		return nil
	}
	st := p.State()
	idle := st.Waiting == 0 && st.InFlight < max(st.Connections, 1)
	if !st.Running || st.Paused || st.Failure != nil || !idle {
		return nil
	}
	return e.nextAttempt
}

// hand gives the job that was claimed with a message that was kept to its target.
// When that delivers no more, the job is given back.
func (e *Engine) hand(ctx context.Context, j mail.Job) error {
	if len(j.Copies) == 0 || e.queued(j) {
		return nil
	}
	return e.deps.Store.Release(context.WithoutCancel(ctx), []mail.Job{j})
}

// queued puts a booked job where its target's pool finds it; false: there is none.
func (e *Engine) queued(j mail.Job) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.pools[j.Target]
	if p == nil {
		return false
	}
	p.queue.mu.Lock()
	defer p.queue.mu.Unlock()
	p.queue.booked = append(p.queue.booked, j)
	return true
}

// nextAttempt is when the attempt after so many is due (rule 44).
func (e *Engine) nextAttempt(attempts int) time.Time {
	return e.deps.Now().Add(deliver.Backoff(attempts, e.deps.Jitter))
}

// prepareJob fills in what the store does not know: the sender of copies that
// leave the office's domains (rule 33).
func (e *Engine) prepareJob(j *mail.Job) {
	if !j.Outside {
		return
	}
	s := e.current()
	j.Sender = s.OwnSender
	for i := range s.Targets {
		if s.Targets[i].Name == j.Target && s.Targets[i].Sender != "" {
			j.Sender = s.Targets[i].Sender
		}
	}
}

// settled tells those who wait that an attempt at a message has ended.
func (e *Engine) settled(j mail.Job, list []settlement, state mail.State) {
	e.mu.Lock()
	for w := range e.watches[j.Mailbox] {
		w.attempted(j.Message)
	}
	runs := make([]*run, 0, len(e.runs))
	for r := range e.runs {
		runs = append(runs, r)
	}
	e.mu.Unlock()
	aside := false
	for _, s := range list {
		aside = aside || (s.State == mail.Quarantined && len(s.Reroute) == 0)
	}
	for _, r := range runs {
		r.settled(j.Message, aside)
	}
	if aside {
		e.attention(j.Mailbox, &mail.Failure{Class: mail.NeedsUser, Code: quarantineCode(list), Op: "deliver"})
	}
	if state == mail.Queued {
		select {
		case e.deferred <- struct{}{}:
		default:
		}
	}
	e.publish(Event{Kind: EventSettled, Mailbox: j.Mailbox, Target: j.Target, Row: j.Message, State: state})
}

func quarantineCode(list []settlement) mail.Code {
	for _, s := range list {
		if s.State == mail.Quarantined && s.Code != "" {
			return s.Code
		}
	}
	return mail.CodeRejected
}

// open streams a stored message to a connection.
func (e *Engine) open(ctx context.Context, row int64) (io.ReadCloser, int64, error) {
	return e.deps.Store.OpenMessage(ctx, row)
}
