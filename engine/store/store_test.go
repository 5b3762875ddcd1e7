package store

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

func TestWholeWay(t *testing.T) {
	r := newRig(t)
	wholeWay(r, "box", 300)
	r.audit()
	b, err := r.Balance(r.ctx)
	r.ok(err)
	if b[mail.Delivered] != 300 {
		t.Errorf("balance = %v", b)
	}
	if r.SpoolBytes() != 0 {
		t.Errorf("spool holds %d", r.SpoolBytes())
	}
}

// What is kept in memory for a quick delivery is bounded, and goes with it.
func TestRecentBodiesAreBounded(t *testing.T) {
	r := newRig(t)
	for i := range 40 {
		r.keep("box", fmt.Sprint("u", i), strings.Repeat("x", inline/2+i), "anne")
	}
	if n := r.recent.bytes; n == 0 || n > recentBytes {
		t.Errorf("%d octets in memory", n)
	}
	for _, j := range r.claim(100) {
		r.settle(j, mail.Delivered, "")
	}
	if r.recent.bytes != 0 || len(r.recent.data) != 0 {
		t.Errorf("%d octets of %d messages left", r.recent.bytes, len(r.recent.data))
	}
}

func TestInstallationIDStays(t *testing.T) {
	r := newRig(t)
	id := r.InstallationID()
	if len(id) < 20 {
		t.Fatalf("id = %q", id)
	}
	r.reopen()
	if r.InstallationID() != id {
		t.Error("the installation id changed")
	}
}

// Folder and files are private to the user, whatever the umask.
func TestFilesArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // the folder's access list decides there
	}
	r := newRig(t)
	r.keep("box", "small", "text", "anne")
	r.keep("box", "large", strings.Repeat("x", 2*inline), "anne")
	_, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "loop", Draft: r.draft("loop"), QuarantineCode: mail.CodeLoop})
	r.ok(err)
	n := 0
	err = filepath.Walk(r.opt.Dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		n++
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s is %o", path, info.Mode().Perm())
		}
		return nil
	})
	r.ok(err)
	if n < 9 {
		t.Errorf("only %d files: the -wal and -shm are missing", n)
	}
}

func TestLargeAndSmallBodiesComeBack(t *testing.T) {
	r := newRig(t)
	for _, size := range []int{0, 1, inline - 1, inline, inline + 1, 3*inline + 7} {
		text := strings.Repeat("octets\r\n", size/8+1)[:size]
		k := r.keep("box", "u"+text[:min(size, 1)]+time.Duration(size).String(), text, "anne")
		m, n, err := r.OpenMessage(r.ctx, k.Row)
		r.ok(err)
		got, err := io.ReadAll(m)
		r.ok(err)
		r.ok(m.Close())
		if string(got) != text || n != int64(size) {
			t.Errorf("size %d: %d octets came back, told %d", size, len(got), n)
		}
	}
	r.reopen() // from the disk now, not from memory
	for _, j := range r.claim(100) {
		m, n, err := r.OpenMessage(r.ctx, j.Message)
		r.ok(err)
		got, err := io.ReadAll(m)
		r.ok(err)
		r.ok(m.Close())
		if int64(len(got)) != n || n != j.Size {
			t.Errorf("%d octets, told %d, known %d", len(got), n, j.Size)
		}
		r.settle(j, mail.Delivered, "")
	}
	r.audit()
	names, err := listNames(filepath.Join(r.opt.Dir, dirSpool))
	r.ok(err)
	if len(names) != 0 {
		t.Errorf("left in the spool: %v", names)
	}
}
