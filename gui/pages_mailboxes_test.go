package gui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
)

func entryOf(t *testing.T, f *form, key string) *wizardEntry {
	t.Helper()
	c, ok := f.row(key).control.(*textControl)
	if !ok {
		t.Fatalf("%s is no text", key)
	}
	return c.entry
}

func TestMailboxesPageSaves(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		if !b.button(t, "Save").Disabled() {
			t.Error("there is nothing to save yet")
		}
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("pop3.isp.test") })
		b.see(t, "Not saved yet")
		b.do(func() { b.w.Canvas().Focus(entryOf(t, p.edit.form, "host")) })
		b.key(fyne.KeyReturn)
		b.see(t, "Saved. It holds at once.")
		if got := b.cfg.Mailboxes[0].Host; got != "pop3.isp.test" || b.has("secret keyring:whole-office") {
			t.Errorf("%s, %v", got, b.calls)
		}
	})
}

func TestMailboxesPageShowsFaultsAtTheField(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() {
			entryOf(t, p.edit.form, "port").SetText("many")
			entryOf(t, p.edit.form, "host").SetText("pop isp")
		})
		b.press(t, "Save")
		b.see(t, "Type a whole number.")
		b.do(func() { entryOf(t, p.edit.form, "port").SetText("995") })
		b.press(t, "Save")
		if f := p.edit.form.row("host").fault; !f.box.Visible() || !strings.Contains(f.label.Text, "pop isp") {
			t.Errorf("%q", f.label.Text)
		}
		if b.w.Canvas().Focused() != entryOf(t, p.edit.form, "host") {
			t.Error("the focus is not where the fault is")
		}
		if b.has("apply") {
			t.Error("what cannot work was applied")
		}
		b.key(fyne.KeyEscape)
		if got := entryOf(t, p.edit.form, "host").Text; got != "pop.isp.test" {
			t.Errorf("after Undo: %q", got)
		}
	})
}

// A fault in a field that stands behind "More settings" opens them.
func TestMailboxesPageOpensMoreForAFault(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		if p.edit.form.more.Visible() {
			t.Fatal("the technical settings are open at once")
		}
		b.do(func() { entryOf(t, p.edit.form, "envelope_pattern").SetText("([") })
		b.press(t, "Save")
		if !p.edit.form.more.Visible() || p.edit.form.row("envelope_pattern").fault.label.Text == "" {
			t.Error("the fault cannot be seen")
		}
	})
}

func TestMailboxesPageNew(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.press(t, "Add")
		f := p.edit.form
		b.write("Bob")
		b.do(func() {
			entryOf(t, f, "host").SetText("pop.isp.test")
			entryOf(t, f, "username").SetText("bob")
			entryOf(t, f, "deliver_to").SetText("bob@office.test, anne@office.test")
		})
		b.press(t, "Save")
		b.see(t, "Type the password, twice.")
		b.do(func() { f.secret().first.SetText("hunter2"); f.secret().again.SetText("hunter3") })
		b.press(t, "Save")
		b.see(t, "The two entries differ.")
		b.do(func() { f.secret().again.SetText("hunter2") })
		b.press(t, "Save")
		b.see(t, "Saved.")
		m := b.cfg.Mailbox("Bob")
		if m == nil || b.secrets["keyring:bob"] != "hunter2" || !slices.Equal(m.DeliverTo, []string{"bob@office.test", "anne@office.test"}) {
			t.Errorf("%+v, %v", m, b.secrets)
		}
		if strings.Contains(string(config.Marshal(b.cfg)), "hunter2") {
			t.Error("the password stands in the file")
		}
	})
}

// Who comes because of a refused password finds the cursor where the new one
// belongs.
func TestMailboxesPageOffersThePassword(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, troubled, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() { b.page.(Opener).Open("Anne") })
		if c := p.edit.form.secret(); !c.entries.Visible() || b.w.Canvas().Focused() != c.first {
			t.Fatal("the field for the password is not open")
		}
		b.write("hunter2")
		b.key(fyne.KeyReturn)
		b.see(t, "The two entries differ.")
		b.do(func() { p.edit.form.secret().again.SetText("hunter2") })
		b.press(t, "Save")
		if b.secrets["keyring:anne"] != "hunter2" {
			t.Errorf("%v", b.secrets)
		}
	})
}

func TestMailboxesPageAsksBeforeItForgets(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("other.isp.test") })
		b.do(func() { p.edit.list.Select(1) })
		b.see(t, "What you typed is not saved")
		b.key(fyne.KeyEscape) // Stay
		if p.edit.list.at != 0 || entryOf(t, p.edit.form, "host").Text != "other.isp.test" {
			t.Error("what was typed is gone")
		}
		b.do(func() { p.edit.list.Select(1) })
		b.press(t, "Discard")
		if entryOf(t, p.edit.form, "name").Text != "Anne" || b.has("apply") {
			t.Error("Discard did not go on, or saved")
		}
		// A change of the language keeps what is typed.
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("typed.isp.test") })
		b.do(func() { b.d.printer = french(b); b.page.Retext() })
		b.see(t, "[Enregistrer]")
		if entryOf(t, p.edit.form, "host").Text != "typed.isp.test" || !p.edit.form.dirty {
			t.Error("the change of language lost what was typed")
		}
	})
}

func TestMailboxesPageChangedElsewhere(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.cfg.Mailboxes[0].Port = 1995
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("other.isp.test") })
		b.press(t, "Save")
		b.see(t, "These settings were changed elsewhere meanwhile.")
		b.press(t, "Close")
		b.press(t, "Undo")
		if got := entryOf(t, p.edit.form, "port").Text; got != "1995" {
			t.Errorf("Undo shows port %q, it is 1995 now", got)
		}
	})
}

func TestMailboxesPageTestAndPin(t *testing.T) {
	pin := "sha256:" + strings.Repeat("ab", 32)
	pageTest(t, "en", NewMailboxesPage, func(b *pageBackend) {
		b.steps = []facts.CheckStep{
			{Side: facts.SideSource, Step: "dns", OK: true}, {Side: facts.SideSource, Step: "connect", OK: true},
			{Side: facts.SideSource, Step: "tls", Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeTLSUntrusted}, Certificate: &facts.Certificate{Fingerprint: pin, Names: []string{"pop.isp.test"}}},
		}
	}, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() { entryOf(t, p.edit.form, "port").SetText("1995") })
		b.press(t, "Test")
		b.see(t, "ABAB ABAB", "pop.isp.test", "Not all is well.")
		if b.checked.Mailboxes[0].Port != 1995 || b.cfg.Mailboxes[0].Port == 1995 {
			t.Error("the test is about what is typed, and saves nothing")
		}
		b.press(t, b.d.Text().T("wizard.certificate.accept"))
		if got := p.edit.form.value("tls_pin"); got != pin || b.cfg.Mailboxes[0].TLSPin != "" {
			t.Errorf("pin %q", got)
		}
		b.press(t, "Save")
		if b.cfg.Mailboxes[0].TLSPin != pin { // rule 6
			t.Error("the pin was not saved")
		}
	})
}

func TestMailboxesPageLook(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, func(b *pageBackend) {
		b.preview = []facts.PreviewLine{{From: "c@shop.test", Subject: "Order", Recipients: []string{"anne@office.test"}, Route: "envelope:Envelope-To", Evidence: "Envelope-To: anne@office.test"}}
	}, func(t *testing.T, b *pageBench) {
		b.press(t, "Look first...")
		b.see(t, "anne@office.test", "Order", "c@shop.test")
		if !b.has("preview Whole office 50") {
			t.Error(b.calls)
		}
	})
}

func TestMailboxesPagePauseAndRemove(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, func(b *pageBackend) { b.status.Mailboxes[1].Paused = true }, func(t *testing.T, b *pageBench) {
		b.see(t, "... Anne")
		b.press(t, "Pause")
		b.do(func() { b.page.(Opener).Open("Anne") })
		b.see(t, "The mailbox is paused.")
		b.press(t, "Resume")
		if !b.has("pause Whole office") || !b.has("resume Anne") {
			t.Error(b.calls)
		}
		b.press(t, "Remove...")
		b.see(t, `Nothing is collected from "Anne" any more.`)
		b.press(t, "Remove")
		if len(b.cfg.Mailboxes) != 1 {
			t.Errorf("%d mailboxes", len(b.cfg.Mailboxes))
		}
	})
}
