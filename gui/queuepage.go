package gui

import (
	"context"
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// queuePage shows what waits, what is set aside, and what lies at the provider
// because it is too big or cannot be read.
type queuePage struct {
	d       *Desk
	entries []mail.Entry
	shown   bool
	pace    pace
	busy    bool
	chosen  string

	count *widget.Label
	all   *Button
	list  *keyList
	empty *widget.Label
	body  *fyne.Container
	story *storyPanel
	root  *fyne.Container
}

// NewQueuePage makes the queue.
func NewQueuePage(d *Desk) Page {
	p := &queuePage{d: d, root: container.NewStack()}
	p.pace.read = p.read
	p.story = newStoryPanel(d, func(string) { p.pace.now(); focusIfFree(p.d, p.list) }, p.closeStory)
	return p
}

// Title is the key of the title.
func (p *queuePage) Title() string { return PageQueue }

// Content is the page.
func (p *queuePage) Content() fyne.CanvasObject { return p.root }

// Shown reads the queue anew.
func (p *queuePage) Shown() {
	p.shown = true
	p.pace.now()
	p.d.Window.Canvas().Focus(p.list)
}

// Hidden stops reading.
func (p *queuePage) Hidden() { p.shown = false }

// Open shows one message.
func (p *queuePage) Open(id string) {
	p.chosen = id
	p.story.show(id)
	arrange(p.body, nil, p.story)
}

// Heard reads the queue anew when messages moved.
func (p *queuePage) Heard(events []facts.Event) {
	if !p.shown {
		return
	}
	for _, ev := range events {
		switch ev.Kind {
		case facts.EventDelivered, facts.EventFetched, facts.EventMailboxEnd, facts.EventTargetDown, facts.EventTargetUp:
			p.pace.news()
			return
		}
	}
}

// queueColumns are those of the list.
func queueColumns() columns {
	return columns{
		{min: 112}, {min: 80, share: 2, drop: 1}, {min: 96, share: 3}, {min: 88, share: 2, drop: 3},
		{min: 64, drop: 5}, {min: 120, drop: 2}, {min: 96, share: 4, drop: 4},
	}
}

// Retext writes every text anew.
func (p *queuePage) Retext() {
	t := p.d.Text()
	p.count = wizardText("")
	p.all = newButton(t.T("main.queue.retry_all"), p.retryAll)
	p.list = newKeyList(func() int { return len(p.entries) }, func() fyne.CanvasObject { return newRow(queueColumns()) }, p.row)
	p.list.OnSelected = func(i widget.ListItemID) {
		p.list.at = i
		if i < len(p.entries) {
			p.Open(p.entries[i].ID)
		}
	}
	p.list.onKey = p.key
	head := newTitles(queueColumns(), t.T("col.state"), t.T("col.from"), t.T("col.subject"), t.T("col.for"), t.T("main.queue.attempts"), t.T("col.next"), t.T("col.reason"))
	p.empty = wizardText(t.T("main.queue.empty"))
	table := container.NewBorder(container.NewVBox(head, widget.NewSeparator()), nil, nil, nil, container.NewStack(p.list, p.empty))
	p.body = container.NewStack(table)
	p.story.build()
	top := container.NewBorder(nil, nil, nil, p.all, p.count)
	p.root.Objects = []fyne.CanvasObject{container.NewBorder(top, nil, nil, nil, p.body)}
	p.root.Refresh()
	arrange(p.body, table, p.story)
	p.draw()
}

// key: Delete deletes, after a question; Escape closes the message.
func (p *queuePage) key(key fyne.KeyName) bool {
	switch key {
	case fyne.KeyEscape:
		p.closeStory()
	case fyne.KeyDelete:
		if p.story.there() && present.ActionsFor(p.story.facts.Entry).Delete {
			p.story.remove()
		}
	default:
		return false
	}
	return true
}

func (p *queuePage) row(i widget.ListItemID, o fyne.CanvasObject) {
	if i >= len(p.entries) {
		return
	}
	r := present.NewLogRow(p.d.Text(), p.entries[i], p.d.Now())
	cells := plain(sign(r.Mark)+r.State, r.From, r.Subject, r.To, r.Attempts, r.Next, r.Reason)
	cells[0].mark = r.Mark
	o.(*row).show(cells)
}

// read reads the queue; what is shown stays until it is there.
func (p *queuePage) read(done func()) {
	work(p.d, func(ctx context.Context) ([]mail.Entry, error) {
		var out []mail.Entry
		err := p.d.Backend.Queued(ctx, func(e mail.Entry) error { out = append(out, e); return nil })
		return out, err
	}, func(entries []mail.Entry, err error) {
		defer done()
		if err != nil {
			e := present.Sentence(p.d.Text(), err, i18n.Context{})
			p.count.SetText(join(e.What, e.Advice))
			return
		}
		p.entries = entries
		p.draw()
		p.mark()
	})
}

// mark keeps the message that is open marked, wherever it stands now.
func (p *queuePage) mark() {
	onSelected := p.list.OnSelected
	p.list.OnSelected = nil
	p.list.none()
	for i, e := range p.entries {
		if e.ID == p.chosen && p.chosen != "" {
			p.list.Select(i)
			p.list.at = i
		}
	}
	p.list.OnSelected = onSelected
	if p.chosen != "" && !p.story.busy {
		p.story.again()
	}
}

func (p *queuePage) draw() {
	if p.list == nil {
		return
	}
	p.count.SetText(present.QueueCount(p.d.Text(), p.entries))
	visible(p.empty, len(p.entries) == 0)
	able(p.all, len(present.RetryAll(p.entries)) > 0 && !p.busy)
	p.list.Refresh()
}

// retryAll tries every message again; those that left the queue meanwhile do
// not count as faults.
func (p *queuePage) retryAll() {
	ids := present.RetryAll(p.entries)
	p.busy = true
	p.draw()
	work(p.d, func(ctx context.Context) (struct{}, error) {
		var faults []error
		for _, id := range ids {
			if _, err := p.d.Backend.Retry(ctx, id); err != nil && !present.Overtaken(err) {
				faults = append(faults, err)
			}
		}
		return struct{}{}, errors.Join(faults...)
	}, func(_ struct{}, err error) {
		p.busy = false
		if err != nil {
			tellError(p.d, err, i18n.Context{})
		}
		p.pace.now()
	})
}

func (p *queuePage) closeStory() {
	p.chosen = ""
	p.story.show("")
	p.list.none()
	arrange(p.body, nil, p.story)
	p.d.Window.Canvas().Focus(p.list)
}
