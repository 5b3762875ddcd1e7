package store

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"postbag/engine/mail"
)

// bounded is a ledger on a disk that has room for so many octets.
type bounded struct {
	ledgerFile
	limit int64
}

func (b bounded) WriteAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) <= b.limit {
		return b.ledgerFile.WriteAt(p, at)
	}
	n, err := b.ledgerFile.WriteAt(p[:max(b.limit-at, 0)], at) // a full disk takes a part first
	if err == nil {
		err = &fs.PathError{Op: "write", Err: syscall.ENOSPC}
	}
	return n, err
}

// What was kept in the ledger has room there for what comes of it, however full
// the disk is: an outcome cannot be known again, and would be a duplicate.
func TestOutcomesOfPendingsFindRoom(t *testing.T) {
	const limit = 300 << 10
	r := newRig(t, func(o *Options) {
		o.ledger = func(path string, write bool) (ledgerFile, error) {
			f, err := openLedger(path, write)
			return bounded{f, limit}, err
		}
	})
	rows := r.listMany(150)
	r.limitPages(1)
	kept := 0
	for i, k := range rows {
		text := fmt.Sprint("text ", i, strings.Repeat("x", 3000))
		_, err := r.Keep(r.ctx, Kept{Row: k.Row, Draft: r.draft(text), Fingerprint: fingerprint(text), Decision: decision("anne")})
		if err != nil {
			wantCode(t, err, mail.CodeDiskFull)
			break
		}
		kept++
	}
	if kept < 20 || kept == len(rows) {
		t.Fatalf("%d were kept", kept)
	}
	if r.ledger.broken || r.ledger.size > fileSize(r.ledger.path) {
		t.Errorf("the ledger: %d octets, %d on the disk, broken %v", r.ledger.size, fileSize(r.ledger.path), r.ledger.broken)
	}
	jobs := r.claim(kept)
	if len(jobs) != kept {
		t.Fatalf("%d of %d were claimed", len(jobs), kept)
	}
	for _, j := range jobs {
		r.settle(j, mail.Delivered, "")
	}
	after, _ := r.opened(r.image())
	defer after.Store.Close()
	for i, k := range rows {
		want := map[bool]mail.State{true: mail.Delivered, false: mail.Waiting}[i < kept]
		if e := after.entry(k.Row); e.State != want {
			t.Errorf("message %d is %s, not %s", i, e.State, want)
		}
	}
	r.limitPages(0)
	r.audit()
}
