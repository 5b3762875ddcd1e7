package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"postbag/engine/mail"
)

// failing is a connection on which a few transactions fail: at COMMIT with err,
// or, without one, for want of pages.
type failing struct {
	driver.Conn
	times *atomic.Int32
	err   error
}

func (f *failing) ExecContext(ctx context.Context, sql string, args []driver.NamedValue) (driver.Result, error) {
	return f.Conn.(execer).ExecContext(ctx, sql, args)
}

func (f *failing) Prepare(sql string) (driver.Stmt, error) {
	s, err := f.Conn.Prepare(sql)
	if err == nil && (sql == "COMMIT" || sql == "BEGIN IMMEDIATE") {
		return &failingStmt{s, f, sql}, nil
	}
	return s, err
}

type failingStmt struct {
	driver.Stmt
	f   *failing
	sql string
}

func (s *failingStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if f := s.f; f.err == nil && s.sql != "COMMIT" {
		pages := "PRAGMA max_page_count = 4294967294"
		if f.times.Add(-1) >= 0 {
			pages = "PRAGMA max_page_count = 1" // no more than there are
		}
		if _, err := f.ExecContext(ctx, pages, nil); err != nil {
			return nil, err
		}
	} else if s.sql == "COMMIT" && f.err != nil && f.times.Add(-1) >= 0 {
		return nil, f.err
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

var folderFaults = map[string]error{
	"io": syscall.EIO, "no space": &fs.PathError{Op: "write", Err: syscall.ENOSPC}, "full": nil,
}

// failFolder has so many of the folder's transactions fail. It is to be called
// before the folder has ever had anything to do.
func (r *rig) failFolder(cause error, n int32) *atomic.Int32 {
	times := new(atomic.Int32)
	times.Store(n)
	r.folder.open = func(path string, pragmas ...string) (*conn, error) {
		c, err := openConn(path, pragmas...)
		if err == nil {
			c.dc = &failing{c.dc, times, cause}
		}
		return c, err
	}
	return times
}

// TestFolderFails lets the folder's COMMIT fail, with the ledger going on
// meanwhile. Nothing is lost and nothing counted twice: not in this process, when
// it is tried again; not in the one after a kill; and not in the one after a kill
// when, in spite of the error, it is durable, as a sync that failed may leave it.
func TestFolderFails(t *testing.T) {
	for name, cause := range folderFaults {
		t.Run(name, func(t *testing.T) { folderFails(t, cause) })
	}
}

func folderFails(t *testing.T, cause error) {
	r := newRig(t)
	r.failFolder(cause, 1)
	rows := r.listMany(foldAtOnce + 3)
	var killed, durable string
	var commits int64
	r.still(func() {
		r.settledInner(rows[:foldAtOnce])
		r.ok(r.inner(func(t *tx) error { t.setAtSourcePlain([]int64{rows[1].Row}, mail.SourceDeleted); return nil }))
		commits = r.commits.Load()
		r.startFolding()
		r.join()
		if len(r.folder.busy) > 0 || len(r.pend) != foldAtOnce || r.settled != foldAtOnce || r.commits.Load() != commits {
			t.Fatalf("%d pending, %d settled, %d in its hand", len(r.pend), r.settled, len(r.folder.busy))
		}
		r.startFolding()
		if len(r.folder.busy) > 0 {
			t.Error("it is tried again at once")
		}
		durable = r.foldedCopy()
		// What comes next goes into the ledger.
		_, err := r.keepInner(rows[foldAtOnce].Row, "late", "anne", "bob")
		r.ok(err)
		_, err = r.keepInner(rows[foldAtOnce+1].Row, "later", "anne")
		r.ok(err)
		jobs, err := r.claimInner(1)
		r.ok(err)
		r.ok(r.settleInner(jobs[0]))
		killed = copyDir(t, r.opt.Dir)
		r.ok(copyFile(filepath.Join(killed, fileLedger), filepath.Join(durable, fileLedger)))

		r.clock.Advance(foldAgainIn + time.Second)
		r.startFolding()
		if len(r.folder.busy) == 0 {
			t.Fatal("it is not tried again")
		}
		r.join()
		if len(r.pend) != 1 || r.settled != 0 || r.commits.Load() <= commits {
			t.Errorf("%d pending, %d settled", len(r.pend), r.settled)
		}
	})
	want := r.dump(true)
	r.folded64(rows)
	for what, dir := range map[string]string{"after a kill": killed, "after a kill, and it was durable": durable} {
		o, tables := r.opened(dir)
		tables.same(t, what, want)
		o.folded64(rows)
		o.searchable("anne", rows[2].Row)
		r.ok(o.Store.Close())
	}
}

// foldedCopy is a copy of the store's folder in which the folder's transaction
// was committed all the same.
func (r *rig) foldedCopy() string {
	r.t.Helper()
	dir := copyDir(r.t, r.opt.Dir)
	c, err := openConn(filepath.Join(dir, fileDB), r.pragmas()...)
	r.ok(err)
	list := (&tx{base: r.pend}).pendings(settled)
	r.ok(r.foldBeside(c, list))
	r.ok(c.close())
	return dir
}

// folded64 tells whether a store has what folderFails left: each once.
func (r *rig) folded64(rows []Known) {
	r.t.Helper()
	r.audit()
	b, err := r.Balance(r.ctx)
	r.ok(err)
	if b[mail.Delivered] != foldAtOnce+1 || b[mail.Queued] != 1 || b[mail.Waiting] != 1 {
		r.t.Errorf("balance %v", b)
	}
	if e := r.entry(rows[1].Row); e.AtSource != mail.SourceDeleted || e.State != mail.Delivered {
		r.t.Errorf("%+v", e)
	}
	if jobs := r.claim(10); len(jobs) != 1 || jobs[0].Message != rows[foldAtOnce+1].Row {
		r.t.Errorf("claimed %+v", jobs)
	}
}

// The same with writer and folder at full work: messages come and go while one
// transaction of the folder after another fails.
func TestFolderFailsAtWork(t *testing.T) {
	for name, cause := range folderFaults {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			times := r.failFolder(cause, 3)
			const many = 4 * foldAtOnce
			got := make(office)
			for i, k := range r.listMany(many) {
				r.keepFor(k, fmt.Sprint("text", i))
				if i%foldAtOnce == foldAtOnce-1 {
					r.deliver(got, foldAtOnce)
					r.clock.Advance(foldAgainIn + time.Second)
				}
			}
			left := times.Load()
			r.deliver(got, many)
			if len(got) != many {
				t.Errorf("%d of %d messages came, %d faults are left", len(got), many, left)
			}
			for row, n := range got {
				if n != 1 {
					t.Errorf("row %d came %d times", row, n)
				}
			}
			r.audit()
			b, err := r.Balance(r.ctx)
			if r.ok(err); b[mail.Delivered] != many {
				t.Errorf("balance %v", b)
			}
			o, tables := r.opened(r.image())
			tables.same(t, "after a kill", r.dump(true))
			r.ok(o.Store.Close())
		})
	}
}
