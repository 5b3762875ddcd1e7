package store

import (
	"context"
	"errors"
	"maps"
	"time"

	"postbag/engine/mail"
)

// Rehearse does what a collection does with one message, from the listing to
// the deletion, and takes all of it back. SQLite has read its statements then,
// and made its log: the first real message of a process waits for neither. It
// is for the time in which there is nothing to do, because a server is awaited.
func (s *Store) Rehearse(ctx context.Context) error {
	return s.write(ctx, "rehearse", 0, func(t *tx) error {
		delta, spool, after := maps.Clone(t.delta), t.spool, len(t.after)
		if _, err := t.exec("SAVEPOINT rehearsal"); err != nil {
			return err
		}
		err := t.rehearse()
		for _, sql := range []string{"ROLLBACK TO rehearsal", "RELEASE rehearsal"} {
			_, back := t.exec(sql)
			err = errors.Join(err, back)
		}
		t.delta, t.spool, t.after = delta, spool, t.after[:after]
		return err
	})
}

// rehearse is the way of one message. Its mailbox and its target have names
// that no other can have.
func (t *tx) rehearse() error {
	const name = "\x00rehearsal"
	k, err := t.listed(name, NewItem{UID: name})
	if err != nil {
		return err
	}
	to := mail.Recipient{Address: name, Person: name, Target: name}
	op := keepOp{key: make([]byte, 32), Kept: Kept{
		Row: k.Row, Mailbox: name, UID: name, Draft: &Draft{buf: []byte{'\n'}}, Size: 1,
		Decision: &mail.Decision{Recipients: []mail.Recipient{to}},
	}}
	if _, err := op.run(t); err != nil {
		return err
	}
	jobs, err := t.due(name, 1)
	if err != nil {
		return err
	}
	if err := t.book(jobs, func(int) time.Time { return t.now }); err != nil {
		return err
	}
	for _, j := range jobs {
		if _, err := t.settle(k.Row, []Settlement{{Copy: j.Copies[0], State: mail.Delivered}}); err != nil {
			return err
		}
	}
	if err := t.setAtSource(k.Row, mail.SourceDeleted); err != nil {
		return err
	}
	return t.count()
}
