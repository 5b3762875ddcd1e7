package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// small is the technical line for the person who helps: it can be copied.
func small(text string) *widget.Label {
	l := wizardText(text)
	l.SizeName = theme.SizeNameCaptionText
	l.Importance = widget.LowImportance
	l.Selectable = true
	return l
}

// pageHeading is the one heading of a page.
func pageHeading(text string) *widget.Label {
	l := widget.NewLabelWithStyle(text, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	l.SizeName = theme.SizeNameHeadingText
	l.Wrapping = fyne.TextWrapWord
	return l
}

// importance is the colour of a mark; its sign stands in the text.
func importance(m present.Mark) widget.Importance {
	switch m {
	case present.MarkTrouble:
		return widget.DangerImportance
	case present.MarkWaits:
		return widget.WarningImportance
	}
	return widget.MediumImportance
}

// withEdge draws a line around what lies over the page: in the dark nothing else
// tells one from the other.
func withEdge(o fyne.CanvasObject) fyne.CanvasObject {
	line := canvas.NewRectangle(color.Transparent)
	line.StrokeColor, line.StrokeWidth = theme.Color(theme.ColorNameInputBorder), 1
	line.CornerRadius = theme.Size(theme.SizeNameInputRadius)
	return container.NewStack(line, o)
}

// sign is a mark without colour.
func sign(m present.Mark) string {
	switch m {
	case present.MarkTrouble:
		return "!! "
	case present.MarkWaits:
		return "... "
	}
	return ""
}

// edge is the coloured side of what needs attention.
type edge struct {
	widget.BaseWidget
	name fyne.ThemeColorName
}

func newEdge(name fyne.ThemeColorName) *edge {
	e := &edge{name: name}
	e.ExtendBaseWidget(e)
	return e
}

// CreateRenderer draws it.
func (e *edge) CreateRenderer() fyne.WidgetRenderer {
	r := &edgeRenderer{edge: e, stroke: canvas.NewRectangle(theme.Color(e.name))}
	r.stroke.CornerRadius = edgeWidth / 2
	return r
}

// edgeWidth is half a step of the grid.
const edgeWidth = 4

type edgeRenderer struct {
	edge   *edge
	stroke *canvas.Rectangle
}

// Layout fills the height.
func (r *edgeRenderer) Layout(size fyne.Size) { r.stroke.Resize(size) }

// MinSize is the width alone.
func (r *edgeRenderer) MinSize() fyne.Size { return fyne.NewSize(edgeWidth, edgeWidth) }

// Refresh follows the theme.
func (r *edgeRenderer) Refresh() {
	r.stroke.FillColor = theme.ColorForWidget(r.edge.name, r.edge)
	r.stroke.Refresh()
}

// Objects is the one rectangle.
func (r *edgeRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.stroke} }

// Destroy has nothing to do.
func (r *edgeRenderer) Destroy() {}

// flow puts objects beside each other, in as many rows as the width needs.
// Fyne's own of this kind is as high as all its objects together at first.
type flow struct{ width float32 }

// MinSize is the widest object, and the height at the width of the last layout.
func (f *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			size.Width = max(size.Width, o.MinSize().Width)
		}
	}
	size.Height = f.place(objects, f.width, false)
	return size
}

// Layout begins a new row when there is no more room.
func (f *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	f.place(objects, size.Width, true)
}

// place returns the height; a width of zero is not known yet: one row.
func (f *flow) place(objects []fyne.CanvasObject, width float32, move bool) float32 {
	pad := theme.Padding()
	var x, y, row float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if width > 0 && x > 0 && x+m.Width > width {
			x, y, row = 0, y+row+pad, 0
		}
		if move {
			o.Move(fyne.NewPos(x, y))
			o.Resize(m)
		}
		x, row = x+m.Width+pad, max(row, m.Height)
	}
	return y + row
}

// freshTab draws a tab that comes to the front.
//
// QUIRK Fyne does not tell the tabs behind when the theme changes.
func freshTab(tab *container.TabItem) { tab.Content.Refresh() }
