package logging

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// paper is a file in memory.
type paper struct{ bytes.Buffer }

func (p *paper) Close() error { return nil }

func write(t *testing.T, b *buffered, line string) {
	t.Helper()
	if n, err := io.WriteString(b, line); n != len(line) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func TestLinesReachTheFileSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &paper{}
		b := &buffered{out: out, most: 4000}
		write(t, b, "first\n")
		if out.Len() != 0 {
			t.Errorf("at once: %q", out)
		}
		<-time.After(flushDelay / 2)
		write(t, b, "second\n") // does not put it off
		<-time.After(flushDelay / 2)
		synctest.Wait()
		if got := out.String(); got != "first\nsecond\n" {
			t.Errorf("after the delay: %q", got)
		}
		write(t, b, "third\n")
		<-time.After(flushDelay)
		synctest.Wait()
		if got := out.String(); got != "first\nsecond\nthird\n" {
			t.Errorf("after the next delay: %q", got)
		}
		if b.timer != nil {
			t.Error("something runs although nothing waits")
		}
	})
}

func TestWhatWentWrongDoesNotWait(t *testing.T) {
	l := open(t, Options{})
	early := l.With("a", 1).WithGroup("g")
	l.Info("before")
	early.Warn("wrong")
	if got := read(t, l.Path()); strings.Count(got, "\n") != 2 || !strings.Contains(got, "msg=wrong a=1") {
		t.Errorf("after Warn: %q", got)
	}
	l.Error("worse")
	if got := read(t, l.Path()); strings.Count(got, "\n") != 3 {
		t.Errorf("after Error: %q", got)
	}
}

func TestManyLinesDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &paper{}
		b := &buffered{out: out, most: 4000}
		for range 1000 {
			write(t, b, strings.Repeat("x", 100)+"\n")
		}
		if len(b.lines) >= 4000 || len(b.lines)+out.Len() != 101_000 {
			t.Errorf("%d octets wait, %d are in the file", len(b.lines), out.Len())
		}
	})
}

func TestCloseWritesWhatWaits(t *testing.T) {
	l := open(t, Options{})
	l.Info("last")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, l.Path()); strings.Count(got, "\n") != 1 {
		t.Errorf("after Close: %q", got)
	}
	l.Info("after the end")
	if got := read(t, l.Path()); strings.Count(got, "\n") != 2 {
		t.Errorf("later: %q", got)
	}
}

// full is a disk without room.
type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }
func (f full) Close() error              { return nil }

func TestLinesThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &buffered{out: full{errors.New("no room")}, most: 4000}
		for range 3 {
			if _, err := io.WriteString(b, "line\n"); err != nil {
				t.Errorf("nothing was written yet: %v", err)
			}
			<-time.After(flushDelay)
			synctest.Wait()
		}
		if err := b.Flush(); err == nil || strings.Count(err.Error(), "no room") != 1 {
			t.Errorf("told %v", err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("told twice: %v", err)
		}
	})
}

// Several lines in one write part where the file is full.
func TestRotatingFileParts(t *testing.T) {
	long := strings.Repeat("long", 10) + "\n"
	for _, c := range []struct{ lines, aside, current string }{
		{"12345678\n12345678\n", "", "12345678\n12345678\n"},
		{"12345678\n1234567890\n", "", "12345678\n1234567890\n"}, // just fits
		{"12345678\n12345678\n12345678\n", "12345678\n12345678\n", "12345678\n"},
		{long, "", long}, // it fits nowhere
		{long + "end\n", long, "end\n"},
		{"end\n" + long, "end\n", long},
	} {
		path := filepath.Join(t.TempDir(), "x.log")
		f, err := openRotating(path, 20, 9)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.WriteString(f, c.lines); n != len(c.lines) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		aside := ""
		older, err := filepath.Glob(filepath.Join(filepath.Dir(path), "x-*.log"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range older {
			aside += read(t, name)
		}
		if got := read(t, path); got != c.current || aside != c.aside {
			t.Errorf("%q: put aside %q, current %q", c.lines, aside, got)
		}
	}
}

func TestManyWriters(t *testing.T) {
	l := open(t, Options{MaxSize: 1 << 20})
	l.Secrets.Add("hunter22")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			log := WithMailbox(l.Logger, fmt.Sprint(i))
			for k := range 200 {
				log.Info("line", "number", k, "secret", "hunter22")
				if k%50 == 0 {
					log.Warn("now")
				}
			}
		})
	}
	wg.Wait()
	got := logged(t, l)
	if n := strings.Count(got, "\n"); n != 4*204 || strings.Count(got, Mask) != 800 || strings.Contains(got, "hunter22") {
		t.Errorf("%d lines", n)
	}
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "time=") {
			t.Fatalf("torn: %q", line)
		}
	}
}

// A line of the kind of which every message has two.
func BenchmarkLine(b *testing.B) {
	l, err := Open(Options{Data: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	l.Secrets.Add("correct horse battery staple")
	log := WithSession(l.Logger, "abcdefghijkl")
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(b.Context(), slog.LevelInfo, "attempt at a message ended", slog.String("mailbox", "whole-office"),
			slog.String("message", "m-20261128-abcdef"), slog.String("target", "office"), slog.Int("copies", 1), slog.String("state", "delivered"))
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}

func TestLineIsCheap(t *testing.T) {
	var console bytes.Buffer
	console.Grow(1 << 20)
	l := open(t, Options{Console: &console})
	l.Secrets.Add("correct horse battery staple")
	n := testing.AllocsPerRun(100, func() {
		l.LogAttrs(t.Context(), slog.LevelInfo, "message kept", slog.String("uid", "abc"), slog.Int64("octets", 5000), slog.Duration("took", time.Second))
	})
	if n > 4 {
		t.Errorf("%v allocations for a line", n)
	}
}
