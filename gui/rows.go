package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// column is one column of a list: at least min wide, with a share of what is
// left over. Where the room is short the columns with the highest drop go first.
type column struct {
	min, share float32
	drop       int // 0: never
}

// columns lays out the cells of a row.
type columns []column

// widths shares out the room; a column that is dropped gets 0.
func (c columns) widths(room float32) []float32 {
	shown := make([]bool, len(c))
	for i := range shown {
		shown[i] = true
	}
	need, share := c.sum(shown)
	for need > room {
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
	out, left := make([]float32, len(c)), max(0, room-need)
	for i := range c {
		if shown[i] {
			out[i] = c[i].min
			if share > 0 {
				out[i] += left * c[i].share / share
			}
		}
	}
	return out
}

func (c columns) sum(shown []bool) (need, share float32) {
	for i := range c {
		if shown[i] {
			need, share = need+c[i].min, share+c[i].share
		}
	}
	return need, share
}

// least is the width of the columns that are never dropped.
func (c columns) least() float32 {
	var width float32
	for _, col := range c {
		if col.drop == 0 {
			width += col.min
		}
	}
	return width
}

// cell is one text of a row.
type cell struct {
	text string
	mark present.Mark
	bold bool
}

// row is one line of a list: texts in columns, each cut where its column ends.
// It is drawn without widgets inside, so that long lists scroll smoothly.
type row struct {
	widget.BaseWidget
	columns columns
	cells   []cell
}

func newRow(c columns) *row {
	r := &row{columns: c, cells: make([]cell, len(c))}
	r.ExtendBaseWidget(r)
	return r
}

// newTitles is the row over a list.
func newTitles(c columns, texts ...string) *row {
	r := newRow(c)
	for i, text := range texts {
		r.cells[i] = cell{text: text, bold: true}
	}
	return r
}

// plain makes cells without a mark.
func plain(texts ...string) []cell {
	out := make([]cell, len(texts))
	for i, text := range texts {
		out[i].text = text
	}
	return out
}

// show writes other texts.
func (r *row) show(cells []cell) {
	r.cells = cells
	r.Refresh()
}

// rowPad is the room over and under the text of a row, and rowGap the one
// before it.
const (
	rowPad = 6
	rowGap = 8
)

// CreateRenderer draws the texts.
func (r *row) CreateRenderer() fyne.WidgetRenderer {
	out := &rowRenderer{row: r}
	for range r.columns {
		t := canvas.NewText("", theme.Color(theme.ColorNameForeground))
		out.texts = append(out.texts, t)
		out.objects = append(out.objects, t)
	}
	out.Refresh()
	return out
}

type rowRenderer struct {
	row     *row
	texts   []*canvas.Text
	objects []fyne.CanvasObject
	size    fyne.Size
}

// MinSize is one line of text.
func (r *rowRenderer) MinSize() fyne.Size {
	height := fyne.MeasureText("M", theme.SizeForWidget(theme.SizeNameText, r.row), fyne.TextStyle{}).Height
	return fyne.NewSize(r.row.columns.least()+rowGap, height+2*rowPad)
}

// Layout shares out the room and cuts the texts. A text that stays as it was is
// not drawn anew: to make the picture of a text is what scrolling costs most.
func (r *rowRenderer) Layout(size fyne.Size) {
	r.size = size
	x, height := float32(rowGap), size.Height-2*rowPad
	for i, width := range r.row.columns.widths(size.Width - rowGap) {
		t, room := r.texts[i], fyne.NewSize(max(0, width-rowGap), height)
		text := r.cut(r.row.cells[i], room.Width)
		if text != t.Text || room != t.Size() {
			t.Text = text
			t.Resize(room)
			t.Refresh()
		}
		t.Move(fyne.NewPos(x, rowPad))
		x += width
	}
}

// cut shortens a text that is wider than its column.
func (r *rowRenderer) cut(c cell, width float32) string {
	size, style := theme.SizeForWidget(theme.SizeNameText, r.row), fyne.TextStyle{Bold: c.bold}
	if width <= 0 {
		return ""
	}
	measure := func(s string) float32 { return fyne.MeasureText(s, size, style).Width }
	runes := []rune(c.text)
	if len(runes) > cellLimit {
		runes = runes[:cellLimit]
	}
	whole := measure(string(runes))
	if whole <= width && len(runes) < cellLimit {
		return c.text
	}
	// The first guess is what an even text would need; most are a letter or two
	// off. Each measurement costs, so none is made in vain.
	n := min(int(width/max(whole, 1)*float32(len(runes))), len(runes))
	short := func(n int) string { return strings.TrimRight(string(runes[:n]), " ") + "…" }
	for n > 0 && measure(short(n)) > width {
		n--
	}
	for n < len(runes) && measure(short(n+1)) <= width {
		n++
	}
	return short(n)
}

// cellLimit bounds what is measured of one text: no column is wider.
const cellLimit = 250

// Refresh follows texts and theme.
func (r *rowRenderer) Refresh() {
	size := theme.SizeForWidget(theme.SizeNameText, r.row)
	for i, t := range r.texts {
		c := r.row.cells[i]
		colour := theme.ColorForWidget(markColour(c.mark), r.row)
		if t.TextSize == size && t.TextStyle.Bold == c.bold && t.Color == colour {
			continue
		}
		t.TextSize, t.TextStyle.Bold, t.Color = size, c.bold, colour
		t.Refresh()
	}
	if r.size.Width > 0 {
		r.Layout(r.size)
	}
}

// Objects are the texts.
func (r *rowRenderer) Objects() []fyne.CanvasObject { return r.objects }

// Destroy has nothing to do.
func (r *rowRenderer) Destroy() {}

// markColour is the colour of a mark; its sign stands in the text.
func markColour(m present.Mark) fyne.ThemeColorName {
	switch m {
	case present.MarkTrouble:
		return theme.ColorNameError
	case present.MarkWaits:
		return theme.ColorNameWarning
	}
	return theme.ColorNameForeground
}

// oneColumn is a list of names.
func oneColumn() columns { return columns{{min: 96, share: 1}} }
