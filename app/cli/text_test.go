package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"postbag/app/tell"
	"postbag/engine/mail"
)

func TestSafeAndCell(t *testing.T) {
	cases := []struct{ name, in, safe, cell string }{
		{"plain", "Hello (x) <a@b.test>", "Hello (x) <a@b.test>", "Hello (x) <a@b.test>"},
		{"accents", "Zoé\u00a0: été", "Zoé\u00a0: été", "Zoé : été"},
		{"escape sequence", "a\x1b[2Jb", "a\ufffd[2Jb", "a\ufffd[2Jb"},
		{"C1", "a\u009b31mb", "a\ufffd31mb", "a\ufffd31mb"},
		{"DEL and bell", "a\x7f\ab", "a\ufffd\ufffdb", "a\ufffd\ufffdb"},
		{"line ends", "a\r\nb\nc", "a\ufffd\nb\nc", "a\ufffd b c"},
		{"tab and spaces", "a\t b", "a  b", "a b"},
		{"not UTF-8", "a\xff\xfeb", "a\ufffd\ufffdb", "a\ufffd\ufffdb"},
		{"text turned round", "exe\u202efdp.pdf", "exe\ufffdfdp.pdf", "exe\ufffdfdp.pdf"},
		{"line separator", "a\u2028b", "a\ufffdb", "a\ufffdb"},
		{"at the edges", "  a  ", "  a  ", "a"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := safe(c.in); got != c.safe {
				t.Errorf("safe: %q, want %q", got, c.safe)
			}
			if got := cell(c.in); got != c.cell {
				t.Errorf("cell: %q, want %q", got, c.cell)
			}
		})
	}
}

func FuzzCell(f *testing.F) {
	for _, s := range []string{"a", "\x1b]0;x\a", "\u202e", "a\nb", "\xff", "=1+1", "\u3000＝x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := cell(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, tell.Steers) {
			t.Errorf("cell(%q) = %q", s, got)
		}
	})
}

func FuzzObjectStaysTheSameJSON(f *testing.F) {
	for _, s := range []string{"a<b>&c", `\u003c`, "\\", "\u009b", "\x1b", "\u2028", `\\u003c<`, "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var out bytes.Buffer
		w := newLineWriter(&out, &sync.Mutex{})
		if err := w.object(mail.Entry{Subject: s, ID: s, Reason: "<" + s}); err != nil {
			t.Fatal(err)
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		line := out.String()
		if strings.Count(line, "\n") != 1 || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), tell.Steers) {
			t.Errorf("%q is not one harmless line", line)
		}
		var want, got mail.Entry
		plain, err := json.Marshal(mail.Entry{Subject: s, ID: s, Reason: "<" + s})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got.Subject != want.Subject || got.ID != want.ID || got.Reason != want.Reason {
			t.Errorf("%q became %q", want.Subject, got.Subject)
		}
	})
}

func TestCSVReadsBack(t *testing.T) {
	f := &fake{entries: []mail.Entry{{ID: "K1", Subject: `say "hi", =now`, From: "=HYPERLINK(1)", Size: -1, Time: now, State: mail.Waiting}}}
	r := run(t, f, "log --csv")
	rows, err := csv.NewReader(strings.NewReader(r.out)).ReadAll()
	if err != nil || len(rows) != 2 || r.code != 0 {
		t.Fatalf("%d %v %v", r.code, rows, err)
	}
	if rows[1][6] != `say "hi", =now` || rows[1][5] != "'=HYPERLINK(1)" || rows[1][7] != "" {
		t.Errorf("got %q", rows[1])
	}
	if empty := run(t, &fake{}, "log --csv"); !strings.HasPrefix(empty.out, "time,id,mailbox,") {
		t.Errorf("an empty log has no titles: %q", empty.out)
	}
}

func TestParseSince(t *testing.T) {
	zone := time.FixedZone("here", 2*3600)
	good := map[string]time.Time{
		"2026-03-01T14:05:00Z":      time.Date(2026, 3, 1, 14, 5, 0, 0, time.UTC),
		"2026-03-01T14:05:00+01:00": time.Date(2026, 3, 1, 13, 5, 0, 0, time.UTC),
		"2026-03-01":                time.Date(2026, 2, 28, 22, 0, 0, 0, time.UTC),
		"2026-03-01 14:05":          time.Date(2026, 3, 1, 12, 5, 0, 0, time.UTC),
		"24h":                       now.Add(-24 * time.Hour),
		"7d":                        now.Add(-7 * 24 * time.Hour),
		"2w":                        now.Add(-14 * 24 * time.Hour),
		"1d12h":                     now.Add(-36 * time.Hour),
		"90m":                       now.Add(-90 * time.Minute),
		" 30s ":                     now.Add(-30 * time.Second),
		"0h":                        now,
	}
	for text, want := range good {
		if got, ok := parseSince(text, now, zone); !ok || !got.Equal(want) {
			t.Errorf("%q: got %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "x", "24", "h", "-1h", "1.5h", "24 h", "2026-13-01", "2026-02-30", "99999999999d", "9999999999999999999999h", "1h-", "01/03/2026"} {
		if got, ok := parseSince(text, now, zone); ok {
			t.Errorf("%q passes as %v", text, got)
		}
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"24h", "7d", "", "99999999d99999999d", "1w2d3h4m5s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if span, ok := parseSpan(s); ok && span < 0 {
			t.Errorf("%q is %v", s, span)
		}
	})
}

func TestTableFitsTheTerminal(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120} {
		var lines []string
		tab := &table{
			columns: []column{{title: "ID"}, {title: "From", min: 8}, {title: "Subject", min: 8}, {title: "Size", right: true}},
			width:   width, put: func(s string) error { lines = append(lines, s); return nil },
		}
		for range 3 {
			_ = tab.row("K1", "日本語の名前がとても長い人 <a@b.test>", strings.Repeat("a very long subject ", 9), "12 KB")
		}
		_ = tab.row("K2", "x", "y", "1,234 KB")
		if err := tab.close(); err != nil {
			t.Fatal(err)
		}
		if len(lines) != 5 {
			t.Fatalf("%d lines", len(lines))
		}
		for _, l := range lines {
			if w := uniseg.StringWidth(l); w > width {
				t.Errorf("width %d: %d columns: %q", width, w, l)
			}
		}
		if !strings.HasSuffix(lines[1], "   12 KB") || !strings.Contains(lines[1], "…") {
			t.Errorf("width %d: %q", width, lines[1])
		}
	}
}

func TestTableCutsNothingInAPipe(t *testing.T) {
	long := strings.Repeat("x", 500)
	r := run(t, &fake{entries: []mail.Entry{{ID: "K1", Subject: long, Time: now, State: mail.Delivered}}}, "log")
	if !strings.Contains(r.out, long) || strings.Contains(r.out, "…") {
		t.Error("a value was cut")
	}
}

func TestTableHoldsBackOnlyItsSample(t *testing.T) {
	written := 0
	tab := &table{columns: []column{{title: "A"}}, put: func(string) error { written++; return nil }}
	for i := range 10 * sampleRows {
		_ = tab.row("x")
		if held := i + 2 - written; i >= sampleRows && held > 1 {
			t.Fatalf("row %d: %d rows held back", i, held)
		}
	}
}

func TestTableStopsWhenTheReaderWentAway(t *testing.T) {
	gone := errors.New("gone")
	tab := &table{columns: []column{{title: "A"}}, put: func(string) error { return gone }}
	var err error
	for i := 0; err == nil && i < 10*sampleRows; i++ {
		err = tab.row("x")
	}
	if !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}
