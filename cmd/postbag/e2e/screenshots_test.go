//go:build linux

package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"postbag/app/i18n"
	"postbag/gui/present"
)

// TestScreenshots takes a picture of every page, in both languages and themes,
// in the demonstration; people look at them before a release, and the README
// shows some. The test itself only sees that each page comes.
func TestScreenshots(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for _, theme := range []string{present.ThemeLight, present.ThemeDark} {
			if testing.Short() && (lang == i18n.English) != (theme == present.ThemeLight) {
				continue // each language and each theme, but not all four
			}
			d := newDesktop(t, map[string]string{"en": "en_GB.UTF-8", "fr": "fr_FR.UTF-8"}[lang], parts{noKeyring: true})
			d.env = append(d.env, "FYNE_THEME="+theme)
			demo, _ := d.demo(build(t, "plain"))
			s := &series{desktop: d, p: i18n.New(lang), prefix: lang + "-" + theme + "-"}
			s.wizard()
			s.pages()
			d.watcher.choose(s.p.T("gui.tray.quit"))
			if code := demo.wait(); code != 0 {
				t.Errorf("%s %s: ended with %d:\n%s", lang, theme, code, demo.out)
			}
		}
	}
}

// series is one language and theme.
type series struct {
	*desktop
	p      *i18n.Printer
	prefix string
}

// How many controls after the first of its page the button for the test stands.
const (
	toTestOfTarget   = 4
	toTestOfIncoming = 10
)

// wizard takes every step with what the demonstration has prepared, and the
// faults of a page that lacks something.
func (s *series) wizard() {
	s.t.Helper()
	title := s.p.T("wizard.title")
	s.window(title)
	s.settle()
	shot := func(name string) { s.shot(title, s.prefix+"wizard-"+name) }
	for _, step := range present.WizardSteps() {
		switch step {
		case present.WizardOffice:
			s.write(" ")
			s.click(title, nextX, nextY)
			shot("faults")
			s.write("office.test")
		case present.WizardTarget:
			s.tab(toTestOfTarget)
			s.keys("Return")
		case present.WizardIncoming:
			s.tab(toTestOfIncoming)
			s.keys("Return")
		}
		shot(fmt.Sprintf("%d-%s", int(step)+1, step.Key()))
		s.turns(func() { s.click(title, nextX, nextY) })
	}
	shot("finished")
	s.through(title)
}

// pages takes the pages of the main window, by their shortcuts.
func (s *series) pages() {
	s.t.Helper()
	many := regexp.MustCompile(`\b3[0-9] messages$`)
	s.watcher.waitHeadline("that the mail is there", many.MatchString)
	for i, page := range [][2]string{
		{"gui.page.overview", "overview"}, {"gui.page.log", "log"}, {"gui.page.queue", "queue"}, {"gui.page.mailboxes", "mailboxes"},
		{"gui.page.people", "people"}, {"gui.page.target", "server"}, {"gui.page.schedule", "schedule"}, {"gui.page.settings", "settings"},
	} {
		title := s.p.T(page[0]) + " - Postbag"
		s.keys(fmt.Sprintf("ctrl+%d", i+1))
		s.window(title)
		s.settle()
		if page[1] == "log" { // with the way of a message at the right
			s.click(title, "520", "260")
		}
		s.shot(title, s.prefix+page[1])
		if page[1] == "settings" && !testing.Short() {
			s.tabs(title)
		}
	}
}

// Where the tabs of the settings stand, and how far apart two places in it are
// at most that lie in different tabs.
const (
	tabsFrom, tabsTo, tabsStep = 290, 860, 30
	tabsTop                    = "50"
)

// tabs takes the other tabs of the settings: it goes along them with the mouse,
// because their places differ with the language.
func (s *series) tabs(title string) {
	s.t.Helper()
	s.click(title, "215", tabsTop) // the one that is open: the pointer colours it
	last, n := s.pixels(), 1
	for x := tabsFrom; x < tabsTo; x += tabsStep {
		s.click(title, strconv.Itoa(x), tabsTop)
		now := s.pixels()
		if different(last, now) < aPage/4 {
			continue
		}
		n++
		s.shot(title, fmt.Sprintf("%ssettings-%d", s.prefix, n))
		last = now
	}
	if n < 4 {
		s.t.Errorf("only %d tabs of the settings", n)
	}
}

// TestPictureOfTheTray shows the program in use in a real desktop: the icon in
// the panel, its menu open, the window below.
func TestPictureOfTheTray(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true, noTray: true})
	d.startPanel()
	d.process(nil, nil, "xsetroot", "-solid", "#5B7C99")
	demo, _ := d.demo(build(t, "plain"))
	p := i18n.New(i18n.English)
	title := p.T("wizard.title")
	d.window(title)
	d.settle()
	d.through(title)
	overview := p.T("gui.page.overview") + " - Postbag"
	id := d.window(overview)
	d.tool("windowmove", id, "150", "90")
	d.settle()
	d.trayMenu()
	d.screen("tray")
	d.keys("Escape")
	d.window(overview)
	d.tool("windowfocus", id)
	d.keys("ctrl+q")
	if code := demo.wait(); code != 0 {
		t.Errorf("ended with %d:\n%s", code, demo.out)
	}
}
