package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"postbag/engine/mail"
)

// faulty is a ledger whose n-th call fails; the writer alone uses it.
type faulty struct {
	calls int
	at    int    // which call fails; 0: none
	how   string // "nothing" is written, "half" is, or all is and "sync" fails
	err   error
	hits  int
	ever  bool // all later calls fail too
}

func (f *faulty) open(path string, write bool) (ledgerFile, error) {
	l, err := openLedger(path, write)
	if err != nil || !write {
		return l, err
	}
	return &faultyFile{l, f}, nil
}

func (f *faulty) fails() bool {
	f.calls++
	if f.at == 0 || f.calls < f.at || f.calls > f.at && !f.ever {
		return false
	}
	f.hits++
	return true
}

type faultyFile struct {
	ledgerFile
	f *faulty
}

func (l *faultyFile) WriteAt(b []byte, at int64) (int, error) {
	if l.f.how == "sync" || !l.f.fails() {
		return l.ledgerFile.WriteAt(b, at)
	}
	if l.f.how == "half" {
		n, err := l.ledgerFile.WriteAt(b[:len(b)/2], at)
		return n, errors.Join(err, l.f.err)
	}
	return 0, l.f.err
}

func (l *faultyFile) Sync() error {
	if l.f.how == "sync" && l.f.fails() {
		return l.f.err
	}
	return l.ledgerFile.Sync()
}

// office is what the test's office server got: it tells of every claim.
type office map[int64]int

// deliver takes all that is due to the office and settles it, again until that
// is recorded.
func (r *rig) deliver(o office, max int) {
	r.t.Helper()
	jobs, err := r.Claim(r.ctx, "office", max, r.inAMinute)
	if err != nil {
		return // nothing was handed out; what the ledger has of it counts as tried
	}
	for _, j := range jobs {
		o[j.Message]++
		list := []Settlement{}
		for _, c := range j.Copies {
			list = append(list, Settlement{Copy: c, State: mail.Delivered})
		}
		for try := 0; ; try++ {
			if _, err := r.Settle(r.ctx, j, list); err == nil {
				break
			} else if try == 3 {
				r.t.Fatal("it cannot be settled:", err)
			}
		}
	}
}

// keepFor keeps a listed message; after an error it comes again, once.
func (r *rig) keepFor(k Known, text string) {
	r.t.Helper()
	for try := 0; ; try++ {
		_, err := r.Keep(r.ctx, Kept{Row: k.Row, Mailbox: "box", UID: k.UID, Draft: r.draft(text), Fingerprint: fingerprint(text), Decision: decision("anne", "bob")})
		if err == nil {
			return
		}
		if try == 2 {
			r.t.Fatal("it cannot be kept:", err)
		}
	}
}

// TestLedgerFaults lets every call to the ledger fail in turn: nothing that was
// acknowledged is lost, nobody gets anything twice, in this process and in the
// one after a kill.
func TestLedgerFaults(t *testing.T) {
	for _, how := range []string{"nothing", "half", "sync"} {
		for name, cause := range map[string]error{"io": syscall.EIO, "full": &fs.PathError{Op: "write", Err: syscall.ENOSPC}} {
			for at := 1; ; at++ {
				f := &faulty{at: at, how: how, err: cause}
				if t.Run(fmt.Sprint(how, " ", name, " ", at), func(t *testing.T) { faultAt(t, f) }); f.hits == 0 || t.Failed() {
					break
				}
			}
		}
	}
}

func faultAt(t *testing.T, f *faulty) {
	r := newRig(t, func(o *Options) { o.ledger = f.open })
	rows, got := r.listMany(6), make(office)
	for i, k := range rows {
		r.keepFor(k, fmt.Sprint("text", i))
		r.clock.Advance(foldAgainIn + time.Second) // the ledger is tried again
		if i%2 == 1 {
			r.deliver(got, 1)
		}
	}
	after, tables := r.opened(r.image())
	defer after.Store.Close()
	tables.same(t, "after a kill", r.dump(true))
	for i, k := range rows {
		e := r.entry(k.Row)
		if want := map[bool]mail.State{true: mail.Delivered, false: mail.Queued}[got[k.Row] > 0]; e.State != want {
			t.Errorf("message %d is %s, not %s", i, e.State, want)
		}
	}
	after.deliver(got, 10)
	after.clock.Advance(2 * time.Minute)
	after.deliver(got, 10)
	for i, k := range rows {
		if got[k.Row] != 1 {
			t.Errorf("message %d came %d times", i, got[k.Row])
		}
	}
	after.audit()
	r.audit()
	f.at = 0 // that a store was closed in order is said for others only
}

// A ledger that cannot be written at all does not keep mail out: it goes into
// the tables, at once.
func TestLedgerCannotBeWritten(t *testing.T) {
	for _, how := range []string{"nothing", "half", "sync", "open"} {
		t.Run(how, func(t *testing.T) {
			f := &faulty{at: 1, how: how, err: syscall.EIO, ever: true}
			r := newRig(t, func(o *Options) {
				if o.ledger = f.open; how == "open" {
					o.ledger = func(string, bool) (ledgerFile, error) { return nil, fs.ErrNotExist }
				}
			})
			for i, k := range r.listMany(6) {
				text := fmt.Sprint("text", i)
				_, err := r.Keep(r.ctx, Kept{Row: k.Row, Draft: r.draft(text), Fingerprint: fingerprint(text), Decision: decision("anne")})
				r.ok(err)
			}
			for _, j := range r.claim(10) {
				r.settle(j, mail.Delivered, "")
			}
			r.audit()
			if b, err := r.Balance(r.ctx); err != nil || b[mail.Delivered] != 6 {
				t.Errorf("%v %v", b, err)
			}
			f.at = 0
		})
	}
}

// What was said of a message twice, because the first time was not answered, is
// counted once.
func TestKeptTwiceInTheLedgerIsHeldOnce(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(2)
	var dir string
	r.still(func() {
		_, err := r.keepInner(rows[0].Row, "text", "anne")
		r.ok(err)
		r.pend, r.alike = map[int64]*pending{}, map[string]int64{} // as if it had not been answered
		r.held.Store(0)
		_, err = r.keepInner(rows[0].Row, "text", "anne")
		r.ok(err)
		dir = copyDir(t, r.opt.Dir)
	})
	o, tables := r.opened(dir)
	tables.same(t, "after a kill", r.dump(true))
	if n := o.SpoolBytes(); n != int64(len("text")) {
		t.Errorf("%d octets are held", n)
	}
	r.ok(o.Store.Close())
}

// What is pending needs its place in the tables one day.
func TestRoomForWhatIsPending(t *testing.T) {
	disk := &narrow{}
	disk.free.Store(1 << 40)
	r := newRig(t, func(o *Options) { o.files = disk })
	rows, text := r.listMany(20), strings.Repeat("x", maxPlainBody)
	r.still(func() {
		for i, k := range rows {
			_, err := r.keepInner(k.Row, fmt.Sprint(i)+text[8:], "anne")
			r.ok(err)
		}
		disk.free.Store(roomKept + fileSize(r.dir+"/"+fileDB+"-wal") + r.held.Load()/2)
		r.credit.Store(0)
		d := r.NewDraft()
		if _, err := d.Write([]byte("x")); err == nil || mail.AsFailure(err).Code != mail.CodeDiskFull {
			t.Errorf("another one is taken: %v", err)
		}
		d.Discard()
	})
}
