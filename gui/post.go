// Package gui is what the person in the office sees: the main window, the
// wizard and the icon near the clock. It is the only package that knows Fyne.
// What the windows say is decided in gui/present; here are widgets.
package gui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// post runs f on the goroutine of the user interface, soon, and does not wait.
// It is the only place that calls fyne.Do.
func post(f func()) { fyne.Do(f) }

// Post is post for the package that starts the program.
func Post(f func()) { post(f) }

// afterglow is for how long a window that is gone may still be clicked on.
const afterglow = time.Second

// retire takes a window away for good.
//
// QUIRK Fyne runs into a nil pointer when a click reaches a window that is
// closed, such as the second half of a double click on "Close". So the window
// goes out of sight, with nothing in it, and is closed when no click can be on
// its way any more.
func retire(w fyne.Window) {
	w.Hide()
	w.SetContent(container.NewStack())
	time.AfterFunc(afterglow, func() { post(w.Close) })
}
