package present

import (
	"strings"
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

// LogRow is one line of the delivery log or of the queue.
type LogRow struct {
	ID                                   string
	Time, From, Subject, To, Size, State string
	Next, Attempts, Reason               string // of the queue
	Mark                                 Mark
}

// Mark says how a line stands out, by a sign and a colour.
type Mark int

// The marks.
const (
	MarkNone    Mark = iota
	MarkWaits        // time mends it
	MarkTrouble      // set aside, not readable, too big
)

// NewLogRow writes an entry as a line.
func NewLogRow(p *i18n.Printer, e mail.Entry, now time.Time) LogRow {
	r := LogRow{
		ID: e.ID, Time: p.Brief(e.Time, now), From: sender(e.From), Subject: tell.Line(e.Subject), To: Recipients(e.Recipients),
		Size: p.Size(e.Size), State: p.T("state." + string(e.State)), Next: p.Brief(e.NextAttempt, now), Reason: reason(p, e),
	}
	r.Attempts = attempts(p, e)
	r.Mark = markOfState(e.State)
	return r
}

// attempts is how often delivery was tried, "" for never.
func attempts(p *i18n.Printer, e mail.Entry) string {
	if e.Attempts == 0 {
		return ""
	}
	return p.Number(int64(e.Attempts))
}

// sender is who wrote a message as people call him: the name, or the address
// where there is none. The address stands in the way of the message.
func sender(from string) string {
	line := tell.Line(from)
	name, _, found := strings.Cut(line, "<")
	if name = strings.Trim(name, " \""); !found || name == "" {
		return line
	}
	return name
}

// reason is the server's answer, or what the fault means where no server said
// anything.
func reason(p *i18n.Printer, e mail.Entry) string {
	if e.Code != "" && e.Reason == string(e.Code) {
		return p.Fault(&mail.Failure{Code: e.Code, Op: e.ID}, i18n.Context{Side: sideOf(e.State)}).What
	}
	return tell.Line(e.Reason)
}

// Recipients lists addresses in one line.
func Recipients(list []mail.EntryRecipient) string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = tell.Line(r.Address)
	}
	return strings.Join(words, ", ")
}

// pageSize is how many lines of the log are read at a time, pagesKept how many
// pages stay in memory: further away ones are read again when they are looked at.
const (
	pageSize  = 200
	pagesKept = 40
)

// Pager holds the part of the delivery log that is looked at. It does no I/O:
// Want says what to read, Take takes it in.
type Pager struct {
	filter     facts.LogFilter
	pages      []logPage
	end        bool // the last page is the end of the log
	generation int
	clock      int // counts looks, to find the page looked at longest ago
}

type logPage struct {
	before  string // cursor
	count   int
	rows    []mail.Entry // nil: not in memory
	pending bool
	looked  int
}

// Wish is a page to be read.
type Wish struct {
	Filter     facts.LogFilter
	page       int
	generation int
}

// Reset forgets everything and begins with the newest line of another filter.
func (g *Pager) Reset(filter facts.LogFilter) {
	filter.Limit, filter.Before = pageSize, ""
	*g = Pager{filter: filter, generation: g.generation + 1, pages: []logPage{{}}}
}

// Filter is what the lines are chosen by.
func (g *Pager) Filter() facts.LogFilter { return g.filter }

// Len is the number of lines to show: those that are known, and one more for
// the page that follows when there may be one.
func (g *Pager) Len() int {
	n := 0
	for _, p := range g.pages {
		n += p.count
	}
	if !g.end {
		n++
	}
	return n
}

// Known is the number of lines read so far.
func (g *Pager) Known() int {
	n := 0
	for _, p := range g.pages {
		n += p.count
	}
	return n
}

// Empty tells whether the log is known to have no line that fits.
func (g *Pager) Empty() bool { return g.end && g.Known() == 0 }

// Row returns a line when it is in memory.
func (g *Pager) Row(i int) (mail.Entry, bool) {
	page, at := g.place(i)
	if page < 0 || g.pages[page].rows == nil || at >= len(g.pages[page].rows) {
		return mail.Entry{}, false
	}
	g.clock++
	g.pages[page].looked = g.clock
	return g.pages[page].rows[at], true
}

// Want tells what must be read so that line i can be shown; ok is false when
// nothing must, or it is being read already.
func (g *Pager) Want(i int) (Wish, bool) {
	page, _ := g.place(i)
	if page < 0 || g.pages[page].rows != nil || g.pages[page].pending {
		return Wish{}, false
	}
	g.pages[page].pending = true
	f := g.filter
	f.Before = g.pages[page].before
	return Wish{Filter: f, page: page, generation: g.generation}, true
}

// Take takes in what was read. It is false when the filter has changed since.
func (g *Pager) Take(w Wish, rows []mail.Entry) bool {
	if w.generation != g.generation {
		return false
	}
	p := &g.pages[w.page]
	p.pending, p.rows, p.count = false, rows, len(rows)
	if p.rows == nil {
		p.rows = []mail.Entry{}
	}
	g.clock++
	p.looked = g.clock
	if w.page == len(g.pages)-1 && !g.end {
		if len(rows) < pageSize {
			g.end = true
		} else {
			g.pages = append(g.pages, logPage{before: rows[len(rows)-1].Cursor()})
		}
	}
	g.forget()
	return true
}

// Failed tells that a page could not be read; it may be wanted again.
func (g *Pager) Failed(w Wish) bool {
	if w.generation != g.generation {
		return false
	}
	g.pages[w.page].pending = false
	return true
}

func (g *Pager) place(i int) (page, at int) {
	if i < 0 {
		return -1, 0
	}
	for n, p := range g.pages {
		if i < p.count || n == len(g.pages)-1 && !g.end {
			return n, i
		}
		i -= p.count
	}
	return -1, 0
}

// forget drops the page that was looked at longest ago when there are too many.
func (g *Pager) forget() {
	held, oldest := 0, -1
	for n, p := range g.pages {
		if p.rows == nil || p.count == 0 {
			continue
		}
		held++
		if oldest < 0 || p.looked < g.pages[oldest].looked {
			oldest = n
		}
	}
	if held > pagesKept {
		g.pages[oldest].rows = nil
	}
}

// LogChoice is what the person has chosen above the log.
type LogChoice struct {
	Search  string
	Day     time.Time // any moment of the day; zero: all days
	State   mail.State
	Mailbox string
	Person  string
}

// Filter is the choice as the journal takes it.
func (c LogChoice) Filter() facts.LogFilter {
	f := facts.LogFilter{Search: strings.TrimSpace(c.Search), State: c.State, Mailbox: c.Mailbox, Person: strings.TrimSpace(c.Person)}
	if !c.Day.IsZero() {
		y, m, d := c.Day.Date()
		f.Since = time.Date(y, m, d, 0, 0, 0, 0, c.Day.Location())
		f.Until = time.Date(y, m, d+1, 0, 0, 0, 0, c.Day.Location())
	}
	return f
}

// Any tells whether the choice leaves lines out.
func (c LogChoice) Any() bool { return c != LogChoice{} }
