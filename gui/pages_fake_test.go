package gui

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// pagesNow is the moment of the tests.
var pagesNow = time.Date(2026, 11, 3, 14, 6, 0, 0, time.UTC)

// pageBackend keeps settings and a journal in memory, and validates as the
// real one does.
type pageBackend struct {
	mu          sync.Mutex
	cfg         *config.Config
	cfgFault    error
	applyFault  error
	secretFault error
	secrets     map[string]string
	entries     []mail.Entry // newest first
	stories     map[string]facts.Story
	status      facts.Status
	statusFault error
	running     bool
	transcripts []facts.Transcript
	steps       []facts.CheckStep
	preview     []facts.PreviewLine
	orderFault  error
	calls       []string
	filters     []facts.LogFilter
	checked     *config.Config
	hold        chan struct{} // when set, Page waits until it is closed
}

func (b *pageBackend) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, fmt.Sprintf(format, args...))
}

// asked is how often the backend was called for more than a page of the log.
func (b *pageBackend) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.calls)
}

// asks are the pages of the log that were asked for.
func (b *pageBackend) asks() []facts.LogFilter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.filters)
}

func (b *pageBackend) has(call string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.calls, call)
}

func (b *pageBackend) Start(context.Context) error {
	b.running = true
	b.note("start")
	return b.orderFault
}
func (b *pageBackend) Stop(context.Context) error {
	b.running = false
	b.note("stop")
	return b.orderFault
}
func (b *pageBackend) Running() bool  { return b.running }
func (b *pageBackend) Attached() bool { return false }

func (b *pageBackend) Watch(func(facts.Event)) func() { return func() {} }

func (b *pageBackend) Place() facts.Options {
	return facts.Options{Config: "/home/anne/.config/postbag/postbag.toml", Data: "/home/anne/.local/share/postbag"}
}

func (b *pageBackend) Transcripts(context.Context) ([]facts.Transcript, error) {
	return b.transcripts, nil
}

func (b *pageBackend) Collect(_ context.Context, names []string) (facts.CollectReport, error) {
	b.note("collect %v", names)
	return facts.CollectReport{}, b.orderFault
}

func (b *pageBackend) tellSteps(draft *config.Config, each func(facts.CheckStep) error) error {
	b.checked = draft
	for _, s := range b.steps {
		if err := each(s); err != nil {
			return err
		}
	}
	return nil
}

func (b *pageBackend) CheckMailbox(_ context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error {
	b.note("check mailbox %s %v", name, secrets)
	return b.tellSteps(draft, each)
}

func (b *pageBackend) CheckTarget(_ context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error {
	b.note("check target %s %v", name, secrets)
	return b.tellSteps(draft, each)
}

func (b *pageBackend) Preview(_ context.Context, _ *config.Config, name string, _ map[string]string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error) {
	b.note("preview %s %d", name, limit)
	for _, l := range b.preview {
		if err := each(l); err != nil {
			return facts.Verdict{}, err
		}
	}
	return facts.Verdict{Verdict: facts.VerdictBccWorks, EnvelopeHeader: "Envelope-To"}, nil
}

func (b *pageBackend) Status(context.Context) (facts.Status, error) {
	b.note("status")
	return b.status, b.statusFault
}

func (b *pageBackend) chosen(f facts.LogFilter) []mail.Entry {
	var out []mail.Entry
	var ms, below int64
	if f.Before != "" {
		if _, err := fmt.Sscanf(f.Before, "%d.%d", &ms, &below); err != nil {
			panic(err)
		}
	}
	for i := range b.entries {
		e := &b.entries[i]
		if below > 0 && e.Row >= below {
			continue
		}
		if f.State != "" && e.State != f.State || f.Mailbox != "" && e.Mailbox != f.Mailbox ||
			f.Search != "" && !strings.Contains(e.Subject+e.From+e.ID, f.Search) ||
			!f.Since.IsZero() && e.Time.Before(f.Since) || !f.Until.IsZero() && !e.Time.Before(f.Until) {
			continue
		}
		out = append(out, *e)
		if f.Limit > 0 && len(out) == f.Limit {
			break
		}
	}
	return out
}

func (b *pageBackend) Page(ctx context.Context, f facts.LogFilter) ([]mail.Entry, error) {
	b.mu.Lock()
	b.filters = append(b.filters, f)
	hold := b.hold
	b.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return b.chosen(f), ctx.Err()
}

func (b *pageBackend) Log(_ context.Context, f facts.LogFilter, each func(mail.Entry) error) error {
	for _, e := range b.chosen(f) {
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

func (b *pageBackend) Story(_ context.Context, id string) (facts.Story, error) {
	if s, ok := b.stories[id]; ok {
		return s, nil
	}
	for _, e := range b.entries {
		if e.ID == id {
			return facts.Story{Entry: e}, nil
		}
	}
	return facts.Story{}, &mail.Failure{Code: facts.CodeUnknownMessage, Op: id}
}

func (b *pageBackend) Queued(_ context.Context, each func(mail.Entry) error) error {
	for _, e := range b.entries {
		switch e.State {
		case mail.Queued, mail.Quarantined, mail.TooBig, mail.Failed:
			if err := each(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *pageBackend) Retry(_ context.Context, id string) (mail.Entry, error) {
	b.note("retry %s", id)
	return mail.Entry{ID: id}, b.orderFault
}

func (b *pageBackend) Delete(_ context.Context, id string) (mail.Entry, error) {
	b.note("delete %s", id)
	return mail.Entry{ID: id}, b.orderFault
}

func (b *pageBackend) SendTo(_ context.Context, id, address string) (mail.Entry, error) {
	b.note("send %s to %s", id, address)
	return mail.Entry{ID: id}, b.orderFault
}

func (b *pageBackend) Save(_ context.Context, id string, w io.Writer) error {
	b.note("save %s", id)
	_, err := io.WriteString(w, "Subject: x\r\n\r\nbody\r\n")
	return err
}

func (b *pageBackend) Pause(_ context.Context, name string) (facts.MailboxStatus, error) {
	b.note("pause %s", name)
	return facts.MailboxStatus{}, nil
}

func (b *pageBackend) Resume(_ context.Context, name string) (facts.MailboxStatus, error) {
	b.note("resume %s", name)
	return facts.MailboxStatus{}, nil
}

// Config hands out a copy, as a file does.
func (b *pageBackend) Config(context.Context) (*config.Config, error) {
	cfg, _ := config.Parse(config.Marshal(b.cfg), b.cfg.Dir)
	return cfg, b.cfgFault
}

func (b *pageBackend) Validate(_ context.Context, draft *config.Config) []facts.Problem {
	_, problems := config.Parse(config.Marshal(draft), draft.Dir)
	var out []facts.Problem
	p := i18n.New("en")
	for _, x := range problems {
		out = append(out, facts.Problem{Field: x.Field, Code: string(x.Code), Message: p.T("config."+string(x.Code), x.Args), Warning: x.Warning})
	}
	return out
}

func (b *pageBackend) Apply(ctx context.Context, draft *config.Config) ([]facts.Problem, error) {
	problems := b.Validate(ctx, draft)
	for _, p := range problems {
		if !p.Warning {
			return problems, &facts.ConfigError{Problems: problems}
		}
	}
	if b.applyFault != nil {
		return problems, b.applyFault
	}
	b.note("apply")
	b.cfg, _ = config.Parse(config.Marshal(draft), draft.Dir)
	return problems, nil
}

func (b *pageBackend) SetSecret(_ context.Context, ref, value string) error {
	b.note("secret %s", ref)
	if b.secretFault == nil {
		b.secrets[ref] = value
	}
	return b.secretFault
}

func (b *pageBackend) DeleteSecret(context.Context, string) error { return nil }

var _ present.Backend = (*pageBackend)(nil)

// pageConfig is an office with two mailboxes and three people.
const pageConfig = `version = 1
[office]
domains = ["office.test"]
unknown_recipient = "postmaster@office.test"
[[target]]
name = "office"
host = "mail.office.test"
[[recipient]]
address = "anne@office.test"
aliases = ["info@office.test"]
[[recipient]]
address = "bob@office.test"
[[recipient]]
address = "postmaster@office.test"
[[list]]
address = "sales@office.test"
members = ["anne@office.test", "bob@office.test"]
[[mailbox]]
name = "Whole office"
id = "whole-office"
host = "pop.isp.test"
username = "office-42"
secret = "keyring:whole-office"
[[mailbox]]
name = "Anne"
id = "anne"
kind = "individual"
host = "pop.isp.test"
username = "anne"
secret = "keyring:anne"
deliver_to = ["anne@office.test"]
`

// journal makes n delivered messages, the newest first, five minutes apart.
func journal(n int) []mail.Entry {
	out := make([]mail.Entry, n)
	for i := range out {
		out[i] = mail.Entry{
			Row: int64(n - i), ID: fmt.Sprintf("K%d", n-i), Time: pagesNow.Add(-time.Duration(i+1) * 5 * time.Minute), Mailbox: "Whole office",
			From: "Claire Martin <claire@shop.test>", Subject: fmt.Sprintf("Order %d", n-i), Size: 12_345, State: mail.Delivered, AtSource: mail.SourceDeleted,
			Route: "envelope:Envelope-To", Recipients: []mail.EntryRecipient{{Address: "anne@office.test", State: mail.Delivered, Reply: "250 2.0.0 Ok: queued as 4Xy1"}},
		}
	}
	return out
}

// storyOf is the way of a delivered message.
func storyOf(e mail.Entry) facts.Story {
	at := e.Time
	return facts.Story{Entry: e, Steps: []facts.Step{
		{Time: at.Add(-2 * time.Second), Kind: facts.StepFetched, Host: "pop.isp.test", Size: e.Size},
		{Time: at.Add(-2 * time.Second), Kind: facts.StepRouted, Route: e.Route, Address: "anne@office.test", Detail: "Envelope-To: anne@office.test"},
		{Time: at, Kind: facts.StepDelivered, Address: "anne@office.test", Reply: "250 2.0.0 Ok: queued as 4Xy1"},
		{Time: at.Add(time.Second), Kind: facts.StepRemoved},
	}}
}

// pageBench is one page in a window of its own.
type pageBench struct {
	*pageBackend
	*oneThread
	d      *Desk
	page   Page
	w      fyne.Window
	opened []string
	look   present.Look
}

func newPageBench(t *testing.T, lang string, size fyne.Size, make func(*Desk) Page, change func(*pageBackend)) *pageBench {
	t.Helper()
	cfg, problems := config.Parse([]byte(pageConfig), "")
	if len(config.Faults(problems)) > 0 {
		t.Fatal(problems)
	}
	b := &pageBench{pageBackend: &pageBackend{cfg: cfg, secrets: map[string]string{}, stories: map[string]facts.Story{}, running: true}, look: present.DefaultLook()}
	b.status = facts.Status{Engine: facts.EngineRunning, Balance: facts.Balance{mail.Delivered: 4711}, Mailboxes: []facts.MailboxStatus{
		{Name: "Whole office", Host: "pop.isp.test", Enabled: true, Last: pagesNow.Add(-time.Minute), Next: pagesNow.Add(time.Hour), Result: facts.ResultOK, Collected: 12},
		{Name: "Anne", Host: "pop.isp.test", Enabled: true, Last: pagesNow.Add(-time.Minute), Next: pagesNow.Add(time.Hour), Result: facts.ResultOK},
	}}
	b.entries = journal(30)
	if change != nil {
		change(b.pageBackend)
	}
	a := newOneThread(t)
	b.oneThread = a
	a.do(func() { a.Settings().SetTheme(NewTheme(present.ThemeLight)) })
	b.d = &Desk{
		Backend: b.pageBackend, App: a, Now: func() time.Time { return pagesNow }, Context: t.Context(),
		printer:  i18n.New(lang).In(time.UTC),
		Navigate: func(page string) { b.opened = append(b.opened, page) },
		Open:     func(page, subject string) { b.opened = append(b.opened, page+" "+subject) },
		Wizard:   func() { b.opened = append(b.opened, "wizard") },
		Look:     func() present.Look { return b.look },
		SetLook:  func(l present.Look) { b.look = l },
		Build:    facts.Build{Version: "1.0.0", Commit: "0123456789ab"},
	}
	a.do(func() {
		b.d.Window = a.NewWindow("page")
		b.page = make(b.d)
		b.w = b.d.Window
		b.w.SetPadded(false)
		b.w.SetContent(b.page.Content())
		b.w.Resize(size)
		b.page.Retext()
		b.page.Shown()
	})
	t.Cleanup(func() { a.do(b.w.Close) })
	return b
}

// smallPage is what the smallest main window leaves for a page: beside the
// navigation and its line, below the menu.
var smallPage = fyne.NewSize(leastWidth-navWidth-17, leastHeight-menuHeight-8)

// french is the printer of the other language.
func french(*pageBench) *i18n.Printer { return i18n.New(i18n.French).In(time.UTC) }
