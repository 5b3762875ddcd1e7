package store

import (
	"context"
	"slices"

	"postbag/engine/mail"
)

// rowOfID finds a message by its public id as a person typed it.
func (s *Store) rowOfID(ctx context.Context, op, id string) (int64, error) {
	var row int64
	err := s.read(ctx, op, func(c *conn) error {
		r, ok, err := c.one(ctx, "SELECT row FROM identity WHERE id = ?", cleanID(id))
		if err == nil && !ok {
			err = notFound(op)
		}
		if err == nil {
			row = r.int(0)
		}
		return err
	})
	return row, err
}

// change runs an operation of a person on one message.
func (s *Store) change(ctx context.Context, name, id string, run func(op *settling) error) ([]string, error) {
	row, err := s.rowOfID(ctx, name, id)
	if err != nil {
		return nil, err
	}
	var targets []string
	err = s.write(ctx, name, 0, func(t *tx) error {
		m, err := t.message(name, row)
		if err != nil {
			return err
		}
		op := &settling{tx: t, m: m}
		if err := run(op); err != nil {
			return err
		}
		targets = op.targets
		return nil
	})
	return targets, err
}

// Retry does at once what waits: queued copies are due now, quarantined ones
// are queued again with their attempts at nought, a message that is too big is
// fetched anyway, a failed one is fetched again. It returns the targets that
// have something to do now. CodeWrongState when nothing of it applies.
func (s *Store) Retry(ctx context.Context, id string) ([]string, error) {
	return s.change(ctx, "retry", id, func(op *settling) error {
		switch op.m.state {
		case mail.TooBig:
			_, err := op.exec("UPDATE identity SET fetch_anyway = 1, delete_asked = 0 WHERE row = ?", op.m.row)
			return err
		case mail.Failed:
			if _, err := op.exec("UPDATE identity SET fetches = 0 WHERE row = ?", op.m.row); err != nil {
				return err
			}
			if err := op.setReason(op.m.row, "", ""); err != nil {
				return err
			}
			return op.become(op.m.row, mail.Failed, mail.Waiting)
		case mail.Queued, mail.Quarantined:
			return op.retry()
		}
		return wrongState("retry", op.m.state)
	})
}

func (op *settling) retry() error {
	did, aside := false, false
	for i := range op.m.copies {
		c := &op.m.copies[i]
		switch {
		case c.state == mail.Quarantined:
			_, err := op.exec("UPDATE copy SET state = 'queued', attempts = 0, next = ?, queued = ?, changed = ? WHERE id = ?", op.now, op.now, op.now, c.id)
			if err != nil {
				return err
			}
			c.state, aside = mail.Queued, true
		case c.state == mail.Queued && c.heldBy == 0:
			if _, err := op.exec("UPDATE copy SET next = ? WHERE id = ?", op.now, c.id); err != nil {
				return err
			}
		default:
			continue
		}
		did = true
		op.targets = addTarget(op.targets, c.target)
	}
	if !did {
		return wrongState("retry", op.m.state)
	}
	if err := op.note(op.m.row, StepRetry, "", "", ""); err != nil || !aside {
		return err
	}
	if err := op.setReason(op.m.row, "", ""); err != nil {
		return err
	}
	if err := op.leftQuarantine(op.m); err != nil {
		return err
	}
	_, err := op.conclude(op.m)
	return err
}

// Delete gives a message up: what is queued or in quarantine is deleted here
// with its octets; what was not collected is marked to be deleted at the
// provider. CodeWrongState when nothing of it applies.
func (s *Store) Delete(ctx context.Context, id string) ([]string, error) {
	return s.change(ctx, "delete", id, func(op *settling) error {
		switch op.m.state {
		case mail.Waiting, mail.TooBig, mail.Failed:
			if _, err := op.exec("UPDATE identity SET delete_asked = 1, fetch_anyway = 0 WHERE row = ?", op.m.row); err != nil {
				return err
			}
		case mail.Collected, mail.Queued, mail.Quarantined:
			if err := op.closeOpen(); err != nil {
				return err
			}
			if err := op.leftQuarantine(op.m); err != nil {
				return err
			}
		default:
			return wrongState("delete", op.m.state)
		}
		if err := op.note(op.m.row, StepDeleted, "", "", ""); err != nil {
			return err
		}
		if len(op.m.copies) > 0 {
			_, err := op.conclude(op.m)
			return err
		}
		if err := op.dropBody(op.m); err != nil {
			return err
		}
		return op.become(op.m.row, op.m.state, mail.Deleted)
	})
}

// closeOpen ends every copy that is queued or in quarantine. One that is on its
// way this moment cannot be recalled: if it arrives, Settle says so.
func (op *settling) closeOpen() error {
	for i := range op.m.copies {
		c := &op.m.copies[i]
		if c.state != mail.Queued && c.state != mail.Quarantined {
			continue
		}
		was := c.state
		_, err := op.exec("UPDATE copy SET state = 'deleted', next = NULL, held_by = NULL, changed = ? WHERE id = ?", op.now, c.id)
		if err != nil {
			return err
		}
		c.state, c.heldBy = mail.Deleted, 0
		if was == mail.Queued {
			if err := op.released(c.id, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// SendTo gives what is queued or in quarantine to another recipient instead. It
// is a person's will: no copy elsewhere makes it a duplicate. It returns the
// targets that have something to do now. CodeWrongState when the octets are not
// here any more.
func (s *Store) SendTo(ctx context.Context, id string, to mail.Recipient) ([]string, error) {
	return s.change(ctx, "send to", id, func(op *settling) error {
		switch op.m.state {
		case mail.Collected, mail.Queued, mail.Quarantined:
		default:
			return wrongState("send to", op.m.state)
		}
		if err := op.closeOpen(); err != nil {
			return err
		}
		if err := op.add(to); err != nil {
			return err
		}
		if err := op.note(op.m.row, StepSentTo, to.Address, "", ""); err != nil {
			return err
		}
		if err := op.setReason(op.m.row, "", ""); err != nil {
			return err
		}
		if err := op.leftQuarantine(op.m); err != nil {
			return err
		}
		if err := op.reindex(op.m.row); err != nil {
			return err
		}
		_, err := op.conclude(op.m)
		return err
	})
}

// add queues a copy for one more person; one that had it already gets it anew.
func (op *settling) add(to mail.Recipient) error {
	op.targets = addTarget(op.targets, to.Target)
	if i := slices.IndexFunc(op.m.copies, func(c copyRow) bool { return c.person == to.Person }); i >= 0 {
		c := &op.m.copies[i]
		c.state, c.target = mail.Queued, to.Target
		_, err := op.exec(`UPDATE copy SET address = ?, target = ?, unknown = ?, outside = ?, state = 'queued', code = '', reply = '', attempts = 0,
			next = ?, queued = ?, changed = ?, held_by = NULL, duplicate_of = NULL WHERE id = ?`,
			to.Address, to.Target, to.Unknown, to.Outside, op.now, op.now, op.now, c.id)
		return err
	}
	id := copyID(op.m.row, 0)
	if n := len(op.m.copies); n > 0 {
		id = op.m.copies[n-1].id + 1
	}
	op.m.copies = append(op.m.copies, copyRow{id: id, person: to.Person, address: to.Address, target: to.Target, unknown: to.Unknown, state: mail.Queued})
	return op.newCopy(id, to, mail.Queued, "", op.now, 0, 0)
}
