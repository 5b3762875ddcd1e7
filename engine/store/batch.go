package store

import "runtime"

const (
	maxBatch = 256     // operations in one transaction
	maxBytes = 8 << 20 // octets of bodies in one transaction

	fewPatient = 4 // patient operations in a transaction with others
)

// batch is what shares one transaction.
type batch struct {
	s       *Store
	ops     []*operation
	bytes   int64
	patient int  // how many of them are
	tables  bool // all of them are about the tables
	along   bool // what has settled went into the tables with them
}

func (b *batch) commitWith(first *operation) {
	b.ops, b.bytes, b.patient = b.ops[:0], 0, 0
	b.tables, b.along = first.tables, false
	b.add(first)
	b.commit()
	switch s := b.s; {
	case b.patient > 0:
		s.keeping = keepingFor
	case !b.tables && s.keeping > 0:
		s.keeping--
	}
}

// commitTables commits an operation about the tables, with others of its kind.
// The steps that wait go first, in the ledger: a server is waiting for what comes
// of them, and nobody but the caller for the tables.
func (b *batch) commitTables(first *operation) {
	select {
	case op := <-b.s.ops:
		if op != nil {
			b.commitWith(op)
		}
	default:
		if op := b.s.patientOne(); op != nil {
			b.commitWith(op)
		}
	}
	b.commitWith(first)
}

func (b *batch) add(op *operation) {
	b.ops = append(b.ops, op)
	b.bytes += op.bytes
	if op.patient {
		b.patient++
	}
}

// more adds what waits already, within the bounds. What was answered a moment
// ago is about to come back with its next step: giving up the processor once
// lets it, and costs nothing when nobody is there.
func (b *batch) more() bool {
	before := len(b.ops)
	for yielded := false; len(b.ops) < maxBatch && b.bytes < maxBytes; {
		if op := b.waiting(); op != nil {
			b.add(op)
			continue
		}
		if yielded || len(b.ops) > before {
			break
		}
		yielded = true
		runtime.Gosched()
	}
	return len(b.ops) > before
}

// waiting takes an operation that waits and may join; nil: there is none.
func (b *batch) waiting() *operation {
	ops := b.s.ops
	if b.tables {
		ops = b.s.tables
	}
	select {
	case op := <-ops: // nil once it is closed
		return op
	default:
	}
	if b.tables || !b.room() {
		return nil
	}
	return b.s.patientOne()
}

// commit runs the batch in one transaction, with what comes meanwhile, and
// answers all. When one operation fails in the middle of its changes, or the
// commit does, each is run again alone, so that it fails only itself.
func (b *batch) commit() {
	err := b.s.together(b)
	if b.s.withoutLedger(err) {
		err = b.s.together(b)
	}
	if err != nil && b.along {
		b.s.folder.again = b.s.now().Add(foldAgainIn)
		err = b.s.together(b)
	}
	if isFull(err) && b.s.makeRoom() {
		err = b.s.together(b)
	}
	if err != nil {
		all := b.ops
		for _, op := range all {
			op.err = err
			if len(all) > 1 {
				op.err = nil
				if err := b.s.together(&batch{s: b.s, ops: []*operation{op}, bytes: maxBytes}); err != nil {
					op.err = err
				}
			}
		}
	}
	for _, op := range b.ops {
		op.answer()
	}
}
