package store

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"postbag/engine/mail"
)

// about commits one change of the tables, inside still.
func (r *rig) about(name string) error {
	op := &operation{beside: true, tables: true, done: make(chan struct{}), run: func(t *tx) error {
		return t.writeJSON("INSERT OR REPLACE INTO target (name, state) VALUES (?, ?)", name, TargetState{Attempts: 1})
	}}
	(&batch{s: r.Store, ops: []*operation{op}, tables: true}).commit()
	return op.err
}

// What has settled goes into the tables with the next commit that they have
// anyway, unless something is still on its way.
func TestSettledGoAlong(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(3)
	var dir string
	r.still(func() {
		r.settledInner(rows[:2])
		before := r.commits.Load()
		r.ok(r.about("office"))
		if len(r.pend) != 0 || r.ledger.at != 0 || r.commits.Load() != before+1 {
			t.Errorf("%d pending, %d octets in the ledger, %d commits", len(r.pend), r.ledger.at, r.commits.Load()-before)
		}
		_, err := r.keepInner(rows[2].Row, "the third", "anne")
		r.ok(err)
		r.ok(r.about("office"))
		if len(r.pend) != 1 {
			t.Errorf("%d pending: what is on its way has lost it", len(r.pend))
		}
		dir = copyDir(t, r.opt.Dir)
	})
	o, _ := r.opened(dir)
	o.wantStates(rows, mail.Delivered, mail.Delivered, mail.Queued)
}

// A change that has room is made although what would go along has none.
func TestNothingGoesAlongOnAFullDisk(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(foldAtOnce)
	r.still(func() {
		r.settledInner(rows)
		r.ok(r.w.script("PRAGMA max_page_count = 1")) // SQLite rounds up to what is in use
		r.ok(r.about("office"))
		if len(r.pend) != foldAtOnce {
			t.Errorf("%d pending", len(r.pend))
		}
		r.ok(r.w.script("PRAGMA max_page_count = 4294967294"))
		r.ok(r.about("office"))
		if len(r.pend) != foldAtOnce {
			t.Error("it was tried again at once")
		}
		r.clock.Advance(2 * foldAgainIn)
		r.ok(r.about("office"))
		if len(r.pend) != 0 {
			t.Errorf("%d pending in the end", len(r.pend))
		}
	})
	r.audit()
}

// A step that the ledger takes does not wait for changes of the tables that came
// before it.
func TestStepsGoBeforeTheTables(t *testing.T) {
	r := newRig(t)
	row := r.listMany(1)[0].Row
	r.still(func() {
		_, err := r.keepInner(row, "text", "anne")
		r.ok(err)
	})
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // a step of another message holds the writer up
		r.ok(r.writeStep(r.ctx, "gate", func(*tx) error { close(entered); <-leave; return nil }))
	})
	<-entered
	for range 3 {
		wg.Go(func() {
			r.ok(r.writeBeside(r.ctx, "about", func(t *tx) error {
				if p := t.base[row]; p != nil && p.attempts == 0 {
					r.t.Error("the claim waits for the tables")
				}
				return t.writeJSON("INSERT OR REPLACE INTO target (name, state) VALUES (?, ?)", "office", TargetState{})
			}))
		})
	}
	for len(r.tables) < 3 { // until all of them wait
		runtime.Gosched()
	}
	wg.Go(func() {
		if jobs := r.claim(1); len(jobs) != 1 {
			r.t.Errorf("%d jobs", len(jobs))
		}
	})
	for len(r.ops) < 1 {
		runtime.Gosched()
	}
	close(leave)
	wg.Wait()
}

// Prepare and Checkpoint leave nothing to do and change nothing that counts.
func TestPrepareAndCheckpoint(t *testing.T) {
	r := newRig(t)
	before := r.dump(true)
	r.ok(r.Prepare(r.ctx))
	r.dump(true).same(t, "prepared", before)
	if fileSize(r.opt.Dir+"/"+fileDB+"-wal") == 0 || !exists(r.opt.Dir+"/"+fileLedger) {
		t.Error("the first message still has to make a file")
	}
	k := r.keep("box", "u1", strings.Repeat("x", 100), "anne")
	r.ok(r.Checkpoint(r.ctx))
	r.wantState(k.Row, mail.Queued)
	var busy, log, done int64
	r.ok(r.readBeside(r.ctx, "look", func(c *conn) error {
		rec, _, err := c.one(r.ctx, "PRAGMA wal_checkpoint(PASSIVE)")
		busy, log, done = rec.int(0), rec.int(1), rec.int(2)
		return err
	}))
	if busy != 0 || log != done {
		t.Errorf("busy %d, %d of %d pages are in the database", busy, done, log)
	}
	r.reopen()
	r.wantState(k.Row, mail.Queued)
}
