//go:build linux

package main

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"postbag/app/facts"
	"postbag/gui"
)

// doorstep is the empty page from which a person goes to the log.
type doorstep struct{ root *fyne.Container }

func newDoorstep() gui.Page { return doorstep{container.NewStack()} }

func (doorstep) Title() string                { return gui.PageOverview }
func (d doorstep) Content() fyne.CanvasObject { return d.root }
func (doorstep) Shown()                       {}
func (doorstep) Hidden()                      {}
func (doorstep) Retext()                      {}
func (doorstep) Heard([]facts.Event)          {}
