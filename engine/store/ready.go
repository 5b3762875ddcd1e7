package store

import (
	"context"
	"path/filepath"
)

// firstStatements are those that the writer needs for the first message.
func firstStatements() []string {
	return []string{sqlListed, sqlNewIdentity, sqlCounted, sqlTarget, sqlSetTarget, sqlTwice, sqlMailbox, sqlSetMailbox,
		sqlJournal, sqlWords, sqlSettledCopy, sqlFolded, sqlEpoch, sqlEnterKeys, sqlFile, sqlUnfile, sqlSetAtSource}
}

// Prepare makes what the first message needs while nobody waits for it: the
// statements, the write-ahead log, which SQLite begins anew at each start and
// which costs a sync of its own, and the ledger.
func (s *Store) Prepare(ctx context.Context) error {
	return s.writeBeside(ctx, "prepare", func(t *tx) error {
		for _, sql := range firstStatements() {
			if _, err := t.prepare(sql); err != nil {
				return err
			}
		}
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
	return s.writeBeside(ctx, "checkpoint", func(t *tx) error {
		if t.begun {
			return nil // what changes the tables now is not done
		}
		return t.script("PRAGMA wal_checkpoint(PASSIVE)")
	})
}

// reader lends a connection for queries.
func (s *Store) reader(ctx context.Context) (*conn, error) {
	select {
	case c := <-s.readers:
		return c, nil
	default:
	}
	select {
	case c := <-s.readers:
		return c, nil
	case s.slots <- struct{}{}:
		c, err := openConn(filepath.Join(s.dir, fileDB), "busy_timeout = 10000", "query_only = 1", "cache_size = -2048")
		if err != nil {
			<-s.slots
			return nil, err
		}
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
