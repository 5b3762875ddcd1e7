package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// wizardKeys are what Enter and Escape do in every control of the wizard.
// Fyne's controls swallow them without a sound.
type wizardKeys struct {
	enter, escape func()
}

// pressed does what the key stands for and tells whether it did.
func (k wizardKeys) pressed(ev *fyne.KeyEvent) bool {
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		k.enter()
	case fyne.KeyEscape:
		k.escape()
	default:
		return false
	}
	return true
}

// wizardEntry is a field for one line of text, which moves when there is more of
// it than room: a field as wide as its text would push the page out of the window
// of who has pasted a long name.
type wizardEntry struct {
	widget.Entry
	keys wizardKeys
}

func newWizardEntry(keys wizardKeys, text string, changed func(string)) *wizardEntry {
	e := &wizardEntry{keys: keys}
	e.Text, e.OnChanged = text, changed
	e.Wrapping = fyne.TextWrapOff
	e.Scroll = fyne.ScrollHorizontalOnly
	e.ExtendBaseWidget(e)
	return e
}

func newWizardPassword(keys wizardKeys, text string, changed func(string)) *wizardEntry {
	e := &wizardEntry{keys: keys}
	e.Password, e.Text, e.OnChanged = true, text, changed
	e.Scroll = fyne.ScrollHorizontalOnly
	e.ExtendBaseWidget(e)
	return e
}

// TypedKey hands Enter and Escape to the wizard; in a text of several lines
// Enter begins a new one.
func (e *wizardEntry) TypedKey(ev *fyne.KeyEvent) {
	newLine := e.MultiLine && (ev.Name == fyne.KeyReturn || ev.Name == fyne.KeyEnter)
	if newLine || !e.keys.pressed(ev) {
		e.Entry.TypedKey(ev)
	}
}

// wizardSelect is a choice out of a list.
type wizardSelect struct {
	widget.Select
	keys wizardKeys
}

// newWizardSelect shows labels and reports the value beside the label that was chosen.
func newWizardSelect(keys wizardKeys, values, labels []string, chosen string, changed func(string)) *wizardSelect {
	s := &wizardSelect{keys: keys}
	s.Options = labels
	for i, v := range values {
		if v == chosen && i < len(labels) {
			s.Selected = labels[i]
		}
	}
	s.OnChanged = func(string) {
		if i := s.SelectedIndex(); i >= 0 && i < len(values) {
			changed(values[i])
		}
	}
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer draws Fyne's choice with an edge like that of a field: on a
// white ground nobody sees where it is otherwise.
func (s *wizardSelect) CreateRenderer() fyne.WidgetRenderer {
	edge := canvas.NewRectangle(color.Transparent)
	edge.StrokeWidth = 1
	r := &wizardEdgeRenderer{WidgetRenderer: s.Select.CreateRenderer(), edge: edge, of: s}
	r.color()
	return r
}

type wizardEdgeRenderer struct {
	fyne.WidgetRenderer
	edge *canvas.Rectangle
	of   fyne.Widget
}

func (r *wizardEdgeRenderer) color() {
	r.edge.StrokeColor = theme.ColorForWidget(theme.ColorNameInputBorder, r.of)
	r.edge.CornerRadius = theme.SizeForWidget(theme.SizeNameInputRadius, r.of)
}

// Layout puts the edge around the choice.
func (r *wizardEdgeRenderer) Layout(size fyne.Size) {
	r.WidgetRenderer.Layout(size)
	r.edge.Resize(size)
}

// Objects are Fyne's and the edge.
func (r *wizardEdgeRenderer) Objects() []fyne.CanvasObject {
	return append(append([]fyne.CanvasObject{}, r.WidgetRenderer.Objects()...), r.edge)
}

// Refresh follows the theme, and shows the focus by the edge: Fyne fills the
// whole field with the colour, which looks like a button that was pressed.
func (r *wizardEdgeRenderer) Refresh() {
	r.WidgetRenderer.Refresh()
	r.color()
	r.focus()
	r.edge.Refresh()
}

func (r *wizardEdgeRenderer) focus() {
	r.edge.StrokeWidth = 1
	focus := theme.ColorForWidget(theme.ColorNameFocus, r.of)
	for _, o := range r.WidgetRenderer.Objects() {
		if ground, is := o.(*canvas.Rectangle); is && ground.FillColor == focus {
			ground.FillColor = theme.ColorForWidget(theme.ColorNameInputBackground, r.of)
			ground.Refresh()
			r.edge.StrokeColor, r.edge.StrokeWidth = focus, 2
		}
	}
}

// TypedKey hands Enter and Escape to the wizard.
func (s *wizardSelect) TypedKey(ev *fyne.KeyEvent) {
	if !s.keys.pressed(ev) {
		s.Select.TypedKey(ev)
	}
}

// wizardSelectEntry is a field with suggestions.
type wizardSelectEntry struct {
	widget.SelectEntry
	keys wizardKeys
}

func newWizardSelectEntry(keys wizardKeys, text string, options []string, changed func(string)) *wizardSelectEntry {
	s := &wizardSelectEntry{keys: keys}
	s.Text, s.OnChanged = text, changed
	s.Wrapping = fyne.TextWrapOff
	s.Scroll = fyne.ScrollHorizontalOnly
	s.ExtendBaseWidget(s)
	s.SetOptions(options)
	if fynes, is := s.ActionItem.(*widget.Button); is { // it swallows Escape
		open := newButtonWithIcon("", theme.MenuDropDownIcon(), fynes.OnTapped)
		open.Importance, open.escape = widget.LowImportance, keys.escape
		s.ActionItem = open
	}
	return s
}

// TypedKey hands Enter and Escape to the wizard.
func (s *wizardSelectEntry) TypedKey(ev *fyne.KeyEvent) {
	if !s.keys.pressed(ev) {
		s.SelectEntry.TypedKey(ev)
	}
}

// wizardCheck is a box to tick.
type wizardCheck struct {
	widget.Check
	keys wizardKeys
}

func newWizardCheck(keys wizardKeys, label string, on bool, changed func(bool)) *wizardCheck {
	c := &wizardCheck{keys: keys}
	c.Text, c.Checked, c.OnChanged = label, on, changed
	c.ExtendBaseWidget(c)
	return c
}

// TypedKey hands Enter and Escape to the wizard.
func (c *wizardCheck) TypedKey(ev *fyne.KeyEvent) {
	if !c.keys.pressed(ev) {
		c.Check.TypedKey(ev)
	}
}
