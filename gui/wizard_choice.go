package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// wizardRadio is one answer of several: a mark and a line of text. Space
// chooses it, the arrows go to its neighbours, Enter goes on. Fyne's own
// swallows Enter and cannot be changed.
type wizardRadio struct {
	widget.BaseWidget
	keys   wizardKeys
	text   string
	chosen bool
	group  *wizardRadios
	index  int

	focused, hovered bool
}

// wizardRadios are the answers to one question.
type wizardRadios struct {
	items   []*wizardRadio
	values  []string
	changed func(string)
}

func newWizardRadios(keys wizardKeys, values, labels []string, chosen string, changed func(string)) *wizardRadios {
	g := &wizardRadios{values: values, changed: changed}
	for i, v := range values {
		r := &wizardRadio{keys: keys, text: labels[i], chosen: v == chosen, group: g, index: i}
		r.ExtendBaseWidget(r)
		g.items = append(g.items, r)
	}
	return g
}

// first is what gets the focus: the answer that is chosen.
func (g *wizardRadios) first() fyne.Focusable {
	for _, r := range g.items {
		if r.chosen {
			return r
		}
	}
	return g.items[0]
}

// choose marks one answer and reports it.
func (g *wizardRadios) choose(index int) {
	if g.items[index].chosen {
		return
	}
	for i, r := range g.items {
		r.chosen = i == index
		r.Refresh()
	}
	g.changed(g.values[index])
}

// objects are the answers, to be put below each other.
func (g *wizardRadios) objects() []fyne.CanvasObject {
	out := make([]fyne.CanvasObject, len(g.items))
	for i, r := range g.items {
		out[i] = r
	}
	return out
}

// Tapped chooses the answer.
func (r *wizardRadio) Tapped(*fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(r); c != nil {
		c.Focus(r)
	}
	r.group.choose(r.index)
}

// TypedKey chooses by Space and the arrows.
func (r *wizardRadio) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeySpace:
		r.group.choose(r.index)
	case fyne.KeyDown:
		r.move(1)
	case fyne.KeyUp:
		r.move(-1)
	default:
		r.keys.pressed(ev)
	}
}

func (r *wizardRadio) move(by int) {
	to := r.index + by
	if to < 0 || to >= len(r.group.items) {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(r); c != nil {
		c.Focus(r.group.items[to])
	}
	r.group.choose(to)
}

// TypedRune does nothing.
func (r *wizardRadio) TypedRune(rune) {}

// FocusGained shows the ring.
func (r *wizardRadio) FocusGained() { r.focused = true; r.Refresh() }

// FocusLost hides it.
func (r *wizardRadio) FocusLost() { r.focused = false; r.Refresh() }

// MouseIn lights the line up.
func (r *wizardRadio) MouseIn(*desktop.MouseEvent) { r.hovered = true; r.Refresh() }

// MouseMoved does nothing.
func (r *wizardRadio) MouseMoved(*desktop.MouseEvent) {}

// MouseOut ends it.
func (r *wizardRadio) MouseOut() { r.hovered = false; r.Refresh() }

// CreateRenderer draws ground, ring, mark and text.
func (r *wizardRadio) CreateRenderer() fyne.WidgetRenderer {
	out := &wizardRadioRenderer{
		radio: r, ground: canvas.NewRectangle(color.Transparent), mark: canvas.NewImageFromResource(theme.RadioButtonIcon()),
		text: canvas.NewText(r.text, color.Black),
	}
	out.ground.StrokeWidth = 2
	out.Refresh()
	return out
}

type wizardRadioRenderer struct {
	radio  *wizardRadio
	ground *canvas.Rectangle
	mark   *canvas.Image
	text   *canvas.Text
}

// Layout puts the mark before the text.
func (d *wizardRadioRenderer) Layout(size fyne.Size) {
	pad, icon := theme.Padding(), theme.IconInlineSize()
	d.ground.Resize(d.MinSize())
	d.mark.Resize(fyne.NewSquareSize(icon))
	d.mark.Move(fyne.NewPos(pad, (size.Height-icon)/2))
	text := d.text.MinSize()
	d.text.Resize(text)
	d.text.Move(fyne.NewPos(icon+3*pad, (size.Height-text.Height)/2))
}

// MinSize is that of one line.
func (d *wizardRadioRenderer) MinSize() fyne.Size {
	text, pad, icon := d.text.MinSize(), theme.Padding(), theme.IconInlineSize()
	return fyne.NewSize(text.Width+icon+4*pad, max(text.Height, icon)+2*pad)
}

// Refresh follows state and theme.
func (d *wizardRadioRenderer) Refresh() {
	r := d.radio
	d.ground.FillColor, d.ground.StrokeColor = color.Transparent, color.Transparent
	d.ground.CornerRadius = theme.Size(theme.SizeNameInputRadius)
	if r.hovered {
		d.ground.FillColor = theme.Color(theme.ColorNameHover)
	}
	if r.focused {
		d.ground.StrokeColor = theme.Color(theme.ColorNameFocus)
	}
	d.mark.Resource = theme.NewThemedResource(theme.RadioButtonIcon())
	if r.chosen {
		d.mark.Resource = theme.NewPrimaryThemedResource(theme.RadioButtonCheckedIcon())
	}
	d.text.Text, d.text.Color, d.text.TextSize = r.text, theme.Color(theme.ColorNameForeground), theme.TextSize()
	d.ground.Refresh()
	d.mark.Refresh()
	d.text.Refresh()
}

// Objects are those three.
func (d *wizardRadioRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{d.ground, d.mark, d.text}
}

// Destroy frees nothing.
func (d *wizardRadioRenderer) Destroy() {}

var (
	_ fyne.Focusable    = (*wizardRadio)(nil)
	_ fyne.Tappable     = (*wizardRadio)(nil)
	_ desktop.Hoverable = (*wizardRadio)(nil)
)
