package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// wizardLabelWidth is the column of the words before the fields.
const wizardLabelWidth = 160

// wizardForm is the rows of a page: a word, a control, and below it the fault.
type wizardForm struct {
	rows   *fyne.Container
	fields []*wizardField
}

// wizardField is one row that can have a fault.
type wizardField struct {
	keys  []string // fields of present.WizardFault
	focus fyne.Focusable
	fault *wizardFaultLine
	row   *fyne.Container
}

func newWizardForm() *wizardForm { return &wizardForm{rows: container.NewVBox()} }

// row appends a control with its word. The focus goes to control when one of
// the keys has a fault.
func (f *wizardForm) row(label string, control fyne.CanvasObject, hint string, focus fyne.Focusable, keys ...string) *wizardField {
	field := &wizardField{keys: keys, focus: focus, fault: newWizardFieldFault()}
	below := container.NewVBox(control, field.fault.box)
	if hint != "" {
		below.Add(wizardDense(wizardHint(hint)))
	}
	field.row = container.NewBorder(nil, nil, wizardWidth(wizardLabelWidth, wizardText(label)), nil, below)
	f.fields = append(f.fields, field)
	f.rows.Add(field.row)
	return field
}

// wide appends what has no word before it.
func (f *wizardForm) wide(o fyne.CanvasObject) { f.rows.Add(o) }

// wideField appends a control over the whole width that can have a fault.
func (f *wizardForm) wideField(o fyne.CanvasObject, focus fyne.Focusable, keys ...string) {
	field := &wizardField{keys: keys, focus: focus, fault: newWizardFieldFault()}
	field.row = container.NewVBox(o, field.fault.box)
	f.fields = append(f.fields, field)
	f.rows.Add(field.row)
}

// check shows the faults at their fields and returns the first field that has one.
func (f *wizardForm) check(faults []present.WizardFault, box *present.WizardMailbox) *wizardField {
	var first *wizardField
	for _, field := range f.fields {
		text := ""
		for _, key := range field.keys {
			if text == "" {
				text = present.WizardFaultOf(faults, key, box)
			}
		}
		field.fault.set(text)
		if text != "" && first == nil {
			first = field
		}
	}
	return first
}

// wizardFaultLine is a sentence with a sign before it, or nothing.
type wizardFaultLine struct {
	label *widget.Label
	box   *fyne.Container
}

func newWizardFaultLine() *wizardFaultLine {
	l := wizardText("")
	l.Importance = widget.WarningImportance
	f := &wizardFaultLine{label: l, box: probeLine(theme.NewWarningThemedResource(theme.WarningIcon()), l)}
	f.box.Hide()
	return f
}

// newWizardFieldFault is a line that stands close below its field.
func newWizardFieldFault() *wizardFaultLine {
	f := newWizardFaultLine()
	f.box.Show()
	f.box = container.NewStack(wizardDense(f.box))
	f.box.Hide()
	return f
}

func (f *wizardFaultLine) set(text string) {
	if f.label.Text == text {
		return
	}
	f.label.SetText(text)
	if text == "" {
		f.box.Hide()
	} else {
		f.box.Show()
	}
}

func wizardText(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Wrapping = fyne.TextWrapWord
	return l
}

func wizardBold(text string) *widget.Label {
	l := wizardText(text)
	l.TextStyle.Bold = true
	return l
}

// wizardHint is an explanation in smaller type.
func wizardHint(text string) *widget.Label {
	l := wizardText(text)
	l.SizeName = theme.SizeNameCaptionText
	return l
}

// wizardDense shows rows closer together, their texts below those of the page.
func wizardDense(o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(0, 0, 4, 0), inDense(o))
}

// wizardOption is the explanation of an answer, below its words.
func wizardOption(text string) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(0, 0, theme.IconInlineSize()+8, 0), inDense(wizardHint(text)))
}

// wizardGap puts room of the grid around a control that would touch its neighbour.
func wizardGap(height float32) fyne.CanvasObject {
	return container.New(layout.NewGridWrapLayout(fyne.NewSize(1, height)))
}

// wizardWidth gives an object one width and the height that it needs there.
func wizardWidth(width float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(&wizardWidthLayout{width}, o)
}

type wizardWidthLayout struct{ width float32 }

// Layout gives the object the width, at the top.
func (l *wizardWidthLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(fyne.NewSize(l.width, size.Height))
	}
}

// MinSize is the width and the height that a wrapped text needs in it.
func (l *wizardWidthLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var height float32
	for _, o := range objects {
		if o.Size().Width != l.width {
			o.Resize(fyne.NewSize(l.width, o.MinSize().Height))
		}
		height = max(height, o.MinSize().Height)
	}
	return fyne.NewSize(l.width, height)
}

// wizardHeight gives an object a height at least.
func wizardHeight(height float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(&wizardHeightLayout{height}, o)
}

type wizardHeightLayout struct{ height float32 }

// Layout fills.
func (l *wizardHeightLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
	}
}

// MinSize is that of the objects, and the height at least.
func (l *wizardHeightLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(0, l.height)
	for _, o := range objects {
		size = size.Max(o.MinSize())
	}
	return size
}

// probeLine puts a sign before a text, in the middle of its first line.
func probeLine(icon fyne.Resource, label *widget.Label) *fyne.Container {
	return container.New(&signLayout{label}, widget.NewIcon(icon), label)
}

type signLayout struct{ label *widget.Label }

func (l *signLayout) room() (icon, inner float32) {
	return theme.IconInlineSize(), theme.SizeForWidget(theme.SizeNameInnerPadding, l.label)
}

// Layout puts the text right of the sign.
func (l *signLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	icon, inner := l.room()
	line := fyne.MeasureText("M", theme.TextSize(), l.label.TextStyle).Height
	objects[0].Resize(fyne.NewSquareSize(icon))
	objects[0].Move(fyne.NewPos(inner, inner+(line-icon)/2))
	objects[1].Move(fyne.NewPos(icon+inner, 0))
	objects[1].Resize(fyne.NewSize(size.Width-icon-inner, size.Height))
}

// MinSize is that of the text, and the sign.
func (l *signLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	icon, inner := l.room()
	return objects[1].MinSize().AddWidthHeight(icon+inner, 0)
}
