package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// formLabelWidth is the column of the words before the fields of a setting.
const formLabelWidth = 176

// form shows one sheet of settings: a word, a control, a hint and the fault of
// each field. It knows nothing of what the settings mean.
type form struct {
	d       *Desk
	sheet   present.Sheet
	keys    wizardKeys // Enter and Escape in every field
	changed func()     // something was typed or chosen

	rows    []*formRow
	box     *fyne.Container
	main    *fyne.Container
	more    *fyne.Container
	moreBtn *Button
	whole   *wizardFaultLine // what concerns no single field
	loading bool
	dirty   bool
}

// formRow is one field.
type formRow struct {
	field   present.Field
	control formControl
	fault   *wizardFaultLine
	box     *fyne.Container
}

// formControl is what a person enters a setting with.
type formControl interface {
	object() fyne.CanvasObject
	focus() fyne.Focusable
	get() string // as the file writes it, lists with one entry a line
	set(string)
}

func newForm(d *Desk, sheet present.Sheet, keys wizardKeys, changed func()) *form {
	f := &form{d: d, sheet: sheet, keys: keys, changed: changed, whole: newWizardFaultLine()}
	f.main, f.more = container.NewVBox(), container.NewVBox()
	f.moreBtn = newButton("", f.turnMore)
	f.moreBtn.Importance, f.moreBtn.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	technical := false
	for _, field := range sheet.Fields() {
		row := f.newRow(field)
		f.rows = append(f.rows, row)
		if field.More {
			technical = true
			f.more.Add(row.box)
		} else {
			f.main.Add(row.box)
		}
	}
	f.more.Hide()
	f.moreText()
	visible(f.moreBtn, technical)
	f.box = container.NewVBox(f.whole.box, f.main, container.NewHBox(f.moreBtn), f.more)
	f.load()
	return f
}

// newRow makes the control of a field with its word, hint and fault.
func (f *form) newRow(field present.Field) *formRow {
	p := f.d.Text()
	row := &formRow{field: field, control: f.newControl(field), fault: newWizardFaultLine()}
	below := container.NewVBox(row.control.object(), row.fault.box)
	if field.Hint != "" {
		below.Add(wizardHint(p.T(field.Hint)))
	}
	label := p.T(field.Label)
	if field.Kind == present.FieldSwitch {
		label = "" // the word stands beside the box
	}
	row.box = container.NewBorder(nil, nil, wizardWidth(formLabelWidth, wizardText(label)), nil, below)
	return row
}

// load shows what the sheet holds.
func (f *form) load() {
	f.loading = true
	for _, row := range f.rows {
		if row.field.Kind != present.FieldSecret {
			row.control.set(present.ReadField(f.sheet.Table(), row.field.Key))
		}
	}
	f.loading = false
	f.dirty = false
	f.show()
}

// touched is called by every control when its value changes.
func (f *form) touched() {
	if f.loading {
		return
	}
	f.dirty = true
	f.show()
	if f.changed != nil {
		f.changed()
	}
}

// show hides the fields that mean nothing with the present choices.
func (f *form) show() {
	for _, row := range f.rows {
		if row.field.When != nil {
			visible(row.box, row.field.When(f.value))
		}
	}
}

// value is what a field holds now.
func (f *form) value(key string) string {
	if row := f.row(key); row != nil {
		return row.control.get()
	}
	return present.ReadField(f.sheet.Table(), key)
}

func (f *form) row(key string) *formRow {
	for _, row := range f.rows {
		if row.field.Key == key && row.field.Kind != present.FieldSecret {
			return row
		}
	}
	return nil
}

// secret is the field for a password, nil when the sheet has none.
func (f *form) secret() *secretControl {
	for _, row := range f.rows {
		if c, ok := row.control.(*secretControl); ok {
			return c
		}
	}
	return nil
}

// store writes the fields into the sheet. Faults of form are shown at the
// fields; then nothing else should be done.
func (f *form) store() bool {
	var faults []present.FieldFault
	for _, row := range f.rows {
		if row.field.Kind == present.FieldSecret {
			if text := row.control.(*secretControl).fault(); text != "" {
				faults = append(faults, present.FieldFault{Key: row.field.Key, Text: text})
			}
			continue
		}
		if !row.box.Visible() && row.field.When != nil {
			continue // keeps what it had
		}
		if fault, ok := present.Enter(f.d.Text(), f.sheet.Table(), row.field, row.control.get()); !ok {
			faults = append(faults, fault)
		}
	}
	f.tell(faults)
	return len(faults) == 0
}

// tell shows faults and warnings at their fields and goes to the first fault.
func (f *form) tell(faults []present.FieldFault) {
	texts, whole := map[string]string{}, ""
	for _, fault := range faults {
		if fault.Key == "" {
			whole = join(whole, fault.Text)
			continue
		}
		if texts[fault.Key] == "" {
			texts[fault.Key] = fault.Text
		}
	}
	f.whole.set(whole)
	var first *formRow
	for _, row := range f.rows {
		text := texts[row.field.Key]
		row.fault.set(text)
		if text == "" {
			continue
		}
		row.box.Show()
		if row.field.More && !f.more.Visible() {
			f.turnMore()
		}
		if first == nil {
			first = row
		}
	}
	if first != nil && hasFault(faults) {
		f.d.Window.Canvas().Focus(first.control.focus())
	}
}

func hasFault(faults []present.FieldFault) bool {
	for _, f := range faults {
		if !f.Warning {
			return true
		}
	}
	return false
}

// focusFirst puts the cursor into the first field.
func (f *form) focusFirst() {
	if len(f.rows) > 0 {
		f.d.Window.Canvas().Focus(f.rows[0].control.focus())
	}
}

func (f *form) turnMore() {
	visible(f.more, !f.more.Visible())
	f.moreText()
}

func (f *form) moreText() {
	key := "main.more"
	if f.more.Visible() {
		key = "main.less"
	}
	f.moreBtn.SetText(f.d.Text().T(key))
}

// password is the one that was typed, "" when the stored one stays.
func (f *form) password() string {
	if c := f.secret(); c != nil {
		return c.get()
	}
	return ""
}
