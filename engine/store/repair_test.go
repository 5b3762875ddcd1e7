package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func scribble(path string, at int64, junk []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(junk, at)
	return errors.Join(err, f.Close())
}

func overwrite(t testing.TB, path string, at int64, junk []byte) {
	t.Helper()
	if err := scribble(path, at, junk); err != nil {
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

// ruins are ways to damage a database file; files tells those after which only
// what lies in files can come back.
var ruins = []struct {
	name  string
	files bool
	do    func(path string) error
}{
	{"header", false, func(path string) error { return scribble(path, 0, bytes.Repeat([]byte{0xAA}, 100)) }},
	{"first page", false, func(path string) error { return scribble(path, 0, bytes.Repeat([]byte{0x55}, pageSize)) }},
	{"not a database", false, func(path string) error { return scribble(path, 0, []byte("this is no database at all")) }},
	{"cut short", true, func(path string) error { return os.Truncate(path, 40*pageSize) }},
	{"vanished", true, os.Remove},
	{"emptied", true, func(path string) error { return os.Truncate(path, 0) }},
}

func TestDamageIsRefusedUntilRepair(t *testing.T) {
	r := newRig(t)
	want := sample(r)
	id := r.InstallationID()
	r.ok(r.Store.Close())
	for _, ruin := range ruins {
		t.Run(ruin.name, func(t *testing.T) {
			o := r.opt
			o.Dir = copyDir(t, r.opt.Dir)
			path := filepath.Join(o.Dir, fileDB)
			r.ok(ruin.do(path))
			broken, _ := os.ReadFile(path) // nothing, when it has vanished
			wantRefused(t, o, broken)
			rep, err := Repair(r.ctx, o)
			r.ok(err)
			if ruin.files {
				checkRemains(t, o, ruin.name, rep)
				return
			}
			m := mended(t, o, want)
			defer m.Store.Close()
			if m.InstallationID() != id || rep.Identities != len(want) {
				t.Errorf("id %s, was %s; report = %+v", m.InstallationID(), id, rep)
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

// wantRefused opens a damaged store twice: it stays closed and untouched.
func wantRefused(t *testing.T, o Options, broken []byte) {
	t.Helper()
	for range 2 {
		_, err := Open(context.Background(), o)
		wantCode(t, err, mail.CodeStoreDamaged)
		if mail.AsFailure(err).Class != mail.NeedsUser {
			t.Errorf("class = %v", mail.AsFailure(err).Class)
		}
		if now, _ := os.ReadFile(filepath.Join(o.Dir, fileDB)); !bytes.Equal(now, broken) {
			t.Fatal("the damaged file was touched")
		}
	}
}

// checkRemains checks a store of which only files were left.
func checkRemains(t *testing.T, o Options, ruin string, rep RepairReport) {
	t.Helper()
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := audit(context.Background(), s); err != nil {
		t.Error(err)
	}
	if ruin != "cut short" && len(rep.Recovered) != 11 {
		t.Errorf("recovered %d of ten quarantined and one large message", len(rep.Recovered))
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
	o.Dir = r.image()
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
