package gui

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/gui/present"
)

func TestTargetPage(t *testing.T) {
	pageTest(t, "en", NewTargetPage, func(b *pageBackend) {
		b.status.Targets = []facts.TargetStatus{{Name: "office", Host: "mail.office.test", PausedUntil: pagesNow.Add(time.Minute), Fault: &facts.Fault{Code: mail.CodeConnect}}}
		b.steps = []facts.CheckStep{{Side: facts.SideTarget, Step: "connect", OK: true}, {Side: facts.SideTarget, Step: "rcpt", OK: true, Detail: "anne@office.test"}}
	}, func(t *testing.T, b *pageBench) {
		b.see(t, "... office", "The office server mail.office.test cannot be reached.", "Next attempt: 14:07.")
		b.press(t, "Test")
		b.see(t, "All is well. No mail was touched.")
		b.press(t, "Close")
		// The last office server must stay.
		b.press(t, "Remove...")
		b.press(t, "Remove")
		b.see(t, "This cannot be removed.")
		if len(b.cfg.Targets) != 1 {
			t.Error("it was removed")
		}
	})
}

func TestPeoplePage(t *testing.T) {
	pageTest(t, "en", NewPeoplePage, nil, func(t *testing.T, b *pageBench) {
		b.see(t, "anne@office.test", "bob@office.test")
		b.press(t, "Several at once...")
		list := b.w.Canvas().Focused().(*wizardEntry)
		b.write("no address")
		b.press(t, "Add")
		b.see(t, "There is no address in line 1.")
		b.do(func() { list.SetText("carl@office.test, c@office.test\ndora@office.test") })
		b.press(t, "Add")
		b.see(t, "carl@office.test", "dora@office.test")
		if len(b.cfg.Recipients) != 5 || !slices.Equal(b.cfg.Recipients[3].Aliases, []string{"c@office.test"}) {
			t.Errorf("%+v", b.cfg.Recipients)
		}
		p := b.page.(*peoplePage)
		b.do(func() { p.tabs.SelectIndex(1) })
		b.see(t, "sales@office.test")
		b.do(func() { entryOf(t, p.lists.form, "members").SetText("anne@office.test") })
		b.press(t, "Save")
		if got := b.cfg.Lists[0].Members; !slices.Equal(got, []string{"anne@office.test"}) {
			t.Error(got)
		}
	})
}

// A file of contacts goes below what is written there already, and into the
// settings with Add.
func TestPeoplePageReadsAFile(t *testing.T) {
	pageTest(t, "en", NewPeoplePage, nil, func(t *testing.T, b *pageBench) {
		m := &peopleImport{page: b.page.(*peoplePage)}
		b.do(func() { m = m.page.paste() })
		b.do(func() { m.entry.SetText("dora@office.test") })
		b.do(func() { m.read(io.NopCloser(strings.NewReader("carl@office.test;c@office.test\nz@else.test\n")), nil) })
		if got := m.entry.Text; got != "dora@office.test\ncarl@office.test, c@office.test" {
			t.Errorf("%q", got)
		}
		b.do(func() { m.read(nil, errors.New("no such file")) })
		b.see(t, "The file or folder cannot be read or written.")
		b.press(t, "Add")
		b.see(t, "carl@office.test", "dora@office.test")
	})
}

func TestSchedulePage(t *testing.T) {
	pageTest(t, "en", NewSchedulePage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*schedulePage)
		f := p.box.form
		b.do(func() {
			f.row("every").control.(*unitControl).number.SetText("15")
			f.row("every").control.(*unitControl).unit.SetSelected("minutes")
			f.row("days").control.(*daysControl).checks[5].SetChecked(true)
			entryOf(t, f, "from").SetText("8 o'clock")
		})
		b.press(t, "Save")
		if f.row("from").fault.label.Text == "" || b.has("apply") {
			t.Error("the time was taken")
		}
		b.do(func() { entryOf(t, f, "from").SetText("08:00") })
		b.press(t, "Save")
		b.see(t, "Saved. It holds at once.")
		s := b.cfg.Schedule
		if s.Every.D() != 15*time.Minute || len(s.Days) != 6 || s.From != 8*60 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSettingsPage(t *testing.T) {
	auto := &fakeAutostart{}
	make := func(d *Desk) Page { d.Autostart = auto; return NewSettingsPage(d) }
	pageTest(t, "en", make, func(b *pageBackend) {
		b.transcripts = []facts.Transcript{{Time: pagesNow, Name: "pop3-whole-office-6dj4jr5olawf", Text: "C: USER office-42\r\nC: PASS ***\r\n"}}
	}, func(t *testing.T, b *pageBench) {
		p := b.page.(*settingsPage)
		b.do(func() { p.auto.SetChecked(true) })
		if !auto.on {
			t.Error("the start at sign-in was not switched on")
		}
		b.do(func() { p.tabs.SelectIndex(3) })
		b.see(t, "Delivery log", "Technical log")
		b.do(func() { p.boxes[4].box.form.row("transcripts").control.set("true") })
		b.do(func() { test.Tap(p.boxes[4].box.save) })
		if !b.cfg.Log.Transcripts {
			t.Error("transcripts were not switched on")
		}
		b.do(func() { p.tabs.SelectIndex(4) })
		b.see(t, "POP3 whole-office", "PASS ***")
		b.do(func() { p.tabs.SelectIndex(5) })
		b.see(t, "1.0.0 (0123456789ab)", "/home/anne/.config/postbag/postbag.toml", "MIT")
	})
}

func TestSettingsPageLook(t *testing.T) {
	pageTest(t, "en", NewSettingsPage, nil, func(t *testing.T, b *pageBench) {
		selects := map[string]*wizardSelect{}
		for _, o := range b.objects() {
			if s, ok := o.(*wizardSelect); ok {
				selects[s.Selected] = s
			}
		}
		b.do(func() { selects["English"].SetSelected("Français") })
		b.do(func() { selects["as the system"].SetSelected("dark") })
		b.do(func() { selects["in colour"].SetSelected("monochrome") })
		if b.look.Language != "fr" || b.look.Theme != present.ThemeDark || b.look.TrayIcon != present.TrayMonochrome {
			t.Errorf("%+v", b.look)
		}
	})
}

func TestAbout(t *testing.T) {
	pageTest(t, "fr", NewOverviewPage, nil, func(t *testing.T, b *pageBench) {
		b.do(func() { ShowAbout(b.d) })
		b.see(t, "1.0.0 (0123456789ab)", "MIT", "/home/anne/.local/share/postbag")
		b.key(fyne.KeyEscape)
		b.seeNot(t, "MIT")
	})
}

// No page needs more room than the smallest window has, and no word of a
// button is cut, in either language.
func TestNoTextIsCut(t *testing.T) {
	for _, lang := range []string{"en", "fr"} {
		for name, make := range pageMakers() {
			t.Run(name+" "+lang, func(t *testing.T) {
				pageTest(t, lang, make, troubled, func(t *testing.T, b *pageBench) {
					checkRoom(t, b)
					if tabs := tabsOf(b); tabs != nil {
						for i := range tabs.Items {
							b.do(func() { tabs.SelectIndex(i) })
							checkRoom(t, b)
						}
					}
				})
			})
		}
	}
}

func tabsOf(b *pageBench) *container.AppTabs {
	for _, o := range b.objects() {
		if tabs, ok := o.(*container.AppTabs); ok {
			return tabs
		}
	}
	return nil
}

func checkRoom(t *testing.T, b *pageBench) {
	t.Helper()
	if min := b.page.Content().MinSize(); min.Width > smallPage.Width || min.Height > smallPage.Height {
		t.Errorf("the page needs %v, there is %v", min, smallPage)
	}
	for _, o := range b.objects() {
		label := ""
		switch x := o.(type) {
		case *Button:
			label = x.Text
		case *keyButton:
			label = x.Text
		case *wizardCheck:
			label = x.Text
		case *widget.Label:
			if x.Truncation == fyne.TextTruncateOff {
				label = x.Text
			}
		}
		if label != "" && o.Visible() && o.Size().Width+0.5 < o.MinSize().Width {
			t.Errorf("%q has %v, needs %v", label, o.Size(), o.MinSize())
		}
	}
}

func pageMakers() map[string]func(*Desk) Page {
	return map[string]func(*Desk) Page{
		"overview": NewOverviewPage, "log": NewLogPage, "queue": NewQueuePage, "mailboxes": NewMailboxesPage,
		"people": NewPeoplePage, "target": NewTargetPage, "schedule": NewSchedulePage, "settings": NewSettingsPage,
	}
}

// troubled is a backend with something of everything.
func troubled(b *pageBackend) {
	b.entries[0].State, b.entries[0].Reason, b.entries[0].Code = mail.Quarantined, "552 5.2.2 mailbox full", mail.CodeMailboxFull
	b.entries[1].State, b.entries[1].Attempts, b.entries[1].NextAttempt = mail.Queued, 4, pagesNow.Add(time.Hour)
	b.status.Balance = facts.Balance{mail.Delivered: 4690, mail.Queued: 12, mail.Quarantined: 3, mail.Duplicate: 6, mail.TooBig: 1}
	b.status.Mailboxes[1].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Op: "PASS", Reply: "-ERR [AUTH] invalid login"}
	b.status.Mailboxes[1].Suspended, b.status.Mailboxes[1].Result = true, facts.ResultNeedsUser
	b.status.Targets = []facts.TargetStatus{{Name: "office", Host: "mail.office.test", PausedUntil: pagesNow.Add(time.Minute), Fault: &facts.Fault{Code: mail.CodeConnect}}}
	b.transcripts = []facts.Transcript{{Time: pagesNow, Name: "POP3 whole-office", Text: "C: USER office-42\r\nC: PASS ***\r\n"}}
	b.stories["K30"] = storyOf(b.entries[0])
}
