package store

import "context"

// Prepare makes the files that the first message needs while nobody waits for
// them: the write-ahead log, which SQLite begins anew at each start and which
// costs a sync of its own, and the ledger.
func (s *Store) Prepare(ctx context.Context) error {
	return s.writeBeside(ctx, "prepare", func(t *tx) error {
		if _, err := t.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('opened', ?)", t.now.UnixMilli()); err != nil {
			return err
		}
		if t.s.noPlain {
			return nil
		}
		return t.s.ledger.ready()
	})
}

// Checkpoint copies what the write-ahead log holds into the database now, as far
// as it can without waiting for anybody, so that closing finds less to do.
func (s *Store) Checkpoint(ctx context.Context) error {
	return s.readBeside(ctx, "checkpoint", func(c *conn) error { return c.script("PRAGMA wal_checkpoint(PASSIVE)") })
}
