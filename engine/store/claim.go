package store

import (
	"context"
	"time"

	"postbag/engine/mail"
)

// maxRecipients is the number of recipients of one transaction (rule 42).
const maxRecipients = 100

// Claim takes up to max transactions that are due for a target now and books
// one attempt on each of their copies, durably, before anything is dialled
// (rule 44): next tells when the attempt after this one is due, given the
// number of attempts including this one. A claimed copy is not claimed again
// before Settle or Release, even when that time has come. Copies held behind
// another (rule 35) are never claimed. The longest due come first.
func (s *Store) Claim(ctx context.Context, target string, max int, next func(attempts int) time.Time) ([]mail.Job, error) {
	var jobs []mail.Job
	err := s.writeStep(ctx, "claim", func(t *tx) error {
		var err error
		if jobs, err = t.due(target, max); err != nil {
			return err
		}
		if err := t.book(jobs, next); err != nil {
			return err
		}
		jobs = append(jobs, t.claimPlain(target, max-len(jobs), next)...)
		return nil
	})
	return jobs, err
}

const sqlDue = `SELECT c.id, c.address, c.attempts, c.unknown, c.outside, c.queued, c.reason,
	i.id, i.mailbox, i.size, m.source, m.sender, m.unknown_reason, m.received
	FROM copy c INDEXED BY copy_due JOIN identity i ON i.row = c.id >> 20 JOIN message m ON m.row = i.row
	WHERE c.target = ? AND c.next <= ?
	ORDER BY c.next, c.queued, c.id`

// due groups the copies that are due into transactions.
func (t *tx) due(target string, max int) ([]mail.Job, error) {
	type key struct {
		row              int64
		unknown, outside bool
	}
	var jobs []mail.Job
	open := make(map[key]int) // the job that still takes copies
	err := t.query(sqlDue, func(r record) error {
		id := r.int(0)
		if t.s.flying(id) {
			return nil
		}
		k := key{rowOf(id), r.bool(3), r.bool(4)}
		n, ok := open[k]
		if !ok || len(jobs[n].Copies) >= maxRecipients {
			if len(jobs) >= max {
				return errStop
			}
			n = len(jobs)
			open[k] = n
			jobs = append(jobs, jobOf(r, target))
		}
		j := &jobs[n]
		j.Copies = append(j.Copies, mail.Copy{ID: id, Address: r.str(1), Attempts: int(r.int(2)) + 1})
		if q := r.time(5); q.Before(j.Queued) {
			j.Queued = q
		}
		return nil
	}, target, t.now)
	if err == errStop {
		err = nil
	}
	return jobs, err
}

func jobOf(r record, target string) mail.Job {
	j := mail.Job{
		Message: rowOf(r.int(0)), ID: r.str(7), Mailbox: r.str(8), Source: r.str(10), Target: target,
		Sender: r.str(11), Unknown: r.bool(3), Outside: r.bool(4), Size: r.int(9),
		Received: r.time(13), Queued: r.time(5),
	}
	if j.Unknown {
		if j.Reason = r.str(6); j.Reason == "" {
			j.Reason = r.str(12)
		}
	}
	return j
}

// book stores the attempts and the times of the next ones.
func (t *tx) book(jobs []mail.Job, next func(int) time.Time) error {
	var claimed []int64
	for _, j := range jobs {
		times := make(map[int]time.Time) // copies of one transaction stay together
		for _, c := range j.Copies {
			at, ok := times[c.Attempts]
			if !ok {
				at = t.later(next(c.Attempts))
				times[c.Attempts] = at
			}
			if _, err := t.exec("UPDATE copy SET attempts = ?, next = ? WHERE id = ?", c.Attempts, at, c.ID); err != nil {
				return err
			}
			claimed = append(claimed, c.ID)
		}
	}
	if len(claimed) > 0 {
		t.after = append(t.after, func() { t.s.takeOff(claimed) })
	}
	return nil
}

// later is a time after this transaction, in whole milliseconds.
func (t *tx) later(at time.Time) time.Time {
	if !at.After(t.now) {
		at = t.now.Add(time.Millisecond)
	}
	return at.UTC().Truncate(time.Millisecond)
}

// Release gives claimed jobs back that were not tried: the attempts do not
// count and the copies are due at once.
func (s *Store) Release(ctx context.Context, jobs []mail.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	return s.write(ctx, "release", 0, func(t *tx) error {
		var ids []int64
		for _, j := range jobs {
			for _, c := range j.Copies {
				_, err := t.exec("UPDATE copy SET attempts = max(attempts - 1, 0), next = ? WHERE id = ? AND next IS NOT NULL AND attempts > 0", t.now, c.ID)
				if err != nil {
					return err
				}
				ids = append(ids, c.ID)
			}
		}
		t.after = append(t.after, func() { t.s.land(ids) })
		return nil
	})
}

// takeOff marks copies as claimed by this process.
func (s *Store) takeOff(ids []int64) {
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	for _, id := range ids {
		s.flight[id] = struct{}{}
	}
}

func (s *Store) land(ids []int64) {
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	for _, id := range ids {
		delete(s.flight, id)
	}
}

func (s *Store) flying(id int64) bool {
	s.flightMu.Lock()
	defer s.flightMu.Unlock()
	_, ok := s.flight[id]
	return ok
}

// MakeDue makes the queued copies of the named targets due now, of all targets
// when none is named. What is claimed now keeps its outcome, held copies wait on.
func (s *Store) MakeDue(ctx context.Context, targets ...string) error {
	return s.write(ctx, "make due", 0, func(t *tx) error {
		if len(targets) == 0 {
			all, err := queuedTargets(context.Background(), t.conn)
			if err != nil {
				return err
			}
			return t.makeDue(all)
		}
		return t.makeDue(targets)
	})
}

func (t *tx) makeDue(targets []string) error {
	for _, name := range targets {
		_, err := t.exec("UPDATE copy INDEXED BY copy_due SET next = ? WHERE target = ? AND next > ?", t.now, name, t.now)
		if err != nil {
			return err
		}
	}
	return nil
}

// queuedTargets walks over the targets that have queued copies, with one step
// in the index for each.
func queuedTargets(ctx context.Context, c *conn) ([]string, error) {
	var out []string
	sql, args := sqlFirstTarget, []any(nil)
	for {
		r, ok, err := c.one(ctx, sql, args...)
		if err != nil || !ok {
			return out, err
		}
		out = append(out, r.str(0))
		sql, args = sqlNextTarget, []any{r.str(0)}
	}
}

const (
	sqlFirstTarget = `SELECT target FROM copy INDEXED BY copy_due WHERE next IS NOT NULL ORDER BY target LIMIT 1`
	sqlNextTarget  = `SELECT target FROM copy INDEXED BY copy_due WHERE next IS NOT NULL AND target > ? ORDER BY target LIMIT 1`
	sqlNextDue     = `SELECT id, next FROM copy INDEXED BY copy_due WHERE target = ? AND next IS NOT NULL ORDER BY next`
)

// NextDue tells for each target when its next attempt is due; held copies and
// those claimed now are left out. A time in the past means: now.
func (s *Store) NextDue(ctx context.Context) (map[string]time.Time, error) {
	out := make(map[string]time.Time)
	err := s.read(ctx, "next due", func(c *conn) error {
		targets, err := queuedTargets(ctx, c)
		if err != nil {
			return err
		}
		for _, name := range targets {
			err := c.each(ctx, sqlNextDue, func(r record) error {
				if s.flying(r.int(0)) {
					return nil
				}
				out[name] = r.time(1)
				return errStop
			}, name)
			if err != nil && err != errStop {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Expire sets copies aside that were queued before the given time: the queue's
// lifetime is over (rule 44). It returns the ids of the messages. Claimed
// copies are left to their outcome, held ones to the copy they wait for.
func (s *Store) Expire(ctx context.Context, queuedBefore time.Time) ([]string, error) {
	rows := make(map[int64]bool)
	var order []int64
	err := s.read(ctx, "expire", func(c *conn) error {
		return c.each(ctx, sqlExpired, func(r record) error {
			if row := rowOf(r.int(0)); !rows[row] && !s.flying(r.int(0)) {
				rows[row] = true
				order = append(order, row)
			}
			return nil
		}, queuedBefore)
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range order {
		if err := s.emlOfRow(ctx, row); err != nil {
			return out, err
		}
		id := ""
		err := s.write(ctx, "expire", 0, func(t *tx) (err error) {
			id, err = t.expire(row, queuedBefore)
			return err
		})
		if err != nil {
			return out, err
		}
		if id != "" {
			out = append(out, id)
		}
	}
	return out, nil
}

const sqlExpired = `SELECT id FROM copy INDEXED BY copy_due WHERE next IS NOT NULL AND queued < ?`

func (t *tx) expire(row int64, before time.Time) (string, error) {
	m, err := t.message("expire", row)
	if err != nil {
		return "", err
	}
	hit := false
	for i := range m.copies {
		c := &m.copies[i]
		if c.state != mail.Queued || c.heldBy != 0 || t.s.flying(c.id) {
			continue
		}
		n, err := t.exec("UPDATE copy SET state = 'quarantined', code = ?, next = NULL, changed = ? WHERE id = ? AND queued < ?",
			mail.CodeLifetime, t.now, c.id, before)
		if err != nil {
			return "", err
		}
		if n == 0 {
			continue
		}
		hit, c.state = true, mail.Quarantined
		if err := t.note(row, StepQuarantined, c.address, mail.CodeLifetime, ""); err != nil {
			return "", err
		}
		if _, err := t.ended(c.id, false); err != nil {
			return "", err
		}
	}
	if !hit {
		return "", nil
	}
	if err := t.markEml(m); err != nil {
		return "", err
	}
	_, err = t.conclude(m)
	return m.id, err
}
