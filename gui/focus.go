package gui

import "fyne.io/fyne/v2"

var (
	_ fyne.Tabbable = (*wizardEntry)(nil)
	_ fyne.Tabbable = (*keyEntry)(nil)
)

// AcceptsTab is false: Tab leads on from a field of several lines as well. Fyne
// would write it into the text, and who works by keyboard never got out again
// (WCAG 2.2, 2.1.2 "No keyboard trap").
func (e *wizardEntry) AcceptsTab() bool { return false }

// AcceptsTab is false, for the same reason.
func (e *keyEntry) AcceptsTab() bool { return false }
