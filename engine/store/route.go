package store

import (
	"context"

	"postbag/engine/mail"
)

// Unrouted returns the messages that are durable and not routed yet, of all
// mailboxes, oldest first.
func (s *Store) Unrouted(ctx context.Context) ([]Unrouted, error) {
	var out []Unrouted
	err := s.read(ctx, "unrouted", func(c *conn) error {
		return c.each(ctx, sqlUnrouted, func(r record) error {
			out = append(out, Unrouted{Known: scanKnown(r), Mailbox: r.str(12), Source: r.str(13)})
			return nil
		})
	})
	return out, err
}

// Unrouted is a message that waits for its routing.
type Unrouted struct {
	Known
	Mailbox string // id
	Source  string // host of the provider
}

const sqlUnrouted = `SELECT ` + columnsKnown + `, mailbox, (SELECT source FROM message m WHERE m.row = identity.row)
	FROM identity WHERE state = 'collected' AND ` + isOpen + ` ORDER BY row`

// isOpen repeats the condition of the index identity_open, word for word:
// without it SQLite does not use the index.
const isOpen = `(state = 'waiting' OR state = 'too_big' OR state = 'failed' OR state = 'collected' OR state = 'queued' OR state = 'quarantined')`

// Route queues the envelopes of a message in state collected.
func (s *Store) Route(ctx context.Context, row int64, d mail.Decision) (KeepResult, error) {
	op := keepOp{Kept: Kept{Row: row, Decision: &d}}
	if op.quarantined() {
		if err := s.emlOfRow(ctx, row); err != nil {
			return KeepResult{}, err
		}
	}
	var out KeepResult
	err := s.write(ctx, "route", 0, func(t *tx) error {
		m, err := t.message("route", row)
		if err != nil {
			return err
		}
		if m.state != mail.Collected {
			return wrongState("route", m.state)
		}
		op.key = m.fingerprint
		if err := op.complete(t, row); err != nil {
			return err
		}
		out = KeepResult{Row: row, ID: m.id}
		if out.State, out.Targets, err = op.route(t, row); err != nil {
			return err
		}
		switch out.State {
		case mail.Quarantined:
			err = t.markEml(m)
		case mail.Duplicate:
			err = t.dropBody(m)
		}
		if err != nil {
			return err
		}
		return t.become(row, m.state, out.State)
	})
	return out, err
}

// complete completes a message that was kept without a decision.
func (k *keepOp) complete(t *tx, row int64) error {
	r, _, err := t.first("SELECT message_id, author, subject FROM message WHERE row = ?", row)
	if err != nil {
		return err
	}
	d, route, code := k.Decision, k.Decision.Route, mail.Code("")
	if d.Loop {
		route = mail.RouteLoop
	}
	if k.quarantined() {
		code = k.code()
	}
	_, err = t.exec(`UPDATE message SET sender = ?, route = ?, evidence = ?, unknown_reason = ?, notes = ?, code = ? WHERE row = ?`,
		d.Sender, route, d.Evidence, d.Reason, notesJSON(d.Notes), code, row)
	if err != nil || r == nil {
		return err
	}
	return t.index(row, mail.Summary{MessageID: r.str(0), From: r.str(1), Subject: r.str(2)}, d.Recipients)
}
