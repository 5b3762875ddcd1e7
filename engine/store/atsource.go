package store

import (
	"cmp"
	"context"
	"slices"

	"postbag/engine/mail"
)

// SetAtSource records what happened to the provider's copies.
func (s *Store) SetAtSource(ctx context.Context, rows []int64, at mail.AtSource) error {
	for from := 0; from < len(rows); from += chunk {
		part := rows[from:min(from+chunk, len(rows))]
		err := s.writeBeside(ctx, "at source", func(t *tx) error { return t.setAllAtSource(part, at) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Confirm records which of the provider's copies are deleted and which are kept,
// and changes the state of the mailbox as UpdateMailbox does, in one transaction
// (the last one, when there are many).
func (s *Store) Confirm(ctx context.Context, mailbox string, gone, kept []int64, change func(*MailboxState)) error {
	first, gone := lastChunk(gone)
	err := s.SetAtSource(ctx, first, mail.SourceDeleted)
	first, kept = lastChunk(kept)
	if err == nil {
		err = s.SetAtSource(ctx, first, mail.SourceKept)
	}
	if err != nil {
		return err
	}
	return s.writeBeside(ctx, "confirm", func(t *tx) error {
		if err := t.setAllAtSource(gone, mail.SourceDeleted); err != nil {
			return err
		}
		if err := t.setAllAtSource(kept, mail.SourceKept); err != nil {
			return err
		}
		return t.updateMailbox(mailbox, change)
	})
}

// lastChunk splits off what one operation may change.
func lastChunk(rows []int64) (first, last []int64) {
	at := max(len(rows)-chunk, 0)
	return rows[:at], rows[at:]
}

func (t *tx) setAllAtSource(rows []int64, at mail.AtSource) error {
	if len(rows) == 0 {
		return nil
	}
	rest := t.setAtSourcePlain(rows, at)
	for _, row := range rest {
		delete(t.s.news, row)
	}
	for _, sp := range spans(rest) {
		if _, err := t.exec(sqlSetAtSource, at, t.now, sp.first, sp.last); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) setAtSource(row int64, at mail.AtSource) error {
	_, err := t.exec("UPDATE identity SET at_source = ?, source_changed = ? WHERE row = ?", at, t.now, row)
	return err
}

// AtSource returns what may be deleted at the provider by policy: settled here
// or asked for by a person, and still there, kept ones included (a policy may
// change from keep to delete).
func (s *Store) AtSource(ctx context.Context, mailbox string) ([]Known, error) {
	return s.atSource(ctx, mailbox, sqlAtSource, mail.SourcePresent, mail.SourceKept)
}

// Unconfirmed is AtSource without what is kept there on purpose: what a session
// should have deleted. Where everything is kept that is nothing.
func (s *Store) Unconfirmed(ctx context.Context, mailbox string) ([]Known, error) {
	return s.atSource(ctx, mailbox, sqlUnconfirmed, mail.SourcePresent)
}

// atSource runs a query of what may be deleted and adds what is pending.
func (s *Store) atSource(ctx context.Context, mailbox, sql string, where ...mail.AtSource) ([]Known, error) {
	view := s.viewMailbox(mailbox) // before the query: what it does not see yet is in here
	var out []Known
	err := s.readBeside(ctx, "at source", func(c *conn) error {
		return c.each(ctx, sql, func(r record) error {
			k := scanKnown(r)
			if view[k.Row] != nil && uncollected(k.State) {
				return nil
			}
			delete(view, k.Row)
			out = append(out, k)
			return nil
		}, mailbox)
	})
	for _, p := range view {
		if k := p.known; slices.Contains(where, k.AtSource) && (k.DeleteAsked || k.State.Settled()) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b Known) int { return cmp.Compare(a.Row, b.Row) })
	return out, err
}

const sqlUnconfirmed = sqlAtSourceOf + ` AND at_source = 'present' ORDER BY row`

const sqlAtSource = sqlAtSourceOf + ` ORDER BY row`

const sqlAtSourceOf = `SELECT ` + columnsKnown + ` FROM identity WHERE mailbox = ? AND at_source IN ('present', 'kept')
	AND (delete_asked OR state IN ('quarantined', 'filtered', 'delivered', 'duplicate', 'deleted'))`

const sqlSetAtSource = "UPDATE identity SET at_source = ?, source_changed = ? WHERE row BETWEEN ? AND ?"
