package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// newControl makes the control for a kind of field.
func (f *form) newControl(field present.Field) formControl {
	p := f.d.Text()
	switch field.Kind {
	case present.FieldSwitch:
		return &switchControl{newWizardCheck(f.keys, p.T(field.Label), false, func(bool) { f.touched() })}
	case present.FieldChoice:
		return f.newChoice(field.Choices)
	case present.FieldLines, present.FieldWords:
		e := newWizardEntry(f.keys, "", func(string) { f.touched() })
		e.MultiLine, e.Scroll = true, fyne.ScrollVerticalOnly
		e.SetMinRowsVisible(3)
		return &textControl{entry: e}
	case present.FieldSpan:
		return f.newUnits(present.SpanUnits(), []string{p.T("main.unit.seconds"), p.T("main.unit.minutes"), p.T("main.unit.hours"), p.T("main.unit.days")}, present.SplitSpan)
	case present.FieldSize:
		return f.newUnits(present.SizeUnits(), []string{p.T("main.unit.kb"), p.T("main.unit.mb"), p.T("main.unit.gb")}, present.SplitSize)
	case present.FieldDays:
		return f.newDays()
	case present.FieldAfter:
		return f.newWays([]string{present.AfterDelete, present.AfterDays, present.AfterKeep},
			[]string{p.T("main.after.delete"), p.T("main.after.days"), p.T("main.after.keep")},
			present.AfterDays, p.T("main.after.unit"), present.SplitAfter, present.JoinAfter)
	case present.FieldFirst:
		return f.newWays([]string{present.FirstAll, present.FirstNew, present.FirstSince},
			[]string{p.T("main.first.all"), p.T("main.first.new"), p.T("main.first.since")},
			present.FirstSince, p.T("main.first.format"), present.SplitFirst, present.JoinFirst)
	case present.FieldSecret:
		return f.newSecret()
	case present.FieldNumber, present.FieldClock:
		return &textControl{entry: newWizardEntry(f.keys, "", func(string) { f.touched() }), width: 96}
	}
	return &textControl{entry: newWizardEntry(f.keys, "", func(string) { f.touched() })}
}

// textControl is a field of one or several lines.
type textControl struct {
	entry *wizardEntry
	width float32 // 0: the whole width
}

func (c *textControl) object() fyne.CanvasObject {
	if c.width > 0 {
		return container.NewHBox(container.New(&leastSize{width: c.width}, c.entry))
	}
	return c.entry
}
func (c *textControl) focus() fyne.Focusable { return c.entry }
func (c *textControl) get() string           { return c.entry.Text }
func (c *textControl) set(text string)       { c.entry.SetText(text) }

// switchControl is a box to tick.
type switchControl struct{ check *wizardCheck }

func (c *switchControl) object() fyne.CanvasObject { return c.check }
func (c *switchControl) focus() fyne.Focusable     { return c.check }
func (c *switchControl) set(text string)           { c.check.SetChecked(text == "true") }
func (c *switchControl) get() string {
	if c.check.Checked {
		return "true"
	}
	return "false"
}

// choiceControl is one value out of a list; a value that the list does not
// have is shown as it is and kept.
type choiceControl struct {
	choice *wizardSelect
	values []string
	other  string
}

func (f *form) newChoice(choices []present.Choice) *choiceControl {
	c := &choiceControl{}
	var labels []string
	for _, ch := range choices {
		c.values, labels = append(c.values, ch.Value), append(labels, f.d.Text().T(ch.Label))
	}
	c.choice = newWizardSelect(f.keys, c.values, labels, "", func(string) { f.touched() })
	c.choice.PlaceHolder = " "
	return c
}

func (c *choiceControl) object() fyne.CanvasObject { return c.choice }
func (c *choiceControl) focus() fyne.Focusable     { return c.choice }

func (c *choiceControl) get() string {
	if i := c.choice.SelectedIndex(); i >= 0 && i < len(c.values) {
		return c.values[i]
	}
	return c.other
}

func (c *choiceControl) set(text string) {
	c.other = text
	for i, v := range c.values {
		if v == text {
			c.choice.SetSelectedIndex(i)
			return
		}
	}
	c.choice.PlaceHolder = text
	c.choice.ClearSelected()
}

// unitControl is a number with its unit.
type unitControl struct {
	number *wizardEntry
	unit   *wizardSelect
	units  []string
	split  func(string) (string, string)
}

func (f *form) newUnits(units, labels []string, split func(string) (string, string)) *unitControl {
	c := &unitControl{units: units, split: split}
	c.number = newWizardEntry(f.keys, "", func(string) { f.touched() })
	c.unit = newWizardSelect(f.keys, units, labels, "", func(string) { f.touched() })
	c.unit.PlaceHolder = " "
	return c
}

func (c *unitControl) object() fyne.CanvasObject {
	return container.NewHBox(container.New(&leastSize{width: 96}, c.number), container.New(&leastSize{width: 120}, c.unit))
}
func (c *unitControl) focus() fyne.Focusable { return c.number }

func (c *unitControl) get() string {
	unit := ""
	if i := c.unit.SelectedIndex(); i >= 0 {
		unit = c.units[i]
	}
	return present.JoinUnit(c.number.Text, unit)
}

func (c *unitControl) set(text string) {
	number, unit := c.split(text)
	c.number.SetText(number)
	for i, u := range c.units {
		if u == unit {
			c.unit.SetSelectedIndex(i)
		}
	}
}

// daysControl are the days of the week.
type daysControl struct {
	checks []*wizardCheck
	row    *fyne.Container
}

// weekDays as the file writes them, beginning with Monday.
var weekDays = [...]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func (f *form) newDays() *daysControl {
	c := &daysControl{row: container.New(&flow{})}
	p := f.d.Text()
	names := []string{
		p.T("main.weekday.mon"), p.T("main.weekday.tue"), p.T("main.weekday.wed"), p.T("main.weekday.thu"),
		p.T("main.weekday.fri"), p.T("main.weekday.sat"), p.T("main.weekday.sun"),
	}
	for _, name := range names {
		check := newWizardCheck(f.keys, name, false, func(bool) { f.touched() })
		c.checks = append(c.checks, check)
		c.row.Add(check)
	}
	return c
}

func (c *daysControl) object() fyne.CanvasObject { return c.row }
func (c *daysControl) focus() fyne.Focusable     { return c.checks[0] }

func (c *daysControl) get() string {
	var days []string
	for i, check := range c.checks {
		if check.Checked {
			days = append(days, weekDays[i])
		}
	}
	return strings.Join(days, "\n")
}

func (c *daysControl) set(text string) {
	for i, check := range c.checks {
		check.SetChecked(strings.Contains("\n"+text+"\n", "\n"+weekDays[i]+"\n"))
	}
}

// wayControl is a choice, one answer of which wants a value.
type wayControl struct {
	choice *wizardSelect
	ways   []string
	with   string // the answer that wants a value
	value  *wizardEntry
	extra  *fyne.Container
	split  func(string) (string, string)
	join   func(string, string) string
}

func (f *form) newWays(ways, labels []string, with, unit string, split func(string) (string, string), join func(string, string) string) *wayControl {
	c := &wayControl{ways: ways, with: with, split: split, join: join}
	c.value = newWizardEntry(f.keys, "", func(string) { f.touched() })
	c.extra = container.NewHBox(container.New(&leastSize{width: 120}, c.value), widget.NewLabel(unit))
	c.choice = newWizardSelect(f.keys, ways, labels, "", func(way string) {
		visible(c.extra, way == with)
		f.touched()
	})
	c.choice.PlaceHolder = " "
	return c
}

func (c *wayControl) object() fyne.CanvasObject { return container.NewVBox(c.choice, c.extra) }
func (c *wayControl) focus() fyne.Focusable {
	if c.extra.Visible() {
		return c.value
	}
	return c.choice
}

func (c *wayControl) get() string {
	if i := c.choice.SelectedIndex(); i >= 0 {
		return c.join(c.ways[i], c.value.Text)
	}
	return ""
}

func (c *wayControl) set(text string) {
	way, value := c.split(text)
	c.value.SetText(value)
	for i, w := range c.ways {
		if w == way {
			c.choice.SetSelectedIndex(i)
		}
	}
	visible(c.extra, way == c.with)
}
