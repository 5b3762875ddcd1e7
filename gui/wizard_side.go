package gui

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// buildSide makes the list of the steps, with Cancel below it.
func (w *Wizard) buildSide() {
	p := w.p()
	list := container.NewVBox()
	name := widget.NewLabel("Postbag")
	name.TextStyle.Bold, name.SizeName = true, theme.SizeNameHeadingText
	list.Add(name)
	w.steps, w.marks = nil, nil
	for _, s := range present.WizardSteps() {
		b := newButton(strconv.Itoa(int(s)+1)+"  "+p.T("wizard.step."+s.Key()), func() { w.goTo(s) })
		b.Alignment = widget.ButtonAlignLeading
		mark := widget.NewIcon(nil)
		w.steps, w.marks = append(w.steps, b), append(w.marks, mark)
		list.Add(container.NewStack(b, container.NewBorder(nil, nil, nil, container.NewPadded(mark))))
	}
	w.cancel = newButton(p.T("wizard.cancel"), w.askCancel)
	inner := container.NewBorder(nil, w.cancel, nil, nil, list)
	w.side = container.NewStack(newWizardGround(), container.NewPadded(wizardWidth(wizardSide, inner)))
}

// trouble tells that a page tried something out that did not work.
func (w *Wizard) trouble(s present.WizardStep) bool {
	p, tries := w.pages[s].(interface{ trouble() bool })
	return tries && p.trouble()
}

// refreshSteps marks what is shown, done, or has a fault, below each other at
// the right.
func (w *Wizard) refreshSteps() {
	faults := w.answers.AllFaults()
	for i, b := range w.steps {
		s := present.WizardStep(i)
		var mark fyne.Resource
		b.Importance = widget.LowImportance
		switch {
		case s == w.answers.Current():
			b.Importance = widget.HighImportance
		case w.answers.DoneBut(s, faults) && !w.trouble(s):
			mark = theme.ConfirmIcon()
		case w.answers.Tried(s):
			mark = theme.WarningIcon()
		}
		if w.answers.Visited(s) && !w.over {
			b.Enable()
		} else if s != w.answers.Current() {
			b.Disable()
		}
		w.marks[i].SetResource(mark)
		b.Refresh()
	}
}
