package present

import (
	"context"
	"errors"
	"strings"
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

// Overview is what the first page shows.
type Overview struct {
	Headline  string
	Well      bool // nothing needs attention
	Attention []Attention
	Mailboxes []MailboxRow
	Balance   string
	Running   bool
	Attached  bool
}

// Mend is what mends a matter.
type Mend int

// The ways to mend.
const (
	MendNothing  Mend = iota
	MendPassword      // enter the password of Mailbox anew
	MendResume        // collect Mailbox again
	MendMailbox       // look at the settings of Mailbox
	MendTarget        // look at the settings of Target
	MendQueue         // look at the queue
	MendWizard        // set up
)

// Attention is a matter that needs somebody, the worst first.
type Attention struct {
	What, Meaning, Advice, Detail string
	NeedsUser                     bool // else time mends it
	Stopped                       bool // a mailbox or office server is out of service until then
	Mend                          Mend
	Mailbox, Target               string
}

// MailboxRow is one mailbox of the overview.
type MailboxRow struct {
	Name, Last, New, Next, Result string
	Mark                          Mark
	Busy                          bool // a session is under way
	Done, Total                   int  // messages; Total 0: not known yet
	Progress                      string
}

// Today is what the delivery log says of the present day.
type Today struct {
	Known bool
	Count int64
	More  bool // Count is only the least
	Last  time.Time
}

// OverviewFacts is what an Overview is made of.
type OverviewFacts struct {
	Status   facts.Status
	Fault    error // the status cannot be read
	Running  bool
	Attached bool
	Today    Today
	Live     *Live
	Now      time.Time
}

// NewOverview says how all is.
func NewOverview(p *i18n.Printer, f OverviewFacts) Overview {
	o := Overview{Running: f.Running, Attached: f.Attached}
	if f.Fault != nil {
		e := Sentence(p, f.Fault, i18n.Context{})
		at := Attention{What: e.What, Meaning: e.Meaning, Advice: e.Advice, Detail: e.Detail, NeedsUser: true, Stopped: true}
		if ce, bad := errors.AsType[*facts.ConfigError](f.Fault); bad {
			b, _ := StartBanner(p, ce, ce.Path)
			at = Attention{What: p.T("gui.tray.unusable"), Meaning: b.What, Detail: b.Detail, NeedsUser: true, Stopped: true, Mend: MendWizard}
		} else if needsSetup(f.Fault) {
			at.Mend, at.Advice = MendWizard, p.T("main.overview.begin")
		}
		o.Attention = append(o.Attention, at)
	}
	o.Attention = append(o.Attention, attention(p, f.Status)...)
	o.Well = len(o.Attention) == 0
	o.Headline = headline(p, f, len(o.Attention))
	for _, m := range f.Status.Mailboxes {
		o.Mailboxes = append(o.Mailboxes, mailboxRow(p, m, f))
	}
	o.Balance = Balance(p, f.Status.Balance)
	return o
}

// headline answers "is my mail all right?".
func headline(p *i18n.Printer, f OverviewFacts, matters int) string {
	line := p.T("status.well")
	if matters > 0 {
		line = p.N("status.trouble", int64(matters))
	}
	switch {
	case f.Fault != nil:
		return line
	case !f.Running:
		return line + " " + p.T("main.overview.stopped")
	case !f.Today.Known:
		return line
	case f.Today.Count == 0:
		return line + " " + p.T("main.overview.none_today")
	case f.Today.More:
		return line + " " + p.N("main.overview.many_today", f.Today.Count, i18n.Args{"Last": p.When(f.Today.Last, f.Now)})
	}
	return line + " " + p.N("main.overview.today", f.Today.Count, i18n.Args{"Last": p.When(f.Today.Last, f.Now)})
}

// attention lists what needs somebody: first what only a person mends.
func attention(p *i18n.Printer, s facts.Status) []Attention {
	var user, others []Attention
	add := func(a Attention) {
		if a.NeedsUser {
			user = append(user, a)
		} else {
			others = append(others, a)
		}
	}
	for _, m := range s.Mailboxes {
		if a, ok := ofMailbox(p, m); ok {
			add(a)
		}
	}
	for _, t := range s.Targets {
		if t.Fault == nil {
			continue
		}
		f := t.Fault.Failure()
		e := p.Fault(f, i18n.Context{Side: i18n.SideTarget, Name: t.Name, Host: t.Host})
		add(Attention{
			What: tell.Line(t.Name) + p.T("main.colon") + tell.Sentence(e.What), Meaning: e.Meaning, Advice: e.Advice, Detail: tell.Line(e.Detail),
			NeedsUser: needsUser(f), Stopped: needsUser(f), Mend: MendTarget, Target: t.Name,
		})
	}
	if a, ok := ofQueue(p, s.Balance); ok {
		add(a)
	}
	return append(user, others...)
}

// ofQueue is what somebody must decide about: one matter, one button.
func ofQueue(p *i18n.Printer, b facts.Balance) (Attention, bool) {
	var what []string
	meaning := "meaning.with_provider"
	for _, kind := range []struct {
		state mail.State
		key   string
	}{{mail.Quarantined, "main.overview.set_aside"}, {mail.Failed, "main.overview.unreadable"}, {mail.TooBig, "main.overview.too_big"}} {
		n := b[kind.state]
		if n == 0 {
			continue
		}
		what = append(what, p.N(kind.key, n))
		if kind.state == mail.Quarantined {
			meaning = "meaning.no_loss"
		}
	}
	return Attention{
		What: strings.Join(what, " "), Meaning: p.T(meaning), Advice: p.T("main.overview.see_queue"), NeedsUser: true, Mend: MendQueue,
	}, len(what) > 0
}

func ofMailbox(p *i18n.Printer, m facts.MailboxStatus) (Attention, bool) {
	if !m.Enabled || m.Fault == nil && !m.Suspended || m.Paused {
		return Attention{}, false
	}
	f := m.Fault.Failure()
	if m.Suspended && (f == nil || f.Code == mail.CodeAuth) {
		f = &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSuspended, Reply: replyOf(f)}
	}
	e := p.Fault(f, i18n.Context{Side: i18n.SideSource, Name: m.Name, Host: m.Host})
	a := Attention{
		What: tell.Line(m.Name) + p.T("main.colon") + tell.Sentence(e.What), Meaning: e.Meaning, Advice: e.Advice, Detail: tell.Line(e.Detail),
		NeedsUser: f.Class == mail.NeedsUser, Stopped: f.Class == mail.NeedsUser, Mailbox: m.Name,
	}
	switch {
	case needsPassword(f.Code) || m.Suspended:
		a.Mend = MendPassword
	case a.NeedsUser:
		a.Mend = MendMailbox
	}
	return a, true
}

// needsUser tells whether only a person can mend a fault of an office server.
// The store remembers its code, not its class.
func needsUser(f *mail.Failure) bool {
	switch f.Code {
	case mail.CodeTargetAuth, mail.CodeSender, mail.CodeRelay, mail.CodeTargetMissing, mail.CodePlaintext, mail.CodeNoMechanism,
		mail.CodeTLSUntrusted, mail.CodeTLSName, mail.CodeTLSExpired, mail.CodeTLSPin, mail.CodeTLSMissing, mail.CodeSecretMissing, mail.CodeSecretLocked:
		return true
	}
	return f.Class == mail.NeedsUser
}

func replyOf(f *mail.Failure) string {
	if f == nil {
		return ""
	}
	return f.Reply
}

func needsPassword(code mail.Code) bool {
	switch code {
	case mail.CodeAuth, mail.CodeSuspended, mail.CodeSecretMissing, mail.CodeSecretBad:
		return true
	}
	return false
}

func mailboxRow(p *i18n.Printer, m facts.MailboxStatus, f OverviewFacts) MailboxRow {
	r := MailboxRow{Name: tell.Line(m.Name), Last: p.Brief(m.Last, f.Now), Next: nextTime(p, m, f)}
	if !m.Last.IsZero() {
		r.New = p.N("main.overview.new", int64(m.Collected))
	}
	r.Result, r.Mark = mailboxResult(p, m)
	if done, total, busy := f.Live.Progress(m.Name); busy {
		r.Busy, r.Done, r.Total = true, done, total
		r.Progress = p.T("main.overview.connecting")
		if total > 0 || done > 0 {
			r.Progress = p.T("main.overview.progress", i18n.Args{"Done": p.Number(int64(done)), "Total": p.Number(int64(max(total, done)))})
		}
		if bytes := f.Live.Bytes(m.Name); bytes > 0 {
			r.Progress += ", " + p.Size(bytes)
		}
	}
	return r
}

// mailboxResult is the last result in a word or two: the table has no room for
// more, and what needs somebody stands above it.
func mailboxResult(p *i18n.Printer, m facts.MailboxStatus) (string, Mark) {
	mark := MailboxMark(m)
	switch f := m.Fault.Failure(); {
	case m.Suspended:
		return p.T("main.overview.refused_thrice"), mark
	case f != nil && f.Code == mail.CodeAuth:
		return p.T("main.overview.refused"), mark
	case m.Result == "":
		return p.T("result.none"), mark
	}
	return p.T("result." + m.Result), mark
}

func nextTime(p *i18n.Printer, m facts.MailboxStatus, f OverviewFacts) string {
	switch {
	case !m.Enabled:
		return p.T("status.off")
	case m.Paused:
		return p.T("status.paused")
	case m.Suspended:
		return p.T("status.suspended")
	case !f.Running:
		return ""
	}
	return p.Brief(m.Next, f.Now)
}

// Balance writes the balance sheet as the equation that it is (rule 49); states
// that nothing is in are left out.
func Balance(p *i18n.Printer, b facts.Balance) string {
	var parts []string
	for _, state := range mail.States() {
		if n := b[state]; n != 0 || state == mail.Delivered || state == mail.Queued {
			parts = append(parts, p.T("state."+string(state))+"\u00a0"+p.Number(n))
		}
	}
	return p.T("status.balance", i18n.Args{"Seen": p.Number(b.Seen()), "Parts": strings.Join(parts, " + ")})
}

// Live is what events say of the collections under way.
type Live struct{ boxes map[string]liveBox }

type liveBox struct {
	done, total int
	bytes       int64
}

// fetched goes on from what was known: not every event repeats the total.
func (b liveBox) fetched(ev facts.Event) liveBox {
	b.done, b.total, b.bytes = max(b.done, ev.Done), max(b.total, ev.Total), max(b.bytes, ev.Bytes)
	return b
}

// Hear takes in what the engine said and tells whether the facts in the store
// have changed, so that they should be read anew.
func (l *Live) Hear(events []facts.Event) (stale bool) {
	if l.boxes == nil {
		l.boxes = map[string]liveBox{}
	}
	for _, ev := range events {
		switch ev.Kind {
		case facts.EventMailboxStart:
			l.boxes[ev.Mailbox] = liveBox{}
		case facts.EventFetched:
			l.boxes[ev.Mailbox] = l.boxes[ev.Mailbox].fetched(ev)
		case facts.EventMailboxEnd:
			delete(l.boxes, ev.Mailbox)
			stale = true
		default:
			stale = true
		}
	}
	return stale
}

// Progress tells how far the collection of a mailbox is.
func (l *Live) Progress(mailbox string) (done, total int, busy bool) {
	if l == nil {
		return 0, 0, false
	}
	b, ok := l.boxes[mailbox]
	return b.done, b.total, ok
}

// Bytes is the size of what was fetched in the collection of a mailbox.
func (l *Live) Bytes(mailbox string) int64 {
	if l == nil {
		return 0
	}
	return l.boxes[mailbox].bytes
}

// Collecting tells whether any collection is under way.
func (l *Live) Collecting() bool { return l != nil && len(l.boxes) > 0 }

// countLimit bounds how many lines of the delivery log are read to count the
// messages of today: the page wants an answer at once.
const countLimit = 2000

// CountToday counts the messages that were delivered today.
func CountToday(ctx context.Context, j Journal, now time.Time) Today {
	y, m, d := now.Date()
	filter := facts.LogFilter{Since: time.Date(y, m, d, 0, 0, 0, 0, now.Location()), State: mail.Delivered, Limit: countLimit}
	t := Today{Known: true}
	err := j.Log(ctx, filter, func(e mail.Entry) error {
		if t.Count == 0 {
			t.Last = e.Time
		}
		t.Count++
		return nil
	})
	t.Known, t.More = err == nil, t.Count == countLimit
	return t
}
