package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"postbag/engine/mail"
)

// takeIntake brings what the damaged store had in its ledger only into the
// tables. What cannot be read is a gap.
func (r *repair) takeIntake() error {
	f, err := r.o.ledger(filepath.Join(r.o.Dir, fileLedger), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	epoch, known, err := readEpoch(r.dst)
	if !known && (err == nil || isDamage(err)) {
		epoch, err = 0, nil // the ledger tells it
	}
	var c ledgerContent
	if err == nil {
		c, err = readLedger(f, epoch)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	r.rep.Gaps += c.gaps
	t := &tx{conn: r.dst, begun: true, now: r.now, delta: make(map[mail.State]int64), // counted anew later
		records: make(packer, groupHeader), unclear: true}
	for _, steps := range c.steps {
		if err := t.replay(steps); isDamage(err) {
			r.rep.Gaps++
		} else if err != nil {
			return err
		}
	}
	r.rep.Bodies += len(t.pendings(func(p *pending) bool { return !settled(p) }))
	return t.foldAll()
}
