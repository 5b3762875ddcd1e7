package gui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// wizardBackend answers what the wizard asks, as the test scripts it.
type wizardBackend struct {
	present.Backend // what is not asked for here panics

	cfg      *config.Config
	secrets  map[string]string
	calls    []string
	drafts   []*config.Config
	typed    map[string]string // passwords of the last check
	source   []facts.CheckStep
	target   []facts.CheckStep
	lines    []facts.PreviewLine
	verdict  facts.Verdict
	events   []facts.Event
	report   facts.CollectReport
	applyErr error
	running  bool
	listen   func(facts.Event)

	collecting func() // after the events, before the report
}

func (b *wizardBackend) note(format string, args ...any) {
	b.calls = append(b.calls, fmt.Sprintf(format, args...))
}

func (b *wizardBackend) Config(context.Context) (*config.Config, error) {
	if b.cfg == nil {
		return config.Defaults(), &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing}
	}
	return b.cfg, nil
}

func (b *wizardBackend) Validate(_ context.Context, draft *config.Config) []facts.Problem {
	_, problems := config.Parse(config.Marshal(draft), draft.Dir)
	var out []facts.Problem
	for _, p := range problems {
		out = append(out, facts.Problem{Field: p.Field, Code: string(p.Code), Message: p.String(), Warning: p.Warning})
	}
	return out
}

func (b *wizardBackend) Apply(_ context.Context, draft *config.Config) ([]facts.Problem, error) {
	b.note("apply")
	if b.applyErr != nil {
		return nil, b.applyErr
	}
	b.cfg = draft
	return nil, nil
}

func (b *wizardBackend) SetSecret(_ context.Context, ref, value string) error {
	b.note("secret %s", ref)
	if b.secrets == nil {
		b.secrets = map[string]string{}
	}
	b.secrets[ref] = value
	return nil
}

func (b *wizardBackend) DeleteSecret(_ context.Context, ref string) error {
	b.note("forget %s", ref)
	delete(b.secrets, ref)
	return nil
}

func (b *wizardBackend) check(steps []facts.CheckStep, draft *config.Config, secrets map[string]string, each func(facts.CheckStep) error) error {
	b.drafts, b.typed = append(b.drafts, draft), maps.Clone(secrets)
	for _, s := range steps {
		if err := each(s); err != nil {
			return err
		}
	}
	return nil
}

func (b *wizardBackend) CheckMailbox(_ context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error {
	b.note("check mailbox %s", name)
	return b.check(b.source, draft, secrets, each)
}

func (b *wizardBackend) CheckTarget(_ context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error {
	b.note("check target %s", name)
	return b.check(b.target, draft, secrets, each)
}

func (b *wizardBackend) Preview(_ context.Context, _ *config.Config, name string, _ map[string]string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error) {
	b.note("preview %s %d", name, limit)
	for _, l := range b.lines {
		if err := each(l); err != nil {
			return facts.Verdict{}, err
		}
	}
	return b.verdict, nil
}

func (b *wizardBackend) Running() bool               { return b.running }
func (b *wizardBackend) Start(context.Context) error { b.note("start"); b.running = true; return nil }

func (b *wizardBackend) Watch(listen func(facts.Event)) func() {
	b.listen = listen
	return func() { b.listen = nil }
}

func (b *wizardBackend) Collect(context.Context, []string) (facts.CollectReport, error) {
	b.note("collect")
	for _, e := range b.events {
		b.listen(e)
	}
	if b.collecting != nil {
		b.collecting()
	}
	return b.report, nil
}

// fakeAutostart keeps the switch.
type fakeAutostart struct {
	on  bool
	err error
}

func (a *fakeAutostart) Enabled() (bool, error) { return a.on, nil }
func (a *fakeAutostart) Set(on bool) error      { a.on = on; return a.err }

// wizardBench is a wizard with all that it needs; work is done at once.
type wizardBench struct {
	*Wizard
	backend   *wizardBackend
	autostart *fakeAutostart
	look      present.Look
	opened    []string
	closings  []bool
}

func newWizardBench(t *testing.T, lang string, cfg *config.Config) *wizardBench {
	t.Helper()
	a := newTestApp(t)
	a.Settings().SetTheme(NewTheme(present.ThemeLight))
	b := &wizardBench{backend: &wizardBackend{cfg: cfg}, autostart: &fakeAutostart{}}
	d := &Desk{Backend: b.backend, App: a, Now: time.Now, Context: t.Context(), Autostart: b.autostart, printer: i18n.New(lang)}
	d.Look = func() present.Look { return b.look }
	d.SetLook = func(l present.Look) { b.look = l }
	d.OpenFile = func(path string) error {
		b.opened = append(b.opened, path)
		return nil
	}
	b.Wizard = newWizard(d, func(done bool) { b.closings = append(b.closings, done) })
	b.run = func(f func()) { f() }
	if cfg == nil {
		cfg = config.Defaults()
	}
	b.open(cfg, a.NewWindow("")) // the wizard closes it
	b.win.Resize(fyne.NewSize(wizardWidthOf, wizardHeightOf))
	return b
}

// press types a key where the focus is, as a person would.
func (b *wizardBench) press(name fyne.KeyName) {
	c := b.win.Canvas()
	ev := &fyne.KeyEvent{Name: name}
	if f := c.Focused(); f != nil {
		f.TypedKey(ev)
	} else if h := c.OnTypedKey(); h != nil {
		h(ev)
	}
}

// fill answers every question as a newcomer would and returns the wizard at the summary.
func (b *wizardBench) fill(t *testing.T) {
	t.Helper()
	a := b.answers
	b.goNext()
	b.goNext()
	b.goNext()
	b.pages[present.WizardOffice].(*wizardOffice).domains.SetText("office.test")
	b.pages[present.WizardOffice].(*wizardOffice).people.SetText("anne@office.test, info@office.test\nbob@office.test")
	b.goNext()
	b.pages[present.WizardTarget].(*wizardTarget).host.SetText("mail.office.test")
	b.goNext()
	a.Incoming.Shown()[0].Password, a.Incoming.Shown()[0].Again = "geheim", "geheim"
	b.pages[present.WizardIncoming].(*wizardIncoming).account.SetText("office-42@orange.fr")
	b.goNext()
	b.goNext()
	b.goNext()
	if a.Current() != present.WizardSummary {
		t.Fatalf("at %q with %v", a.Current().Key(), a.AllFaults())
	}
}

// good is a test in which all is well.
func goodSource() []facts.CheckStep {
	var out []facts.CheckStep
	for _, s := range []string{"dns", "connect", "tls", "login", "stat", "uidl"} {
		out = append(out, facts.CheckStep{Side: facts.SideSource, Subject: "Whole office", Host: "pop.orange.fr", Step: s, OK: true})
	}
	return out
}

func goodTarget() []facts.CheckStep {
	var out []facts.CheckStep
	for _, s := range []string{"dns", "connect", "ehlo", "rcpt", "rcpt"} {
		out = append(out, facts.CheckStep{Side: facts.SideTarget, Subject: "mail.office.test", Host: "mail.office.test", Step: s, OK: true, Detail: "anne@office.test"})
	}
	return out
}

func previewLines() []facts.PreviewLine {
	return []facts.PreviewLine{
		{UID: "1", From: "shop@elsewhere.test", Subject: "Your order", Recipients: []string{"anne@office.test"}, Route: mail.RouteEnvelope + "Envelope-To", Evidence: "Envelope-To: anne@office.test"},
		{UID: "2", From: "list@elsewhere.test", Subject: "[garden] Roses", Recipients: []string{"anne@office.test", "bob@office.test"}, Route: mail.RouteEnvelope + "Envelope-To", Evidence: "Envelope-To: anne@office.test, bob@office.test"},
		{UID: "3", From: "nobody@elsewhere.test", Recipients: []string{"postmaster@office.test"}, Route: mail.RouteUnknown},
	}
}

func (b *wizardBackend) has(call string) bool { return slices.Contains(b.calls, call) }

var errScripted = errors.New("scripted")
