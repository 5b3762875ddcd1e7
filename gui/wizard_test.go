package gui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// labels are the texts of all labels below an object that are shown.
func labels(o fyne.CanvasObject) string {
	var b strings.Builder
	var walk func(fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch o := o.(type) {
		case *widget.Label:
			b.WriteString(o.Text + "\n")
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c)
			}
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c)
			}
		}
	}
	walk(o)
	return b.String()
}

func (b *wizardBench) says() string { return labels(b.win.Content()) }

func TestWizardByKeyboard(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	for _, s := range []present.WizardStep{present.WizardStart, present.WizardLine, present.WizardOffice} {
		b.press(fyne.KeyReturn)
		if b.answers.Current() != s {
			t.Fatalf("Enter leads to %q, not %q", b.answers.Current().Key(), s.Key())
		}
		if b.win.Canvas().Focused() == nil {
			t.Errorf("no focus on %q", s.Key())
		}
	}
	office := b.pages[present.WizardOffice].(*wizardOffice)
	if b.win.Canvas().Focused() != fyne.Focusable(office.domains) {
		t.Error("the focus is not on the first field")
	}
	b.press(fyne.KeyReturn)
	if b.answers.Current() != present.WizardOffice || !strings.Contains(b.says(), "Fill in this field.") {
		t.Error("an empty page lets the user go on, or does not say why it does not")
	}
	test.Type(office.domains, "office.test")
	if office.unknown.Text != "postmaster@office.test" {
		t.Errorf("unknown recipient %q", office.unknown.Text)
	}
	if strings.Contains(b.says(), "Fill in this field.") {
		t.Error("the fault stays when it is mended")
	}
	b.press(fyne.KeyReturn)
	if b.answers.Current() != present.WizardTarget {
		t.Errorf("at %q", b.answers.Current().Key())
	}
}

func TestWizardRadiosByKeyboard(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.goNext()
	b.press(fyne.KeyDown)
	if b.answers.Autostart {
		t.Error("the arrow did not choose")
	}
	b.press(fyne.KeyUp)
	if !b.answers.Autostart {
		t.Error("the arrow did not choose back")
	}
	b.goNext()
	line := b.pages[present.WizardLine].(*wizardLine)
	b.press(fyne.KeyDown)
	b.press(fyne.KeyDown)
	if b.answers.Line.Kind != config.Dialup || !strings.Contains(b.says(), "line must be up") {
		t.Fatalf("line %q", b.answers.Line.Kind)
	}
	b.press(fyne.KeyReturn)
	if b.win.Canvas().Focused() != line.form.fields[0].focus {
		t.Error("the focus is not on the field with the fault")
	}
	line.radio.items[0].Tapped(nil)
	if b.answers.Line.Kind != config.Permanent {
		t.Error("the mouse did not choose")
	}
}

func TestWizardEscapeAsksOnlyWhenSomethingIsLost(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.press(fyne.KeyEscape)
	if !slices.Equal(b.closings, []bool{false}) {
		t.Fatalf("closed %v", b.closings)
	}

	b = newWizardBench(t, "en", nil)
	b.goNext()
	b.goNext()
	b.goNext()
	test.Type(b.pages[present.WizardOffice].(*wizardOffice).domains, "office.test")
	b.press(fyne.KeyEscape)
	if len(b.closings) != 0 || b.win.Canvas().Overlays().Top() == nil {
		t.Fatal("what was typed is lost without a question")
	}
	b.press(fyne.KeyEscape) // stay
	if b.win.Canvas().Overlays().Top() != nil || len(b.closings) != 0 {
		t.Fatal("Escape does not take the question back")
	}
	if len(b.backend.calls) != 0 {
		t.Errorf("did %v", b.backend.calls)
	}
}

// Wherever the focus is, Escape asks whether to leave, and leaves nothing when
// it is pressed again.
func TestWizardEscapeWorksEverywhere(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.backend.target, b.backend.lines = goodTarget(), previewLines()
	b.fill(t)
	for _, s := range present.WizardSteps() {
		b.goTo(s)
		switch s {
		case present.WizardTarget:
			b.pages[s].(*wizardTarget).probe.toggle()
		case present.WizardIncoming:
			b.answers.SetKind(config.Individual) // the page with the most
			b.pages[s].(*wizardIncoming).turnTo(b.answers.AddEach())
		}
		seen := map[fyne.Focusable]bool{}
		for range 40 {
			f := b.win.Canvas().Focused()
			if f == nil || seen[f] {
				break
			}
			seen[f] = true
			b.press(fyne.KeyEscape)
			if b.win.Canvas().Overlays().Top() == nil {
				t.Errorf("%s: Escape does nothing at %T", s.Key(), f)
			} else {
				b.press(fyne.KeyEscape)
			}
			if b.win.Canvas().Overlays().Top() != nil || len(b.closings) > 0 {
				t.Fatalf("%s: the question stays, or the wizard went, at %T", s.Key(), f)
			}
			b.win.Canvas().Focus(f)
			b.win.Canvas().FocusNext()
		}
		if len(seen) < 4 {
			t.Errorf("%s: Tab leads to %d controls only", s.Key(), len(seen))
		}
	}
}

func TestWizardChangesItsLanguageAtOnce(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.fill(t)
	b.goTo(present.WizardWelcome)
	b.setLanguage("fr")
	if !strings.Contains(b.says(), "Préparez ce qui suit") || b.next.Text != "Suivant" {
		t.Errorf("says %q", b.says())
	}
	if b.look.Language != "" {
		t.Error("kept before Finish")
	}
	b.goTo(present.WizardSummary)
	if !strings.Contains(b.says(), "office.test") {
		t.Error("the answers are lost")
	}
	b.goNext()
	if b.look.Language != "fr" {
		t.Errorf("kept %q", b.look.Language)
	}
}

func TestWizardTestShowsEveryStep(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.backend.source = goodSource()
	b.fill(t)
	b.goTo(present.WizardIncoming)
	page := b.pages[present.WizardIncoming].(*wizardIncoming)
	test.Tap(page.probe().button)
	for _, want := range []string{"name found", "connected", "encrypted", "signed in", "All is well."} {
		if !strings.Contains(b.says(), want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if !b.backend.has("check mailbox Whole office") || !slices.Contains(valuesOf(b.backend.typed), "geheim") {
		t.Errorf("did %v with %v", b.backend.calls, b.backend.typed)
	}
	if len(b.backend.secrets) != 0 {
		t.Error("a test kept a password")
	}
	page.host.SetText("pop.other.test")
	if strings.Contains(b.says(), "All is well.") {
		t.Error("the outcome stays for another server")
	}
}

func valuesOf(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

func TestWizardTestSaysWhatIsWrong(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.backend.source = append(goodSource()[:3], facts.CheckStep{
		Side: facts.SideSource, Step: "login", Host: "pop.orange.fr", Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Op: "PASS", Reply: "-ERR [AUTH] no"}})
	b.fill(t)
	b.goTo(present.WizardIncoming)
	b.pages[present.WizardIncoming].(*wizardIncoming).probe().toggle()
	for _, want := range []string{"refuses the user name or the password", "web mail", "-ERR [AUTH] no"} {
		if !strings.Contains(b.says(), want) {
			t.Errorf("%q is not shown in %q", want, b.says())
		}
	}
}

// rule 6: a certificate that cannot be verified is accepted by its fingerprint or not at all.
func TestRule06_WizardPinsOneCertificate(t *testing.T) {
	pin := "sha256:" + strings.Repeat("ab", 32)
	b := newWizardBench(t, "en", nil)
	b.backend.source = append(goodSource()[:2], facts.CheckStep{
		Side: facts.SideSource, Step: "tls", Host: "pop.orange.fr",
		Fault:       &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeTLSUntrusted},
		Certificate: &facts.Certificate{Fingerprint: pin, Subject: "CN=pop.orange.fr"}})
	b.fill(t)
	b.goTo(present.WizardIncoming)
	probe := b.pages[present.WizardIncoming].(*wizardIncoming).probe()
	probe.toggle()
	if !strings.Contains(b.says(), "ABAB ABAB") || b.answers.Draft().Config.Mailboxes[0].TLSPin != "" {
		t.Fatal("the fingerprint is not shown, or was accepted without a question")
	}
	b.backend.source = goodSource()
	accept := buttonNamed(probe.accept, "Accept exactly this certificate")
	if accept == nil {
		t.Fatal("no way to accept it")
	}
	test.Tap(accept)
	last := b.backend.drafts[len(b.backend.drafts)-1]
	if last.Mailboxes[0].TLSPin != pin || !strings.Contains(b.says(), "All is well.") {
		t.Errorf("tested again with pin %q", last.Mailboxes[0].TLSPin)
	}
}

func buttonNamed(o fyne.CanvasObject, text string) *Button {
	switch o := o.(type) {
	case *Button:
		if o.Text == text {
			return o
		}
	case *fyne.Container:
		for _, c := range o.Objects {
			if b := buttonNamed(c, text); b != nil {
				return b
			}
		}
	}
	return nil
}

func TestWizardTestOfAnEmptyPage(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.fill(t)
	b.goTo(present.WizardIncoming)
	b.answers.SetKind(config.Individual)
	b.rebuild(nil)
	b.pages[present.WizardIncoming].(*wizardIncoming).probe().toggle()
	if !strings.Contains(b.says(), "Fill in this field.") {
		t.Error("says nothing")
	}
	if slices.ContainsFunc(b.backend.calls, func(c string) bool { return strings.HasPrefix(c, "check") }) {
		t.Errorf("did %v", b.backend.calls)
	}
}

func TestWizardTurnsToTheMailboxWithTheFault(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.fill(t)
	b.goTo(present.WizardIncoming)
	page := b.pages[present.WizardIncoming].(*wizardIncoming)
	b.answers.SetKind(config.Individual)
	one := b.answers.Incoming.Shown()[0]
	one.SetAccount("anne@orange.fr")
	one.Password, one.Again = "x", "y"
	one.DeliverTo = "anne@office.test"
	b.rebuild(nil)
	two := b.answers.Incoming.Add()
	page.turnTo(two)
	b.goNext()
	if page.box != one || !strings.Contains(b.says(), "not the same") {
		t.Errorf("shows %q: %q", page.box.Account, b.says())
	}
}

// No page may be wider than the window, in either language and whatever is asked.
func TestWizardPagesFit(t *testing.T) {
	for _, lang := range []string{"en", "fr"} {
		b := newWizardBench(t, lang, nil)
		b.backend.source, b.backend.target, b.backend.lines = goodSource(), goodTarget(), previewLines()
		b.fill(t)
		fits := func(what string) {
			t.Helper()
			if got, room := b.body.Content.MinSize().Width, b.body.Size().Width; got > room {
				t.Errorf("%s, %s: %.0f wide, there are %.0f", lang, what, got, room)
			}
		}
		for _, s := range present.WizardSteps() {
			b.goTo(s)
			fits(s.Key())
		}
		a := b.answers
		b.goTo(present.WizardLine)
		a.Line.Kind = config.Dialup
		b.rebuild(nil)
		fits("dial-up")
		b.goTo(present.WizardTarget)
		a.Target.Auth, a.Target.Pin = config.AuthPlain, "sha256:"+strings.Repeat("ab", 32)
		b.rebuild(nil)
		fits("sign-in")
		b.goTo(present.WizardIncoming)
		a.SetKind(config.Individual)
		a.Incoming.Add().SetSecurity(config.SecurityNone)
		a.Incoming.Shown()[0].Account = "anne@office.test"
		b.rebuild(nil)
		fits("individual mailboxes")
		long := strings.Repeat("a-long-name.", 9) + "test"
		for _, set := range []*string{&a.Office.Domains, &a.Office.Unknown, &a.Office.Administrator, &a.Target.Host, &a.Target.Username, &a.Incoming.Shown()[0].Host, &a.Incoming.Shown()[0].DeliverTo} {
			before := *set
			*set = long
			for _, s := range []present.WizardStep{present.WizardOffice, present.WizardTarget, present.WizardIncoming} {
				b.goTo(s)
				b.rebuild(nil)
				fits("a long name, " + s.Key())
			}
			*set = before
		}
		b.goTo(present.WizardSummary)
		if b.answers.Current() != present.WizardSummary {
			t.Fatal("not at the end")
		}
	}
}

func TestWizardFocusStaysWhereTheAnswerWas(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	b.fill(t)
	b.goTo(present.WizardTarget)
	page := b.pages[present.WizardTarget].(*wizardTarget)
	auth := page.form.fields[2].focus.(*wizardSelect)
	b.win.Canvas().Focus(auth)
	auth.SetSelectedIndex(1)
	now := page.form.fields[2].focus
	if now == fyne.Focusable(auth) || b.win.Canvas().Focused() != now {
		t.Error("the focus is lost, or the fields for the account did not appear")
	}
}
