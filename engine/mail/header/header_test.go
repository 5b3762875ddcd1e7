package header

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	h := Parse([]byte("From bob@x Mon Jan 1\r\nSubject: one\r\n two\r\n\tthree\r\njunk line\r\n folded junk\r\nTo : a@x\nEmpty:\r\nN\xc3\xa4me: x\r\nCc:\x00b\r\n\r\nBody: no\r\n"))
	want := []Field{{"Subject", "one two\tthree"}, {"To", "a@x"}, {"Empty", ""}, {"Cc", "\x00b"}}
	if !slices.Equal(h.Fields, want) {
		t.Errorf("%q, want %q", h.Fields, want)
	}
	if h.Get("SUBJECT") == "" || h.Has("Body") || len(h.Values("to")) != 1 {
		t.Error("names are compared without case, and the body is no header")
	}
}

func TestParseNothing(t *testing.T) {
	for _, in := range []string{"", "\r\n", "\n\nTo: a@x", "   \r\n"} {
		if h := Parse([]byte(in)); len(h.Fields) != 0 {
			t.Errorf("%q gives %q", in, h.Fields)
		}
	}
}

func TestDecode(t *testing.T) {
	for in, want := range map[string]string{
		"=?iso-8859-1?Q?Caf=E9?= =?utf-8?B?w6k=?=": "Caféé",
		"=?x-nonsense?Q?abc?=":                     "=?x-nonsense?Q?abc?=",
		"caf\xe9":                                  "café",
		"a\x1b[31mb\x00c\u202ed":                   "a[31mbcd",
		"  one\t two\r\n":                          "one two",
		"=?utf-8?Q?a=0D=0Ab?=":                     "a b",
	} {
		if got := Decode(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSummarizeMessageID(t *testing.T) {
	for in, want := range map[string]string{
		"<a@b>": "<a@b>", "a@b": "<a@b>", "": "", "x <a@b> y": "<a@b>", "<a@b": "<a@b>",
	} {
		if got := Summarize(Parse([]byte("Message-ID: " + in + "\r\n"))).MessageID; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func collect(msg string, step int) *Collector {
	c := NewCollector()
	for len(msg) > 0 {
		n := min(step, len(msg))
		_, _ = c.Write([]byte(msg[:n]))
		msg = msg[n:]
	}
	return c
}

const sample = "Received: from a by b\r\nMessage-ID: <1@x>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\nFrom: a@x\r\nSubject: one\r\n two\r\nTo: b@y\r\n\r\nline\r\n\r\nlast\r\n"

func TestRule34_FingerprintIgnoresTraceAndLineEnds(t *testing.T) {
	want := collect(sample, len(sample)).Fingerprint()
	for name, msg := range map[string]string{
		"other trace":      "Received: from c by d\r\nX-Original-To: z@y\r\n" + sample[len("Received: from a by b\r\n"):],
		"LF":               strings.ReplaceAll(sample, "\r\n", "\n"),
		"CR in the body":   strings.Replace(sample, "line\r\n\r\n", "line\r\r", 1),
		"no last line end": strings.TrimSuffix(sample, "\r\n"),
		"folded otherwise": strings.Replace(sample, "one\r\n two", "one two", 1),
	} {
		for _, step := range []int{1, 2, 3, 7, 1000} {
			if got := collect(msg, step).Fingerprint(); got != want {
				t.Errorf("%s in steps of %d: another fingerprint", name, step)
			}
		}
	}
}

func TestRule34_FingerprintTellsApart(t *testing.T) {
	seen := map[string]string{}
	for name, msg := range map[string]string{
		"plain":        sample,
		"body":         strings.Replace(sample, "last", "lasT", 1),
		"blank line":   strings.Replace(sample, "line\r\n\r\n", "line\r\n", 1),
		"subject":      strings.Replace(sample, "Subject: one", "Subject: One", 1),
		"message id":   strings.Replace(sample, "<1@x>", "<2@x>", 1),
		"no id":        strings.Replace(sample, "Message-ID: <1@x>\r\n", "", 1),
		"value moved":  strings.Replace(sample, "From: a@x\r\nSubject: one", "Subject: a@x\r\nFrom: one", 1),
		"empty":        "",
		"header alone": "Subject: one\r\n",
	} {
		fp := collect(msg, 5).Fingerprint()
		if other, twice := seen[fp]; twice {
			t.Errorf("%s and %s have one fingerprint", name, other)
		}
		seen[fp] = name
	}
}

func TestCollectorBoundsTheHeader(t *testing.T) {
	long := "Subject: x\r\nX-Long: " + strings.Repeat("y", 3<<20) + "\r\n\r\nbody\r\n"
	c := collect(long, 4096)
	if len(c.block) > maxBlock || c.Size() != int64(len(long)) || c.Header().Get("Subject") != "x" {
		t.Errorf("%d octets kept, size %d", len(c.block), c.Size())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("A: b\n c\r\n\r\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := Parse(b)
		for _, fd := range h.Fields {
			if fd.Name == "" || strings.ContainsAny(fd.Name, " :\r\n") || strings.Contains(fd.Value, "\n") {
				t.Fatalf("field %q", fd)
			}
			if d := Decode(fd.Value); !utf8.ValidString(d) || strings.ContainsAny(d, "\r\n\x1b") {
				t.Fatalf("%q decodes to %q", fd.Value, d)
			}
		}
		one, all := collect(string(b), 1), collect(string(b), len(b)+1)
		if one.Fingerprint() != all.Fingerprint() || !bytes.Equal(one.block, all.block) {
			t.Fatal("the pieces in which a message comes change what is read")
		}
	})
}

func BenchmarkCollector(b *testing.B) {
	msg := []byte(sample + strings.Repeat("The quick brown fox jumps over the lazy dog, again.\r\n", 94))
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		c := NewCollector()
		_, _ = c.Write(msg)
		_ = c.Fingerprint()
	}
}

func BenchmarkAddresses(b *testing.B) {
	for b.Loop() {
		Addresses(`"Dupont, Anne" <anne@office.test>, bob@office.test (Bob), Sales: c@office.test;`)
	}
}
