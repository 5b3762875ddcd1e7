package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// goldenFake answers every command with something to show.
func goldenFake() *fake {
	bob := facts.MailboxResult{
		Mailbox: "Bob", Host: "pop.isp.test", Result: facts.ResultNeedsUser,
		Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Op: "PASS", Reply: "-ERR [AUTH] no"},
	}
	whole := facts.MailboxResult{Mailbox: "Whole office", Result: facts.ResultOK, New: 3}
	f := &fake{
		entries: sampleEntries(), status: sampleStatus(), changed: sampleEntries()[:2],
		report: facts.CollectReport{
			Mailboxes: []facts.MailboxResult{whole, bob}, Delivered: 1200, Queued: 2, Quarantined: 1, Failed: 1,
			Targets: []facts.TargetStatus{{Name: "office", Host: "mail.office.test", Fault: &facts.Fault{Code: mail.CodeConnect, Op: "dial", Detail: "connection refused"}}},
		},
		collect: func(_ context.Context, progress func(facts.Event)) error {
			progress(facts.Event{Kind: facts.EventMailboxStart, Mailbox: "Whole office", Host: "pop.isp.test"})
			progress(facts.Event{Kind: facts.EventFetched, Mailbox: "Whole office", Done: 3, Total: 3})
			progress(facts.Event{Kind: facts.EventTargetDown, Target: "office", Host: "mail.office.test", Fault: &facts.Fault{Code: mail.CodeConnect}, Until: now.Add(time.Minute)})
			progress(facts.Event{Kind: facts.EventTargetUp, Target: "office"})
			progress(facts.Event{Kind: facts.EventMailboxEnd, Mailbox: "Whole office", Result: &whole})
			progress(facts.Event{Kind: facts.EventMailboxEnd, Mailbox: "Bob", Result: &bob})
			return nil
		},
		steps: []facts.CheckStep{
			{Side: facts.SideSource, Subject: "Whole office", Step: "dns", OK: true, Detail: "192.0.2.1"},
			{Side: facts.SideSource, Subject: "Bob", Host: "pop.isp.test", Step: "login", Fault: bob.Fault},
			{Side: facts.SideTarget, Subject: "office", Step: "rcpt", OK: true, Detail: "anne@office.test"},
		},
		preview: []facts.PreviewLine{
			{UID: "u1", From: "Zoé <zoe@shop.test>", Subject: "Votre commande", Size: 1234, Recipients: []string{"anne@office.test", "bob@office.test"}, Route: "envelope:Envelope-To"},
			{UID: "", Size: -1, Recipients: []string{"postmaster@office.test"}, Route: mail.RouteUnknown},
		},
		verdict:  facts.Verdict{Verdict: facts.VerdictBccWorks, EnvelopeHeader: "Envelope-To"},
		problems: []facts.Problem{{Field: "mailbox[0].host", Line: 12, Code: "missing", Message: "The host is missing."}},
		secrets: []facts.SecretState{
			{Ref: "keyring:whole-office", Readable: true},
			{Ref: "file:/etc/pw", Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeSecretOpen}},
		},
		repair: facts.RepairReport{Damaged: true, Aside: "/d/damaged-1", Known: 4711, Queued: 12, Journal: 4000, Reimported: 3, Lost: 1},
		demo:   facts.DemoReport{Messages: sampleEntries(), Balance: sampleStatus().Balance, Took: 2300 * time.Millisecond},
	}
	f.story = goldenStory()
	return f
}

func goldenStory() []facts.Step {
	steps := []facts.Step{
		{Kind: facts.StepListed, Host: "pop.isp.test", Size: 12345},
		{Kind: facts.StepFetched, Host: "pop.isp.test", Size: 12345},
		{Kind: facts.StepRouted, Route: "envelope:X-Original-To", Address: "anne@office.test", Detail: "X-Original-To: anne@office.test"},
		{Kind: facts.StepRouted, Route: mail.RouteToCc, Address: "bob@office.test"},
		{Kind: facts.StepRouted, Route: mail.RouteUnknown, Address: "postmaster@office.test"},
		{Kind: facts.StepRouted, Route: mail.RouteLoop},
		{Kind: facts.StepNote, Detail: "ghost@office.test got no copy"},
		{Kind: facts.StepDelivered, Address: "anne@office.test", Reply: "250 2.0.0 Ok: queued as 4Xy1"},
		{Kind: facts.StepAttempt, Address: "bob@office.test", Reply: "451 4.3.0 later"},
		{Kind: facts.StepRefused, Address: "bob@office.test", Reply: "550 5.6.0 no"},
		{Kind: facts.StepRefused, Address: "bob@office.test", Detail: "mailbox_full"},
		{Kind: facts.StepFetchFailed, Detail: "timeout"},
		{Kind: facts.StepRerouted, Address: "ghost@office.test", Reply: "550 5.1.1 unknown", Detail: "unknown_user"},
		{Kind: facts.StepListed, Size: 900},
		{Kind: facts.StepDuplicate, Address: "eve@office.test"},
		{Kind: facts.StepRemoved},
		{Kind: facts.StepKept},
		{Kind: facts.StepDeleted},
		{Kind: "of a later version", Detail: "x"},
	}
	for i := range steps {
		steps[i].Time = now.Add(time.Duration(i) * time.Second)
	}
	return steps
}

// TestGolden compares what every command shows, in both languages, with the
// files in testdata; UPDATE_GOLDEN=1 writes them anew.
func TestGolden(t *testing.T) {
	lines := []string{
		"--help", "collect --help", "queue --help", "help log",
		"demo", "run", "collect", "collect --json", "check", "check --json", "preview Bob", "preview Bob --json",
		"status", "status --json", "log", "log --json", "log --csv",
		"queue", "queue list --json", "queue show K3", "queue show K3 --json", "queue show K9", "queue retry K3", "queue delete K3", "queue send-to K3 eve@office.test",
		"mailbox list", "mailbox list --json", "mailbox pause Bob", "mailbox pause Nobody", "mailbox resume Bob --json",
		"config init", "config validate", "config show", "secret set x", "secret delete x", "secret list", "backup /b.tar", "repair",
		"nonsense", "queue lst", "status --nonsense", "log --limit x", "log --since yesterday",
	}
	for _, lang := range []string{"en", "fr"} {
		t.Run(lang, func(t *testing.T) {
			var b strings.Builder
			for _, line := range lines {
				r := run(t, goldenFake(), line+" --lang "+lang, stdin("geheim\n"), func(e *Env) {
					e.StdoutWidth = 100
					e.Getenv = func(name string) string {
						return map[string]string{"CONFIGURATION_DIRECTORY": "/etc/postbag", "STATE_DIRECTORY": "/var/lib/postbag"}[name]
					}
				})
				fmt.Fprintf(&b, "$ postbagd %s\n%s", line, r.out)
				if r.err != "" {
					b.WriteString("--- standard error\n" + r.err)
				}
				fmt.Fprintf(&b, "--- exit %d\n\n", r.code)
			}
			compare(t, "commands."+lang+".txt", b.String())
		})
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := at(gotLines, i), at(wantLines, i)
		if g != w {
			t.Fatalf("%s:%d\n got %q\nwant %q", path, i+1, g, w)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}
