package store

import (
	"fmt"
	"maps"
	"testing"

	"postbag/engine/mail"
)

// everything is the content of all tables in words.
func (r *rig) everything() string {
	r.t.Helper()
	out := ""
	r.ok(r.read(r.ctx, "everything", func(c *conn) error {
		for _, table := range []string{"identity", "message", "copy", "body", "event", "counter", "mailbox", "target", "search"} {
			err := c.each(r.ctx, "SELECT * FROM "+table+" ORDER BY 1", func(rec record) error {
				out += fmt.Sprintln(table, rec)
				return nil
			})
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil
	}))
	return out
}

// A rehearsal leaves nothing behind, also when it shares its transaction with
// real work, and a message goes its way afterwards.
func TestRehearse(t *testing.T) {
	r := newRig(t)
	r.list("box", "a", "b")
	before, balance, spool := r.everything(), r.balance(), r.SpoolBytes()
	for range 2 {
		r.ok(r.Rehearse(r.ctx))
	}
	if got := r.everything(); got != before {
		t.Errorf("it was\n%s\nand is\n%s", before, got)
	}
	if !maps.Equal(r.balance(), balance) || r.SpoolBytes() != spool || len(r.flight) != 0 {
		t.Errorf("%v, %d octets, %v", r.balance(), r.SpoolBytes(), r.flight)
	}
	done := make(chan error, 20)
	for i := range 10 {
		go func() { done <- r.Rehearse(r.ctx) }()
		go func() {
			_, err := r.RecordListing(r.ctx, "box", []NewItem{{UID: fmt.Sprint("n", i)}}, nil)
			done <- err
		}()
	}
	for range 20 {
		r.ok(<-done)
	}
	if got := r.balance()[mail.Waiting]; got != 12 {
		t.Errorf("%d waiting, want 12", got)
	}
}

func (r *rig) balance() map[mail.State]int64 {
	r.t.Helper()
	b, err := r.Balance(r.ctx)
	r.ok(err)
	return b
}
