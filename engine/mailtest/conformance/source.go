// Package conformance holds the suites that a fake and a real server must pass
// alike, so that what the tests prove with the fake holds for the real one.
package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/source"
)

// SourceServer is one mailbox of a provider under test.
type SourceServer struct {
	Open  func(ctx context.Context) (source.Session, error) // signs in
	Add   func(message []byte)                              // puts a message into the mailbox
	Count func() int                                        // messages in the mailbox now
}

// Source runs the suite of source.Session. start returns an empty mailbox of
// its own for each part. Messages are compared whatever their order: some
// servers sort a folder by the name of the file.
func Source(t *testing.T, start func(t *testing.T) SourceServer) {
	parts := []struct {
		name string
		run  func(*testing.T, SourceServer)
	}{
		{"empty mailbox", emptyMailbox},
		{"listing", listing},
		{"fetch byte for byte", fetchExact},
		{"fetch many", fetchMany},
		{"fetch refused", fetchRefused},
		{"fetch limit", fetchLimit},
		{"top", top},
		{"delete", deleteSome},
		{"close deletes nothing", closeDeletesNothing},
		{"cancelled", cancelled},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.run(t, start(t)) })
	}
}

func open(t *testing.T, v SourceServer) source.Session {
	t.Helper()
	s, err := v.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func list(t *testing.T, s source.Session, n int) source.Listing {
	t.Helper()
	l, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Items) != n || l.Count != n || len(l.Faults) > 0 {
		t.Fatalf("%d items, count %d, faults %q; want %d", len(l.Items), l.Count, l.Faults, n)
	}
	return l
}

func quit(t *testing.T, s source.Session) {
	t.Helper()
	if err := s.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// fetch returns the messages in order of the items.
func fetch(t *testing.T, s source.Session, items []source.Item) []string {
	t.Helper()
	var got []string
	err := s.Fetch(t.Context(), items, 0, func(it source.Item, body io.Reader, err error) error {
		if err != nil {
			return err
		}
		if it != items[len(got)] {
			t.Errorf("item %v came for %v", it, items[len(got)])
		}
		data, err := io.ReadAll(body)
		got = append(got, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func message(i int) []byte {
	return fmt.Appendf(nil, "From: a%d@isp.test\r\nTo: anne@office.test\r\nSubject: number %d\r\n\r\nline one\r\nline two\r\n", i, i)
}

func emptyMailbox(t *testing.T, v SourceServer) {
	s := open(t, v)
	if l := list(t, s, 0); !l.HasUIDL || l.Size != 0 {
		t.Errorf("%+v", l)
	}
	if err := s.Noop(t.Context()); err != nil {
		t.Error(err)
	}
	if got := fetch(t, s, nil); len(got) != 0 {
		t.Error(got)
	}
	quit(t, s)
	if err := s.Noop(t.Context()); err == nil {
		t.Error("a session after QUIT")
	}
}

func listing(t *testing.T, v SourceServer) {
	for i := range 20 {
		v.Add(message(i))
	}
	s := open(t, v)
	first := list(t, s, 20)
	quit(t, s)
	seen := make(map[string]bool)
	for i, it := range first.Items {
		if it.Number != i+1 || it.UID == "" || seen[it.UID] || it.Size < int64(len(message(0))) {
			t.Errorf("item %d: %+v", i, it)
		}
		seen[it.UID] = true
	}
	v.Add(message(99))
	s = open(t, v)
	second := list(t, s, 21)
	quit(t, s)
	for _, it := range second.Items { // a unique id stays (RFC 1939 section 7)
		delete(seen, it.UID)
	}
	if len(seen) > 0 {
		t.Errorf("unique ids that changed: %v", seen)
	}
}

// oddMessages end with CRLF and hold no lone CR, LF or NUL: what a server does
// with those is its own affair.
func oddMessages() []string {
	head := "From: a@isp.test\r\nTo: anne@office.test\r\nSubject: odd %d\r\n\r\n"
	bodies := []string{
		"", ".\r\n", "..\r\n.\r\n...\r\n.x\r\n", "\r\n.\r\n\r\n", "caf\xe9 \xc3\xa9 \xff\r\n",
		strings.Repeat("x", 5000) + "\r\n", strings.Repeat(".dots\r\n", 20_000), strings.Repeat("0123456789abcdef\r\n", 60_000),
	}
	var out []string
	for i, b := range bodies {
		out = append(out, fmt.Sprintf(head, i)+b)
	}
	return append(out, "no header at all\r\n", "\r\nbody alone\r\n")
}

func fetchExact(t *testing.T, v SourceServer) {
	odd := oddMessages()
	for _, m := range odd {
		v.Add([]byte(m))
	}
	s := open(t, v)
	got := fetch(t, s, list(t, s, len(odd)).Items)
	quit(t, s)
	same(t, got, odd)
	if v.Count() != len(odd) {
		t.Error("fetching deleted something")
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%d octets %.200q\nwant %d octets %.200q", len(got[i]), got[i], len(want[i]), want[i])
		}
	}
}

func fetchMany(t *testing.T, v SourceServer) {
	var want []string
	for i := range 500 {
		want = append(want, string(message(i)))
		v.Add(message(i))
	}
	s := open(t, v)
	l := list(t, s, 500)
	same(t, fetch(t, s, l.Items), want)
	slices.Reverse(l.Items) // any order that is asked for
	same(t, fetch(t, s, l.Items[:100]), fetch(t, s, l.Items[:100]))
	done, err := s.Delete(t.Context(), l.Items)
	if err != nil || len(done) != 500 {
		t.Fatal(len(done), err)
	}
	quit(t, s)
	if n := v.Count(); n != 0 {
		t.Errorf("%d left", n)
	}
}

func fetchRefused(t *testing.T, v SourceServer) {
	v.Add(message(1))
	s := open(t, v)
	item := list(t, s, 1).Items[0]
	var got []string
	err := s.Fetch(t.Context(), []source.Item{{Number: 77}, item}, 0, func(it source.Item, body io.Reader, err error) error {
		if err != nil {
			got = append(got, fmt.Sprintf("%d refused, body %v, %v", it.Number, body != nil, mail.AsFailure(err).Class))
			return nil
		}
		data, err := io.ReadAll(body)
		got = append(got, string(data))
		return err
	})
	if err != nil || !slices.Equal(got, []string{"77 refused, body false, transient", string(message(1))}) {
		t.Fatalf("%q %v", got, err)
	}
	quit(t, s)
}

func fetchLimit(t *testing.T, v SourceServer) {
	v.Add([]byte(strings.Repeat("x\r\n", 1000)))
	s := open(t, v)
	var got []byte
	err := s.Fetch(t.Context(), list(t, s, 1).Items, 1000, func(_ source.Item, body io.Reader, err error) error {
		if err == nil {
			got, err = io.ReadAll(body)
		}
		return err
	})
	if f := mail.AsFailure(err); f == nil || f.Code != mail.CodeTooBig || len(got) != 1000 {
		t.Fatal(len(got), err)
	}
	if err := s.Quit(t.Context()); err == nil {
		t.Error("the session must be dead")
	}
}

func top(t *testing.T, v SourceServer) {
	v.Add(message(1))
	s := open(t, v)
	list(t, s, 1)
	head, _, _ := bytes.Cut(message(1), []byte("line one"))
	for lines, want := range map[int]string{0: string(head), 1: string(head) + "line one\r\n", 9: string(message(1))} {
		got, err := s.Top(t.Context(), 1, lines, 1<<20)
		if err != nil || string(got) != want {
			t.Errorf("%d lines: %q %v", lines, got, err)
		}
	}
	if got, err := s.Top(t.Context(), 1, 0, 4); err != nil || string(got) != "From" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := s.Top(t.Context(), 2, 0, 100); err == nil {
		t.Error("there is no message 2")
	}
	quit(t, s)
}

// deleteSome: rules 1 and 12.
func deleteSome(t *testing.T, v SourceServer) {
	for i := range 4 {
		v.Add(message(i))
	}
	s := open(t, v)
	l := list(t, s, 4)
	stale := l.Items[2]
	stale.UID = "another"
	done, err := s.Delete(t.Context(), []source.Item{l.Items[0], stale, l.Items[3]})
	if err != nil || !slices.Equal(done, []source.Item{l.Items[0], l.Items[3]}) {
		t.Fatal(done, err)
	}
	if n := v.Count(); n != 4 {
		t.Errorf("%d messages before QUIT", n)
	}
	quit(t, s)
	if n := v.Count(); n != 2 {
		t.Errorf("%d messages after QUIT", n)
	}
	s = open(t, v)
	after := list(t, s, 2)
	quit(t, s)
	if after.Items[0].UID != l.Items[1].UID || after.Items[1].UID != l.Items[2].UID {
		t.Errorf("%v left of %v", after.Items, l.Items)
	}
}

func closeDeletesNothing(t *testing.T, v SourceServer) {
	v.Add(message(1))
	s := open(t, v)
	if done, err := s.Delete(t.Context(), list(t, s, 1).Items); err != nil || len(done) != 1 {
		t.Fatal(done, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := v.Count(); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func cancelled(t *testing.T, v SourceServer) {
	v.Add(message(1))
	s := open(t, v)
	items := list(t, s, 1).Items
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if done, err := s.Delete(ctx, items); err == nil || len(done) > 0 || mail.AsFailure(err).Code != mail.CodeCancelled {
		t.Error(done, err)
	}
	if err := s.Quit(t.Context()); err == nil {
		t.Error("QUIT in a cancelled session")
	}
	if n := v.Count(); n != 1 {
		t.Errorf("%d messages", n)
	}
}
