package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Button is a button whose focus can be seen: Fyne only mixes a colour into its
// face, which on a blue button nobody notices. It gets a ring in the colour of
// the text, with a gap between.
type Button struct {
	widget.Button
	ring   *canvas.Rectangle
	escape func() // what Escape does while the button has the focus, nil: nothing
}

// newButton returns a button that does tapped.
func newButton(label string, tapped func()) *Button {
	return newButtonWithIcon(label, nil, tapped)
}

// newMainButton returns the button that Enter stands for: the blue one.
func newMainButton(label string, tapped func()) *Button {
	b := newButton(label, tapped)
	b.Importance = widget.HighImportance
	return b
}

// newButtonWithIcon returns a button with an icon beside its word.
func newButtonWithIcon(label string, icon fyne.Resource, tapped func()) *Button {
	b := &Button{ring: canvas.NewRectangle(color.Transparent)}
	b.Text, b.Icon, b.OnTapped = label, icon, tapped
	b.ring.StrokeWidth = 2
	b.ring.Hide()
	b.ExtendBaseWidget(b)
	return b
}

// FocusGained shows the ring and brings the button into sight.
func (b *Button) FocusGained() {
	b.ring.Show()
	b.Button.FocusGained()
	reveal(b)
}

// FocusLost hides it.
func (b *Button) FocusLost() {
	b.ring.Hide()
	b.Button.FocusLost()
}

// TypedKey presses the button by Space and by Enter.
//
// QUIRK Fyne's own button takes the focus away from itself when it is pressed
// by a key; who works by keyboard would have to start anew at the first field.
func (b *Button) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		if f := b.OnTapped; f != nil && !b.Disabled() {
			f()
		}
	case fyne.KeyEscape:
		if b.escape != nil {
			b.escape()
		}
	}
}

// CreateRenderer draws Fyne's button and the ring over it.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	return &ringRenderer{WidgetRenderer: b.Button.CreateRenderer(), button: b}
}

type ringRenderer struct {
	fyne.WidgetRenderer
	button *Button
}

// ringGap is between the edge of the button and the ring inside it.
const ringGap = 2

// Layout puts the ring inside the edge, where neighbours cannot hide it.
func (r *ringRenderer) Layout(size fyne.Size) {
	r.WidgetRenderer.Layout(size)
	r.button.ring.Move(fyne.NewPos(ringGap, ringGap))
	r.button.ring.Resize(size.SubtractWidthHeight(2*ringGap, 2*ringGap))
}

// Objects are Fyne's and the ring.
func (r *ringRenderer) Objects() []fyne.CanvasObject {
	return append(append([]fyne.CanvasObject{}, r.WidgetRenderer.Objects()...), r.button.ring)
}

// Refresh follows the theme. The ring has the colour of the button's text,
// which stands out from its face.
func (r *ringRenderer) Refresh() {
	b := r.button
	name := theme.ColorNameForeground
	switch b.Importance {
	case widget.HighImportance:
		name = theme.ColorNameForegroundOnPrimary
	case widget.DangerImportance:
		name = theme.ColorNameForegroundOnError
	case widget.WarningImportance:
		name = theme.ColorNameForegroundOnWarning
	case widget.SuccessImportance:
		name = theme.ColorNameForegroundOnSuccess
	}
	b.ring.StrokeColor = theme.ColorForWidget(name, b)
	b.ring.CornerRadius = max(theme.SizeForWidget(theme.SizeNameButtonRadius, b)-1, 0)
	b.ring.Refresh()
	r.WidgetRenderer.Refresh()
}
