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

// cut is a text of one line that ends in "..." where there is no room.
func cut(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Truncation = fyne.TextTruncateEllipsis
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

// dense is the theme in use with rows closer together, for lists. It asks for
// the theme each time: the person may choose another one.
type dense struct{}

var _ fyne.Theme = dense{}

func (dense) used() fyne.Theme { return fyne.CurrentApp().Settings().Theme() }

// Color is that of the theme in use.
func (d dense) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	return d.used().Color(name, variant)
}

// Font is that of the theme in use.
func (d dense) Font(style fyne.TextStyle) fyne.Resource { return d.used().Font(style) }

// Icon is that of the theme in use.
func (d dense) Icon(name fyne.ThemeIconName) fyne.Resource { return d.used().Icon(name) }

// Size halves the space around texts.
func (d dense) Size(name fyne.ThemeSizeName) float32 {
	if name == theme.SizeNameInnerPadding {
		return 4
	}
	return d.used().Size(name)
}

// inDense shows rows closer together.
func inDense(o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewThemeOverride(o, dense{})
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

// column is one column of a list: at least min wide, with a share of what is
// left over. Where the room is short the columns with the highest drop go first.
type column struct {
	min, share float32
	drop       int // 0: never
}

// columns lays out the cells of a row.
type columns []column

// MinSize is that of the columns that are never dropped.
func (c columns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for i, o := range objects {
		if i < len(c) && c[i].drop == 0 {
			size.Width += c[i].min
		}
		size.Height = max(size.Height, o.MinSize().Height)
	}
	return size
}

// Layout shows as many columns as there is room for.
func (c columns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	shown := make([]bool, len(c))
	for i := range shown {
		shown[i] = true
	}
	need, share := c.sum(shown)
	for need > size.Width {
		worst := -1
		for i := range c {
			if shown[i] && c[i].drop > 0 && (worst < 0 || c[i].drop > c[worst].drop) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		shown[worst] = false
		need, share = c.sum(shown)
	}
	left, x := max(0, size.Width-need), float32(0)
	for i, o := range objects {
		if i >= len(c) || !shown[i] {
			o.Resize(fyne.NewSize(0, 0))
			o.Move(fyne.NewPos(-10_000, 0))
			continue
		}
		width := c[i].min
		if share > 0 {
			width += left * c[i].share / share
		}
		o.Move(fyne.NewPos(x, 0))
		o.Resize(fyne.NewSize(width, size.Height))
		x += width
	}
}

func (c columns) sum(shown []bool) (need, share float32) {
	for i := range c {
		if shown[i] {
			need, share = need+c[i].min, share+c[i].share
		}
	}
	return need, share
}

// cells makes the labels of a row.
func cells(n int) []fyne.CanvasObject {
	out := make([]fyne.CanvasObject, n)
	for i := range out {
		out[i] = cut("")
	}
	return out
}

// fill writes the texts of a row that cells made.
func fill(row fyne.CanvasObject, mark present.Mark, texts ...string) {
	for i, o := range row.(*fyne.Container).Objects {
		l := o.(*widget.Label)
		l.Importance = importance(mark)
		l.SetText(texts[i])
	}
}

// titles is the row above a list.
func titles(c columns, texts ...string) fyne.CanvasObject {
	row := cells(len(texts))
	for i, text := range texts {
		l := row[i].(*widget.Label)
		l.TextStyle.Bold = true
		l.SetText(text)
	}
	return container.New(c, row...)
}
