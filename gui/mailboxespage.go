package gui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// mailboxesPage edits, tests and pauses the mailboxes at the provider.
type mailboxesPage struct {
	d       *Desk
	status  map[string]facts.MailboxStatus
	shown   bool
	mending string // the mailbox that somebody came because of
	edit    *editor[config.Mailbox]
	fault   *widget.Label
	pause   *Button
}

// NewMailboxesPage makes the page of the mailboxes.
func NewMailboxesPage(d *Desk) Page {
	p := &mailboxesPage{d: d, status: map[string]facts.MailboxStatus{}}
	p.edit = newEditor(d, present.MailboxItems(), editorWords{
		none: "main.mailbox.none", fresh: "main.mailbox.fresh", question: "main.mailbox.remove_question",
	})
	p.edit.extra = p.buttons
	p.edit.saved = p.know
	return p
}

// Title is the key of the title.
func (p *mailboxesPage) Title() string { return PageMailboxes }

// Content is the page.
func (p *mailboxesPage) Content() fyne.CanvasObject { return p.edit.root }

// Shown reads the settings anew.
func (p *mailboxesPage) Shown() {
	p.shown = true
	p.edit.shown()
	p.know()
	p.d.Window.Canvas().Focus(p.edit.list)
}

// Hidden stops reading.
func (p *mailboxesPage) Hidden() { p.shown = false }

// Open edits one mailbox.
func (p *mailboxesPage) Open(name string) {
	p.mending = name
	p.edit.show(name)
}

// offerPassword goes to the field for a new password when somebody came because
// the provider refuses the old one.
func (p *mailboxesPage) offerPassword() {
	if p.mending == "" || p.mending != p.name() {
		return
	}
	m, known := p.status[p.mending]
	if !known {
		return // asked again when the status is there
	}
	p.mending = ""
	p.edit.pane.Refresh() // what stands over the form may need more room now
	if c := p.edit.form.secret(); c != nil && present.NeedsPassword(m) {
		c.open()
		// The page may just have come to the front: it has its final shape with
		// the next picture.
		time.AfterFunc(nextPicture, func() { post(func() { reveal(c.first) }) })
	}
}

// nextPicture is after the next frame that is drawn.
const nextPicture = 100 * time.Millisecond

// Heard follows what becomes of the mailboxes.
func (p *mailboxesPage) Heard(events []facts.Event) {
	if !p.shown {
		return
	}
	for _, ev := range events {
		if ev.Kind == facts.EventMailboxEnd {
			p.know()
			return
		}
	}
}

// Retext writes every text anew.
func (p *mailboxesPage) Retext() {
	p.fault = wizardText("")
	p.edit.above = p.fault
	p.edit.build()
	p.mark()
}

// know reads how the mailboxes are.
func (p *mailboxesPage) know() {
	work(p.d, p.d.Backend.Status, func(st facts.Status, err error) {
		if err != nil {
			return // the form says more about settings that cannot be read
		}
		clear(p.status)
		for _, m := range st.Mailboxes {
			p.status[m.Name] = m
		}
		p.mark()
	})
}

// name is that of the open mailbox as the engine knows it.
func (p *mailboxesPage) name() string {
	if p.edit.item == nil || p.edit.item.Fresh() {
		return ""
	}
	return p.edit.item.Was().Name
}

// mark shows the state of the mailboxes in the list and over the form.
func (p *mailboxesPage) mark() {
	t := p.d.Text()
	p.edit.marks = nil
	for _, name := range p.edit.names {
		p.edit.marks = append(p.edit.marks, present.MailboxMark(p.status[name]))
	}
	p.edit.list.Refresh()
	m, known := p.status[p.name()]
	text, mark := present.MailboxSentence(t, m)
	p.fault.Importance = importance(mark)
	p.fault.SetText(sign(mark) + text)
	visible(p.fault, known && text != "")
	if p.pause != nil {
		p.pause.SetText(p.turnWord())
		able(p.pause, known && m.Enabled && p.name() != "")
	}
	p.offerPassword()
}

// turnWord is what the button does with the open mailbox.
func (p *mailboxesPage) turnWord() string {
	if m := p.status[p.name()]; m.Paused || m.Suspended {
		return p.d.Text().T("main.mailbox.resume")
	}
	return p.d.Text().T("main.mailbox.pause")
}

// buttons are those beside Save: test, look, pause.
func (p *mailboxesPage) buttons() []fyne.CanvasObject {
	t := p.d.Text()
	p.pause = newButton(p.turnWord(), p.turn)
	test := newButton(t.T("main.test"), p.test)
	look := newButton(t.T("main.mailbox.look"), p.look)
	post(p.mark) // when the form of the open mailbox stands
	return []fyne.CanvasObject{test, look, p.pause}
}

// turn pauses the mailbox, or collects it again.
func (p *mailboxesPage) turn() {
	name := p.name()
	m := p.status[name]
	do := p.d.Backend.Pause
	if m.Paused || m.Suspended {
		do = p.d.Backend.Resume
	}
	p.pause.Disable()
	work(p.d, func(ctx context.Context) (facts.MailboxStatus, error) { return do(ctx, name) }, func(_ facts.MailboxStatus, err error) {
		if err != nil {
			tellError(p.d, err, i18n.Context{Name: name})
		}
		p.know()
	})
}

// test tries what is typed, before it is saved.
func (p *mailboxesPage) test() {
	f := p.edit.form
	if f == nil || !f.store() {
		return
	}
	item := p.edit.item
	name := item.Edited().Name
	runProbe(p.d, item, f.password(), func(ctx context.Context, draft *present.Draft, each func(facts.CheckStep) error) error {
		return p.d.Backend.CheckMailbox(ctx, draft.Config, name, draft.Secrets, each)
	}, func(pin string) { p.edit.setField("tls_pin", pin) })
}

// look shows who would get the mail that lies in the mailbox; nothing is
// fetched and nothing deleted.
func (p *mailboxesPage) look() {
	f := p.edit.form
	if f == nil || !f.store() {
		return
	}
	runXRay(p.d, p.edit.item, f.password(), p.edit.item.Edited().Name, p.edit.item.Edited().Kind)
}

// setField writes a value into a field of the open form, as if it were typed.
func (e *editor[T]) setField(key, value string) {
	if row := e.form.row(key); row != nil {
		row.control.set(value)
		e.form.dirty = true
		e.mark()
	}
}
