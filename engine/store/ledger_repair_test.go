package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postbag/engine/mail"
)

// ledgerRig is a store with three messages in its tables, delivered, queued and
// waiting, and three more in its ledger.
func ledgerRig(t *testing.T) (r *rig, rows []Known) {
	r = newRig(t)
	rows = r.listMany(7)
	for i, k := range rows[:3] {
		r.keepFor(k, fmt.Sprint("text", i))
	}
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.still(func() { r.foldIdle(true) })
	return r, rows
}

// keepRest keeps four more inside still, and delivers the first of these.
func (r *rig) keepRest(rows []Known) (dir string) {
	r.t.Helper()
	r.still(func() {
		for i, k := range rows[3:6] {
			_, err := r.keepInner(k.Row, fmt.Sprint("late", i), "anne", "bob")
			r.ok(err)
		}
		jobs, err := r.claimInner(1)
		r.ok(err)
		r.ok(r.settleInner(jobs[0]))
		dir = copyDir(r.t, r.opt.Dir)
	})
	return dir
}

// change does something to a database that nobody has open.
func (r *rig) change(dir string, statements ...string) {
	r.t.Helper()
	c, err := openConn(filepath.Join(dir, fileDB))
	r.ok(err)
	for _, sql := range statements {
		r.ok(c.script(sql))
	}
	r.ok(c.close())
}

// repaired repairs a copy that is marked as damaged, and opens it.
func (r *rig) repaired(dir string) (*rig, RepairReport) {
	r.t.Helper()
	o := &rig{t: r.t, ctx: r.ctx, clock: r.clock, opt: Options{Dir: dir, Now: r.opt.Now}}
	r.ok(markDamaged(osFiles{}, dir, "a test"))
	rep, err := Repair(r.ctx, o.opt)
	if err != nil {
		r.t.Fatal("repair:", err)
	}
	o.open()
	o.audit()
	return o, rep
}

func (r *rig) wantStates(rows []Known, want ...mail.State) {
	r.t.Helper()
	for i, k := range rows {
		if e := r.entry(k.Row); e.State != want[i] {
			r.t.Errorf("message %d is %s, not %s", i, e.State, want[i])
		}
	}
}

const (
	waits     = mail.Waiting
	queued    = mail.Queued
	delivered = mail.Delivered
)

// The end of the write-ahead log is lost, and the epoch with it: what the ledger
// has of the new one is acknowledged mail.
func TestRepairTakesANewerLedger(t *testing.T) {
	r, rows := ledgerRig(t)
	dir := r.keepRest(rows)
	r.change(dir, "UPDATE meta SET value = '1' WHERE key = 'intake'")
	_, err := Open(r.ctx, Options{Dir: dir, Now: r.opt.Now})
	wantCode(t, err, mail.CodeStoreDamaged)
	o, _ := r.repaired(dir)
	o.wantStates(rows, delivered, queued, queued, delivered, queued, queued, waits)
	r.ok(o.Store.Close())
}

// The row of a message is lost, its copies are not, and the ledger tells of it
// too: the copies know better.
func TestRepairBelievesCopiesBeforeTheLedger(t *testing.T) {
	r, rows := ledgerRig(t)
	var dir string
	r.still(func() {
		for i, k := range rows[3:6] {
			_, err := r.keepInner(k.Row, fmt.Sprint("late", i), "anne", "bob")
			r.ok(err)
		}
		r.ok(r.inner(func(t *tx) error {
			return t.foldSome(t.pendings(func(p *pending) bool { return p.known.Row != rows[5].Row }))
		}))
		jobs, err := r.claimFolded(rows[3].Row)
		r.ok(err)
		r.ok(r.settleInner(jobs[0]))
		dir = copyDir(t, r.opt.Dir)
	})
	r.change(dir, fmt.Sprintf("DELETE FROM identity WHERE row IN (%d, %d)", rows[3].Row, rows[4].Row), fmt.Sprintf("DELETE FROM message WHERE row = %d", rows[3].Row))
	o, _ := r.repaired(dir)
	o.wantStates(rows, delivered, queued, queued, delivered, queued, queued, waits)
	for _, k := range rows[4:6] {
		if octets := (&monkey{rig: o}).octets(k.Row); !strings.HasPrefix(octets, "late") {
			t.Errorf("%q", octets)
		}
	}
	r.ok(o.Store.Close())
}

// claimFolded claims one message from the tables, inside still.
func (r *rig) claimFolded(row int64) (jobs []mail.Job, err error) {
	err = r.inner(func(t *tx) error {
		all, err := t.due("office", 10)
		if err != nil {
			return err
		}
		jobs = nil
		for _, j := range all {
			if j.Message == row {
				jobs = append(jobs, j)
			}
		}
		return t.book(jobs, r.inAMinute)
	})
	return jobs, err
}

// A backup made while messages stand in the ledger only has them.
func TestBackupOfPendings(t *testing.T) {
	r, rows := ledgerRig(t)
	r.keepRest(rows)
	var tar bytes.Buffer
	r.ok(r.Backup(r.ctx, &tar))
	dir := t.TempDir() + "/restored"
	r.ok(Restore(r.ctx, dir, bytes.NewReader(tar.Bytes())))
	o, _ := r.opened(dir)
	o.wantStates(rows, delivered, queued, queued, delivered, queued, queued, waits)
	r.ok(o.Store.Close())
	// Over the ledger of another store, of whatever epoch, nothing is restored.
	dir = t.TempDir()
	r.ok(os.WriteFile(filepath.Join(dir, fileLedger), []byte("x"), 0o600))
	if err := Restore(r.ctx, dir, &tar); err == nil {
		t.Error("restored over a ledger")
	}
}

// A ledger that has vanished is damage as a vanished database is: what it held
// would be lost without a word.
func TestLedgerVanished(t *testing.T) {
	r, rows := ledgerRig(t)
	dir := r.keepRest(rows)
	r.ok(os.Remove(filepath.Join(dir, fileLedger)))
	_, err := Open(r.ctx, Options{Dir: dir, Now: r.opt.Now})
	wantCode(t, err, mail.CodeStoreDamaged)
	o, rep := r.repaired(dir)
	if rep.Gaps == 0 {
		t.Errorf("%+v", rep)
	}
	o.wantStates(rows, delivered, queued, queued, waits, waits, waits, waits)
	o.reopen()
	r.ok(o.Store.Close())
}

// Pages of the database are damaged one by one while mail stands in the ledger,
// some of it in the tables already: none of it is lost.
func TestRepairWithAnyPageDamagedAndALedger(t *testing.T) {
	r, rows := ledgerRig(t)
	var dir string
	r.still(func() {
		for i, k := range rows[3:] {
			_, err := r.keepInner(k.Row, fmt.Sprint("late", i), "anne", "bob")
			r.ok(err)
		}
		r.ok(r.inner(func(t *tx) error { return t.foldRow(rows[5].Row) }))
		jobs, err := r.claimInner(1)
		r.ok(err)
		r.ok(r.settleInner(jobs[0]))
		r.ok(r.w.script("PRAGMA wal_checkpoint(TRUNCATE)"))
		dir = copyDir(t, r.opt.Dir)
	})
	junk := bytes.Repeat([]byte{0xFF, 0x00, 0xA5, 0x11}, pageSize/4)
	for p := int64(0); p < fileSize(filepath.Join(dir, fileDB))/pageSize; p++ {
		to := copyDir(t, dir)
		overwrite(t, filepath.Join(to, fileDB), p*pageSize, junk)
		o, rep := r.repaired(to)
		for i, k := range rows[3:] {
			want := map[bool]mail.State{true: delivered, false: queued}[i == 0]
			e, err := o.Entry(r.ctx, k.Row)
			if i == 2 && e.State == mail.Collected {
				want = mail.Collected // its copies are lost: it is routed again
			}
			if err != nil || e.State != want {
				t.Errorf("page %d: message %d is %s, not %s (%v) %+v", p, i+3, e.State, want, err, rep)
			}
		}
		r.ok(o.Store.Close())
	}
}
