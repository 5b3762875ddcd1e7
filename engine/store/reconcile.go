package store

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// orphans gives rows without an identity one, when mail hangs on them, and
// drops the rest.
func (r *repair) orphans() error {
	var rows []int64
	err := r.dst.each(r.ctx, `SELECT row FROM (SELECT row FROM body UNION SELECT id >> 20 AS row FROM copy WHERE state IN ('queued', 'quarantined'))
		WHERE row NOT IN (SELECT row FROM identity)`, func(rec record) error {
		rows = append(rows, rec.int(0))
		return nil
	})
	if err != nil {
		return err
	}
	var gen ids
	for _, row := range rows {
		if err := r.adopt(row, gen.next(r.now), mail.Collected, -1, ""); err != nil {
			return err
		}
	}
	return r.each(
		"DELETE FROM copy WHERE id >> 20 NOT IN (SELECT row FROM identity)",
		"DELETE FROM message WHERE row NOT IN (SELECT row FROM identity)",
		"DELETE FROM event WHERE row NOT IN (SELECT row FROM identity)",
	)
}

func (r *repair) each(statements ...string) error {
	for _, sql := range statements {
		if _, err := r.dst.exec(sql); err != nil {
			return err
		}
	}
	return nil
}

// adopt makes an identity for mail whose own is lost: it belongs to no mailbox.
func (r *repair) adopt(row int64, id string, state mail.State, size int64, fingerprint string) error {
	_, err := r.dst.exec(`INSERT INTO identity (row, id, mailbox, uid, ident, state, at_source, size, fingerprint, seen, changed)
		VALUES (?, ?, '', '', 'recovered:' || ?, ?, 'gone', ?, ?, ?, ?)`, row, id, row, state, size, orNone(fingerprintKey(fingerprint)), r.now, r.now)
	return err
}

// bodies brings the octets in line with the files, takes in files that no row
// knows any more, and settles what has lost its octets.
func (r *repair) bodies() error {
	if err := r.dropMissingFiles(); err != nil {
		return err
	}
	var missing []Known
	if err := r.dst.each(r.ctx, "SELECT "+columnsKnown+` FROM identity WHERE state IN ('collected', 'queued', 'quarantined')
		AND row NOT IN (SELECT row FROM body) ORDER BY row`, func(rec record) error {
		missing = append(missing, scanKnown(rec))
		return nil
	}); err != nil {
		return err
	}
	spool, err := r.unknownSpool()
	if err != nil {
		return err
	}
	for _, k := range missing {
		found, err := r.refill(k, spool)
		if err != nil {
			return err
		}
		if !found {
			if err := r.without(k); err != nil {
				return err
			}
		}
	}
	if err := r.takeEml(); err != nil {
		return err
	}
	for name := range spool {
		if err := r.takeFile(filepath.Join(r.o.Dir, dirSpool, name), ""); err != nil {
			return err
		}
	}
	return nil
}

// dropMissingFiles removes rows whose file is not there.
func (r *repair) dropMissingFiles() error {
	var gone []int64
	err := r.dst.each(r.ctx, "SELECT row, file FROM body WHERE file IS NOT NULL", func(rec record) error {
		if !exists(filepath.Join(r.o.Dir, dirSpool, rec.str(1))) {
			gone = append(gone, rec.int(0))
		}
		return nil
	})
	for _, row := range gone {
		if err != nil {
			break
		}
		r.rep.Bodies--
		_, err = r.dst.exec("DELETE FROM body WHERE row = ?", row)
	}
	return err
}

// unknownSpool returns the spool files that no row knows, with their sizes.
func (r *repair) unknownSpool() (map[string]int64, error) {
	dir := filepath.Join(r.o.Dir, dirSpool)
	names, err := listNames(dir)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64)
	for _, n := range names {
		if !strings.HasSuffix(n, bodySuffix) {
			continue
		}
		_, known, err := r.dst.one(r.ctx, "SELECT row FROM body WHERE file = ?", n)
		if err != nil {
			return nil, err
		}
		if !known {
			out[n] = fileSize(filepath.Join(dir, n))
		}
	}
	return out, nil
}

// refill finds the octets of a message in a file: its .eml, or the one spool
// file of its size.
func (r *repair) refill(k Known, spool map[string]int64) (bool, error) {
	eml := filepath.Join(r.o.Dir, dirQuarantine, k.ID+emlSuffix)
	if exists(eml) {
		return true, r.fill(k.Row, eml, true)
	}
	match := ""
	for name, size := range spool {
		if size == k.Size {
			if match != "" {
				return false, nil
			}
			match = name
		}
	}
	if match == "" {
		return false, nil
	}
	delete(spool, match)
	r.rep.Bodies++
	_, err := r.dst.exec("INSERT INTO body (row, size, file) VALUES (?, ?, ?)", k.Row, k.Size, match)
	return true, err
}

// fill stores the octets of a file as a message's.
func (r *repair) fill(row int64, path string, eml bool) error {
	size := fileSize(path)
	r.rep.Bodies++
	if size > inline {
		name := randomName() + bodySuffix
		to := filepath.Join(r.o.Dir, dirSpool, name)
		if err := copyFile(path, to); err != nil {
			return err
		}
		if err := syncFile(to); err != nil {
			return err
		}
		if err := r.o.files.SyncDir(filepath.Dir(to)); err != nil {
			return err
		}
		_, err := r.dst.exec("INSERT INTO body (row, size, file, eml) VALUES (?, ?, ?, ?)", row, size, name, eml)
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = r.dst.exec("INSERT INTO body (row, size, eml, data) VALUES (?, ?, ?, ?)", row, int64(len(data)), eml, data)
	return err
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// without settles a message whose octets are lost: it waits again when the
// provider still has it, else the journal says so.
func (r *repair) without(k Known) error {
	low, high := copyID(k.Row, 0), copyID(k.Row+1, 0)
	if k.AtSource == mail.SourcePresent || k.AtSource == mail.SourceKept {
		r.rep.Refetch++
		for _, sql := range []string{"DELETE FROM copy WHERE id >= ? AND id < ?"} {
			if _, err := r.dst.exec(sql, low, high); err != nil {
				return err
			}
		}
		if _, err := r.dst.exec("DELETE FROM message WHERE row = ?", k.Row); err != nil {
			return err
		}
		_, err := r.dst.exec("UPDATE identity SET state = 'waiting', at_source = 'present', fetches = 0, delivered = NULL, changed = ? WHERE row = ?", r.now, k.Row)
		return err
	}
	r.rep.Lost = append(r.rep.Lost, k.ID)
	if _, err := r.dst.exec("UPDATE copy SET state = 'deleted', next = NULL, held_by = NULL WHERE id >= ? AND id < ? AND state IN ('queued', 'quarantined')", low, high); err != nil {
		return err
	}
	if _, err := r.dst.exec(`INSERT INTO message (row, code, reason) VALUES (?, ?, ?) ON CONFLICT (row) DO UPDATE SET code = excluded.code, reason = excluded.reason`,
		k.Row, mail.CodeStoreDamaged, reasonLost); err != nil {
		return err
	}
	_, err := r.dst.exec("UPDATE identity SET state = 'deleted', changed = ? WHERE row = ?", r.now, k.Row)
	return err
}

const reasonLost = "its octets were lost with the damaged store"

// takeEml takes in the quarantined messages whose rows are lost.
func (r *repair) takeEml() error {
	dir := filepath.Join(r.o.Dir, dirQuarantine)
	names, err := listNames(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		id, ok := strings.CutSuffix(n, emlSuffix)
		if !ok {
			continue
		}
		_, known, err := r.dst.one(r.ctx, "SELECT row FROM identity WHERE id = ?", id)
		if err != nil {
			return err
		}
		if !known {
			if err := r.takeFile(filepath.Join(dir, n), id); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeFile takes a message that is only a file into quarantine. id is that of
// its .eml, "" for a spool file.
func (r *repair) takeFile(path, id string) error {
	sum, fingerprint, err := describe(path)
	if err != nil {
		return err
	}
	rec, _, err := r.dst.one(r.ctx, "SELECT coalesce(max(row), 0) + 1 FROM identity")
	if err != nil {
		return err
	}
	row, eml := rec.int(0), id != ""
	if !eml {
		var gen ids
		id = gen.next(r.now)
		to := filepath.Join(r.o.Dir, dirQuarantine, id+emlSuffix)
		if err := copyFile(path, to); err != nil {
			return err
		}
		if err := syncFile(to); err != nil {
			return err
		}
	}
	if err := r.adopt(row, id, mail.Quarantined, fileSize(path), fingerprint); err != nil {
		return err
	}
	if _, err := r.dst.exec("INSERT INTO message (row, message_id, author, subject, code, received) VALUES (?, ?, ?, ?, ?, ?)",
		row, sum.MessageID, sum.From, sum.Subject, mail.CodeStoreDamaged, r.now); err != nil {
		return err
	}
	r.rep.Recovered = append(r.rep.Recovered, id)
	if eml {
		return r.fill(row, path, true)
	}
	r.rep.Bodies++
	_, err = r.dst.exec("INSERT INTO body (row, size, file, eml) VALUES (?, ?, ?, 1)", row, fileSize(path), filepath.Base(path))
	return err
}

// describe reads what lists show of a message from its file.
func describe(path string) (mail.Summary, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return mail.Summary{}, "", err
	}
	defer f.Close() // read only: nothing to lose
	c := header.NewCollector()
	if _, err := io.Copy(c, f); err != nil {
		return mail.Summary{}, "", err
	}
	return header.Summarize(c.Header()), c.Fingerprint(), nil
}

// reconcile makes states, copies and octets agree.
func (r *repair) reconcile() error {
	rec, _, err := r.dst.one(r.ctx, `SELECT count(*) FROM identity WHERE state = 'queued' AND NOT EXISTS (
		SELECT 1 FROM copy c WHERE c.id >= identity.row << 20 AND c.id < (identity.row + 1) << 20)`)
	if err != nil {
		return err
	}
	r.rep.QueueAgain = int(rec.int(0))
	now := r.now.UnixMilli()
	return r.each(
		// Recipients that are lost are found again by routing.
		`UPDATE identity SET state = 'collected' WHERE state = 'queued' AND NOT EXISTS (
			SELECT 1 FROM copy c WHERE c.id >= identity.row << 20 AND c.id < (identity.row + 1) << 20)`,
		`UPDATE copy SET held_by = NULL WHERE held_by IS NOT NULL AND (state <> 'queued' OR held_by NOT IN (
			SELECT id FROM copy l WHERE l.state = 'queued' AND l.held_by IS NULL))`,
		`UPDATE copy SET next = NULL WHERE state <> 'queued' OR held_by IS NOT NULL`,
		fmt.Sprintf(`UPDATE copy SET next = %d WHERE state = 'queued' AND held_by IS NULL AND next IS NULL`, now),
		`UPDATE identity SET state = (SELECT CASE min(CASE c.state WHEN 'queued' THEN 0 WHEN 'quarantined' THEN 1 WHEN 'delivered' THEN 2 WHEN 'duplicate' THEN 3 ELSE 4 END)
			WHEN 0 THEN 'queued' WHEN 1 THEN 'quarantined' WHEN 2 THEN 'delivered' WHEN 3 THEN 'duplicate' ELSE 'deleted' END
			FROM copy c WHERE c.id >= identity.row << 20 AND c.id < (identity.row + 1) << 20)
			WHERE state NOT IN ('waiting', 'too_big', 'failed') AND EXISTS (
			SELECT 1 FROM copy c WHERE c.id >= identity.row << 20 AND c.id < (identity.row + 1) << 20)`,
		`DELETE FROM body WHERE row IN (SELECT row FROM identity WHERE state NOT IN ('collected', 'queued', 'quarantined'))`,
		`INSERT OR IGNORE INTO message (row) SELECT row FROM body`,
		fmt.Sprintf(`UPDATE message SET received = %d WHERE received IS NULL AND row IN (SELECT row FROM body)`, now),
	)
}

// recount makes the counters and the words' index anew.
func (r *repair) recount() error {
	err := r.each(
		"DELETE FROM counter",
		"INSERT INTO counter (state, n) SELECT state, count(*) FROM identity GROUP BY state",
		"INSERT INTO counter (state, n) SELECT '#spool', coalesce(sum(size), 0) FROM body",
		"UPDATE message SET indexed = 0",
	)
	if err != nil {
		return err
	}
	rec, _, err := r.dst.one(r.ctx, "SELECT count(*) FROM identity")
	if err != nil {
		return err
	}
	r.rep.Identities = int(rec.int(0))
	if r.schema >= schemaKeys {
		if err := r.each("DELETE FROM fingerprint_new", "DELETE FROM fingerprint_old", sqlAllKeys); err != nil {
			return err
		}
	}
	t := &tx{conn: r.dst, begun: true}
	var rows []int64
	if err := r.dst.each(r.ctx, "SELECT row FROM message WHERE received IS NOT NULL OR author <> '' OR subject <> ''", func(rec record) error {
		rows = append(rows, rec.int(0))
		return nil
	}); err != nil {
		return err
	}
	for _, row := range rows {
		if err := t.reindex(row); err != nil {
			return err
		}
	}
	return nil
}
