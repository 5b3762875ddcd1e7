package gui

import (
	"sync"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// ShellDeps are what the main window works with.
type ShellDeps struct {
	Desk *Desk  // its Backend, App, Now, Context and Build are set
	Data string // data folder: the settings of the desktop lie there
	Look present.Look
	Lang string // asked for at the start, goes before the one of Look; may be ""
	// Pages makes the pages, in the order of the navigation, when the window is
	// first shown: with the icon alone they would only take room.
	Pages func(*Desk) []Page

	Tray     TrayHost                 // nil where there is none
	Tooltip  func(string)             // of the icon near the clock; may be nil
	Notify   func(title, text string) // pops up; nil: nothing is said
	Minimise func(fyne.Window)        // puts the window into the task bar
	About    func(*Desk)              // says what this program is; may be nil
	Quit     func()                   // ends the program

	// PlainDesktop tells that nobody says whether this desktop is light or dark;
	// then it is light.
	PlainDesktop bool

	StartError error // why the engine could not be opened; nil: it could
}

// Shell is the main window: navigation at the left, one page at a time, a
// banner over it when something must be said, and the icon near the clock.
type Shell struct {
	d       *Desk
	o       ShellDeps
	look    present.Look
	current string

	pages []Page // none before the window is first shown
	nav   map[string]*Button

	commands map[string]*fyne.MenuItem // of the menu, by their words

	banner *banner
	body   *fyne.Container
	side   *fyne.Container

	state   *present.Tray
	notices *present.Notices
	tray    *trayIcon
	pulse   *pulse
	keeper  keeper
	wizard  *Wizard // nil: none is open
	there   bool    // the desktop shows the icon
	asked   bool    // there is known
	hidden  bool    // the window is
	ending  bool
	parting bool // the question whether to quit is on the screen
}

// The smallest main window, and the one at the start. The bar of the menu is
// part of the window, not of what stands in it.
const (
	leastWidth, leastHeight = 900, 600
	usualWidth, usualHeight = 1080, 700
	menuHeight              = 28
	navWidth                = 184
)

// NewShell makes the main window and shows nothing yet. It must be called on
// the goroutine of the user interface.
func NewShell(o ShellDeps) *Shell {
	s := &Shell{
		d: o.Desk, o: o, look: o.Look, nav: make(map[string]*Button),
		state: present.NewTray(), notices: present.NewNotices(),
	}
	s.d.Open = s.open
	s.d.Navigate, s.d.Look, s.d.SetLook = s.Navigate, func() present.Look { return s.look }, s.setLook
	s.d.Wizard = s.openWizard
	s.speak()
	s.d.App.Settings().SetTheme(s.theme())
	if s.d.Window == nil {
		s.d.Window = s.d.App.NewWindow(s.d.Text().T("gui.name"))
	}
	s.build()
	if o.Tray != nil {
		s.tray = newTrayIcon(o.Tray, s.do)
		s.tray.tooltip = o.Tooltip
	}
	s.pulse = newPulse(s.d, s.heard, s.know)
	s.state.Know(facts.Status{}, o.StartError, false, false)
	s.retext()
	return s
}

// furnish makes the pages, once.
func (s *Shell) furnish() {
	if s.pages == nil && s.o.Pages != nil {
		s.SetPages(s.o.Pages(s.d))
	}
}

// SetPages puts the pages into the window; they need the Desk, which needs the
// window.
func (s *Shell) SetPages(pages []Page) {
	s.pages = pages
	s.build()
	s.retext()
	if len(pages) > 0 {
		s.Navigate(pages[0].Title())
	}
}

func (s *Shell) build() {
	s.banner = newBanner(s.d)
	s.body = container.NewStack()
	column := container.NewVBox()
	clear(s.nav)
	for _, p := range s.pages {
		b := newButton("", func() { s.Navigate(p.Title()) })
		b.Alignment, b.Importance = widget.ButtonAlignLeading, widget.LowImportance
		s.nav[p.Title()] = b
		column.Add(b)
		c := p.Content()
		c.Hide()
		s.body.Add(c)
	}
	s.side = container.NewBorder(nil, nil, nil, widget.NewSeparator(),
		container.New(&leastSize{width: navWidth}, container.NewVScroll(container.NewPadded(column))))
	content := container.NewBorder(s.banner.box, nil, s.side, nil, container.NewPadded(s.body))
	w := s.d.Window
	w.SetPadded(false)
	w.SetContent(container.New(&leastSize{width: leastWidth, height: leastHeight - menuHeight}, content))
	w.Resize(fyne.NewSize(usualWidth, usualHeight))
	w.SetCloseIntercept(s.closed)
}

// Start listens to the engine from now on, and shows the window unless it is to
// stay near the clock.
func (s *Shell) Start(hidden bool) {
	s.first(hidden)
	if b, ok := present.StartBanner(s.d.Text(), s.o.StartError, s.d.Backend.Place().Config); ok {
		s.banner.show(b)
	}
	s.pulse.start()
}

// Raise brings the window to the front, wherever it is.
func (s *Shell) Raise() {
	if s.wizard != nil && !s.state.Configured() {
		s.wizard.Raise() // the first start: there is nothing else yet
		return
	}
	s.furnish()
	s.hidden = false
	s.d.Window.Show()
	s.d.Window.RequestFocus()
}

// Navigate brings a page to the front.
func (s *Shell) Navigate(page string) {
	for i, p := range s.pages {
		if p.Title() != page {
			continue
		}
		if s.current != page {
			s.leave()
			s.body.Objects[i].Show()
			s.current = page
		}
		s.mark()
		p.Shown()
		return
	}
}

// leave hides the page that is in front.
func (s *Shell) leave() {
	for i, p := range s.pages {
		if p.Title() == s.current {
			s.body.Objects[i].Hide()
			p.Hidden()
		}
	}
}

// mark shows in the navigation and in the title which page is in front.
func (s *Shell) mark() {
	for title, b := range s.nav {
		b.Importance = widget.LowImportance
		if title == s.current {
			b.Importance = widget.HighImportance
		}
		b.Refresh()
	}
	s.markCommands()
	title := s.d.Text().T("gui.name")
	if s.current != "" {
		title = s.d.Text().T(s.current) + " - " + title
	}
	s.d.Window.SetTitle(title)
}

// speak chooses the language: the one asked for at the start, until another is
// chosen; the one of the settings; the system's.
func (s *Shell) speak() {
	lang := s.look.Language
	if s.o.Lang != "" {
		lang = s.o.Lang
	}
	s.d.printer = i18n.New(lang)
	if err := speak(s.d.printer); err != nil {
		fyne.LogError("language", err)
	}
}

// retext writes every text of the window anew.
func (s *Shell) retext() {
	p := s.d.Text()
	for title, b := range s.nav {
		b.SetText(p.T(title))
	}
	s.d.Window.SetMainMenu(s.mainMenu())
	s.banner.retext()
	for _, pg := range s.pages {
		pg.Retext()
	}
	s.mark()
	s.refreshTray()
}

// setLook keeps and applies the settings of the desktop.
func (s *Shell) setLook(l present.Look) {
	before := s.look
	s.look = l
	if l.Theme != before.Theme {
		s.d.App.Settings().SetTheme(s.theme())
	}
	if l.Language != before.Language {
		s.o.Lang = ""
		s.speak()
		s.retext()
	}
	s.refreshTray()
	s.keeper.keep(s.o.Data, l, func(err error) {
		post(func() { s.banner.show(present.Banner{What: err.Error()}) })
	})
}

// keeper writes the settings of the desktop, not on the goroutine of the user
// interface, and never an older state over a newer one.
type keeper struct {
	latest  atomic.Pointer[present.Look]
	writing sync.Mutex
	under   sync.WaitGroup
}

func (k *keeper) keep(data string, l present.Look, failed func(error)) {
	k.latest.Store(&l)
	k.under.Go(func() {
		k.writing.Lock()
		defer k.writing.Unlock()
		if err := k.latest.Load().Save(data); err != nil {
			failed(err)
		}
	})
}

// theme is that of the settings.
func (s *Shell) theme() *Theme {
	word := s.look.Theme
	if word == present.ThemeSystem && s.o.PlainDesktop {
		word = present.ThemeLight
	}
	return NewTheme(word)
}

// closed is what the cross of the window does: with an icon near the clock the
// window hides, without one it goes to the task bar, so that nobody loses it.
func (s *Shell) closed() {
	if s.there {
		s.hidden = true
		s.d.Window.Hide()
		return
	}
	s.o.Minimise(s.d.Window)
}

// heard passes on what the engine said.
func (s *Shell) heard(events []facts.Event) {
	for _, ev := range events {
		s.state.Heard(ev)
	}
	s.refreshTray()
	for _, p := range s.pages {
		p.Heard(events)
	}
}

// know takes over the state of the whole.
func (s *Shell) know(st facts.Status, err error) {
	s.state.Know(st, err, s.d.Backend.Running(), s.d.Backend.Attached())
	s.refreshTray()
	if err != nil {
		return
	}
	if s.o.Notify == nil {
		return
	}
	for _, n := range s.notices.Know(st) {
		title, text := s.d.Text().T("gui.name"), n.Text(s.d.Text())
		go s.o.Notify(title, text) // it may wait for the desktop
	}
}

func (s *Shell) refreshTray() {
	if s.tray == nil {
		return
	}
	dark := s.theme().Dark(s.d.App.Settings().ThemeVariant())
	s.tray.show(s.state.View(s.d.Text(), s.d.Now()), trayPalette(s.look.TrayIcon, dark))
	s.pulse.animate(s.state.Shape() == present.ShapeCollecting, s.tray.turn)
}

// TrayThere tells whether the desktop shows icons near the clock now. Without,
// the user is told so once, and the window stays within reach.
func (s *Shell) TrayThere(there bool) {
	s.there, s.asked = there && s.tray != nil, true
	if s.there || s.ending || s.wizard != nil {
		return
	}
	if s.hidden {
		s.Raise()
	}
	if s.look.NoTray {
		return
	}
	s.banner.show(present.Banner{What: present.NoTray.Sentence(s.d.Text())})
	l := s.look
	l.NoTray = true
	s.setLook(l)
}
