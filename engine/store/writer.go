package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"postbag/engine/mail"
)

// operation is one change waiting for the writer. run may run twice, so it
// assigns its results and appends to nothing.
type operation struct {
	run     func(*tx) error
	bytes   int64 // of bodies, for the bound of a batch
	beside  bool  // looks after pendings itself; else all go into the tables before it
	patient bool  // others come before it: what is kept can wait, what was delivered cannot
	tables  bool  // it is about the tables: what goes into the ledger only does not wait for their commit
	err     error
	done    chan struct{}
	with    *sync.WaitGroup // not nil: those that are answered together
}

// answer tells whoever waits for it.
func (op *operation) answer() {
	if op.with != nil {
		op.with.Done()
	} else {
		close(op.done)
	}
}

// tx is what an operation sees of the transaction it shares with others.
type tx struct {
	*conn
	s     *Store
	now   time.Time // of the transaction, in whole milliseconds
	dirty bool      // the operation has written something
	delta map[mail.State]int64
	spool int64
	after []func() // runs once the commit is durable

	base    map[int64]*pending // messages on their plain way, before
	alike   map[string]int64   // of these, the rows by fingerprint
	changed map[int64]*pending // what becomes of them; nil: they stand in the tables now
	filed   int64              // octets of the ledger, before
	records packer             // steps for it, behind room for a header
	unclear bool               // it has, or will have, something that is not of an old epoch
	epoch   uint64             // its new one; 0: none
	begun   bool               // there is something to commit
	held    int64              // octets of pendings added
	fresh   int                // octets of buffers of messages kept
	keys    keys
	spare   map[int64]*pending // a repair: what stands in the tables, as it was kept
}

// exec changes something.
func (t *tx) exec(sql string, args ...any) (int64, error) {
	if err := t.start(); err != nil {
		return 0, err
	}
	return t.conn.exec(sql, args...)
}

// start begins the transaction in the database with its first change.
func (t *tx) start() error {
	t.dirty = true
	if t.begun {
		return nil
	}
	if t.s != nil {
		t.s.join() // only one at a time changes the tables
	}
	_, err := t.conn.exec("BEGIN IMMEDIATE")
	t.begun = err == nil
	return err
}

// insert adds a row and returns its number; 0 when ON CONFLICT DO NOTHING kept
// it out.
func (t *tx) insert(sql string, args ...any) (int64, error) {
	if err := t.start(); err != nil {
		return 0, err
	}
	res, err := t.conn.run(sql, args)
	if err != nil {
		return 0, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return 0, err
	}
	return res.LastInsertId()
}

// query reads inside the transaction.
func (t *tx) query(sql string, fn func(record) error, args ...any) error {
	return t.conn.each(context.Background(), sql, fn, args...)
}

// first reads one row inside the transaction.
func (t *tx) first(sql string, args ...any) (record, bool, error) {
	return t.conn.one(context.Background(), sql, args...)
}

// enter counts a call in; after Close it fails.
func (s *Store) enter(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: op, Err: errors.New("the store is closed")}
	}
	s.calls.Add(1)
	return nil
}

// write has the writer run an operation and returns after its durable commit.
// ctx counts until the writer has it; then the answer is awaited.
func (s *Store) write(ctx context.Context, name string, bytes int64, run func(*tx) error) error {
	return s.writeOp(ctx, name, &operation{run: run, bytes: bytes, tables: true})
}

// writeBeside is write for what looks after pendings itself.
func (s *Store) writeBeside(ctx context.Context, name string, run func(*tx) error) error {
	return s.writeOp(ctx, name, &operation{run: run, tables: true, beside: true})
}

// writeStep is writeBeside for a step of a message, which mostly needs the
// ledger only.
func (s *Store) writeStep(ctx context.Context, name string, run func(*tx) error) error {
	return s.writeOp(ctx, name, &operation{run: run, beside: true})
}

func (s *Store) writeOp(ctx context.Context, name string, op *operation) error {
	if err := s.enter(name); err != nil {
		return err
	}
	defer s.calls.Done()
	if s.readOnly {
		return internal(name, "the store is open for reading only")
	}
	return fail(name, s.submit(ctx, op))
}

// submit hands an operation to the writer. The caller is counted by enter.
func (s *Store) submit(ctx context.Context, op *operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	op.done = make(chan struct{})
	ops := s.ops
	if op.tables {
		ops = s.tables
	}
	select {
	case ops <- op:
	case <-ctx.Done():
		return ctx.Err()
	}
	<-op.done
	return op.err
}

// writer runs operations until the channel is closed. When none has come for a
// while it puts into the tables what stands in the intake only.
func (s *Store) writer() {
	defer close(s.written)
	b := &batch{s: s}
	idle := time.NewTimer(0)
	defer idle.Stop()
	again := time.Duration(0) // after a failure: not before
	for {
		s.startFolding()
		if len(s.waiting) > 0 {
			b.commitWith(s.nextWaiting())
			continue
		}
		wait, everything := s.rest()
		var rested <-chan time.Time
		if wait > 0 {
			idle.Reset(max(wait, again))
			rested = idle.C
		}
		tables := s.tables
		if len(s.folder.busy) > 0 {
			tables = nil // steps need not wait for it: the folder tells when it is done
		}
		select {
		case op, ok := <-s.ops:
			if !ok {
				if len(s.pend) > 0 || s.ledger.at > 0 {
					s.foldIdle(true)
				}
				s.stopFolding()
				return
			}
			b.commitWith(op)
		case s.waiting = <-s.patient: // the next turn begins with them
		case op := <-tables:
			b.commitTables(op)
		case r := <-s.folder.done:
			s.folded(r)
		case <-rested:
			again = 0
			if !s.foldIdle(everything) {
				again = foldAgainIn
			}
		}
	}
}

// together runs the batch in one transaction. An error means that nothing of
// it was kept; an operation that refused without changing anything has its
// error in op.err and harms nobody.
func (s *Store) together(b *batch) error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	t := s.begin()
	err := t.runAll(b)
	if err = t.commit(err); err != nil {
		return s.watch(err)
	}
	s.commits.Add(1)
	s.apply(t)
	if t.spool != 0 {
		s.spool.Add(t.spool)
	}
	for _, f := range t.after {
		f()
	}
	return nil
}

// begin is a transaction as it begins.
func (s *Store) begin() *tx {
	var header [groupHeader]byte
	return &tx{conn: s.w, s: s, now: s.now().UTC().Truncate(time.Millisecond), delta: make(map[mail.State]int64),
		base: s.pend, alike: s.alike, filed: s.ledger.at, records: append(s.records[:0], header[:]...),
		unclear: s.ledger.at > 0 || s.ledger.broken}
}

// commit makes the transaction durable, or undoes it because of err: what belongs
// into the ledger first. A step that stands there and was not answered does no
// harm when the rest fails: it is done again.
func (t *tx) commit(err error) error {
	if err == nil && t.steps() {
		if err = t.s.ledger.add(t.records, t.toCome()); err != nil {
			err = ledgerFault{err}
		}
	}
	changing := err == nil && t.begun && t.epoch != 0
	err = t.end(err)
	if err != nil && changing {
		t.s.ledger.broken = true // its epoch may be the old one or the new
	}
	return err
}

// ledgerFault is an error of the ledger, not of the tables.
type ledgerFault struct{ error }

func (l ledgerFault) Unwrap() error { return l.error }

// withoutLedger tells whether a transaction failed because of the ledger: then it
// is to be done again, in the tables, and for a while everything is.
func (s *Store) withoutLedger(err error) bool {
	if _, ok := errors.AsType[ledgerFault](err); !ok {
		return false
	}
	s.log.Warn("the intake cannot be written; mail goes straight into the tables", "error", err)
	s.plainAgain = s.now().Add(foldAgainIn)
	return true
}

// doubtful is an error of COMMIT itself: what it wrote may be found durable by
// the next start, so the files that belong to it stay.
type doubtful struct{ error }

func (d doubtful) Unwrap() error { return d.error }

func (t *tx) runAll(b *batch) error {
	if t.s.ledger.broken {
		if err := t.foldAll(); err != nil {
			return err
		}
	}
	for done := 0; done < len(b.ops) || b.more(); done++ {
		op := b.ops[done]
		if !op.beside {
			clear(t.s.news)
			if err := t.foldAll(); err != nil {
				return err
			}
		}
		t.dirty = false
		op.err = op.run(t)
		if op.err != nil && (t.dirty || isDamage(op.err) || isFull(op.err)) {
			return op.err
		}
	}
	if err := t.foldAlong(b); err != nil {
		return err
	}
	if err := t.tidy(); err != nil {
		return err
	}
	return t.count()
}

// watch notices damage: from then on nothing is written, and every later Open
// refuses until Repair.
func (s *Store) watch(err error) error {
	if !isDamage(err) {
		return err
	}
	f := fail("write", err)
	if s.damage.CompareAndSwap(nil, &f) {
		s.log.Error("the store is damaged", "err", err)
		if merr := markDamaged(s.files, s.dir, err.Error()); merr != nil {
			s.log.Error("the mark of the damage was not written", "err", merr)
		}
	}
	return f
}
