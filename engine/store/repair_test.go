package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

// sample fills a store with messages in every state and returns what must be
// known of each UID.
func sample(r *rig) map[string]mail.State {
	want := make(map[string]mail.State)
	r.ok(r.UpdateMailbox(r.ctx, "box", func(m *MailboxState) { m.Name, m.Suspended = "Box", true }))
	for i := range 60 {
		uid := fmt.Sprintf("uid-%03d", i)
		switch i % 6 {
		case 0:
			r.list("box", uid)
			want[uid] = mail.Waiting
		case 1:
			r.list("box", uid)
			r.keep("box", uid, "delivered "+uid, "anne", "bob")
			r.settle(r.claim(1)[0], mail.Delivered, "")
			want[uid] = mail.Delivered
		case 2:
			k := r.list("box", uid)[0]
			r.keep("box", uid, "gone "+uid, "anne")
			r.settle(r.claim(1)[0], mail.Delivered, "")
			r.ok(r.SetAtSource(r.ctx, []int64{k.Row}, mail.SourceDeleted))
			want[uid] = mail.Delivered
		case 3:
			r.keep("box", uid, "quarantined "+uid, "anne")
			r.settle(r.claim(1)[0], mail.Quarantined, mail.CodePolicy)
			want[uid] = mail.Quarantined
		case 4:
			want[uid] = mail.Queued // below: claims must not take these
		case 5:
			k := r.list("box", uid)[0]
			_, err := r.SetTooBig(r.ctx, k.Row, 1e8, mail.Summary{Subject: "film " + uid})
			r.ok(err)
			want[uid] = mail.TooBig
		}
	}
	for uid, st := range want {
		if st == mail.Queued {
			r.keep("box", uid, "queued "+uid+strings.Repeat(" text", 1000), "anne", "bob")
		}
	}
	r.keep("box", "large", strings.Repeat("L", 2*inline), "anne")
	want["large"] = mail.Queued
	return want
}

// copyDir copies a store's folder as a crash would leave it.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir() + "/store"
	err := filepath.Walk(from, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		if strings.HasSuffix(path, "-shm") {
			return nil // does not outlive a crash of the computer
		}
		return copyFile(path, filepath.Join(to, rel))
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func overwrite(t testing.TB, path string, at int64, junk []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(junk, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// mended checks a repaired store: sound, nothing known is new, nothing that is
// settled would be fetched again, and what is under way has its octets.
func mended(t *testing.T, o Options, want map[string]mail.State) *rig {
	t.Helper()
	r := &rig{t: t, ctx: context.Background(), clock: newClock(), opt: o}
	r.open()
	r.audit()
	var uids []string
	for uid := range want {
		uids = append(uids, uid)
	}
	c, err := r.Compare(r.ctx, "box", uids)
	r.ok(err)
	for uid, st := range want {
		k := c.Known[uid]
		if len(k) != 1 {
			t.Errorf("%s (%s) is known %d times", uid, st, len(k))
			continue
		}
		got := k[0].State
		switch {
		case got == st:
		case st == mail.Queued && (got == mail.Collected || got == mail.Waiting):
		case st == mail.Quarantined && (got == mail.Waiting || got == mail.Delivered):
		case st == mail.TooBig && got == mail.Waiting, st == mail.Waiting && got == mail.TooBig:
		default:
			t.Errorf("%s was %s, is %s", uid, st, got)
		}
	}
	return r
}

func TestDamageIsRefusedUntilRepair(t *testing.T) {
	r := newRig(t)
	want := sample(r)
	id := r.InstallationID()
	r.ok(r.Store.Close())
	db := filepath.Join(r.opt.Dir, fileDB)
	sound, err := os.ReadFile(db)
	r.ok(err)
	for name, damage := range map[string]func(t *testing.T, path string){
		"header":       func(t *testing.T, path string) { overwrite(t, path, 0, bytes.Repeat([]byte{0xAA}, 100)) },
		"first page":   func(t *testing.T, path string) { overwrite(t, path, 0, bytes.Repeat([]byte{0x55}, 4096)) },
		"not database": func(t *testing.T, path string) { overwrite(t, path, 0, []byte("this is no database at all")) },
		"cut short": func(t *testing.T, path string) {
			if err := os.Truncate(path, int64(len(sound)/2/4096*4096)); err != nil {
				t.Fatal(err)
			}
		},
		"vanished": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"emptied": func(t *testing.T, path string) {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := r.opt
			o.Dir = copyDir(t, r.opt.Dir)
			path := filepath.Join(o.Dir, fileDB)
			damage(t, path)
			broken, _ := os.ReadFile(path)
			for range 2 {
				_, err := Open(r.ctx, o)
				wantCode(t, err, mail.CodeStoreDamaged)
				if mail.AsFailure(err).Class != mail.NeedsUser {
					t.Errorf("class = %v", mail.AsFailure(err).Class)
				}
				if now, _ := os.ReadFile(path); !bytes.Equal(now, broken) {
					t.Fatal("the damaged file was touched")
				}
			}
			rep, err := Repair(r.ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			if name == "vanished" || name == "emptied" || name == "cut short" {
				// What is gone is gone; what lies in files comes back.
				s, err := Open(r.ctx, o)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if err := audit(r.ctx, s); err != nil {
					t.Error(err)
				}
				if s.InstallationID() != id {
					t.Error("another installation id")
				}
				if name != "cut short" && len(rep.Recovered) != 11 {
					t.Errorf("recovered %d of 10 quarantined and one large message", len(rep.Recovered))
				}
				return
			}
			m := mended(t, o, want)
			defer m.Store.Close()
			if m.InstallationID() != id {
				t.Error("another installation id")
			}
			if rep.Identities != len(want) {
				t.Errorf("report = %+v", rep)
			}
			aside, err := os.ReadFile(filepath.Join(rep.Aside, fileDB))
			if err != nil || !bytes.Equal(aside, broken) {
				t.Error("the damaged file is not aside as it was", err)
			}
			if st, err := m.GetMailbox(m.ctx, "box"); err != nil || !st.Suspended || st.Name != "Box" {
				t.Errorf("mailbox = %+v %v", st, err)
			}
			if rep, err := Repair(r.ctx, Options{Dir: copyDir(t, o.Dir)}); err != nil || !rep.Healthy {
				t.Errorf("repaired again: %+v %v", rep, err)
			}
		})
	}
}

// Pages of the database are damaged one by one: whatever is lost with them, the
// repaired store is sound and known mail stays known. With POSTBAG_SLOW_TESTS
// every page has its turn, else about every sixth.
func TestRepairWithAnyPageDamaged(t *testing.T) {
	r := newRig(t)
	want := sample(r)
	r.ok(r.Store.Close())
	size := fileSize(filepath.Join(r.opt.Dir, fileDB))
	junk := bytes.Repeat([]byte{0xFF, 0x00, 0xA5}, 4096/3+1)[:4096]
	step := int64(6)
	if os.Getenv("POSTBAG_SLOW_TESTS") != "" {
		step = 1
	}
	refetch, lost := 0, 0
	for p := int64(1); p < size/4096; p += step {
		o := r.opt
		o.Dir = copyDir(t, r.opt.Dir)
		overwrite(t, filepath.Join(o.Dir, fileDB), p*4096, junk)
		if err := markDamaged(osFiles{}, o.Dir, "for the test"); err != nil {
			t.Fatal(err)
		}
		rep, err := Repair(r.ctx, o)
		if err != nil {
			t.Fatalf("page %d: %v", p+1, err)
		}
		m := mended(t, o, want)
		refetch += rep.Refetch
		lost += len(rep.Lost)
		r.ok(m.Store.Close())
		if t.Failed() {
			t.Fatalf("page %d of %d: %+v", p+1, size/4096, rep)
		}
	}
	t.Logf("%d pages, %d to be fetched again, %d lost", size/4096, refetch, lost)
	if lost > 0 {
		t.Errorf("%d messages lost that the provider still has", lost)
	}
}

// liveCopy returns the folder of a store that was not closed: its log is full.
func liveCopy(t *testing.T) (Options, map[string]mail.State) {
	r := newRig(t)
	want := sample(r)
	o := r.opt
	o.Dir = copyDir(t, r.opt.Dir)
	if fileSize(filepath.Join(o.Dir, fileDB+"-wal")) == 0 {
		t.Fatal("the log is empty")
	}
	return o, want
}

func TestDamageInTheMiddleOfTheLogIsNoticed(t *testing.T) {
	for name, at := range map[string]func(size int64) int64{
		"header": func(int64) int64 { return 16 },
		"early":  func(int64) int64 { return walHeader + 20*(frameHeader+4096) + 2000 },
		"middle": func(size int64) int64 { return size / 2 },
		"salts":  func(size int64) int64 { return walHeader + 30*(frameHeader+4096) + 9 },
	} {
		t.Run(name, func(t *testing.T) {
			o, want := liveCopy(t)
			wal := filepath.Join(o.Dir, fileDB+"-wal")
			overwrite(t, wal, at(fileSize(wal)), []byte{0xDE, 0xAD, 0xBE, 0xEF})
			_, err := Open(context.Background(), o)
			wantCode(t, err, mail.CodeStoreDamaged)
			_, err = Open(context.Background(), o)
			wantCode(t, err, mail.CodeStoreDamaged)
			if _, err := Repair(context.Background(), o); err != nil {
				t.Fatal(err)
			}
			r := mended(t, o, want)
			r.ok(r.Store.Close())
		})
	}
}

func TestTornEndOfTheLogIsACrash(t *testing.T) {
	o, want := liveCopy(t)
	wal := filepath.Join(o.Dir, fileDB+"-wal")
	r := &rig{t: t, ctx: context.Background(), clock: newClock(), opt: o}
	// A transaction that was cut short: never acknowledged, never missed.
	torn := bytes.Repeat([]byte{7}, frameHeader+1000)
	overwrite(t, wal, fileSize(wal), torn)
	r.open()
	r.audit()
	r.ok(r.Store.Close())
	m := mended(t, o, want)
	r.ok(m.Store.Close())
}

func TestRepairThatWasInterrupted(t *testing.T) {
	r := newRig(t)
	want := sample(r)
	r.ok(r.Store.Close())
	overwrite(t, filepath.Join(r.opt.Dir, fileDB), 0, make([]byte, 100))
	b := &brittle{rename: io.ErrUnexpectedEOF}
	o := r.opt
	_, err := Open(r.ctx, o)
	wantCode(t, err, mail.CodeStoreDamaged)
	o.files = b
	if _, err := Repair(r.ctx, o); err == nil {
		t.Fatal("the fault was not met")
	}
	_, err = Open(r.ctx, r.opt)
	wantCode(t, err, mail.CodeStoreDamaged)
	if _, err := Repair(r.ctx, r.opt); err != nil {
		t.Fatal(err)
	}
	m := mended(t, r.opt, want)
	r.ok(m.Store.Close())
}

func TestRepairTakesInQuarantinedMailWithoutItsRow(t *testing.T) {
	r := newRig(t)
	raw := "From: Zoe <zoe@isp.test>\r\nSubject: Hello\r\nMessage-ID: <1@isp.test>\r\n\r\nbody\r\n"
	k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u1", Draft: r.draft(raw), QuarantineCode: mail.CodeLoop})
	r.ok(err)
	r.ok(r.Store.Close())
	r.ok(os.Remove(filepath.Join(r.opt.Dir, fileDB)))
	rep, err := Repair(r.ctx, r.opt)
	r.ok(err)
	if len(rep.Recovered) != 1 || rep.Recovered[0] != k.ID {
		t.Fatalf("report = %+v", rep)
	}
	r.open()
	e, err := r.Get(r.ctx, k.ID)
	r.ok(err)
	if e.State != mail.Quarantined || e.Subject != "Hello" || e.MessageID != "<1@isp.test>" {
		t.Errorf("entry = %+v", e)
	}
	_, err = r.SendTo(r.ctx, k.ID, person("anne"))
	r.ok(err)
	j := r.claim(1)[0]
	m, _, err := r.OpenMessage(r.ctx, j.Message)
	r.ok(err)
	got, err := io.ReadAll(m)
	r.ok(err)
	if string(got) != raw {
		t.Error("the octets differ")
	}
	r.settle(j, mail.Delivered, "")
	r.audit()
}

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

// A store of the first release, made once and kept: it opens for ever.
func TestStoreOfTheFirstRelease(t *testing.T) {
	dir := t.TempDir() + "/store"
	f, err := os.Open("testdata/store-v1.tar.gz")
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
	want := map[string]mail.State{"uid-000": mail.Waiting, "uid-001": mail.Delivered, "uid-003": mail.Quarantined, "uid-004": mail.Queued, "uid-005": mail.TooBig, "large": mail.Queued}
	m := mended(t, Options{Dir: dir, Now: newClock().Now}, want)
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
