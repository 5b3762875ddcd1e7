package engine

import (
	"context"
	"io"
	"log/slog"
	"time"

	"postbag/engine/deliver"
	"postbag/engine/mail"
)

// queue is what the pool of one target works off: the store, with the rules
// for what an outcome means.
type queue struct {
	e      *Engine
	target string
}

var _ deliver.Queue = (*queue)(nil)

// Claim books an attempt for each copy before its MAIL FROM (rule 44).
func (q *queue) Claim(ctx context.Context, max int) ([]mail.Job, error) {
	jobs, err := q.e.deps.Store.Claim(ctx, q.target, max, q.e.nextAttempt)
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
