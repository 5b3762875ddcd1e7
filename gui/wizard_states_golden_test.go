package gui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// What a person sees when not all goes well, or in the midst of something.
func TestWizardStatesLookAsTheyDid(t *testing.T) {
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			b := newWizardBench(t, lang, nil)
			picture := func(name string) {
				t.Helper()
				b.win.Canvas().Unfocus() // a cursor would blink
				golden(t, lang+"-"+name, b.win.Canvas().Capture())
			}
			b.goNext()
			b.goNext()
			b.pages[present.WizardLine].(*wizardLine).radio.choose(2)
			b.goNext()
			picture("line-faults")
			b.pages[present.WizardLine].(*wizardLine).radio.choose(0)
			b.goNext()
			b.goNext()
			picture("office-faults")
			b.refusedPeople()
			picture("target-refused")
			b.refusedCertificate(t)
			picture("incoming-certificate")
			b.body.ScrollToBottom()
			picture("incoming-fingerprint")
			b.answers.SetKind(config.Individual)
			b.rebuild(nil)
			picture("incoming-individual")
			page := b.pages[present.WizardIncoming].(*wizardIncoming)
			page.turnTo(b.answers.AddEach())
			b.goNext()
			picture("incoming-each")
		})
	}
}

// refusedPeople leaves the bench on the page of an office server that does not
// know everybody.
func (b *wizardBench) refusedPeople() {
	office := b.pages[present.WizardOffice].(*wizardOffice)
	office.domains.SetText("office.test")
	office.people.SetText("anne@office.test, info@office.test\nbob@office.test")
	b.goNext()
	page := b.pages[present.WizardTarget].(*wizardTarget)
	page.host.SetText("mail.office.test")
	b.backend.target = append(goodTarget(), facts.CheckStep{
		Side: facts.SideTarget, Host: "mail.office.test", Step: "rcpt", Detail: "bob@office.test",
		Fault: &facts.Fault{Class: mail.Permanent, Code: mail.CodeUnknownUser, Op: "RCPT TO", Reply: "550 5.1.1 <bob@office.test>: User unknown"}})
	page.probe.toggle()
}

// refusedCertificate leaves the bench on the page of a mailbox whose server
// cannot be verified.
func (b *wizardBench) refusedCertificate(t *testing.T) {
	t.Helper()
	b.goNext()
	box := b.answers.Incoming.Shown()[0]
	box.Password, box.Again = "geheim", "geheim"
	page := b.pages[present.WizardIncoming].(*wizardIncoming)
	page.account.SetText("office-42")
	page.host.SetText("pop.isp.test")
	b.backend.source = append(goodSource()[:2], facts.CheckStep{
		Side: facts.SideSource, Step: "tls", Host: "pop.isp.test",
		Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeTLSUntrusted, Op: "tls"},
		Certificate: &facts.Certificate{
			Fingerprint: "sha256:" + strings.Repeat("ab01", 16), Subject: "CN=pop.isp.test", Issuer: "CN=pop.isp.test", Names: []string{"pop.isp.test"},
			NotBefore: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)}})
	page.probe().toggle()
	if b.answers.Current() != present.WizardIncoming || page.probe().probe.Certificate() == nil {
		t.Fatalf("at %q with %v", b.answers.Current().Key(), b.answers.AllFaults())
	}
}

func TestWizardLastPageLooksAsItDid(t *testing.T) {
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			b := newWizardBench(t, lang, nil)
			b.backend.verdict = facts.Verdict{Verdict: facts.VerdictBccUnknown}
			b.backend.lines = previewLines()
			b.backend.events = []facts.Event{
				{Kind: facts.EventFetched, Mailbox: "Whole office", Done: 9, Total: 12, Bytes: 340_000},
				{Kind: facts.EventDelivered, Done: 4, Total: 9},
			}
			var during fyne.CanvasObject
			b.backend.collecting = func() {
				b.win.Canvas().Unfocus()
				golden(t, lang+"-finish-collecting", b.win.Canvas().Capture())
				during = b.pages[present.WizardSummary].(*wizardSummary).bar
			}
			b.backend.report = facts.CollectReport{Mailboxes: []facts.MailboxResult{{Mailbox: "Whole office", Result: facts.ResultOK, New: 12}}, Delivered: 10, Queued: 1}
			b.fill(t)
			b.goTo(present.WizardLook)
			b.win.Canvas().Unfocus()
			golden(t, lang+"-look-unknown", b.win.Canvas().Capture())
			b.goTo(present.WizardSummary)
			b.goNext()
			b.win.Canvas().Unfocus()
			golden(t, lang+"-finish", b.win.Canvas().Capture())
			if during == nil {
				t.Error("no bar while it collects")
			}
		})
	}
}
