package store

import (
	"slices"
	"strconv"
	"time"

	"postbag/engine/mail"
)

// fold brings a pending into the tables as it is now.
func (t *tx) fold(p *pending) error {
	row := p.known.Row
	facts := journalFacts{summary: p.summary, source: p.source, decision: p.decision, received: p.collected}
	if err := t.writeMessage(row, facts, false); err != nil {
		return err
	}
	for n, r := range p.recipients() {
		if err := t.foldCopy(p, n, r); err != nil {
			return err
		}
	}
	changed := p.collected
	if settled(p) {
		changed = p.settled
	} else {
		t.spool += p.known.Size
		t.held -= p.known.Size
		if _, err := t.exec(sqlBody, row, p.known.Size, nil, false, p.body); err != nil {
			return err
		}
	}
	_, err := t.exec(sqlFolded,
		p.known.State, changed, p.known.Size, orNone(p.key), p.known.FirstDelivered, p.known.AtSource, p.sourceAt, row)
	t.keyed(row, p.key)
	t.moved(p.from, p.known.State)
	t.put(row, nil)
	return err
}

func (t *tx) foldCopy(p *pending, n int, r mail.Recipient) error {
	state, next, changed, to := mail.Queued, p.next, p.collected, landing{}
	switch {
	case settled(p):
		state, next, changed, to = mail.Delivered, time.Time{}, p.settled, p.landed[n]
	case next.IsZero():
		next = p.collected
	}
	_, err := t.exec(sqlSettledCopy,
		copyID(p.known.Row, n), r.Person, r.Address, r.For, r.Target, r.Unknown, r.Outside, state, to.reply, p.attempts, next, p.collected, changed, to.doubtful)
	return err
}

// foldAll brings all pendings into the tables and empties the intake.
func (t *tx) foldAll() error {
	if err := t.foldSome(t.pendings(anyPending)); err != nil {
		return err
	}
	return t.clear()
}

func (t *tx) foldSome(list []*pending) error {
	for _, p := range list {
		if err := t.fold(p); err != nil {
			return err
		}
	}
	return nil
}

// foldRow brings one message into the tables, if it is pending, before something
// happens to it that is not plain.
func (t *tx) foldRow(row int64) error {
	if p := t.pending(row); p != nil {
		return t.fold(p)
	}
	return nil
}

// foldLike brings into the tables what has the given fingerprint (rule 35).
func (t *tx) foldLike(key []byte) error {
	if p := t.like(key); p != nil {
		return t.fold(p)
	}
	return nil
}

// clear gives the ledger a new epoch when nothing is pending any more.
func (t *tx) clear() error {
	if !t.unclear || t.epoch != 0 {
		return nil
	}
	if t.s != nil {
		t.s.join()
	}
	for row := range t.base {
		if t.pending(row) != nil {
			return nil
		}
	}
	for _, p := range t.changed {
		if p != nil {
			return nil
		}
	}
	epoch := firstEpoch
	if now, known, err := readEpoch(t.conn); err != nil {
		return err
	} else if known {
		epoch = now
	}
	epoch = epochAfter(epoch)
	_, err := t.exec(sqlEpoch, strconv.FormatUint(epoch, 16))
	t.epoch, t.records = epoch, t.records[:groupHeader]
	return err
}

// foldAlong puts what has settled into the tables with a transaction that changes
// them anyway, when it is little and nothing else is on its way: then the ledger
// needs no sync, and who asks next finds everything in its place.
func (t *tx) foldAlong(b *batch) error {
	n := len(t.base) + len(t.changed)
	if !t.begun || !b.tables || n == 0 || n > foldAtOnce || t.now.Before(t.s.folder.again) {
		return nil
	}
	list := t.pendings(anyPending)
	if len(list) == 0 || slices.ContainsFunc(list, unsettled) {
		return nil
	}
	b.along = true
	if err := t.foldSome(list); err != nil {
		return err
	}
	return t.clear()
}

// tidy keeps the intake small.
func (t *tx) tidy() error {
	if t.filed+int64(len(t.records)) > maxLedger {
		return t.foldAll()
	}
	return nil
}

// foldIdle is what the writer does when nothing else has come for a while: some
// of what has settled goes into the tables, or everything. It tells whether that
// went well.
func (s *Store) foldIdle(everything bool) bool {
	op := &operation{beside: true, done: make(chan struct{}), run: func(t *tx) error {
		if everything {
			return t.foldAll()
		}
		list := t.pendings(settled)
		if err := t.foldSome(list[:min(len(list), foldAtOnce)]); err != nil {
			return err
		}
		return t.clear()
	}}
	(&batch{s: s, ops: []*operation{op}}).commit()
	if op.err != nil {
		s.log.Warn("what came last could not be put into the tables", "error", op.err)
	}
	return op.err == nil
}

// rest is how long the writer waits for an operation before it puts something
// into the tables, and whether that is to be everything; 0: for ever.
func (s *Store) rest() (wait time.Duration, everything bool) {
	switch {
	case len(s.folder.busy) > 0:
		return 0, false
	case s.settled > 0:
		return foldSettledIn, false
	case len(s.pend) > 0:
		return foldAllIn, true
	}
	return 0, false
}

const (
	sqlSettledCopy = `INSERT INTO copy (id, person, address, for_address, target, unknown, outside, state, reply, attempts, next, queued, changed, doubtful)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlFolded = `UPDATE identity SET state = ?, changed = ?, size = ?, fingerprint = ?, fetch_anyway = 0, delivered = ?,
		at_source = ?, source_changed = coalesce(?, source_changed) WHERE row = ?`
	sqlEpoch = "INSERT OR REPLACE INTO meta (key, value) VALUES ('intake', ?)"
)
