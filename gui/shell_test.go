package gui

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

func TestShellNavigation(t *testing.T) {
	b := newBench(t, nil)
	if b.current != PageOverview || b.pages[0].shown != 1 {
		t.Fatalf("%s is in front, shown %d times", b.current, b.pages[0].shown)
	}
	test.Tap(b.nav[PageQueue])
	if b.pages[0].hidden != 1 || b.pages[2].shown != 1 || b.pages[0].label.Visible() || !b.pages[2].label.Visible() {
		t.Error("the queue did not take the place of the overview")
	}
	if got := b.d.Window.Title(); got != "Queue - Postbag" {
		t.Errorf("title %q", got)
	}
	if b.nav[PageQueue].Importance != widget.HighImportance || b.nav[PageOverview].Importance != widget.LowImportance {
		t.Error("the navigation does not show where we are")
	}
	for i, it := range b.mainMenu().Items[1].Items {
		it.Action()
		if b.current != b.pages[i].title {
			t.Errorf("%s leads to %s", it.Label, b.current)
		}
		if it.Shortcut == nil {
			t.Errorf("%s has no shortcut", it.Label)
		}
	}
	b.d.Open(PageMailboxes, "Anne")
	if b.current != PageMailboxes || b.pages[3].opened != "Anne" {
		t.Errorf("%s shows %q", b.current, b.pages[3].opened)
	}
}

func TestShellLanguageAndThemeAtRuntime(t *testing.T) {
	b := newBench(t, nil)
	before := b.pages[1].texts
	l := b.d.Look()
	l.Language, l.Theme = "fr", present.ThemeDark
	b.d.SetLook(l)
	if b.nav[PageLog].Text != "Journal de remise" || b.pages[1].texts != before+1 || b.d.Text().Lang() != i18n.French {
		t.Errorf("the window still says %q", b.nav[PageLog].Text)
	}
	if got := b.d.Window.Title(); got != "Vue d'ensemble - Postbag" {
		t.Errorf("title %q", got)
	}
	if got := lang.L("Cancel"); got != "Annuler" {
		t.Errorf("Fyne says %q", got)
	}
	if got := b.host.menus[len(b.host.menus)-1].Items; !slices.ContainsFunc(got, func(i *fyne.MenuItem) bool { return i.Label == "Quitter" && i.IsQuit }) {
		t.Error("the menu near the clock is not French")
	}
	if got := b.host.icon(); got != "postbag-stopped-dark" {
		t.Errorf("icon %s", got)
	}
	l.Language, l.TrayIcon = "en", present.TrayMonochrome
	b.d.SetLook(l)
	b.keeper.under.Wait()
	if kept, err := present.LoadLook(b.o.Data); err != nil || kept != l {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if got := lang.L("Cancel"); got != "Cancel" {
		t.Errorf("Fyne says %q", got)
	}
	if got := b.host.icon(); got != "postbag-stopped-mono-dark" {
		t.Errorf("icon %s", got)
	}
}

func TestShellTrayFollowsTheEngine(t *testing.T) {
	b := newBench(t, nil)
	b.backend.running.Store(true)
	b.know(facts.Status{Engine: facts.EngineRunning}, nil)
	if got := b.host.icon(); got != "postbag-idle-light" && got != "postbag-idle-dark" {
		t.Fatalf("icon %s", got)
	}
	menus := len(b.host.menus)
	b.know(facts.Status{Engine: facts.EngineRunning}, nil)
	if len(b.host.menus) != menus {
		t.Error("the menu was made anew without need")
	}
	b.heard([]facts.Event{{Kind: facts.EventMailboxStart, Mailbox: "Anne"}})
	if got := b.host.icon(); !strings.HasPrefix(got, "postbag-collecting-") {
		t.Fatalf("icon %s", got)
	}
	b.tray.turn()
	if got := b.host.icon(); !strings.HasPrefix(got, "postbag-collecting2-") {
		t.Errorf("icon %s", got)
	}
	b.tray.turn()
	if got := b.host.icon(); !strings.HasPrefix(got, "postbag-collecting-") {
		t.Errorf("icon %s", got)
	}
	b.heard([]facts.Event{{Kind: facts.EventMailboxEnd, Mailbox: "Anne"}})
	if got := b.host.icon(); !strings.HasPrefix(got, "postbag-idle-") || b.pulse.calm != nil {
		t.Errorf("icon %s, animated %v", got, b.pulse.calm != nil)
	}
	b.know(facts.Status{Mailboxes: []facts.MailboxStatus{{Name: "Anne", Enabled: true, Suspended: true}}}, nil)
	if got := b.host.icon(); !strings.HasPrefix(got, "postbag-trouble-") {
		t.Errorf("icon %s", got)
	}
	b.host.choose(t, "Change password: Anne...")
	if b.current != PageMailboxes || b.pages[3].opened != "Anne" {
		t.Errorf("%s shows %q", b.current, b.pages[3].opened)
	}
	if b.pages[0].heard != 2 {
		t.Errorf("the overview heard %d events", b.pages[0].heard)
	}
}

func TestShellWithoutTray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.Start(false)
		synctest.Wait()
		b.TrayThere(true)
		b.closed()
		if b.minimised != 0 || !b.hidden {
			t.Fatal("with an icon near the clock the window hides")
		}
		b.TrayThere(false) // the panel is gone: nobody may lose the window
		if b.hidden || !b.banner.box.Visible() || !strings.Contains(b.banner.what.Text, "task bar") {
			t.Errorf("hidden %v, banner %q", b.hidden, b.banner.what.Text)
		}
		b.closed()
		if b.minimised != 1 || b.hidden {
			t.Error("without an icon the window goes to the task bar")
		}
		b.banner.hide()
		b.TrayThere(false)
		if b.banner.box.Visible() {
			t.Error("it is said a second time")
		}
		b.keeper.under.Wait()
		look, err := present.LoadLook(b.o.Data)
		if err != nil || !look.NoTray {
			t.Errorf("it is not remembered: %+v, %v", look, err)
		}
		next := newBench(t, func(o *ShellDeps) { o.Look = look })
		next.Start(false)
		synctest.Wait()
		next.TrayThere(false)
		if next.banner.box.Visible() {
			t.Error("it is said again after the next start")
		}
	})
}

// Beside the wizard nobody would see it: it is said when the main window comes.
func TestShellSaysAfterTheWizardThatThereIsNoTray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.Start(false)
		synctest.Wait()
		b.wizard = new(Wizard)
		b.TrayThere(false)
		if b.look.NoTray || b.banner.box.Visible() {
			t.Error("it is said behind the wizard")
		}
		b.wizardClosed(true)
		if !b.look.NoTray || !b.banner.box.Visible() {
			t.Error("it is never said")
		}
		b.keeper.under.Wait()
	})
}

func TestShellDamagedConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *ShellDeps) {
			o.StartError = &facts.ConfigError{Problems: []facts.Problem{{Line: 12, Message: "Not a port."}}}
		})
		b.Start(false)
		synctest.Wait()
		if !b.banner.box.Visible() || !strings.Contains(b.banner.detail.Text, "line 12: Not a port.") || !b.banner.wizard.Visible() {
			t.Errorf("banner %q, %q", b.banner.what.Text, b.banner.detail.Text)
		}
		if slices.Contains(b.backend.calls, "start") {
			t.Error("the engine was started all the same")
		}
		test.Tap(b.banner.wizard)
		synctest.Wait()
		if b.wizard == nil || b.wizard.win == nil {
			t.Error("the wizard does not open")
		}
	})
}

// The first start opens the wizard alone; however it ends, the main window is
// there afterwards.
func TestShellFirstStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing}
		b := newBench(t, func(o *ShellDeps) { o.StartError = missing })
		b.backend.fault = missing
		b.Start(false)
		synctest.Wait()
		if b.wizard == nil || !b.hidden || b.banner.box.Visible() {
			t.Fatalf("wizard %v, main window hidden %v, banner %v", b.wizard != nil, b.hidden, b.banner.box.Visible())
		}
		if got := b.host.icon(); !strings.HasPrefix(got, "postbag-stopped-") {
			t.Errorf("icon %s", got)
		}
		one := b.wizard
		b.host.choose(t, "Set up Postbag...")
		if b.wizard != one {
			t.Error("a second wizard opened")
		}
		b.wizard.closed(false)
		if b.wizard != nil || b.hidden {
			t.Error("the main window did not come after the wizard")
		}
	})
}

func TestShellStartsTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.Start(true)
		synctest.Wait()
		if !slices.Contains(b.backend.calls, "start") || !b.hidden {
			t.Errorf("calls %v, hidden %v", b.backend.calls, b.hidden)
		}
	})
}

// What the engine says reaches the windows, in bundles; the state is asked for
// after news and once a minute.
func TestShellHearsTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		var told []string
		b.o.Notify = func(_, text string) { told = append(told, text) }
		b.Start(false)
		synctest.Wait()
		if b.backend.times() != 1 {
			t.Fatalf("asked %d times at the start", b.backend.times())
		}
		b.backend.mu.Lock()
		b.backend.status.Mailboxes = []facts.MailboxStatus{{Name: "Anne", ID: "a", Enabled: true, Suspended: true}}
		b.backend.mu.Unlock()
		for range 1000 {
			b.backend.listen(facts.Event{Kind: facts.EventFetched, Mailbox: "Anne"})
		}
		b.backend.listen(facts.Event{Kind: facts.EventMailboxEnd, Mailbox: "Anne"})
		<-time.After(2 * time.Second) // of the test's own clock
		synctest.Wait()
		if b.pages[0].heard != 1001 || b.backend.times() < 2 || b.backend.times() > 4 {
			t.Errorf("heard %d events, asked %d times", b.pages[0].heard, b.backend.times())
		}
		if len(told) != 1 {
			t.Errorf("popped up %q", told)
		}
		asked := b.backend.times()
		<-time.After(10 * time.Minute)
		synctest.Wait()
		if n := b.backend.times() - asked; n < 9 || n > 11 {
			t.Errorf("asked %d times in ten minutes of silence", n)
		}
		b.Quit()
		synctest.Wait()
		if !b.quit || !slices.Equal(b.backend.calls, []string{"start", "unwatch", "stop"}) && !slices.Equal(b.backend.calls, []string{"start", "stop", "unwatch"}) {
			t.Errorf("quit %v after %v", b.quit, b.backend.calls)
		}
	})
}
