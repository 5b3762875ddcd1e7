package cli

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"postbag/app/facts"
	"postbag/app/i18n"
)

// progress shows the work under way on standard error: a bar on a terminal,
// plain lines elsewhere. Its methods may be called on nil and by several
// goroutines.
type progress struct {
	p      *i18n.Printer
	line   func(string)
	faults bool // tell of a mailbox that failed at once; else the command does at its end

	terminal io.Writer // nil: plain lines

	lock    sync.Mutex
	bar     *progressbar.ProgressBar // nil until the number of messages is known
	fetched map[string][2]int        // by mailbox: done, total
	sent    [2]int                   // copies with an outcome, of all
}

// startProgress shows the progress of this command from now on.
func (s *session) startProgress() *progress {
	pr := &progress{p: s.p, line: s.err.line, fetched: map[string][2]int{}}
	if s.env.StderrWidth > 0 {
		pr.terminal = s.env.Stderr
	}
	s.bar = pr
	return pr
}

func newBar(w io.Writer, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}),
	)
}

// event takes one fact.
func (pr *progress) event(e facts.Event) {
	if pr == nil {
		return
	}
	pr.lock.Lock()
	defer pr.lock.Unlock()
	switch e.Kind {
	case facts.EventFetched:
		pr.fetched[e.Mailbox] = [2]int{e.Done, e.Total}
		pr.draw()
	case facts.EventDelivered:
		pr.sent = [2]int{e.Done, e.Total}
		pr.draw()
	default:
		if e.Result != nil && e.Result.Fault != nil && !pr.faults {
			return
		}
		if text := eventText(pr.p, e); text != "" {
			pr.clear()
			pr.line(text)
		}
	}
}

// draw brings the bar up to date. Every message counts twice: fetched here,
// accepted by the office server.
func (pr *progress) draw() {
	if pr.terminal == nil {
		return
	}
	var done, total int
	for _, f := range pr.fetched {
		done, total = done+f[0], total+f[1]
	}
	all := total + max(pr.sent[1], pr.sent[0])
	if all <= 0 {
		return
	}
	if pr.bar == nil {
		pr.bar = newBar(pr.terminal, all)
	}
	pr.bar.Describe(cell(pr.p.T("cli.progress.moving", i18n.Args{
		"Fetched": pr.p.Number(int64(done)), "Delivered": pr.p.Number(int64(pr.sent[0])),
	})))
	if pr.bar.GetMax() != all {
		pr.bar.ChangeMax(all)
	}
	// A full bar would finish and vanish while the session is still ending.
	_ = pr.bar.Set(min(done+pr.sent[0], max(all-1, 0)))
}

func (pr *progress) clear() {
	if pr.bar != nil {
		_ = pr.bar.Clear()
	}
}

// pause runs f while no bar stands in its way.
func (pr *progress) pause(f func()) {
	if pr == nil {
		f()
		return
	}
	pr.lock.Lock()
	defer pr.lock.Unlock()
	pr.clear()
	f()
}

// close takes the bar away.
func (pr *progress) close() {
	if pr == nil {
		return
	}
	pr.lock.Lock()
	defer pr.lock.Unlock()
	pr.clear()
	pr.bar, pr.terminal = nil, nil
}

// eventText is the plain line for an event, "" for those that have none.
func eventText(p *i18n.Printer, e facts.Event) string {
	args := i18n.Args{"Mailbox": cell(e.Mailbox), "Target": cell(e.Target), "Host": cell(e.Host), "Until": p.Stamp(e.Until)}
	switch e.Kind {
	case facts.EventStarted:
		return p.T("event.started")
	case facts.EventStopping:
		return p.T("event.stopping")
	case facts.EventMailboxStart:
		return p.T("event.mailbox_start", args)
	case facts.EventMailboxEnd:
		return mailboxEnd(p, e, args)
	case facts.EventTargetDown:
		args["What"] = cell(p.Fault(e.Fault.Failure(), i18n.Context{Side: i18n.SideTarget, Name: e.Target, Host: e.Host}).What)
		if e.Until.IsZero() {
			return p.T("event.target_down", args)
		}
		return p.T("event.target_down_until", args)
	case facts.EventTargetUp:
		return p.T("event.target_up", args)
	case facts.EventStage:
		if key := "demo.stage." + e.Stage; p.Has(key) {
			return p.T(key, args)
		}
	}
	return ""
}

func mailboxEnd(p *i18n.Printer, e facts.Event, args i18n.Args) string {
	r := e.Result
	if r == nil {
		return ""
	}
	if r.Fault != nil {
		fault := p.Fault(r.Fault.Failure(), i18n.Context{Side: i18n.SideSource, Name: r.Mailbox, Host: r.Host})
		args["What"], args["Advice"] = cell(fault.What), cell(fault.Advice)
		return p.T("event.mailbox_fault", args)
	}
	return p.N("event.mailbox_end", int64(r.New), args)
}
