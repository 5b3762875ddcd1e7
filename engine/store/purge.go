package store

import (
	"context"
	"time"
)

// Purge removes from the journal what was settled before the given time, at
// most batch messages, and tells how many; call it again until it returns 0.
// What is under way or in quarantine stays; so do the identities and the
// balance. Of a delivery that rule 35 still has to know nothing stays but the
// person and the time, until the window for duplicates is over.
func (s *Store) Purge(ctx context.Context, before time.Time, batch int) (int, error) {
	if any, err := s.isPurgeable(ctx, before); err != nil || !any {
		return 0, err
	}
	n := 0
	err := s.write(ctx, "purge", 0, func(t *tx) error {
		oldest := t.now.Add(-s.window)
		rows, err := t.numbers(sqlPurgeable, before, batch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := t.forget(row, oldest); err != nil {
				return err
			}
			if _, err := t.exec("UPDATE identity SET changed = NULL WHERE row = ?", row); err != nil {
				return err
			}
		}
		n = len(rows)
		if n == batch || before.Before(oldest) {
			return nil
		}
		copies, err := t.numbers(sqlBare, oldest, batch-n)
		for _, id := range copies {
			if _, err := t.exec("DELETE FROM copy WHERE id = ?", id); err != nil {
				return err
			}
		}
		n += len(copies)
		return err
	})
	return n, err
}

// isPurgeable tells whether Purge has something to do. Mostly it has not, and
// the writer has.
func (s *Store) isPurgeable(ctx context.Context, before time.Time) (any bool, err error) {
	oldest := s.now().Add(-s.window)
	err = s.readBeside(ctx, "purge", func(c *conn) error {
		if _, any, err = c.one(ctx, sqlPurgeable, before, 1); err == nil && !any && !before.Before(oldest) {
			_, any, err = c.one(ctx, sqlBare, oldest, 1)
		}
		return err
	})
	return any, err
}

// numbers reads the first column.
func (t *tx) numbers(sql string, args ...any) (all []int64, err error) {
	err = t.query(sql, func(r record) error {
		all = append(all, r.int(0))
		return nil
	}, args...)
	return all, err
}

const sqlPurgeable = `SELECT row FROM identity INDEXED BY identity_changed
	WHERE changed < ? AND state IN ('filtered', 'delivered', 'duplicate', 'deleted') ORDER BY changed LIMIT ?`

// forever is longer than any delivery can be ahead.
const forever = 100 * 365 * 24 * time.Hour

// sqlBare finds what Purge left of deliveries, once the window is over. There
// is nothing of it unless the journal is kept for a shorter time than that.
const sqlBare = `SELECT c.id FROM copy c JOIN identity i ON i.row = c.id >> 20 WHERE c.changed < ? AND i.changed IS NULL LIMIT ?`

// forget removes the journal's part of a message; deliveries since then are
// still known by their person and time.
func (t *tx) forget(row int64, since time.Time) error {
	if err := t.unindex(row); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM message WHERE row = ?", row); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM copy WHERE id >= ? AND id < ? AND (state <> 'delivered' OR changed < ?)", copyID(row, 0), copyID(row+1, 0), since); err != nil {
		return err
	}
	if _, err := t.exec("UPDATE copy SET address = '', for_address = '', target = '', code = '', reply = '', reason = '' WHERE id >= ? AND id < ?",
		copyID(row, 0), copyID(row+1, 0)); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM event WHERE row = ?", row)
	return err
}
