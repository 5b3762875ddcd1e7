package logging

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// logged is the current file with every line so far.
func logged(t *testing.T, l *Log) string {
	t.Helper()
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	return read(t, l.Path())
}

func open(t *testing.T, o Options) *Log {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestLogLine(t *testing.T) {
	var console bytes.Buffer
	l := open(t, Options{Console: &console})
	log := WithMessage(WithSession(WithMailbox(l.Logger, "whole-office"), "s1"), "m1")
	log.Info("kept", "size", 12, "took", 1234567*time.Nanosecond, "when", time.Date(2026, 11, 20, 10, 0, 0, 0, time.FixedZone("", 3600)))
	line := logged(t, l)
	want := regexp.MustCompile(`^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=INFO msg=kept mailbox=whole-office session=s1 message=m1 size=12 took=1ms when=2026-11-20T09:00:00\.000Z\n$`)
	if !want.MatchString(line) {
		t.Errorf("line %q", line)
	}
	if console.String() != line {
		t.Errorf("console %q", console.String())
	}
}

func TestLogLevels(t *testing.T) {
	for word, want := range map[string]int{"error": 1, "warn": 2, "info": 3, "debug": 4, "": 3} {
		level, err := ParseLevel(word)
		if err != nil {
			t.Fatal(err)
		}
		l := open(t, Options{Level: level})
		l.Error("a")
		l.Warn("b")
		l.Info("c")
		l.Debug("d")
		if got := strings.Count(logged(t, l), "\n"); got != want {
			t.Errorf("%q: %d lines, want %d", word, got, want)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("an unknown level was taken")
	}
	l := open(t, Options{Level: slog.LevelError})
	l.Info("no")
	l.SetLevel(slog.LevelDebug)
	l.Debug("yes")
	if got := logged(t, l); strings.Contains(got, "msg=no") || !strings.Contains(got, "msg=yes") || !l.Enabled(slog.LevelDebug) {
		t.Errorf("after SetLevel: %q", got)
	}
}

func TestLogCannotBeForged(t *testing.T) {
	l := open(t, Options{})
	l.Info("server said", "reply", "500 no\r\ntime=2026-01-01T00:00:00Z level=ERROR msg=forged\x1b[31m\u202e")
	got := logged(t, l)
	if strings.Count(got, "\n") != 1 || strings.ContainsAny(got[:len(got)-1], "\r\n\x1b\u202e") {
		t.Errorf("%q", got)
	}
}

func TestLogIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // the folder of the user's profile has its own access control
	}
	data := t.TempDir()
	logs := filepath.Join(data, "logs")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(logs, "postbag.log"), []byte("older\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := open(t, Options{Data: data, MaxSize: 200})
	for range 10 {
		l.Info("a line that fills the file")
	}
	logged(t, l)
	entries, err := os.ReadDir(logs)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 2 {
		t.Fatalf("%d files, nothing was rotated", len(entries))
	}
	for _, e := range append(entries, dirEntry(t, logs)) {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
}

func dirEntry(t *testing.T, path string) os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == filepath.Base(path) {
			return e
		}
	}
	t.Fatalf("%s not found", path)
	return nil
}

func TestLogRotatesAtItsSize(t *testing.T) {
	l := open(t, Options{MaxSize: 3000, Backups: 2})
	for i := range 200 {
		l.Info("line", "number", i)
	}
	last := logged(t, l)
	entries, err := os.ReadDir(filepath.Dir(l.Path()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // lumberjack removes old files in the background
		}
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 3000 {
			t.Errorf("%s has %d octets", e.Name(), info.Size())
		}
	}
	if len(entries) < 2 {
		t.Errorf("%d files", len(entries))
	}
	if !strings.Contains(last, "number=199") {
		t.Error("the last line is not in the current file")
	}
}

func TestLogWithoutAFolderStillSpeaks(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "logs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var console bytes.Buffer
	l, err := Open(Options{Data: data, Console: &console})
	if err == nil {
		t.Fatal("a file in the place of the folder is no error")
	}
	l.Info("still here")
	if !strings.Contains(console.String(), "still here") {
		t.Errorf("console %q", console.String())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

type stringer struct{ s string }

func (s stringer) String() string { return s.s }

func TestLogMasksSecrets(t *testing.T) {
	const secret = `p"ss\wörd %2026`
	l := open(t, Options{})
	early := l.With("given early", secret)
	l.Secrets.Add(secret)
	early.Info("m")
	l.Info("in the message " + secret)
	l.Info("attribute", "a", secret, "group", slog.GroupValue(slog.String("x", secret)))
	l.Info("error", "err", fmt.Errorf("dial: %w", fmt.Errorf("reply %q", "501 "+secret)))
	l.Info("stringer", "s", stringer{secret}, "bytes", []byte(secret), "struct", struct{ P string }{secret})
	l.Info("url", "u", "https://x.test/?p="+url.QueryEscape(secret)+"&q="+url.PathEscape(secret))
	for _, user := range []string{"", "a", "ab", "abc", "office-42"} {
		l.Info("sasl", "plain", base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+secret)))
		l.Info("sasl", "bearer", base64.URLEncoding.EncodeToString([]byte("user="+user+"\x01auth=Bearer "+secret+"\x01\x01")))
	}
	l.Info("hex", "x", fmt.Sprintf("%x %X", secret, secret))
	got := logged(t, l)
	if lines := strings.Count(got, "\n"); lines != 17 {
		t.Fatalf("%d lines", lines)
	}
	for i, line := range strings.Split(strings.TrimSpace(got), "\n") {
		if !strings.Contains(line, Mask) {
			t.Errorf("line %d masks nothing: %s", i, line)
		}
	}
	for _, piece := range []string{`ss\wörd`, `ss\\w`, "2026\"", "70227373"} {
		if strings.Contains(got, piece) {
			t.Errorf("%q is still there:\n%s", piece, got)
		}
	}
}

func TestRedactor(t *testing.T) {
	var r Redactor
	for _, s := range []string{"abc", "", "secret", "secret-longer", "2026"} {
		r.Add(s)
	}
	cases := map[string]string{
		"abc":                     "abc",
		"a secret":                "a " + Mask,
		"a secret-longer":         "a " + Mask,
		"secretsecret":            Mask + Mask,
		"in 2026":                 "in " + Mask,
		"nothing":                 "nothing",
		"hex 736563726574 there":  "hex " + Mask + " there",
		"%73ecret stays as it is": "%73ecret stays as it is",
	}
	for in, want := range cases {
		if got := r.Redact(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	var none *Redactor
	none.Add("secret")
	if none.Redact("secret") != "secret" {
		t.Error("a nil Redactor changed something")
	}
}

func FuzzRedactor(f *testing.F) {
	f.Add("hunter22", "office-42", "501 ")
	f.Add("\"quoted\\", "", "\xff")
	f.Add("ééé1", "u", "")
	f.Fuzz(func(t *testing.T, secret, user, around string) {
		if len(secret) < 6 || strings.Contains(Mask, secret) {
			return
		}
		var r Redactor
		r.Add(secret)
		if got := r.Redact(around + secret + around); strings.Contains(got, secret) && !strings.Contains(Mask+around+Mask, secret) && !strings.Contains(around, Mask[:1]) && !strings.Contains(around, Mask[len(Mask)-1:]) {
			t.Fatalf("%q in %q", secret, got)
		}
		coded := base64.StdEncoding.EncodeToString([]byte(user + "\x00" + secret + "\x00"))
		if got := r.Redact(coded); !strings.Contains(got, Mask) {
			t.Fatalf("%q not found in base64 %q", secret, coded)
		}
	})
}

func TestNewSessionID(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := NewSessionID()
		if !regexp.MustCompile(`^[a-z0-9]{12}$`).MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}
