package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"postbag/engine/mail"
)

// takeIntake brings what the damaged store had in its ledger only into the
// tables. What cannot be read is a gap. The new store begins without a ledger.
func (r *repair) takeIntake() error {
	contents, err := r.readIntake()
	if err != nil {
		return err
	}
	t := &tx{conn: r.dst, begun: true, now: r.now, delta: make(map[mail.State]int64), // counted anew later
		records: make(packer, groupHeader), unclear: true, spare: make(map[int64]*pending)}
	for _, c := range contents {
		r.rep.Gaps += c.gaps
		for _, steps := range c.steps {
			if err := t.replay(steps); isDamage(err) {
				r.rep.Gaps++
			} else if err != nil {
				return err
			}
		}
	}
	for _, p := range t.spare {
		n, err := t.exec(sqlSpareBody, p.known.Row, int64(len(p.body)), p.body)
		if err != nil {
			return err
		}
		r.rep.Bodies += int(n)
	}
	for _, p := range t.pendings(anyPending) {
		if err := r.believeCopies(t, p); err != nil {
			return err
		}
	}
	r.rep.Bodies += len(t.pendings(func(p *pending) bool { return !settled(p) }))
	if err := t.foldAll(); err != nil {
		return err
	}
	return r.each("DELETE FROM meta WHERE key = 'intake'")
}

// sqlSpareBody gives octets back to a message under way that has lost them.
const sqlSpareBody = `INSERT OR IGNORE INTO body (row, size, data)
	SELECT row, ?2, ?3 FROM identity WHERE row = ?1 AND state IN ('collected', 'queued', 'quarantined')`

// readIntake reads the ledger: of the database's epoch, and of the one in which
// it begins when that is later. Then the database has lost its end.
func (r *repair) readIntake() (contents []ledgerContent, err error) {
	epoch, known, err := readEpoch(r.dst)
	if err != nil && !isDamage(err) {
		return nil, err
	}
	if err != nil || !known {
		epoch = 0 // the ledger tells it
	}
	f, err := r.o.ledger(filepath.Join(r.o.Dir, fileLedger), false)
	if errors.Is(err, fs.ErrNotExist) {
		if known {
			r.rep.Gaps++
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := readLedger(f, epoch)
	if err == nil && c.newer != 0 {
		c.gaps = 0 // where the later one was written over it
		contents = append(contents, c)
		c, err = readLedger(f, c.newer)
	}
	return append(contents, c), errors.Join(err, f.Close())
}

// believeCopies leaves a message to its copies, when the tables have any: they
// know what came after the ledger. Of that only its octets may be missing.
func (r *repair) believeCopies(t *tx, p *pending) error {
	row := p.known.Row
	_, any, err := t.first("SELECT 1 FROM copy WHERE id >= ? AND id < ?", copyID(row, 0), copyID(row+1, 0))
	if err != nil || !any {
		return err
	}
	t.put(row, nil)
	if _, err := t.exec("UPDATE identity SET state = 'queued', size = ?, fingerprint = ? WHERE row = ?", p.known.Size, orNone(p.key), row); err != nil {
		return err
	}
	facts := journalFacts{summary: p.summary, source: p.source, decision: p.decision, received: p.collected}
	_, known, err := t.first("SELECT 1 FROM message WHERE row = ?", row)
	if err == nil && !known {
		err = t.writeMessage(row, facts, false)
	}
	if err != nil || settled(p) {
		return err
	}
	_, err = t.exec("INSERT OR IGNORE INTO body (row, size, data) VALUES (?, ?, ?)", row, p.known.Size, p.body)
	return err
}
