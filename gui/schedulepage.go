package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"postbag/app/facts"
	"postbag/gui/present"
)

// schedulePage says when to collect.
type schedulePage struct {
	d    *Desk
	box  *sheetBox
	root *fyne.Container
}

// NewSchedulePage makes the page of the schedule.
func NewSchedulePage(d *Desk) Page {
	return &schedulePage{d: d, box: newSheetBox(d, present.ScheduleSheet), root: container.NewStack()}
}

// Title is the key of the title.
func (p *schedulePage) Title() string { return PageSchedule }

// Content is the page.
func (p *schedulePage) Content() fyne.CanvasObject { return p.root }

// Shown reads the settings anew.
func (p *schedulePage) Shown() {
	p.box.shown(func() { p.box.form.focusFirst() })
}

// Hidden does nothing: what is typed stays.
func (p *schedulePage) Hidden() {}

// Heard does nothing.
func (p *schedulePage) Heard([]facts.Event) {}

// Retext writes every text anew.
func (p *schedulePage) Retext() {
	p.box.build()
	p.root.Objects = []fyne.CanvasObject{container.NewVScroll(container.NewVBox(
		wizardText(p.d.Text().T("main.schedule.about")), p.box.root, wizardHint(p.d.Text().T("main.schedule.own")),
	))}
	p.root.Refresh()
}
