package store

import (
	"context"
	"time"
)

// Purge removes from the journal what was settled before the given time, at
// most batch messages, and tells how many; call it again until it returns 0.
// What is under way, in quarantine, or still needed to know duplicates stays;
// so do the identities and the balance.
func (s *Store) Purge(ctx context.Context, before time.Time, batch int) (int, error) {
	if oldest := s.now().Add(-s.window); before.After(oldest) {
		before = oldest // rule 35 looks at accepted deliveries within the window
	}
	n := 0
	err := s.write(ctx, "purge", 0, func(t *tx) error {
		var rows []int64
		err := t.query(sqlPurgeable, func(r record) error {
			rows = append(rows, r.int(0))
			return nil
		}, before, batch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := t.forget(row); err != nil {
				return err
			}
			if _, err := t.exec("UPDATE identity SET changed = NULL WHERE row = ?", row); err != nil {
				return err
			}
		}
		n = len(rows)
		return nil
	})
	return n, err
}

const sqlPurgeable = `SELECT row FROM identity INDEXED BY identity_changed
	WHERE changed < ? AND state IN ('filtered', 'delivered', 'duplicate', 'deleted') ORDER BY changed LIMIT ?`

// forget removes the journal's part of a message.
func (t *tx) forget(row int64) error {
	if err := t.unindex(row); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM message WHERE row = ?", row); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM copy WHERE id >= ? AND id < ?", copyID(row, 0), copyID(row+1, 0)); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM event WHERE row = ?", row)
	return err
}
