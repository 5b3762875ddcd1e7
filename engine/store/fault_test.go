package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"postbag/engine/mail"
)

// brittle is a fileLayer that fails on command.
type brittle struct {
	osFiles
	mu     sync.Mutex
	create error
	write  error
	sync   error
	rename error
	link   error
	syncD  error
}

func (b *brittle) set(f func(*brittle)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

func (b *brittle) get(f func(*brittle) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return f(b)
}

func (b *brittle) Create(path string) (writeFile, error) {
	if err := b.get(func(b *brittle) error { return b.create }); err != nil {
		return nil, err
	}
	f, err := b.osFiles.Create(path)
	return &brittleFile{writeFile: f, b: b}, err
}

func (b *brittle) Rename(from, to string) error {
	if err := b.get(func(b *brittle) error { return b.rename }); err != nil {
		return err
	}
	return b.osFiles.Rename(from, to)
}

func (b *brittle) Link(from, to string) error {
	if err := b.get(func(b *brittle) error { return b.link }); err != nil {
		return err
	}
	return b.osFiles.Link(from, to)
}

func (b *brittle) SyncDir(path string) error {
	if err := b.get(func(b *brittle) error { return b.syncD }); err != nil {
		return err
	}
	return b.osFiles.SyncDir(path)
}

type brittleFile struct {
	writeFile
	b *brittle
}

func (f *brittleFile) Write(p []byte) (int, error) {
	if err := f.b.get(func(b *brittle) error { return b.write }); err != nil {
		n, _ := f.writeFile.Write(p[:len(p)/2]) // a full disk takes a part first
		return n, err
	}
	return f.writeFile.Write(p)
}

func (f *brittleFile) Sync() error {
	if err := f.b.get(func(b *brittle) error { return b.sync }); err != nil {
		return err
	}
	return f.writeFile.Sync()
}

func TestDiskFullWhileALargeMessageComes(t *testing.T) {
	full := &fs.PathError{Op: "write", Err: syscall.ENOSPC}
	steps := map[string]func(*brittle){
		"create": func(b *brittle) { b.create = full }, "write": func(b *brittle) { b.write = full }, "fsync": func(b *brittle) { b.sync = full },
		"rename": func(b *brittle) { b.rename = full }, "fsync of the folder": func(b *brittle) { b.syncD = full },
	}
	for name, fault := range steps {
		t.Run(name, func(t *testing.T) {
			b := &brittle{}
			r := newRig(t, func(o *Options) { o.files = b })
			row := r.list("box", "u1")[0].Row
			b.set(fault)
			d := r.NewDraft()
			_, err := d.Write(make([]byte, 2*inline))
			if err == nil {
				_, err = r.Keep(r.ctx, Kept{Row: row, Mailbox: "box", UID: "u1", Draft: d, Decision: decision("anne")})
			}
			f, ok := errors.AsType[*mail.Failure](err)
			if !ok || f.Code != mail.CodeDiskFull || f.Class != mail.Transient {
				t.Fatalf("err = %v", err)
			}
			d.Discard()
			b.set(func(b *brittle) { b.create, b.write, b.sync, b.rename, b.syncD = nil, nil, nil, nil, nil })
			names, err := listNames(filepath.Join(r.opt.Dir, dirSpool))
			r.ok(err)
			if len(names) != 0 {
				t.Errorf("left behind: %v", names)
			}
			r.wantState(row, mail.Waiting)
			if k := r.keep("box", "u1", strings.Repeat("x", 2*inline), "anne"); k.Row != row {
				t.Error("kept elsewhere")
			}
			r.audit()
		})
	}
}

// rule 45: what cannot be written to quarantine is not recorded as quarantined.
// A flush that failed while the message still came counts, although the last
// one succeeds: the kernel tells of a lost page once.
func TestEarlyFlushThatFails(t *testing.T) {
	for _, broken := range []bool{false, true} {
		b := &brittle{}
		r := newRig(t, func(o *Options) { o.files = b })
		if broken {
			b.set(func(b *brittle) { b.sync = syscall.EIO })
		}
		d := r.NewDraft()
		piece := bytes.Repeat([]byte("0123456789abcde\n"), 4096)
		for d.Size() <= flushEach+inline {
			_, err := d.Write(piece)
			r.ok(err)
		}
		if d.flushing == nil {
			t.Fatal("nothing is flushed")
		}
		d.flushing <- <-d.flushing // it has ended
		b.set(func(b *brittle) { b.sync = nil })
		_, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u1", Draft: d, Decision: decision("anne")})
		if (err != nil) != broken {
			t.Errorf("broken %v: %v", broken, err)
		}
	}
}

func TestDiskFullAtQuarantine(t *testing.T) {
	b := &brittle{}
	r := newRig(t, func(o *Options) { o.files = b })
	k := r.keep("box", "u1", "text", "anne")
	j := r.claim(1)[0]
	b.set(func(b *brittle) { b.write = syscall.ENOSPC })
	_, err := r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Quarantined, Code: mail.CodePolicy}})
	wantCode(t, err, mail.CodeDiskFull)
	r.wantState(k.Row, mail.Queued)
	_, err = r.Keep(r.ctx, Kept{Mailbox: "box", UID: "loop", Draft: r.draft("loop"), QuarantineCode: mail.CodeLoop})
	wantCode(t, err, mail.CodeDiskFull)
	b.set(func(b *brittle) { b.write = nil })
	r.settle(j, mail.Quarantined, mail.CodePolicy)
	r.wantState(k.Row, mail.Quarantined)
	r.audit()
}

func TestQuarantineWithoutLinksCopies(t *testing.T) {
	b := &brittle{link: syscall.EPERM}
	r := newRig(t, func(o *Options) { o.files = b })
	text := strings.Repeat("z", 2*inline)
	k := r.keep("box", "u1", text, "anne")
	r.settle(r.claim(1)[0], mail.Quarantined, mail.CodePolicy)
	got, err := os.ReadFile(r.emlPath(k.ID))
	r.ok(err)
	if string(got) != text {
		t.Error("the .eml differs")
	}
}

// limitPages makes the database as good as full; 0 lifts it.
func (r *rig) limitPages(n int) {
	r.t.Helper()
	sql := "PRAGMA max_page_count = 4294967294"
	if n > 0 {
		sql = "PRAGMA max_page_count = 1" // SQLite rounds up to what is in use
	}
	limit := func(t *tx) error { return t.script(sql) }
	if n > 0 {
		r.ok(r.write(r.ctx, "limit", 0, limit))
		return
	}
	r.ok(r.writeBeside(r.ctx, "limit", limit)) // what is pending has room only after it
}

func TestDiskFullInTheDatabase(t *testing.T) {
	r := newRig(t)
	r.list("box", "u1", "u2")
	r.keep("box", "u1", "small", "anne")
	r.limitPages(1)
	big := strings.Repeat("x", inline)
	_, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u2", Draft: r.draft(big), Decision: decision("anne")})
	f, ok := errors.AsType[*mail.Failure](err)
	if !ok || f.Code != mail.CodeDiskFull || f.Class != mail.Transient {
		t.Fatalf("err = %v", err)
	}
	r.audit()
	r.limitPages(0)
	if r.drafted.Load() != 0 {
		t.Error("the draft was not discarded")
	}
	k := r.keep("box", "u2", big, "anne")
	r.wantState(k.Row, mail.Queued)
	r.audit()
}

// One operation that fails must not take those with it that share its commit.
func TestAFailureInABatchFailsAlone(t *testing.T) {
	r := newRig(t)
	boom := errors.New("boom")
	gate := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		r.ok(r.write(r.ctx, "gate", 0, func(*tx) error { <-gate; return nil }))
	})
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			errs[i] = r.write(r.ctx, "op", 0, func(t *tx) error {
				if err := t.addTo("test", 1); err != nil {
					return err
				}
				if i == 7 {
					return boom
				}
				return nil
			})
		})
	}
	close(gate)
	wg.Wait()
	for i, err := range errs {
		if (err != nil) != (i == 7) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if !errors.Is(errs[7], boom) {
		t.Errorf("its own error: %v", errs[7])
	}
	got, _, err := r.w.one(r.ctx, "SELECT n FROM counter WHERE state = 'test'")
	r.ok(err)
	if got.int(0) != 19 {
		t.Errorf("counted %d", got.int(0))
	}
	r.ok(r.write(r.ctx, "clean", 0, func(t *tx) error { _, err := t.exec("DELETE FROM counter WHERE state = 'test'"); return err }))
}

// One fsync serves what waits together.
func TestGroupCommit(t *testing.T) {
	r := newRig(t)
	before := r.commits.Load()
	entered, gate := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { r.ok(r.write(r.ctx, "gate", 0, func(*tx) error { close(entered); <-gate; return nil })) })
	<-entered
	for range 100 {
		wg.Go(func() {
			r.ok(r.UpdateTarget(r.ctx, "office", func(st *TargetState) { st.Attempts++ }))
		})
	}
	for len(r.tables) < 100 { // until all of them wait
		runtime.Gosched()
	}
	close(gate)
	wg.Wait()
	if n := r.commits.Load() - before; n > 2 {
		t.Errorf("%d commits for 101 operations", n)
	}
	st, err := r.GetTarget(r.ctx, "office")
	r.ok(err)
	if st.Attempts != 100 {
		t.Errorf("%d of 100 changes", st.Attempts)
	}
}

func TestAfterCloseCallsFail(t *testing.T) {
	r := newRig(t)
	r.ok(r.Store.Close())
	_, err := r.Balance(r.ctx)
	wantCode(t, err, mail.CodeCancelled)
	_, err = r.RecordListing(r.ctx, "box", []NewItem{{UID: "u"}}, nil)
	wantCode(t, err, mail.CodeCancelled)
	if err := r.Store.Close(); err != nil {
		t.Error(err)
	}
	if exists(filepath.Join(r.opt.Dir, fileDB+"-wal")) {
		t.Error("the log was not folded into the database")
	}
}

func TestReadOnly(t *testing.T) {
	r := newRig(t)
	o := r.opt
	o.ReadOnly = true
	k := r.keep("box", "u1", "text", "anne")
	ro, err := Open(r.ctx, o) // while the other one works
	r.ok(err)
	e, err := ro.Get(r.ctx, k.ID)
	r.ok(err)
	if e.State != mail.Queued {
		t.Errorf("entry = %+v", e)
	}
	if _, err := ro.Retry(r.ctx, k.ID); err == nil {
		t.Error("changed something")
	}
	r.settle(r.claim(1)[0], mail.Delivered, "")
	if e, err = ro.Get(r.ctx, k.ID); err != nil || e.State != mail.Delivered {
		t.Errorf("does not see what the other one did: %+v %v", e, err)
	}
	r.ok(ro.Close())
	o.Dir += "-nowhere"
	if _, err := Open(r.ctx, o); !errors.Is(err, fs.ErrNotExist) || exists(o.Dir) {
		t.Errorf("err = %v", err)
	}
}

func TestUmaskDoesNotMatter(t *testing.T) {
	defer setUmask(0)()
	r := newRig(t)
	r.keep("box", "u1", strings.Repeat("x", 2*inline), "anne")
	entries, err := os.ReadDir(r.opt.Dir)
	r.ok(err)
	for _, e := range entries {
		info, err := e.Info()
		r.ok(err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %o", e.Name(), info.Mode().Perm())
		}
	}
}
