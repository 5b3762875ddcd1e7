package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// CreateRenderer draws Fyne's field; one line that moves lets the wheel through.
func (e *wizardEntry) CreateRenderer() fyne.WidgetRenderer {
	r := e.Entry.CreateRenderer()
	if e.Scroll != fyne.ScrollHorizontalOnly {
		return r
	}
	return &wheelRenderer{WidgetRenderer: r, wheel: &wheel{of: e}}
}

// wheel lies over a field and hands the turns of the mouse wheel to the page
// around it. Nothing of it can be seen, and it takes nothing else.
//
// QUIRK A field of Fyne that moves its text sideways swallows the wheel: the
// page would stand still wherever the mouse is over a field.
type wheel struct {
	canvas.Rectangle
	of fyne.CanvasObject
}

var _ fyne.Scrollable = (*wheel)(nil)

// Scrolled scrolls the innermost part around the field that can be scrolled.
func (w *wheel) Scrolled(ev *fyne.ScrollEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(w.of)
	if c == nil {
		return
	}
	root := c.Overlays().Top()
	if root == nil {
		root = c.Content()
	}
	if around, found := scrollsAround(root, w.of); found && len(around) > 0 {
		around[0].Scrolled(ev)
	}
}

type wheelRenderer struct {
	fyne.WidgetRenderer
	wheel *wheel
}

// Layout lays the wheel over all of the field.
func (r *wheelRenderer) Layout(size fyne.Size) {
	r.WidgetRenderer.Layout(size)
	r.wheel.Resize(size)
}

// Objects are Fyne's, and the wheel over them.
func (r *wheelRenderer) Objects() []fyne.CanvasObject {
	return append(append([]fyne.CanvasObject{}, r.WidgetRenderer.Objects()...), r.wheel)
}
