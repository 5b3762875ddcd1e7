package gui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// overviewPage answers at a glance: is my mail all right?
type overviewPage struct {
	d     *Desk
	facts present.OverviewFacts
	live  present.Live
	shown bool
	pace  pace
	busy  bool // starting or stopping is under way
	fetch bool // Collect now was pressed and is under way

	head    *widget.Label
	collect *Button
	turn    *Button
	orders  *fyne.Container
	matters *fyne.Container
	table   *fyne.Container
	middle  *fyne.Container
	balance *widget.Label
	root    *fyne.Container
	rows    []*mailboxLine
	told    []present.Attention // what stands in matters
}

// NewOverviewPage makes the first page.
func NewOverviewPage(d *Desk) Page {
	p := &overviewPage{d: d, root: container.NewStack()}
	p.facts.Live = &p.live
	p.facts.Running = true
	p.pace.read = p.read
	return p
}

// Title is the key of the title.
func (p *overviewPage) Title() string { return PageOverview }

// Content is the page.
func (p *overviewPage) Content() fyne.CanvasObject { return p.root }

// Shown reads the facts anew.
func (p *overviewPage) Shown() {
	p.shown = true
	p.pace.now()
	p.d.Window.Canvas().Focus(p.collect)
}

// Hidden stops reading.
func (p *overviewPage) Hidden() { p.shown = false }

// Heard follows the collection, and reads the facts anew when they changed.
func (p *overviewPage) Heard(events []facts.Event) {
	stale := p.live.Hear(events)
	if !p.shown {
		return
	}
	if stale {
		p.pace.news()
	}
	p.draw()
}

// mailboxColumns are those of the table.
func mailboxColumns() columns {
	return columns{{min: 128, share: 4}, {min: 112}, {min: 112}, {min: 112}, {min: 168, share: 3}}
}

// Retext writes every text anew.
func (p *overviewPage) Retext() {
	t := p.d.Text()
	p.head = pageHeading("")
	p.collect = newMainButton(t.T("main.collect"), p.collectNow)
	p.turn = newButton("", p.turnEngine)
	p.matters, p.table = container.NewVBox(), container.NewVBox()
	p.balance = wizardHint("")
	p.rows, p.told = nil, nil
	title := newTitles(mailboxColumns(), t.T("col.mailbox"), t.T("col.last"), t.T("col.new"), t.T("col.next_time"), t.T("col.result"))
	p.orders = container.NewHBox(p.collect, p.turn)
	top := container.NewBorder(nil, nil, nil, container.NewVBox(p.orders), p.head)
	p.middle = container.NewVBox(p.matters, title, widget.NewSeparator(), p.table)
	p.root.Objects = []fyne.CanvasObject{container.NewBorder(container.NewVBox(top, widget.NewSeparator()), container.NewVBox(widget.NewSeparator(), p.balance), nil, nil, container.NewVScroll(p.middle))}
	p.root.Refresh()
	p.draw()
}

// read reads the status of the whole.
func (p *overviewPage) read(done func()) {
	now := p.d.Now()
	work(p.d, func(ctx context.Context) (present.OverviewFacts, error) {
		f := present.OverviewFacts{Running: p.d.Backend.Running(), Attached: p.d.Backend.Attached(), Now: now}
		f.Status, f.Fault = p.d.Backend.Status(ctx)
		if f.Fault == nil {
			f.Today = present.CountToday(ctx, p.d.Backend, now)
		}
		return f, nil
	}, func(f present.OverviewFacts, _ error) {
		f.Live = &p.live
		p.facts = f
		p.draw()
		done()
	})
}

// draw shows the facts.
func (p *overviewPage) draw() {
	if p.head == nil {
		return
	}
	t := p.d.Text()
	p.facts.Now = p.d.Now()
	v := present.NewOverview(t, p.facts)
	height := p.head.MinSize().Height
	p.head.SetText(v.Headline)
	p.turn.SetText(t.T("main.stop"))
	if !v.Running {
		p.turn.SetText(t.T("main.start"))
	}
	p.orders.Refresh()
	able(p.turn, !p.busy && !v.Attached)
	able(p.collect, !p.fetch && !p.live.Collecting() && p.facts.Fault == nil)
	p.balance.SetText(v.Balance)
	p.drawMatters(v.Attention)
	p.drawTable(v.Mailboxes)
	if p.head.MinSize().Height != height {
		p.root.Refresh() // the headline needs another number of lines
	}
}

func (p *overviewPage) drawMatters(matters []present.Attention) {
	if slices.Equal(matters, p.told) {
		return
	}
	p.told, p.matters.Objects = matters, nil
	for _, m := range matters {
		p.matters.Add(p.matter(m))
		p.matters.Add(widget.NewSeparator())
	}
	// Once to learn how high the texts are at this width, once to have them so,
	// and what stands below moves.
	p.matters.Refresh()
	p.matters.Refresh()
	p.middle.Refresh()
}

// matter is one thing that needs somebody: what, what it means, what to do, and
// a button that leads there.
func (p *overviewPage) matter(m present.Attention) fyne.CanvasObject {
	colour, mark := theme.ColorNameWarning, present.MarkWaits
	what := wizardText(sign(mark) + m.What)
	what.TextStyle.Bold = true
	what.Importance = importance(mark)
	if m.NeedsUser {
		what.Text = sign(present.MarkTrouble) + m.What
	}
	if m.Stopped { // red is for loss of service alone
		colour, what.Importance = theme.ColorNameError, importance(present.MarkTrouble)
	}
	rows := container.New(&closeRows{}, what, wizardText(join(m.Meaning, m.Advice)))
	if m.Detail != "" {
		rows.Add(small(m.Detail))
	}
	var button fyne.CanvasObject
	if label, do := p.mend(m); do != nil {
		button = container.NewVBox(newButton(label, do))
	}
	return container.NewBorder(nil, nil, newEdge(colour), button, rows)
}

// mend is the button of a matter.
func (p *overviewPage) mend(m present.Attention) (string, func()) {
	t := p.d.Text()
	switch m.Mend {
	case present.MendPassword:
		return t.T("main.mend.password"), func() { p.d.Open(PageMailboxes, m.Mailbox) }
	case present.MendMailbox:
		return t.T("main.mend.mailbox"), func() { p.d.Open(PageMailboxes, m.Mailbox) }
	case present.MendTarget:
		return t.T("main.mend.target"), func() { p.d.Open(PageTarget, m.Target) }
	case present.MendQueue:
		return t.T("main.mend.queue"), func() { p.d.Navigate(PageQueue) }
	case present.MendWizard:
		return t.T("main.mend.wizard"), p.d.Wizard
	}
	return "", nil
}

// mailboxLine is one row of the table, with a bar below it while collecting.
type mailboxLine struct {
	row  *row
	bar  *widget.ProgressBar
	text *widget.Label
	busy *fyne.Container
	box  *fyne.Container
}

func newMailboxLine() *mailboxLine {
	l := &mailboxLine{row: newRow(mailboxColumns()), bar: widget.NewProgressBar(), text: widget.NewLabel("")}
	l.bar.TextFormatter = func() string { return "" }
	l.busy = container.NewBorder(nil, nil, l.text, nil, l.bar)
	l.box = container.NewVBox(l.row, l.busy)
	return l
}

func (l *mailboxLine) show(m present.MailboxRow) {
	cells := plain(m.Name, m.Last, m.New, m.Next, sign(m.Mark)+m.Result)
	cells[4].mark = m.Mark
	l.row.show(cells)
	visible(l.busy, m.Busy)
	if !m.Busy {
		return
	}
	l.text.SetText(m.Progress)
	// No bar that runs to and fro while the total is unknown: Fyne moves it even
	// where nobody sees it, which costs a third of a core.
	l.bar.Max = float64(max(m.Total, 1))
	l.bar.SetValue(float64(m.Done))
}

func (p *overviewPage) drawTable(boxes []present.MailboxRow) {
	for len(p.rows) < len(boxes) {
		l := newMailboxLine()
		p.rows = append(p.rows, l)
		p.table.Add(l.box)
	}
	for i, l := range p.rows {
		visible(l.box, i < len(boxes))
		if i < len(boxes) {
			l.show(boxes[i])
		}
	}
}

// order has the engine do something; its button, which under is for, rests
// meanwhile.
func (p *overviewPage) order(under *bool, job func(context.Context) error) {
	*under = true
	p.draw()
	work(p.d, func(ctx context.Context) (struct{}, error) { return struct{}{}, job(ctx) }, func(_ struct{}, err error) {
		*under = false
		if err != nil && mail.AsFailure(err).Code != mail.CodeCancelled {
			tellError(p.d, err, i18n.Context{})
		}
		p.pace.now()
	})
}

func (p *overviewPage) collectNow() {
	p.order(&p.fetch, func(ctx context.Context) error {
		_, err := p.d.Backend.Collect(ctx, nil)
		return err
	})
}

func (p *overviewPage) turnEngine() {
	if p.facts.Running {
		p.order(&p.busy, p.d.Backend.Stop)
		return
	}
	p.order(&p.busy, p.d.Backend.Start)
}

// closeRows puts rows below each other without room between.
type closeRows struct{}

// MinSize is the sum of the rows.
func (closeRows) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			m := o.MinSize()
			size = fyne.NewSize(max(size.Width, m.Width), size.Height+m.Height-rowOverlap)
		}
	}
	return size.AddWidthHeight(0, rowOverlap)
}

// rowOverlap is the space that two labels have between them twice.
const rowOverlap = 8

// Layout gives each row the height that it needs at the width.
func (closeRows) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	var y float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		o.Resize(fyne.NewSize(size.Width, o.MinSize().Height))
		h := o.MinSize().Height
		o.Resize(fyne.NewSize(size.Width, h))
		o.Move(fyne.NewPos(0, y))
		y += h - rowOverlap
	}
}
