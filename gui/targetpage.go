package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/gui/present"
)

// targetPage edits and tests the office servers.
type targetPage struct {
	d      *Desk
	status map[string]facts.TargetStatus
	shown  bool
	edit   *editor[config.Target]
	fault  *widget.Label
}

// NewTargetPage makes the page of the office servers.
func NewTargetPage(d *Desk) Page {
	p := &targetPage{d: d, status: map[string]facts.TargetStatus{}}
	p.edit = newEditor(d, present.TargetItems(), editorWords{
		none: "main.target.none", fresh: "main.target.fresh", question: "main.target.remove_question",
	})
	p.edit.extra = func() []fyne.CanvasObject {
		post(p.mark) // when the form of the open server stands
		return []fyne.CanvasObject{newButton(d.Text().T("main.test"), p.test)}
	}
	p.edit.saved = p.know
	return p
}

// Title is the key of the title.
func (p *targetPage) Title() string { return PageTarget }

// Content is the page.
func (p *targetPage) Content() fyne.CanvasObject { return p.edit.root }

// Shown reads the settings anew.
func (p *targetPage) Shown() {
	p.shown = true
	p.edit.shown()
	p.know()
	p.d.Window.Canvas().Focus(p.edit.list)
}

// Hidden stops reading.
func (p *targetPage) Hidden() { p.shown = false }

// Open edits one office server.
func (p *targetPage) Open(name string) { p.edit.show(name) }

// Heard follows what becomes of the office servers.
func (p *targetPage) Heard(events []facts.Event) {
	if !p.shown {
		return
	}
	for _, ev := range events {
		if ev.Kind == facts.EventTargetDown || ev.Kind == facts.EventTargetUp {
			p.know()
			return
		}
	}
}

// Retext writes every text anew.
func (p *targetPage) Retext() {
	p.fault = wizardText("")
	p.edit.above = p.fault
	p.edit.build()
	p.mark()
}

func (p *targetPage) know() {
	work(p.d, p.d.Backend.Status, func(st facts.Status, err error) {
		if err != nil {
			return // the form says more about settings that cannot be read
		}
		clear(p.status)
		for _, t := range st.Targets {
			p.status[t.Name] = t
		}
		p.mark()
	})
}

// mark shows the state of the office servers in the list and over the form.
func (p *targetPage) mark() {
	t := p.d.Text()
	p.edit.marks = nil
	for _, name := range p.edit.names {
		_, mark := present.TargetSentence(t, p.status[name], p.d.Now())
		p.edit.marks = append(p.edit.marks, mark)
	}
	p.edit.list.Refresh()
	name := ""
	if p.edit.item != nil && !p.edit.item.Fresh() {
		name = p.edit.item.Was().Name
	}
	text, mark := present.TargetSentence(t, p.status[name], p.d.Now())
	p.fault.Importance = importance(mark)
	p.fault.SetText(sign(mark) + text)
	visible(p.fault, text != "")
}

// test tries what is typed, before it is saved.
func (p *targetPage) test() {
	f := p.edit.form
	if f == nil || !f.store() {
		return
	}
	item := p.edit.item
	name := item.Edited().Name
	if name == "" {
		name = item.Edited().Host // the default of the file
	}
	runProbe(p.d, item, f.password(), func(ctx context.Context, draft *present.Draft, each func(facts.CheckStep) error) error {
		return p.d.Backend.CheckTarget(ctx, draft.Config, name, draft.Secrets, each)
	}, func(pin string) { p.edit.setField("tls_pin", pin) })
}
