package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// The margins of a page, and the least room for it.
const (
	wizardMargin   = 16
	wizardLeast    = 320
	wizardLastBits = 16 // right of the fields, for the bar of the scroll
)

// wizardFrame puts heading, question, page and buttons below each other.
//
// QUIRK Fyne asks a wrapped text for its height before it tells it its width,
// and mends that a frame later. Here the width comes first, so that nothing
// jumps and the first picture is right.
type wizardFrame struct {
	heading, question, body, buttons fyne.CanvasObject
	scroll                           *container.Scroll
}

// Layout fills the size from above and below; the page gets the rest.
func (l *wizardFrame) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	width := size.Width - 2*wizardMargin
	y := float32(wizardMargin / 2)
	for _, o := range []fyne.CanvasObject{l.heading, l.question} {
		settle(o, width)
		o.Move(fyne.NewPos(wizardMargin, y))
		y += o.MinSize().Height
	}
	foot := l.buttons.MinSize().Height
	l.buttons.Resize(fyne.NewSize(width, foot))
	l.buttons.Move(fyne.NewPos(wizardMargin, size.Height-foot-wizardMargin))
	settle(l.scroll.Content, width)
	l.body.Move(fyne.NewPos(wizardMargin, y))
	l.body.Resize(fyne.NewSize(width, size.Height-foot-wizardMargin*3/2-y))
	l.scroll.Refresh()
}

// MinSize is what the wizard needs at least.
func (l *wizardFrame) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(wizardLeast, wizardLeast)
}

// settle gives an object a width and the height that it needs there. Widths go
// down the tree in the first turn, so the second knows all heights.
func settle(o fyne.CanvasObject, width float32) {
	for range 2 {
		o.Resize(fyne.NewSize(width, o.MinSize().Height))
	}
}

// wizardPageBox is the content of the scroll: the page, and room for the bar.
func wizardPageBox(page fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(4, 4, 0, wizardLastBits), page)
}

// wizardIndent puts a button where texts begin.
func wizardIndent(o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(0, 0, 8, 0), o)
}
