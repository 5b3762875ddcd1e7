// Package gui is what the person in the office sees: the main window, the
// wizard and the icon near the clock. It is the only package that knows Fyne.
// What the windows say is decided in gui/present; here are widgets.
package gui

import "fyne.io/fyne/v2"

// post runs f on the goroutine of the user interface, soon, and does not wait.
// It is the only place that calls fyne.Do.
func post(f func()) { fyne.Do(f) }

// Post is post for the package that starts the program.
func Post(f func()) { post(f) }
