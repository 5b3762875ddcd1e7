package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

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

// FocusGained brings the field into sight.
func (e *wizardEntry) FocusGained() {
	e.Entry.FocusGained()
	reveal(e)
}

// FocusGained brings the field into sight.
func (e *keyEntry) FocusGained() {
	e.Entry.FocusGained()
	reveal(e)
}

// FocusGained brings the choice into sight.
func (s *wizardSelect) FocusGained() {
	s.Select.FocusGained()
	reveal(s)
}

// FocusGained brings the box into sight.
func (c *wizardCheck) FocusGained() {
	c.Check.FocusGained()
	reveal(c)
}

// FocusGained brings the button into sight.
func (b *keyButton) FocusGained() {
	b.Button.FocusGained()
	reveal(b)
}

// revealMargin stays between what is brought into sight and the edge.
const revealMargin = 8

// reveal scrolls until the whole of o can be seen. Fyne moves the focus by Tab
// to what lies out of sight and leaves it there (WCAG 2.2, 2.4.11).
func reveal(o fyne.CanvasObject) {
	d := fyne.CurrentApp().Driver()
	c := d.CanvasForObject(o)
	if c == nil {
		return
	}
	root := c.Overlays().Top()
	if root == nil {
		root = c.Content()
	}
	scrolls, found := scrollsAround(root, o)
	if !found {
		return
	}
	for _, s := range scrolls { // the innermost first
		at := d.AbsolutePositionForObject(o).Subtract(d.AbsolutePositionForObject(s))
		offset := s.Offset
		offset.Y += beyond(at.Y, o.Size().Height, s.Size().Height)
		if s.Direction != container.ScrollVerticalOnly {
			offset.X += beyond(at.X, o.Size().Width, s.Size().Width)
		}
		if offset != s.Offset {
			s.ScrollToOffset(offset)
		}
	}
}

// beyond is how far something at a place must move to be inside a room of a
// size; what is larger than the room shows its beginning.
func beyond(at, length, room float32) float32 {
	switch {
	case at < revealMargin, length+2*revealMargin > room:
		return at - revealMargin
	case at+length+revealMargin > room:
		return at + length + revealMargin - room
	}
	return 0
}

// scrollsAround finds o below root and returns the scrolling parts around it,
// the innermost first.
func scrollsAround(root, o fyne.CanvasObject) (scrolls []*container.Scroll, found bool) {
	if root == o {
		return nil, true
	}
	for _, child := range children(root) {
		if scrolls, found = scrollsAround(child, o); found {
			if s, ok := root.(*container.Scroll); ok {
				scrolls = append(scrolls, s)
			}
			return scrolls, true
		}
	}
	return nil, false
}

// children are what is inside a container that this program uses.
func children(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case *container.Scroll:
		return []fyne.CanvasObject{o.Content}
	case *container.Split:
		return []fyne.CanvasObject{o.Leading, o.Trailing}
	case *container.AppTabs:
		if it := o.Selected(); it != nil {
			return []fyne.CanvasObject{it.Content}
		}
	case *container.ThemeOverride:
		return []fyne.CanvasObject{o.Content}
	}
	return nil
}
