package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"strings"

	"postbag/engine/mail"
)

// salvaged are the tables whose rows a repair copies.
var salvaged = [...]string{"meta", "mailbox", "target", "alert", "identity", "message", "copy", "body", "event"}

// salvage copies every readable row. What SQLite cannot read is jumped over.
func (r *repair) salvage() error {
	if r.src == nil {
		r.rep.Gaps++
		return nil
	}
	for _, name := range salvaged[:4] {
		if err := r.small(name); err != nil {
			return err
		}
	}
	tables := []struct {
		name, key string
		count     *int
	}{
		{"identity", "row", &r.rep.Identities}, {"message", "row", &r.rep.Messages},
		{"copy", "id", &r.rep.Copies}, {"body", "row", &r.rep.Bodies}, {"event", "n", new(int)},
	}
	for _, t := range tables {
		s, err := r.sieve(t.name, t.key)
		if err != nil {
			return err
		}
		if err := s.run(r.ctx); err != nil {
			return err
		}
		*t.count = s.rows
		r.rep.Gaps += s.gaps
	}
	return nil
}

// sieve copies one table with an integer key.
type sieve struct {
	src, dst *conn
	read     string // with bounds for the key and without an order
	insert   string
	key      string
	rows     int
	gaps     int
}

// columns returns the names of a table's columns in the new database.
func (r *repair) columns(table string) ([]string, error) {
	var out []string
	err := r.dst.each(r.ctx, "SELECT name FROM pragma_table_info('"+table+"')", func(rec record) error {
		out = append(out, rec.str(0))
		return nil
	})
	return out, err
}

func (r *repair) sieve(table, key string) (*sieve, error) {
	names, err := r.columns(table)
	if err != nil {
		return nil, err
	}
	list := strings.Join(names, ", ")
	return &sieve{src: r.src, dst: r.dst, key: key,
		read:   fmt.Sprintf("SELECT %s, %s FROM %s NOT INDEXED WHERE %s > ? AND %s < ? ORDER BY %s", key, list, table, key, key, key),
		insert: fmt.Sprintf("INSERT OR IGNORE INTO %s (%s) VALUES (?%s)", table, list, strings.Repeat(", ?", len(names)-1)),
	}, nil
}

// run reads upwards to the damage, downwards to it from the end, and then looks
// for islands in between with growing steps.
func (s *sieve) run(ctx context.Context) error {
	low, err := s.span(ctx, "", math.MinInt64, math.MaxInt64)
	if err != nil || low == math.MaxInt64 {
		return err
	}
	s.gaps++
	high, err := s.span(ctx, " DESC", low, math.MaxInt64)
	if err != nil {
		return err
	}
	for step := int64(1); step > 0 && low < high-step; {
		if err := ctx.Err(); err != nil {
			return err
		}
		before := s.rows
		at, err := s.span(ctx, "", low+step-1, high)
		switch {
		case err != nil:
			return err
		case at == high: // to the end of the gap
			return nil
		case s.rows > before:
			low, step = at, 1
		default:
			step *= 2
		}
	}
	return nil
}

// span copies rows with low < key < high in the given direction. It returns the
// last key copied before the damage (the bound it started from when none was),
// or the bound it was to reach when it got there.
func (s *sieve) span(ctx context.Context, order string, low, high int64) (int64, error) {
	at, end := low, high
	if order != "" {
		at, end = high, low
	}
	var inner error
	err := s.src.each(ctx, s.read+order, func(rec record) error {
		ok, err := put(s.dst, s.insert, rec[1:])
		if err != nil {
			inner = err
			return err
		}
		if ok {
			s.rows++
		}
		at = rec.int(0)
		return nil
	}, low, high)
	switch {
	case inner != nil:
		return at, inner
	case ctx.Err() != nil:
		return at, ctx.Err()
	case err != nil:
		return at, nil // damage, whatever SQLite calls it here
	}
	return end, nil
}

// put inserts a salvaged row; a row that breaks a rule of the schema is no row.
func put(dst *conn, sql string, values []driver.Value) (bool, error) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	n, err := dst.exec(sql, args...)
	if err != nil && sqliteCode(err)&0xff == sqliteConstraint {
		return false, nil
	}
	return n > 0, err
}

const sqliteConstraint = 19 // SQLITE_CONSTRAINT

// small copies a table with a text key; these fit on a page or two.
func (r *repair) small(table string) error {
	names, err := r.columns(table)
	if err != nil {
		return err
	}
	list := strings.Join(names, ", ")
	insert := fmt.Sprintf("INSERT OR REPLACE INTO %s (%s) VALUES (?%s)", table, list, strings.Repeat(", ?", len(names)-1))
	for _, order := range []string{"", " DESC"} {
		var inner error
		err := r.src.each(r.ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY 1%s", list, table, order), func(rec record) error {
			_, inner = put(r.dst, insert, rec)
			return inner
		})
		if inner != nil {
			return inner
		}
		if err == nil {
			return nil
		}
	}
	r.rep.Gaps++
	return nil
}

const unknownState = "?"

// rebuild puts identities together from the indexes when their own rows could
// not be read: what is known must not be fetched twice.
func (r *repair) rebuild() error {
	if _, err := r.dst.exec("UPDATE identity SET state = '?' WHERE state NOT IN " + allStates()); err != nil {
		return err
	}
	if r.src == nil || r.rep.Gaps == 0 {
		return r.decide(true)
	}
	if _, err := r.index(`SELECT mailbox, uid, ident, row FROM identity INDEXED BY identity_uid WHERE mailbox >= '' ORDER BY mailbox, uid, ident`,
		func(rec record) error {
			n, err := r.dst.exec(`INSERT OR IGNORE INTO identity (row, id, mailbox, uid, ident, state, at_source, seen, changed)
				VALUES (?, 'r' || ?, ?, ?, ?, ?, 'gone', ?, ?)`, rec.int(3), rec.int(3), rec.str(0), rec.str(1), rec.str(2), unknownState, r.now, r.now)
			r.rep.Rebuilt += int(n)
			return err
		}); err != nil {
		return err
	}
	r.rep.Identities += r.rep.Rebuilt
	if r.rep.Rebuilt == 0 {
		return r.decide(true)
	}
	const rebuiltKey = `UPDATE identity SET fingerprint = ? WHERE row = ? AND state = '?' AND fingerprint IS NULL`
	for _, part := range []struct{ read, write string }{
		{`SELECT id, row FROM identity INDEXED BY identity_id WHERE id >= '' ORDER BY id`,
			`UPDATE OR IGNORE identity SET id = ? WHERE row = ? AND id = 'r' || row`},
		// Before schema 3 an index had them whole; since then there is their beginning.
		{`SELECT fingerprint, row FROM identity INDEXED BY identity_fingerprint WHERE fingerprint IS NOT NULL ORDER BY fingerprint`, rebuiltKey},
		{`SELECT key, row FROM fingerprint_new WHERE typeof(key) = 'blob' ORDER BY key`, rebuiltKey},
		{`SELECT key, row FROM fingerprint_old WHERE typeof(key) = 'blob' ORDER BY key`, rebuiltKey},
		{`SELECT changed, row FROM identity INDEXED BY identity_changed WHERE changed IS NOT NULL ORDER BY changed`,
			`UPDATE identity SET changed = ? WHERE row = ? AND state = '?'`},
	} {
		if _, err := r.index(part.read, func(rec record) error {
			_, err := r.dst.exec(part.write, rec[0], rec[1])
			return err
		}); err != nil {
			return err
		}
	}
	return r.rebuildStates()
}

// rebuildStates reads the two partial indexes: who is in them is known to be
// open, or to be at the provider still; who is not, is not.
func (r *repair) rebuildStates() error {
	whole, err := r.index(`SELECT mailbox, row FROM identity INDEXED BY identity_source WHERE at_source IN ('present', 'kept') ORDER BY mailbox`,
		func(rec record) error {
			_, err := r.dst.exec("UPDATE identity SET at_source = 'present' WHERE row = ? AND state = '?'", rec.int(1))
			return err
		})
	if err != nil {
		return err
	}
	if !whole {
		if _, err := r.dst.exec("UPDATE identity SET at_source = 'present' WHERE state = '?'"); err != nil {
			return err
		}
	}
	whole, err = r.index(`SELECT state, row FROM identity INDEXED BY identity_open WHERE `+isOpen+` ORDER BY state`,
		func(rec record) error {
			_, err := r.dst.exec("UPDATE identity SET state = ? WHERE row = ? AND state = '?'", rec.str(0), rec.int(1))
			return err
		})
	if err != nil {
		return err
	}
	return r.decide(whole)
}

// decide settles the states that are still unknown: one that is surely not open
// was delivered; of one that may never have been collected nothing is lost when
// it is fetched again.
func (r *repair) decide(openKnown bool) error {
	_, err := r.dst.exec(`UPDATE identity SET delivered = coalesce(delivered, changed, ?), state = CASE
		WHEN ? OR EXISTS (SELECT 1 FROM message m WHERE m.row = identity.row AND m.received IS NOT NULL) THEN 'delivered' ELSE 'waiting' END
		WHERE state = '?'`, r.now, openKnown)
	return err
}

// index reads entries of an index; whole is false when not all could be read.
func (r *repair) index(sql string, fn func(record) error) (whole bool, err error) {
	var inner error
	err = r.src.each(r.ctx, sql, func(rec record) error {
		inner = fn(rec)
		return inner
	})
	if inner != nil {
		return false, inner
	}
	return err == nil, r.ctx.Err()
}

func allStates() string {
	var b strings.Builder
	for i, st := range mail.States() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("'" + string(st) + "'")
	}
	return "(" + b.String() + ")"
}
