package present

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// bigLog hands out pages of a log of n lines, the newest first.
type bigLog int

func (n bigLog) page(f facts.LogFilter) []mail.Entry {
	first := int64(n)
	if f.Before != "" {
		var ms, row int64
		if _, err := fmt.Sscanf(f.Before, "%d.%d", &ms, &row); err != nil {
			panic(err)
		}
		first = row - 1
	}
	var out []mail.Entry
	for row := first; row > 0 && len(out) < f.Limit; row-- {
		out = append(out, mail.Entry{Row: row, ID: fmt.Sprint(row), Time: time.UnixMilli(row)})
	}
	return out
}

// look makes line i visible and returns how often the store was asked.
func look(t *testing.T, g *Pager, log bigLog, i int) int {
	t.Helper()
	asked := 0
	for range 10_000 {
		if _, ok := g.Row(i); ok {
			return asked
		}
		// A list shows the line after the last known one while it is scrolled to.
		at := min(i, g.Len()-1)
		w, ok := g.Want(at)
		if !ok {
			t.Fatalf("line %d is neither here nor wanted", at)
		}
		asked++
		if !g.Take(w, log.page(w.Filter)) {
			t.Fatal("a page was refused")
		}
	}
	t.Fatalf("line %d never came", i)
	return 0
}

func TestPagerHundredThousandRows(t *testing.T) {
	const lines = 100_000
	log := bigLog(lines)
	g := &Pager{}
	g.Reset(facts.LogFilter{})
	if g.Len() != 1 || g.Empty() {
		t.Errorf("before the first page: %d lines, empty %v", g.Len(), g.Empty())
	}
	if asked := look(t, g, log, 0); asked != 1 {
		t.Errorf("%d pages for the first line", asked)
	}
	for _, i := range []int{lines - 1, 0, lines / 2, 57_123} {
		look(t, g, log, i)
		e, _ := g.Row(i)
		if want := int64(lines - i); e.Row != want {
			t.Errorf("line %d is row %d, want %d", i, e.Row, want)
		}
	}
	if w, ok := g.Want(g.Len() - 1); ok {
		// 100,000 is a whole number of pages: one more, empty, ends it.
		g.Take(w, log.page(w.Filter))
	}
	if g.Len() != lines || g.Known() != lines {
		t.Errorf("%d lines, %d known", g.Len(), g.Known())
	}
	held := 0
	for _, p := range g.pages {
		held += len(p.rows)
	}
	if held > pagesKept*pageSize {
		t.Errorf("%d lines in memory, at most %d are wanted", held, pagesKept*pageSize)
	}
}

func TestPagerEnds(t *testing.T) {
	for _, lines := range []int{0, 1, pageSize - 1, pageSize, pageSize + 1} {
		g := &Pager{}
		g.Reset(facts.LogFilter{})
		for {
			w, ok := g.Want(g.Len() - 1)
			if !ok {
				break
			}
			g.Take(w, bigLog(lines).page(w.Filter))
			if g.Len() == g.Known() {
				break
			}
		}
		if g.Len() != lines || g.Empty() != (lines == 0) {
			t.Errorf("%d lines: shows %d, empty %v", lines, g.Len(), g.Empty())
		}
	}
}

func TestPagerDropsWhatAnotherFilterAskedFor(t *testing.T) {
	g := &Pager{}
	g.Reset(facts.LogFilter{})
	w, ok := g.Want(0)
	if !ok {
		t.Fatal("the first page is not wanted")
	}
	if _, twice := g.Want(0); twice {
		t.Error("the same page is asked for twice")
	}
	g.Reset(facts.LogFilter{Search: "x"})
	if g.Take(w, bigLog(5).page(w.Filter)) || g.Failed(w) || g.Known() != 0 {
		t.Error("an answer to the old question was taken for one to the new")
	}
	w, _ = g.Want(0)
	if w.Filter.Search != "x" || w.Filter.Limit != pageSize {
		t.Errorf("%+v", w.Filter)
	}
	if !g.Failed(w) {
		t.Error("the failure was not noted")
	}
	if _, again := g.Want(0); !again {
		t.Error("after a failure the page is not wanted again")
	}
}

func TestLogChoice(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	day := time.Date(2026, 11, 3, 15, 4, 0, 0, zone)
	f := LogChoice{Search: "  order ", Day: day, State: mail.Queued, Mailbox: "Anne", Person: " a@office.test"}.Filter()
	want := facts.LogFilter{
		Search: "order", Since: time.Date(2026, 11, 3, 0, 0, 0, 0, zone), Until: time.Date(2026, 11, 4, 0, 0, 0, 0, zone),
		State: mail.Queued, Mailbox: "Anne", Person: "a@office.test",
	}
	if f != want {
		t.Errorf("%+v", f)
	}
	if (LogChoice{}).Any() || !(LogChoice{Day: day}).Any() {
		t.Error("Any")
	}
}

func TestLogRow(t *testing.T) {
	p := i18n.New("en").In(time.UTC)
	now := time.Date(2026, 11, 3, 14, 6, 0, 0, time.UTC)
	e := mail.Entry{
		ID: "K1", Time: now.Add(-time.Minute), From: "A\x1b[2J <a@b.test>", Subject: "x\u202ey", Size: 12_345, State: mail.Quarantined, Attempts: 3,
		Recipients: []mail.EntryRecipient{{Address: "a@office.test"}, {Address: "b@office.test"}}, Reason: "550 no", NextAttempt: now.Add(time.Hour),
	}
	got := NewLogRow(p, e, now)
	want := LogRow{
		ID: "K1", Time: "14:05", From: "A\ufffd[2J", Subject: "x\ufffdy", To: "a@office.test, b@office.test", Size: "12\u00a0KB",
		State: "set aside", Next: "15:06", Attempts: "3", Reason: "550 no", Mark: MarkTrouble,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The list shows people as they are called, and what a code means.
func TestLogRowIsForPeople(t *testing.T) {
	p := i18n.New("en").In(time.UTC)
	now := time.Date(2026, 11, 3, 14, 6, 0, 0, time.UTC)
	for from, want := range map[string]string{
		`"Martin, Claire" <c@shop.test>`: "Martin, Claire", "Claire <c@shop.test>": "Claire", "<c@shop.test>": "<c@shop.test>", "c@shop.test": "c@shop.test", "": "",
	} {
		if got := NewLogRow(p, mail.Entry{From: from}, now).From; got != want {
			t.Errorf("%q: %q", from, got)
		}
	}
	big := mail.Entry{ID: "K1", State: mail.TooBig, Code: mail.CodeTooBig, Reason: string(mail.CodeTooBig)}
	if got := NewLogRow(p, big, now).Reason; got == "" || strings.Contains(got, "_") {
		t.Errorf("reason %q", got)
	}
	for at, want := range map[time.Time]string{
		now.Add(-time.Minute): "14:05", now.AddDate(0, 0, -1): "2 Nov 14:06", now.AddDate(-1, 0, 0): "2025-11-03", {}: "",
	} {
		if got := NewLogRow(p, mail.Entry{Time: at}, now).Time; got != want {
			t.Errorf("%s: %q, not %q", at, got, want)
		}
	}
}
