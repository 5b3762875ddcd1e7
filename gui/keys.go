package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// keyEntry is an entry that tells of the keys that mean something to the page
// around it: Enter, Escape and the arrows up and down.
type keyEntry struct {
	widget.Entry
	onKey func(fyne.KeyName) bool // true: done with, the entry does nothing
}

func newKeyEntry(onKey func(fyne.KeyName) bool) *keyEntry {
	e := &keyEntry{onKey: onKey}
	e.ExtendBaseWidget(e)
	return e
}

// TypedKey asks the page first.
func (e *keyEntry) TypedKey(ev *fyne.KeyEvent) {
	if e.onKey != nil && e.onKey(ev.Name) {
		return
	}
	e.Entry.TypedKey(ev)
}

// keyButton is a button that tells of the keys that it has no use for itself.
type keyButton struct {
	Button
	onKey func(fyne.KeyName) bool
}

func newKeyButton(label string, tapped func(), onKey func(fyne.KeyName) bool) *keyButton {
	b := &keyButton{onKey: onKey}
	b.ring = newButton("", nil).ring
	b.Text, b.OnTapped = label, tapped
	b.ExtendBaseWidget(b)
	return b
}

// TypedKey asks the page first.
func (b *keyButton) TypedKey(ev *fyne.KeyEvent) {
	if b.onKey != nil && b.onKey(ev.Name) {
		return
	}
	b.Button.TypedKey(ev)
}

// keyList is a list in which the arrows choose, as in every mail program; in
// Fyne's they only move a mark, and Space chooses.
type keyList struct {
	widget.List
	at    widget.ListItemID
	onKey func(fyne.KeyName) bool
}

func newKeyList(length func() int, create func() fyne.CanvasObject, update func(widget.ListItemID, fyne.CanvasObject)) *keyList {
	l := &keyList{at: -1}
	l.Length, l.CreateItem, l.UpdateItem = length, create, update
	l.ExtendBaseWidget(l)
	return l
}

// TypedKey moves the choice.
func (l *keyList) TypedKey(ev *fyne.KeyEvent) {
	if l.onKey != nil && l.onKey(ev.Name) {
		return
	}
	to := l.at
	rows := int(l.Size().Height/max(l.CreateItem().MinSize().Height, 1)) - 1
	switch ev.Name {
	case fyne.KeyDown:
		to++
	case fyne.KeyUp:
		to--
	case fyne.KeyPageDown:
		to += rows
	case fyne.KeyPageUp:
		to -= rows
	case fyne.KeyHome:
		to = 0
	case fyne.KeyEnd:
		to = l.Length() - 1
	default:
		l.List.TypedKey(ev)
		return
	}
	l.choose(to)
}

// choose selects the row, or the nearest that there is.
func (l *keyList) choose(at widget.ListItemID) {
	if n := l.Length(); n > 0 {
		l.Select(max(0, min(at, n-1)))
	}
}

// none takes the choice away, without a call of OnSelected.
func (l *keyList) none() {
	l.at = -1
	l.UnselectAll()
}
