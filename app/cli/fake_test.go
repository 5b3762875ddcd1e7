package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// now is the time of all tests; the reader's clock is two hours ahead of UTC.
var now = time.Date(2026, 3, 2, 12, 5, 0, 0, time.UTC)

// fake is an application whose answers a test chooses. It notes what was asked.
type fake struct {
	mu    sync.Mutex
	asked []string

	opening  func(facts.Options)
	openErr  error
	closeErr error
	collect  func(ctx context.Context, progress func(facts.Event)) error
	report   facts.CollectReport
	changed  []mail.Entry
	run      func(ctx context.Context, progress func(facts.Event)) error
	steps    []facts.CheckStep
	preview  []facts.PreviewLine
	verdict  facts.Verdict
	entries  []mail.Entry
	story    []facts.Step
	status   facts.Status
	problems []facts.Problem
	secrets  []facts.SecretState
	repair   facts.RepairReport
	demo     facts.DemoReport
	err      error            // of whatever is asked
	errOf    map[string]error // of a change to one message
	bytes    string           // of a saved message
}

func (f *fake) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
}

func (f *fake) Build() facts.Build { return facts.Build{Version: "0.1.0", Commit: "abc1234"} }

func (f *fake) Open(_ context.Context, o facts.Options) (Backend, error) {
	f.note("open %d %s %s %s", o.Access, o.Config, o.Data, o.Lang)
	if f.opening != nil {
		f.opening(o)
	}
	return fakeBackend{f}, f.openErr
}

func (f *fake) Config(o facts.Options) ConfigFile {
	f.note("config %s", o.Config)
	return fakeConfig{f}
}
func (f *fake) Secrets(facts.Options) Secrets { return fakeSecrets{f} }

func (f *fake) Repair(context.Context, facts.Options) (facts.RepairReport, error) {
	return f.repair, f.err
}

func (f *fake) Demo(_ context.Context, _ facts.Options, progress func(facts.Event)) (facts.DemoReport, error) {
	progress(facts.Event{Kind: facts.EventStage, Stage: "servers"})
	return f.demo, f.err
}

type fakeBackend struct{ *fake }

func (b fakeBackend) Close() error { return b.closeErr }

func (b fakeBackend) Run(ctx context.Context, progress func(facts.Event)) error {
	b.note("run")
	if b.run != nil {
		return b.run(ctx, progress)
	}
	return b.err
}

func (b fakeBackend) Collect(ctx context.Context, names []string, progress func(facts.Event), changed func(mail.Entry) error) (facts.CollectReport, error) {
	b.note("collect %q", names)
	if b.collect != nil {
		if err := b.collect(ctx, progress); err != nil {
			return b.report, err
		}
	}
	for _, e := range b.changed {
		if changed != nil {
			if err := changed(e); err != nil {
				return b.report, err
			}
		}
	}
	b.note("collect done")
	return b.report, b.err
}

func (b fakeBackend) Check(_ context.Context, names []string, each func(facts.CheckStep) error) error {
	b.note("check %q", names)
	for _, s := range b.steps {
		if err := each(s); err != nil {
			return err
		}
	}
	return b.err
}

func (b fakeBackend) Preview(_ context.Context, name string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error) {
	b.note("preview %q %d", name, limit)
	for _, l := range b.preview {
		if err := each(l); err != nil {
			return b.verdict, err
		}
	}
	return b.verdict, b.err
}

func (b fakeBackend) Log(_ context.Context, f facts.LogFilter, each func(mail.Entry) error) error {
	since := ""
	if !f.Since.IsZero() {
		since = f.Since.UTC().Format(time.RFC3339)
	}
	b.note("log since=%s search=%q state=%s mailbox=%q limit=%d", since, f.Search, f.State, f.Mailbox, f.Limit)
	return b.Queued(context.Background(), each)
}

func (b fakeBackend) Status(context.Context) (facts.Status, error) { return b.status, b.err }

func (b fakeBackend) Queued(_ context.Context, each func(mail.Entry) error) error {
	for _, e := range b.entries {
		if err := each(e); err != nil {
			return err
		}
	}
	return b.err
}

func (b fakeBackend) find(id string) (mail.Entry, error) {
	for _, e := range b.entries {
		if e.ID == id {
			return e, b.errOf[id]
		}
	}
	return mail.Entry{}, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeNotFound, Op: id}
}

func (b fakeBackend) Story(_ context.Context, id string) (facts.Story, error) {
	for _, e := range b.entries {
		if e.ID == id {
			return facts.Story{Entry: e, Steps: b.story}, nil
		}
	}
	return facts.Story{}, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeNotFound, Op: id}
}

func (b fakeBackend) change(what, id string) (mail.Entry, error) {
	b.note("%s", what)
	return b.find(id)
}

func (b fakeBackend) Retry(_ context.Context, id string) (mail.Entry, error) {
	return b.change("retry "+id, id)
}

func (b fakeBackend) Delete(_ context.Context, id string) (mail.Entry, error) {
	return b.change("delete "+id, id)
}

func (b fakeBackend) SendTo(_ context.Context, id, address string) (mail.Entry, error) {
	return b.change("send "+id+" "+address, id)
}

func (b fakeBackend) Save(_ context.Context, id string, w io.Writer) error {
	if _, err := b.find(id); err != nil {
		return err
	}
	if _, err := io.WriteString(w, b.bytes); err != nil {
		return err
	}
	return b.err
}

func (b fakeBackend) Mailboxes(context.Context) ([]facts.MailboxStatus, error) {
	return b.status.Mailboxes, b.err
}

func (b fakeBackend) mailbox(name string) (facts.MailboxStatus, error) {
	for _, m := range b.status.Mailboxes {
		if m.Name == name {
			return m, nil
		}
	}
	return facts.MailboxStatus{}, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeUnknownMailbox, Op: name}
}

func (b fakeBackend) Pause(_ context.Context, name string) (facts.MailboxStatus, error) {
	b.note("pause %q", name)
	return b.mailbox(name)
}

func (b fakeBackend) Resume(_ context.Context, name string) (facts.MailboxStatus, error) {
	b.note("resume %q", name)
	return b.mailbox(name)
}

func (b fakeBackend) Backup(_ context.Context, path string) (facts.BackupReport, error) {
	b.note("backup %s", path)
	return facts.BackupReport{Path: path, Size: 12345}, b.err
}

type fakeConfig struct{ *fake }

func (c fakeConfig) Init(context.Context) error { return c.err }
func (c fakeConfig) Validate(context.Context) ([]facts.Problem, error) {
	return c.problems, c.err
}
func (c fakeConfig) Show(context.Context) (string, error) { return "version = 1\n", c.err }

type fakeSecrets struct{ *fake }

func (s fakeSecrets) Set(_ context.Context, ref, value string) error {
	s.note("set %q %q", ref, value)
	return s.err
}

func (s fakeSecrets) Delete(_ context.Context, ref string) error {
	s.note("delete %q", ref)
	return s.err
}

func (s fakeSecrets) List(context.Context) ([]facts.SecretState, error) { return s.secrets, s.err }

// result is what one run of the program gave.
type result struct {
	code     int
	out, err string
}

// setting changes the world of one run.
type setting func(*Env)

func terminal(width int) setting { return func(e *Env) { e.StdoutWidth, e.StderrWidth = width, width } }
func stdin(text string) setting  { return func(e *Env) { e.Stdin = strings.NewReader(text) } }

func asking(answers ...string) setting {
	return func(e *Env) {
		e.StdinTerminal = true
		e.ReadSecret = func(context.Context, string) (string, error) {
			if len(answers) == 0 {
				return "", errors.New("asked once too often")
			}
			answer := answers[0]
			answers = answers[1:]
			return answer, nil
		}
	}
}

// run is one run of the program with a command line parted at spaces; words in
// single quotes stay together.
func run(t *testing.T, f *fake, line string, settings ...setting) result {
	t.Helper()
	var out, errs bytes.Buffer
	env := Env{
		Args: words(line), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: func(name string) string {
			return map[string]string{"LANG": "en_GB.UTF-8", "HOME": "/home/anne"}[name]
		},
		Now: func() time.Time { return now }, Zone: time.FixedZone("here", 2*3600),
		Signals: make(chan os.Signal),
	}
	for _, s := range settings {
		s(&env)
	}
	code := Main(env, f)
	return result{code, out.String(), errs.String()}
}

func words(line string) []string {
	out := []string{}
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}

// sample entries: one delivered to two people, one that waits, one set aside.
func sampleEntries() []mail.Entry {
	return []mail.Entry{
		{
			Time: now.Add(-time.Minute), ID: "K3", Mailbox: "Whole office", UID: "u3", MessageID: "<3@shop.test>", From: "Zoé <zoe@shop.test>", Subject: "Votre commande",
			Size: 12345, State: mail.Queued, AtSource: mail.SourcePresent, Route: "envelope:X-Original-To", Attempts: 2, NextAttempt: now.Add(5 * time.Minute), Reason: "451 4.3.0 later",
			Recipients: []mail.EntryRecipient{{Address: "anne@office.test", State: mail.Delivered, Reply: "250 2.0.0 Ok"}, {Address: "bob@office.test", State: mail.Queued, Reply: "451 4.3.0 later"}},
		},
		{
			Time: now.Add(-2 * time.Minute), ID: "K2", Mailbox: "Whole office", UID: "u2", From: "spam@x.test", Subject: "loop",
			Size: 900, State: mail.Quarantined, AtSource: mail.SourceDeleted, Route: "loop", Reason: "100 Received lines",
			Recipients: []mail.EntryRecipient{{Address: "bob@office.test", State: mail.Quarantined}},
		},
		{Time: now.Add(-26 * time.Hour), ID: "K1", Mailbox: "Anne", Size: 51_000_000, State: mail.TooBig, AtSource: mail.SourcePresent},
	}
}

func sampleStatus() facts.Status {
	return facts.Status{
		Engine: facts.EngineRunning,
		Mailboxes: []facts.MailboxStatus{
			{Name: "Whole office", ID: "whole-office", Kind: "global", Protocol: "pop3", Enabled: true, Last: now.Add(-time.Minute), Next: now.Add(time.Hour), Result: facts.ResultOK, Collected: 12},
			{
				Name: "Bob", ID: "bob", Host: "pop.isp.test", Kind: "individual", Protocol: "pop3", Enabled: true, Suspended: true, Last: now.Add(-25 * time.Hour), Result: facts.ResultNeedsUser,
				Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeSuspended, Reply: "-ERR [AUTH] no"},
			},
			{Name: "New", ID: "new", Kind: "individual", Protocol: "pop3", Enabled: false},
		},
		Targets: []facts.TargetStatus{
			{Name: "office", Host: "mail.office.test", PausedUntil: now.Add(15 * time.Minute), Fault: &facts.Fault{Code: mail.CodeConnect}},
			{Name: "second", Host: "second.office.test"},
		},
		Balance: facts.Balance{mail.Delivered: 4690, mail.Queued: 12, mail.Quarantined: 3, mail.Duplicate: 6},
	}
}
