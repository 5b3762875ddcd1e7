package gui

import (
	"slices"
	"testing"
	"testing/synctest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// answerTo gives one of the answers to the question on the screen.
func answerTo(t *testing.T, c fyne.Canvas, label string) {
	t.Helper()
	for _, o := range seen(c.Overlays().Top()) {
		if b, is := o.(*keyButton); is && b.Text == label {
			test.Tap(b)
			return
		}
	}
	t.Fatalf("nobody offers %q", label)
}

// Who quits is asked about what was typed and not saved, on the page where it
// stands; the end of the session asks nobody.
func TestShellAsksBeforeSomethingTypedIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.Start(false)
		synctest.Wait()
		b.pages[2].unsaved = true
		b.Quit()
		b.Quit() // impatient
		c := b.d.Window.Canvas()
		if n := len(c.Overlays().List()); b.ending || n != 1 || b.current != b.pages[2].title {
			t.Fatalf("ending %v, %d questions, page %q", b.ending, n, b.current)
		}
		answerTo(t, c, "Stay")
		if b.ending || c.Overlays().Top() != nil {
			t.Fatal("it ends although the answer was to stay")
		}
		b.Quit()
		answerTo(t, c, "Quit")
		synctest.Wait()
		if !b.quit {
			t.Error("it does not end")
		}

		b = newBench(t, nil)
		b.Start(false)
		synctest.Wait()
		b.pages[2].unsaved = true
		b.End()
		synctest.Wait()
		if !b.quit {
			t.Error("the end of the session is kept waiting")
		}
	})
}

// Every page on which something can be typed for the settings says so.
func TestPagesTellWhatIsUnsaved(t *testing.T) {
	var typed []string
	for _, p := range NewPages(&Desk{}) {
		if _, is := p.(drafting); is {
			typed = append(typed, p.Title())
		}
	}
	if want := []string{PageMailboxes, PagePeople, PageTarget, PageSchedule, PageSettings}; !slices.Equal(typed, want) {
		t.Errorf("%v, want %v", typed, want)
	}
}

// Who quits in the middle of the wizard is asked there, also before its window
// has come.
func TestShellAsksInTheWizard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing}
		b := newBench(t, func(o *ShellDeps) { o.StartError = missing })
		b.backend.fault = missing
		b.Start(false)
		if b.wizard == nil || b.wizard.unsaved() {
			t.Fatal("something is unsaved before anything could be typed")
		}
		synctest.Wait()
		b.wizard.answers.Office.Domains = "office.test"
		b.Quit()
		c := b.wizard.win.Canvas()
		answerTo(t, c, "Stay")
		if b.ending {
			t.Fatal("it ends although the answer was to stay")
		}
		b.Quit()
		b.Quit() // impatient
		if n := len(c.Overlays().List()); n != 1 {
			t.Fatalf("%d questions", n)
		}
		answerTo(t, c, "Leave")
		synctest.Wait()
		if !b.quit {
			t.Error("it does not end")
		}
	})
}
