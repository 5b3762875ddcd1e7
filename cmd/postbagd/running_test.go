//go:build linux

package main_test

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"postbag/engine/mailtest"
)

// engineOn starts the engine with a schedule that leaves the mailbox alone
// after the first collection.
func engineOn(s *site) *background {
	s.t.Helper()
	b := s.start("run")
	eventually(s.t, "the engine to run", func() bool {
		if !b.running() {
			s.t.Fatalf("the engine ended:\n%s", b.err)
		}
		return s.status().text("engine") == "running"
	})
	return b
}

// TestBesideTheEngine: while an engine runs, the other commands work through
// it, and only a second engine ends with 5.
func TestBesideTheEngine(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, rcptSays("bob@office.test", "550 5.2.1 closed"))
	s.head = strings.Replace(s.head, "[[target]]", "[schedule]\nevery = \"7d\"\n[[target]]", 1)
	s.configure("")
	s.want(0, "collect") // the next one by schedule is days away
	b := engineOn(s)
	s.want(5, "run").says("Another Postbag is already at work")
	s.want(5, "repair")

	s.add("anne@office.test", "through the engine")
	s.add("bob@office.test", "set aside")
	r := s.want(4, "collect", "--json")
	all := bySubject(r.entries())
	if all["through the engine"].text("state") != "delivered" || all["set aside"].text("state") != "quarantined" || r.results()[boxName].text("result") != "ok" {
		t.Errorf("collect beside the engine tells\n%s", r.out)
	}
	id := all["set aside"].text("id")
	s.want(0, "log", "--search", "through").says("through the engine")
	s.want(0, "queue", "show", id).says("550 5.2.1 closed")
	s.want(0, "queue", "save", id, s.path("saved.eml"))
	s.want(2, "queue", "show", "NONE")
	s.want(2, "collect", "Nobody")
	s.want(2, "queue", "send-to", id, "x@elsewhere.test")
	s.want(0, "mailbox", "pause", boxName)
	if m := s.status().list("mailboxes")[0]; m["paused"] != true {
		t.Errorf("status beside the engine: %v", m)
	}
	s.want(0, "mailbox", "resume", boxName)
	s.want(0, "config", "show")
	s.want(0, "config", "validate")
	s.want(4, "check").says("550 5.2.1 closed")
	s.want(0, "preview", boxName)
	// What a person does wakes the engine: nothing waits for the schedule.
	s.want(0, "queue", "send-to", id, "claire@office.test")
	eventually(t, "the engine to send the message", func() bool { return s.office.Taken() == 2 })
	s.wantBackup()
	b.signal(syscall.SIGTERM)
	if r := b.wait(); r.code != 0 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	if st := s.status(); st.text("engine") != "stopped" {
		t.Errorf("engine is %s", st.text("engine"))
	}
	s.wantGot("anne@office.test through the engine", "claire@office.test set aside")
	s.wantBalance(map[string]int{"delivered": 2})
}

// wantBackup writes a backup and looks into it.
func (s *site) wantBackup() {
	s.t.Helper()
	file := s.path("backup.tar")
	s.want(0, "backup", file)
	s.want(2, "backup", file).says("already exists")
	f, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	names := map[string]bool{}
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.t.Fatal(err)
		}
		names[h.Name] = true
	}
	for _, name := range []string{"postbag.toml", "data/store/postbag.db", "data/mailboxes.json"} {
		if !names[name] {
			s.t.Errorf("the backup lacks %s: %v", name, names)
		}
	}
}

// TestBackupOfTheWhole: what was backed up works in another place.
func TestBackupOfTheWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, rcptSays("bob@office.test", "550 5.2.1 closed"))
	s.add("anne@office.test", "first")
	s.add("bob@office.test", "set aside")
	s.configure("after_delivery = \"keep\"\n")
	s.want(4, "collect")
	s.want(0, "backup", s.path("b.tar"))
	info, err := os.Stat(s.path("b.tar"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup: %v %v", info, err)
	}
	if err := os.RemoveAll(s.data()); err != nil {
		t.Fatal(err)
	}
	s.unpack("b.tar")
	s.want(0, "collect") // nothing known is fetched twice
	s.wantBalance(map[string]int{"delivered": 1, "quarantined": 1})
	s.office.Script(nil)
	s.want(0, "queue", "retry", "--all")
	s.want(0, "collect")
	s.wantGot("anne@office.test first", "bob@office.test set aside")
}

// unpack puts a backup's data folder back.
func (s *site) unpack(file string) {
	s.t.Helper()
	f, err := os.Open(s.path(file))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, "data/") {
			continue
		}
		to := s.path(filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			s.t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestTwoCollections at once: the second ends with 5 and touches nothing; the
// commands that read work beside the first.
func TestTwoCollections(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var held atomic.Bool
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDot {
			held.Store(true)
			return mailtest.SMTPAction{Wait: hold}
		}
		return mailtest.SMTPAction{}
	}})
	s.add("anne@office.test", "first")
	b := s.start("collect")
	eventually(t, "the first collection to be in the middle", held.Load)
	s.want(5, "collect").says("Another Postbag is already at work")
	s.want(5, "run")
	s.want(0, "status")
	s.want(0, "log")
	s.want(0, "queue")
	s.want(0, "mailbox", "list")
	if n := s.isp.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	close(hold)
	if r := b.wait(); r.code != 0 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	s.wantGot("anne@office.test first")
}

// TestEngineKilled: an engine that was killed leaves nothing behind that keeps
// the next one out.
func TestEngineKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	b := engineOn(s)
	b.kill()
	if st := s.status(); st.text("engine") != "stopped" {
		t.Errorf("engine is %s", st.text("engine"))
	}
	s.add("anne@office.test", "first")
	s.want(0, "collect")
	s.wantGot("anne@office.test first")
	b = engineOn(s)
	b.signal(os.Interrupt)
	if r := b.wait(); r.code != 0 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
}

// TestStoppedRemoteCollect: stopping the command that collects through a
// running engine stops the collection, not the engine.
func TestStoppedRemoteCollect(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	var held atomic.Bool
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDot {
			held.Store(true)
			return mailtest.SMTPAction{Wait: hold}
		}
		return mailtest.SMTPAction{}
	}})
	s.head = strings.Replace(s.head, "[[target]]", "[schedule]\nevery = \"7d\"\n[[target]]", 1)
	s.configure("")
	s.want(0, "collect")
	b := engineOn(s)
	s.add("anne@office.test", subjects(30)...)
	c := s.start("collect", "--json")
	eventually(t, "the collection to be in the middle", held.Load)
	c.signal(syscall.SIGTERM)
	eventually(t, "the sentence about stopping", func() bool { return strings.Contains(c.err.String(), "Stopping in order") })
	close(hold)
	if r := c.wait(); r.code != 1 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	if !b.running() {
		t.Fatalf("the engine ended:\n%s", b.err)
	}
	s.want(0, "collect")
	s.wantEachOnce(30, 0)
	if s.left() != 0 {
		t.Errorf("%d left", s.left())
	}
}
