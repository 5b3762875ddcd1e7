package gui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// The pages of the main window, in the order of the navigation. They name the
// texts of their titles as well.
const (
	PageOverview  = "gui.page.overview"
	PageLog       = "gui.page.log"
	PageQueue     = "gui.page.queue"
	PageMailboxes = "gui.page.mailboxes"
	PagePeople    = "gui.page.people"
	PageTarget    = "gui.page.target"
	PageSchedule  = "gui.page.schedule"
	PageSettings  = "gui.page.settings"
)

// Page is one page of the main window. All methods are called on the goroutine
// of the user interface.
type Page interface {
	Title() string              // key of the title, one of the Page constants
	Content() fyne.CanvasObject // made once
	Shown()                     // the page came to the front: read facts anew, focus the first field
	Hidden()                    // another page came to the front
	Retext()                    // the language changed: write every text anew
	Heard(events []facts.Event) // what the engine said since the last call, at most ten times a second
}

// Opener is a page that can show one mailbox, office server, or message, when
// somebody comes from elsewhere because of it.
type Opener interface {
	Open(subject string)
}

// Desk is what the pages and the wizard have in common: the engine, the
// language, the window, and the ways from one page to another.
type Desk struct {
	Backend present.Backend
	App     fyne.App
	Window  fyne.Window // the main window: parent of dialogs
	Now     func() time.Time

	// Context ends when the program does. Give it to every call of Backend.
	Context context.Context

	Autostart Autostart
	Build     facts.Build

	// The shell fills these in.
	Navigate func(page string)          // brings a page to the front
	Open     func(page, subject string) // the same, with what it is to show: see Opener
	Wizard   func()                     // opens the wizard
	Look     func() present.Look        // the settings of the desktop itself
	SetLook  func(present.Look)         // keeps and applies them: language, theme, tray icon
	OpenFile func(path string) error    // with the program that the system has for it

	printer *i18n.Printer
}

// Text returns the printer of the language in use. Ask for it whenever a text
// is written: it changes with the language.
func (d *Desk) Text() *i18n.Printer { return d.printer }

// Autostart switches whether the program starts when the user signs in.
type Autostart interface {
	Enabled() (bool, error)
	Set(on bool) error
}

// work runs job on a goroutine of its own and hands what it returns to show, on
// the goroutine of the user interface. Nothing that may wait for a disk or a
// network runs anywhere else.
func work[T any](d *Desk, job func(context.Context) (T, error), show func(T, error)) {
	go func() {
		value, err := job(d.Context)
		post(func() { show(value, err) })
	}()
}
