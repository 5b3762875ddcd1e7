package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

func TestBackupWhileRunningIsAStore(t *testing.T) {
	r := newRig(t)
	want := sample(r)
	var tar bytes.Buffer
	held := r.trash.hold() // as if the backup had just begun
	jobs := r.claim(100)
	for _, j := range jobs {
		r.settle(j, mail.Delivered, "")
	}
	held()
	for _, j := range jobs {
		if r.entry(j.Message).UID == "large" {
			want["large"] = mail.Delivered
		}
	}
	for uid, st := range want {
		if st == mail.Queued {
			want[uid] = mail.Delivered
		}
	}
	r.keep("box", "large2", strings.Repeat("M", 3*inline), "anne")
	want["large2"] = mail.Queued
	r.ok(r.Backup(r.ctx, &tar))
	o := Options{Dir: t.TempDir() + "/restored", Now: r.clock.Now}
	r.ok(Restore(r.ctx, o.Dir, bytes.NewReader(tar.Bytes())))
	m := mended(t, o, want)
	defer m.Store.Close()
	if m.InstallationID() != r.InstallationID() {
		t.Error("another installation id")
	}
	if got := len(m.find("quarantined")); got != 10 {
		t.Errorf("found %d", got)
	}
	if err := Restore(r.ctx, o.Dir, &tar); err == nil {
		t.Error("restored over a store")
	}
	left, err := filepath.Glob(filepath.Join(r.opt.Dir, backupPrefix+"*"))
	r.ok(err)
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNewerSchemaIsLeftAlone(t *testing.T) {
	r := newRig(t)
	r.keep("box", "u1", "text", "anne")
	r.ok(r.write(r.ctx, "future", 0, func(t *tx) error { return t.script("PRAGMA user_version = 99") }))
	r.ok(r.Store.Close())
	path := filepath.Join(r.opt.Dir, fileDB)
	before, err := os.ReadFile(path)
	r.ok(err)
	for _, op := range []func() error{
		func() error { _, err := Open(r.ctx, r.opt); return err },
		func() error { _, err := Repair(r.ctx, r.opt); return err },
	} {
		wantCode(t, op(), mail.CodeStoreNewer)
	}
	after, err := os.ReadFile(path)
	r.ok(err)
	if !bytes.Equal(before, after) || exists(filepath.Join(r.opt.Dir, fileDamaged)) {
		t.Error("it was touched")
	}
}

// released unpacks a store that an earlier release made.
func released(t *testing.T, backup string) Options {
	t.Helper()
	dir := t.TempDir() + "/store"
	f, err := os.Open(backup)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := Restore(context.Background(), dir, z); err != nil {
		t.Fatal(err)
	}
	return Options{Dir: dir, Now: newClock().Now}
}

// A store of the first release, made once and kept: it opens for ever.
func TestStoreOfTheFirstRelease(t *testing.T) {
	want := map[string]mail.State{"uid-000": mail.Waiting, "uid-001": mail.Delivered, "uid-003": mail.Quarantined, "uid-004": mail.Queued, "uid-005": mail.TooBig, "large": mail.Queued}
	m := mended(t, released(t, "testdata/store-v1.tar.gz"), want)
	defer m.Store.Close()
	m.clock.Advance(time.Hour)
	if got := m.claim(100); len(got) != 11 {
		t.Errorf("%d jobs", len(got))
	}
	if got := m.find("film"); len(got) != 10 {
		t.Errorf("found %d", len(got))
	}
}

// TestMakeFixture writes testdata/store-v1.tar.gz: POSTBAG_MAKE_FIXTURE=1 go test -run MakeFixture
func TestMakeFixture(t *testing.T) {
	if os.Getenv("POSTBAG_MAKE_FIXTURE") == "" {
		return // it is made once per schema, never again
	}
	r := newRig(t)
	sample(r)
	f, err := os.Create("testdata/store-v1.tar.gz")
	r.ok(err)
	z := gzip.NewWriter(f)
	r.ok(r.Backup(r.ctx, z))
	r.ok(z.Close())
	r.ok(f.Close())
}
