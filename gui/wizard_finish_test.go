package gui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/gui/present"
)

func TestWizardLooksOnce(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.backend.lines = previewLines()
	b.backend.verdict = facts.Verdict{Verdict: facts.VerdictBccUnknown}
	b.fill(t)
	looks := func() int {
		n := 0
		for _, c := range b.backend.calls {
			if c == "preview Whole office 50" {
				n++
			}
		}
		return n
	}
	b.goTo(present.WizardLook)
	if looks() != 1 || !strings.Contains(b.says(), "will go to the unknown recipient") {
		t.Errorf("%d looks: %q", looks(), b.says())
	}
	b.goTo(present.WizardIncoming)
	b.pages[present.WizardIncoming].(*wizardIncoming).account.SetText("other@orange.fr")
	b.goTo(present.WizardLook)
	if looks() != 2 {
		t.Errorf("%d looks after a change", looks())
	}
}

func TestWizardFinish(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.backend.events = []facts.Event{{Kind: facts.EventFetched, Mailbox: "Whole office", Done: 12, Total: 12}}
	b.backend.report = facts.CollectReport{Mailboxes: []facts.MailboxResult{{Mailbox: "Whole office", Result: facts.ResultOK, New: 12}}, Delivered: 12}
	b.fill(t)
	if slices.Contains(b.backend.calls, "apply") || len(b.backend.secrets) > 0 || b.autostart.on {
		t.Fatalf("written before Finish: %v", b.backend.calls)
	}
	b.press(fyne.KeyReturn)
	want := []string{"secret keyring:office-42@orange.fr@pop.orange.fr", "apply", "start", "collect"}
	if got := b.backend.calls[len(b.backend.calls)-len(want):]; !slices.Equal(got, want) {
		t.Errorf("did %q", b.backend.calls)
	}
	if !b.autostart.on || b.backend.cfg == nil || b.backend.secrets["keyring:office-42@orange.fr@pop.orange.fr"] != "geheim" {
		t.Error("not everything is kept")
	}
	if !strings.Contains(b.says(), "12 messages fetched. 12 messages are at the office server.") || b.next.Text != "Close" {
		t.Errorf("says %q", b.says())
	}
	b.press(fyne.KeyReturn)
	if !slices.Equal(b.closings, []bool{true}) {
		t.Errorf("closed %v", b.closings)
	}
}

func TestWizardFinishIsRefused(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.fill(t)
	b.backend.applyErr = errScripted
	b.goNext()
	if b.over || !strings.Contains(b.says(), "The settings were not saved.") || b.next.Disabled() || len(b.backend.secrets) != 0 {
		t.Errorf("over %v, secrets %v: %q", b.over, b.backend.secrets, b.says())
	}
	b.backend.applyErr = nil
	b.goNext()
	if !b.over {
		t.Error("a second try is not possible")
	}
}

func TestWizardFinishGoesToThePageWithTheFault(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.fill(t)
	b.answers.Target.Host = ""
	b.goNext()
	if b.answers.Current() != present.WizardTarget || !strings.Contains(b.says(), "Fill in this field.") || len(b.backend.secrets) != 0 {
		t.Errorf("at %q", b.answers.Current().Key())
	}
}

func TestWizardImportsPeople(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.goNext()
	b.goNext()
	b.goNext()
	page := b.pages[present.WizardOffice].(*wizardOffice)
	page.domains.SetText("office.test")
	dir := t.TempDir()
	file := filepath.Join(dir, "people.csv")
	if err := os.WriteFile(file, []byte("Name,Mail\nAnne,anne@office.test\nEve,eve@elsewhere.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	page.importFile()
	b.press(fyne.KeyReturn)
	if says := labels(b.win.Canvas().Overlays().Top()); !strings.Contains(says, "Fill in this field.") {
		t.Errorf("says %q", says)
	}
	test.Type(b.win.Canvas().Focused(), filepath.Join(dir, "nothing.csv"))
	b.press(fyne.KeyReturn)
	if says := labels(b.win.Canvas().Overlays().Top()); !strings.Contains(says, "nothing.csv") {
		t.Errorf("says %q", says)
	}
	b.win.Canvas().Focused().(*wizardEntry).SetText(file)
	b.press(fyne.KeyReturn)
	if page.people.Text != "anne@office.test" || !strings.Contains(page.count.Text, "1 person added. 1 address is not in your domains") {
		t.Errorf("%q, %q", page.people.Text, page.count.Text)
	}
	if b.win.Canvas().Overlays().Top() != nil || b.win.Canvas().Focused() != fyne.Focusable(page.people) {
		t.Error("the question stays, or the focus is lost")
	}
	page.importFile()
	b.press(fyne.KeyEscape)
	if b.win.Canvas().Overlays().Top() != nil {
		t.Error("Escape does not leave the question")
	}
}

func TestWizardOpensTheSheet(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	b := newWizardBench(t, "fr", nil)
	b.pages[present.WizardWelcome].(*wizardWelcome).print()
	if len(b.opened) != 1 || !strings.HasSuffix(b.opened[0], "postbag-fr.html") {
		t.Errorf("opened %v", b.opened)
	}
}

// With the demo everything is answered: a newcomer only presses Next.
func TestWizardOfAPreparedOfficeNeedsOnlyNext(t *testing.T) {
	cfg, problems := config.Parse([]byte(`version = 1
[office]
domains = ["office.test"]
unknown_recipient = "postmaster@office.test"
[[target]]
name = "office"
host = "127.0.0.1"
port = 2525
[[mailbox]]
name = "Whole office"
host = "127.0.0.1"
port = 1110
security = "none"
username = "office-42"
secret = "file:secret"
allow_plaintext_password = true
[[mailbox]]
name = "Anne"
kind = "individual"
host = "127.0.0.1"
port = 1110
security = "none"
username = "anne"
secret = "file:secret"
allow_plaintext_password = true
deliver_to = ["anne@office.test"]
`), "")
	if bad := config.Faults(problems); len(bad) > 0 {
		t.Fatal(bad)
	}
	b := newWizardBench(t, "en", cfg)
	for range present.WizardSteps() {
		b.press(fyne.KeyReturn)
	}
	if !b.over || !b.backend.has("apply") || len(b.backend.secrets) != 0 || len(b.backend.cfg.Mailboxes) != 2 {
		t.Errorf("at %q with %v, did %v", b.answers.Current().Key(), b.answers.AllFaults(), b.backend.calls)
	}
}
