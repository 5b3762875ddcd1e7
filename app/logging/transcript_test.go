package logging

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// clock gives every call another millisecond.
func clock() func() time.Time {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

func transcripts(t *testing.T, o TranscriptOptions) *Transcripts {
	t.Helper()
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	if o.Now == nil {
		o.Now = clock()
	}
	ts, err := OpenTranscripts(o)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func names(t *testing.T, ts *Transcripts) []string {
	t.Helper()
	entries, err := os.ReadDir(ts.dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func say(t *testing.T, tr *Transcript, text string) {
	t.Helper()
	if n, err := tr.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func TestTranscript(t *testing.T) {
	var secrets Redactor
	secrets.Add("hunter22")
	ts := transcripts(t, TranscriptOptions{Redactor: &secrets})
	tr := ts.Session("pop3", "Whole office/é", "s1")
	say(t, tr, "S: +OK\r\nC: US")
	say(t, tr, "ER ann")
	say(t, tr, "e\r\nS: -ERR hunt")
	say(t, tr, "er22 is \x1b[31mwrong\xff\u202e\r\nC: QUIT")
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	say(t, tr, "after the end\n")
	list := names(t, ts)
	if len(list) != 1 || list[0] != "20261120T100000.001Z-pop3-whole-office---s1.txt" {
		t.Fatalf("files %q", list)
	}
	want := "10:00:00.002 S: +OK\n10:00:00.003 C: USER anne\n10:00:00.004 S: -ERR " + Mask + ` is \x1b[31mwrong\xff\u202e` + "\n10:00:00.005 C: QUIT\n"
	path := filepath.Join(ts.dir, list[0])
	if got := read(t, path); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestTranscriptsKeepTheLast(t *testing.T) {
	data := t.TempDir()
	ts := transcripts(t, TranscriptOptions{Data: data, Keep: 3})
	foreign := filepath.Join(ts.dir, "notes.txt")
	if err := os.WriteFile(foreign, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := ts.Session("pop3", "a", "first")
	for i := range 6 {
		tr := ts.Session("pop3", "a", fmt.Sprint(i))
		say(t, tr, "hello\n")
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
	}
	say(t, first, "still written\n")
	got := strings.Join(names(t, ts), " ")
	if len(names(t, ts)) != 4 || !strings.Contains(got, "-first.") || !strings.Contains(got, "-5.") || !strings.Contains(got, "-4.") || !strings.Contains(got, "notes.txt") {
		t.Errorf("left: %s", got)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := transcripts(t, TranscriptOptions{Data: data, Keep: 1})
	if left := names(t, again); len(left) != 2 || !strings.HasSuffix(left[0], "-5.txt") {
		t.Errorf("after the start: %q", left)
	}
}

func TestTranscriptIsBounded(t *testing.T) {
	ts := transcripts(t, TranscriptOptions{MaxSize: 64_000})
	tr := ts.Session("smtp", "office", "big")
	path := filepath.Join(ts.dir, names(t, ts)[0])
	for i := range 20_000 {
		say(t, tr, fmt.Sprintf("line %05d\n", i))
		if i%500 == 0 {
			if info, err := os.Stat(path); err != nil || info.Size() > 64_000 {
				t.Fatalf("line %d: %v %v", i, info.Size(), err)
			}
		}
	}
	say(t, tr, strings.Repeat("\x00", 100_000)+"\nlast\n")
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	got := read(t, path)
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(got) > 64_000 || !strings.HasSuffix(lines[0], "line 00000") || !strings.HasSuffix(lines[len(lines)-1], "last") || !strings.Contains(got, "line 19999") {
		t.Errorf("%d octets, first %q, last %q", len(got), lines[0], lines[len(lines)-1])
	}
	if strings.Count(got, "left out") != 1 {
		t.Errorf("%d marks of lines left out", strings.Count(got, "left out"))
	}
	for i, line := range lines {
		if !strings.Contains(line, "left out") && (len(line) < 13 || line[2] != ':') {
			t.Fatalf("line %d is cut: %q", i, line)
		}
	}
}

// A session never fails for its transcript.
func TestTranscriptSwallowsFaults(t *testing.T) {
	var off *Transcripts
	say(t, off.Session("pop3", "a", "b"), "hello\n")
	if err := off.Session("pop3", "a", "b").Close(); err != nil {
		t.Error(err)
	}
	ts := transcripts(t, TranscriptOptions{})
	tr := ts.Session("pop3", "a", "b")
	if err := tr.f.Close(); err != nil { // as if the disk were gone
		t.Fatal(err)
	}
	say(t, tr, "hello\nagain\n")
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	if len(ts.open) != 0 {
		t.Errorf("still open: %v", ts.open)
	}
	if err := os.RemoveAll(ts.dir); err != nil {
		t.Fatal(err)
	}
	say(t, ts.Session("pop3", "a", "c"), "hello\n")
}
