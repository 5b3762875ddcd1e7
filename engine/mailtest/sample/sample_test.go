package sample_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mailtest/sample"
)

const trace = "Received: from pop.isp.test by here with POP3 (Postbag)\n\tid X; date\nX-Postbag-Loop: 42\n"

func TestGenerate(t *testing.T) {
	office := sample.Default()
	a, b := sample.Generate(1, 1000, office), sample.Generate(1, 1000, office)
	if !reflect.DeepEqual(a, b) {
		t.Fatal("the same seed gives other mail")
	}
	if reflect.DeepEqual(a, sample.Generate(2, 1000, office)) {
		t.Fatal("another seed gives the same mail")
	}
	kinds, routes, copies, size := map[string]int{}, map[string]int{}, 0, 0
	for i, m := range a {
		kinds[m.Kind]++
		routes[m.Route]++
		copies += len(m.For)
		size += len(m.Bytes)
		if m.First > i || a[m.First].First != m.First {
			t.Errorf("message %d comes after %d", i, m.First)
		}
		for _, r := range m.For {
			if !slices.Contains(office.Addresses(), r) {
				t.Errorf("message %d is for %s", i, r)
			}
		}
	}
	t.Logf("%d octets, %d copies, kinds %v, routes %v", size, copies, kinds, routes)
	if len(kinds) < 25 || len(routes) < 9 || kinds["zero bytes"] != 1 || size > 20_000_000 {
		t.Errorf("not mixed enough, or too large: %d octets, %v, %v", size, kinds, routes)
	}
}

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"A: b\r\n\r\nx", "A: b\n\nx\n"},
		{"Return-Path: <x>\r\nA: b\r\nreturn-path:\r\n <y>\r\nB: c\r\n\r\nReturn-Path: z\r\n", "A: b\nB: c\n\nReturn-Path: z\n"},
		{"\r\nReturn-Path: z\r\n", "\nReturn-Path: z\n"},
		{"a\rb\nc\r\n.\n", "a\nb\nc\n.\n"},
	} {
		if got := string(sample.Normalize([]byte(c.in))); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, c := range []struct {
		in, want string
		ok       bool
	}{
		{"Return-Path: <>\n" + trace + "A: b\n\nx\n", "A: b\n\nx\n", true},
		{trace + "X-Postbag-Reason: unknown\n\nx\n", "\nx\n", true},
		{trace, "", true},
		{"A: b\n\nX-Postbag-Loop: 1\n", "", false},
	} {
		got, ok := sample.Below([]byte(c.in))
		if string(got) != c.want || ok != c.ok {
			t.Errorf("%q: got %q %v", c.in, got, ok)
		}
	}
}

// deliver puts each message where it belongs.
func deliver(messages []sample.Message, office sample.Office) map[string][][]byte {
	got := map[string][][]byte{}
	for _, a := range office.Addresses() {
		got[a] = nil
	}
	for _, m := range messages {
		for _, a := range m.For {
			got[a] = append(got[a], append([]byte("Return-Path: <x>\n"+trace), m.Normalized()...))
		}
	}
	return got
}

func TestCheck(t *testing.T) {
	office := sample.Default()
	messages := sample.Generate(7, 300, office)
	if faults := sample.Check(messages, deliver(messages, office)); len(faults) > 0 {
		t.Fatalf("right deliveries are called wrong: %q", faults)
	}
	const anne, bob = "anne@office.test", "bob@office.test"
	for what, spoil := range map[string]func(map[string][][]byte){
		"missing": func(d map[string][][]byte) { d[anne] = d[anne][1:] },
		"twice":   func(d map[string][][]byte) { d[anne] = append(d[anne], d[anne][0]) },
		"altered": func(d map[string][][]byte) {
			d[anne][0] = bytes.Replace(d[anne][0], []byte("Subject"), []byte("subject"), 1)
		},
		"no trace":    func(d map[string][][]byte) { d[anne][0] = []byte("A: b\n\nx\n") },
		"wrong place": func(d map[string][][]byte) { d[bob] = append(d[bob], d["erika@office.test"]...) },
		"no mailbox":  func(d map[string][][]byte) { delete(d, bob) },
	} {
		d := deliver(messages, office)
		spoil(d)
		if faults := sample.Check(messages, d); len(faults) == 0 {
			t.Errorf("%s: not noticed", what)
		}
	}
}

// TestShapes looks at the traps one by one.
func TestShapes(t *testing.T) {
	has := map[string]string{
		"lone LF": "\n.\n", "NUL bytes": "\x00", "lone CR": "one\rtwo", "latin-1 without a word": "\xe9",
		"line of 5,000 characters": strings.Repeat("0123456789", 500), "no header": "\r\n",
		"forged envelope": "\r\nEnvelope-To: dieter@office.test", "mailing list": "List-Id: ", "resent": "Resent-To: ",
	}
	for _, m := range sample.Generate(3, 100, sample.Default()) {
		if want, ok := has[m.Kind]; ok && !strings.Contains(string(m.Bytes), want) {
			t.Errorf("%s: %.300q", m.Kind, m.Bytes)
		}
		if m.Kind == "zero bytes" && len(m.Bytes) != 0 {
			t.Errorf("zero bytes: %q", m.Bytes)
		}
	}
}
