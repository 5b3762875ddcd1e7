package store

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"postbag/engine/mail"
)

// A store that only reads sees what the other one has in its ledger once that
// has put it into the tables, and tells until then that there is more.
func TestBehind(t *testing.T) {
	r, rows := ledgerRig(t)
	o := r.opt
	o.ReadOnly = true
	ro, err := Open(r.ctx, o)
	r.ok(err)
	behind := func(want bool) {
		t.Helper()
		if is, err := ro.Behind(r.ctx); err != nil || is != want {
			t.Errorf("behind: %v %v", is, err)
		}
	}
	behind(false)
	r.still(func() {
		_, err := r.keepInner(rows[3].Row, "late", "anne")
		r.ok(err)
		behind(true)
		if e, err := ro.Entry(r.ctx, rows[3].Row); err != nil || e.State != waits {
			t.Errorf("%+v %v", e, err)
		}
		r.foldIdle(true)
		behind(false)
	})
	if e, err := ro.Entry(r.ctx, rows[3].Row); err != nil || e.State != queued {
		t.Errorf("%+v %v", e, err)
	}
	r.ok(ro.Close())
}

// The disk is full when a store is opened that was killed: it opens, its mail
// goes on its way, and goes into the tables as soon as there is room.
func TestOpenOnAFullDisk(t *testing.T) {
	r, rows := ledgerRig(t)
	var dir string
	r.still(func() {
		for _, k := range rows[3:] {
			_, err := r.keepInner(k.Row, k.UID+strings.Repeat("x", 20<<10), "anne", "bob")
			r.ok(err)
		}
		jobs, err := r.claimInner(1)
		r.ok(err)
		r.ok(r.settleInner(jobs[0]))
		dir = copyDir(t, r.opt.Dir)
	})
	full := &fs.PathError{Op: "write", Err: syscall.ENOSPC}
	f := &faulty{at: 1, how: "nothing", err: full, ever: true}
	o := &rig{t: t, ctx: r.ctx, clock: r.clock, opt: Options{Dir: dir, Now: r.opt.Now, ledger: f.open}}
	c, err := openConn(dir + "/" + fileDB)
	r.ok(err)
	r.ok(c.script("PRAGMA max_page_count = 1")) // of this connection only
	s := &Store{dir: dir, now: o.opt.Now, w: c, pend: make(map[int64]*pending), alike: make(map[string]int64), log: o.opt.withDefaults().Log, files: osFiles{}}
	s.ledger = ledger{path: dir + "/" + fileLedger, open: f.open}
	r.ok(s.loadIntake())
	if len(s.pend) != 4 || s.held.Load() != 3*(20<<10+2) || !s.ledger.broken {
		t.Errorf("%d pending, %d octets", len(s.pend), s.SpoolBytes())
	}
	r.ok(c.close())
	o.open()
	o.audit()
	o.wantStates(rows, delivered, queued, queued, delivered, queued, queued, queued)
	r.ok(o.Store.Close())
}

// The clock goes back by a day in the middle: nothing is stuck, nothing comes twice.
func TestClockGoesBack(t *testing.T) {
	r := newRig(t)
	rows, got := r.listMany(9), make(office)
	for i, k := range rows {
		r.keepFor(k, fmt.Sprint("text", i))
		r.deliver(got, i%3)
		r.clock.Advance(-24 * time.Hour)
	}
	after, _ := r.opened(r.image())
	defer after.Store.Close()
	r.clock.Advance(20 * 24 * time.Hour)
	after.deliver(got, 100)
	for i, k := range rows {
		if got[k.Row] != 1 {
			t.Errorf("message %d came %d times", i, got[k.Row])
		}
		if e := after.entry(k.Row); e.State != mail.Delivered {
			t.Errorf("message %d is %s", i, e.State)
		}
	}
}

// A commit fails whose steps stand in the ledger already: its operations are done
// again, one by one, and once in the process after a kill.
func TestCommitFailsAfterTheLedger(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(3)
	var dir string
	r.still(func() {
		r.ok(r.w.script("CREATE TEMP TABLE parent (n INTEGER PRIMARY KEY)"))
		r.ok(r.w.script("CREATE TEMP TABLE child (n INTEGER REFERENCES parent (n) DEFERRABLE INITIALLY DEFERRED)"))
		r.ok(r.w.script("PRAGMA foreign_keys = 1"))
		ops := []*operation{{beside: true, done: make(chan struct{}), run: func(t *tx) error {
			_, err := t.exec("INSERT INTO temp.child (n) VALUES (7)") // COMMIT refuses
			return err
		}}}
		outs := make([]KeepResult, len(rows))
		for i, k := range rows {
			text := fmt.Sprint("text", i)
			op := keepOp{id: r.ids.next(r.clock.Now()), key: fingerprintKey(fingerprint(text)), Kept: Kept{Row: k.Row, Draft: r.draft(text),
				Size: int64(len(text)), Decision: decision("anne")}}
			ops = append(ops, &operation{beside: true, done: make(chan struct{}), run: func(t *tx) (err error) {
				outs[i], err = op.run(t)
				return err
			}})
		}
		(&batch{s: r.Store, ops: ops}).commit()
		r.ok(r.w.script("PRAGMA foreign_keys = 0"))
		for i, op := range ops {
			if (op.err != nil) != (i == 0) {
				t.Errorf("operation %d: %v", i, op.err)
			}
		}
		if r.ledger.number != 4 {
			t.Errorf("%d groups", r.ledger.number)
		}
		dir = copyDir(t, r.opt.Dir)
	})
	o, tables := r.opened(dir)
	tables.same(t, "after a kill", r.dump(true))
	if jobs := o.claim(10); len(jobs) != 3 || o.SpoolBytes() != r.SpoolBytes() {
		t.Errorf("%d jobs, %d octets", len(jobs), o.SpoolBytes())
	}
	r.ok(o.Store.Close())
}
