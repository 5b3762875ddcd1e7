package gui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// logPage answers: where is my mail?
type logPage struct {
	d      *Desk
	choice present.LogChoice
	pager  *present.Pager
	cfg    *config.Config
	shown  bool
	pace   pace
	calls  int // of search, to use the last one only
	chosen string

	search  *keyEntry
	day     *dayButton
	state   *choiceControl
	mailbox *choiceControl
	person  *wizardSelectEntry
	news    *Button
	clear   *Button
	list    *keyList
	empty   *widget.Label
	body    *fyne.Container
	story   *storyPanel
	root    *fyne.Container
}

// searchRest is how long a person may rest between two letters before the log
// is searched.
const searchRest = 300 * time.Millisecond

// NewLogPage makes the delivery log.
func NewLogPage(d *Desk) Page {
	p := &logPage{d: d, pager: &present.Pager{}, root: container.NewStack()}
	p.begin()
	p.pace.read = p.read
	p.story = newStoryPanel(d, func(string) { p.pace.now(); focusIfFree(p.d, p.list) }, p.closeStory)
	return p
}

// Title is the key of the title.
func (p *logPage) Title() string { return PageLog }

// Content is the page.
func (p *logPage) Content() fyne.CanvasObject { return p.root }

// Shown reads the log anew and puts the cursor into the search field.
func (p *logPage) Shown() {
	p.shown = true
	work(p.d, p.d.Backend.Config, func(cfg *config.Config, _ error) { p.know(cfg) })
	p.pace.now()
	p.d.Window.Canvas().Focus(p.search)
}

// Hidden stops reading.
func (p *logPage) Hidden() {
	p.shown = false
	p.day.close()
}

// Open shows one message: its number is what is searched for.
func (p *logPage) Open(id string) {
	p.chosen = id
	p.search.SetText(id)
	p.openStory(id)
}

// Heard reads the newest lines when there are any, without taking away what the
// person looks at.
func (p *logPage) Heard(events []facts.Event) {
	if !p.shown {
		return
	}
	for _, ev := range events {
		if ev.Kind == facts.EventStarted || ev.Kind == facts.EventMailboxStart || ev.Kind == facts.EventStopping {
			continue
		}
		if p.list.GetScrollOffset() > 0 {
			p.news.Show()
		} else {
			p.pace.news()
		}
		return
	}
}

// logColumns are those of the list.
func logColumns() columns {
	return columns{{min: 104}, {min: 88, share: 3, drop: 1}, {min: 120, share: 4}, {min: 96, share: 3, drop: 2}, {min: 72, drop: 3}, {min: 112}}
}

// Retext writes every text anew.
func (p *logPage) Retext() {
	t := p.d.Text()
	p.search = newKeyEntry(p.searchKey)
	p.search.SetPlaceHolder(t.T("main.log.search"))
	p.search.Text = p.choice.Search
	p.search.OnChanged = p.searchLater
	export := newButton(t.T("main.log.export"), p.export)
	p.clear = newButton(t.T("main.log.clear"), p.clearChoice)
	p.news = newButton(t.T("main.log.news"), func() { p.news.Hide(); p.list.ScrollToTop(); p.pace.now() })
	p.news.Hide()
	filters := p.filters()
	p.list = newKeyList(p.pager.Len, func() fyne.CanvasObject { return newRow(logColumns()) }, p.row)
	p.list.OnSelected = p.selected
	p.list.onKey = func(key fyne.KeyName) bool {
		if key == fyne.KeyEscape {
			p.closeStory()
			return true
		}
		return false
	}
	head := newTitles(logColumns(), t.T("col.time"), t.T("col.from"), t.T("col.subject"), t.T("col.for"), t.T("col.size"), t.T("col.state"))
	p.empty = wizardText("")
	p.empty.Hide()
	table := container.NewBorder(container.NewVBox(head, widget.NewSeparator()), nil, nil, nil, container.NewStack(p.list, p.empty))
	p.body = container.NewStack(table)
	p.story.build()
	bar := container.NewVBox(container.NewBorder(nil, nil, nil, container.NewHBox(p.clear, export), p.search), filters, p.news)
	p.root.Objects = []fyne.CanvasObject{container.NewBorder(bar, nil, nil, nil, p.body)}
	p.root.Refresh()
	p.know(p.cfg)
	arrange(p.body, table, p.story)
	p.drawEmpty()
}

// filters is the row of choices below the search.
func (p *logPage) filters() fyne.CanvasObject {
	t := p.d.Text()
	p.day = newDayButton(p.d, p.choice.Day, func(day time.Time) { p.choice.Day = day; p.choose() })
	states := []present.Choice{{Label: "main.log.all_states"}}
	for _, s := range mail.States() {
		states = append(states, present.Choice{Value: string(s), Label: "state." + string(s)})
	}
	p.state = p.filter(states, string(p.choice.State), func(v string) { p.choice.State = mail.State(v) })
	p.mailbox = p.filter([]present.Choice{{Label: "main.log.all_mailboxes"}}, p.choice.Mailbox, func(v string) { p.choice.Mailbox = v })
	p.person = newWizardSelectEntry(wizardKeys{enter: p.choose, escape: p.clearChoice}, p.choice.Person, nil, func(text string) {
		p.choice.Person = present.Trim(text)
		p.later(p.choose)
	})
	p.person.SetPlaceHolder(t.T("main.log.person"))
	return container.NewGridWithColumns(4, p.day.button, p.state.choice, p.mailbox.choice, p.person)
}

// filter is a choice among values, all without one.
func (p *logPage) filter(choices []present.Choice, now string, set func(string)) *choiceControl {
	c := &choiceControl{}
	var labels []string
	for _, ch := range choices {
		c.values, labels = append(c.values, ch.Value), append(labels, p.d.Text().T(ch.Label))
	}
	keys := wizardKeys{enter: func() {}, escape: p.clearChoice}
	c.choice = newWizardSelect(keys, c.values, labels, now, func(v string) { set(v); p.choose() })
	return c
}

// know offers the mailboxes and people of the settings.
func (p *logPage) know(cfg *config.Config) {
	if cfg == nil || p.mailbox == nil {
		return
	}
	p.cfg = cfg
	p.mailbox.values = []string{""}
	labels := []string{p.d.Text().T("main.log.all_mailboxes")}
	for _, m := range cfg.Mailboxes {
		p.mailbox.values, labels = append(p.mailbox.values, m.Name), append(labels, m.Name)
	}
	p.mailbox.choice.Options = labels
	values := p.mailbox.values
	p.mailbox.choice.OnChanged = func(string) {
		if i := p.mailbox.choice.SelectedIndex(); i >= 0 && values[i] != p.choice.Mailbox {
			p.choice.Mailbox = values[i]
			p.choose()
		}
	}
	p.mailbox.set(p.choice.Mailbox)
	p.person.SetOptions(present.SendToChoices(cfg))
}

func (p *logPage) searchKey(key fyne.KeyName) bool {
	switch key {
	case fyne.KeyEscape:
		if p.story.id != "" {
			p.closeStory()
		} else {
			p.clearChoice()
		}
	case fyne.KeyDown:
		p.d.Window.Canvas().Focus(p.list)
		p.list.choose(max(p.list.at, 0))
	case fyne.KeyReturn, fyne.KeyEnter:
		p.choose()
	default:
		return false
	}
	return true
}

func (p *logPage) searchLater(text string) {
	p.choice.Search = text
	p.later(p.choose)
}

// later calls do when nobody has called it again for a while.
func (p *logPage) later(do func()) {
	p.calls++
	call := p.calls
	time.AfterFunc(searchRest, func() {
		post(func() {
			if call == p.calls {
				do()
			}
		})
	})
}

func (p *logPage) clearChoice() {
	p.choice = present.LogChoice{}
	p.search.SetText("")
	p.person.SetText("")
	p.day.set(time.Time{})
	p.state.set("")
	p.mailbox.set("")
	p.choose()
}

// choose reads the log with what is chosen now.
func (p *logPage) choose() {
	p.calls++ // a search that waits is overtaken
	p.begin()
	p.list.none()
	p.list.ScrollToTop()
	p.list.Refresh()
	p.pace.now()
}

// begin forgets the lines; read brings the first page of the new ones.
func (p *logPage) begin() {
	p.pager.Reset(p.choice.Filter())
	p.pager.Want(0)
}

// read reads the newest lines; what is shown stays until they are there.
func (p *logPage) read(done func()) {
	next := &present.Pager{}
	*next = *p.pager
	next.Reset(p.choice.Filter())
	wish, _ := next.Want(0)
	p.fetch(wish, func(rows []mail.Entry, err error) {
		defer done()
		if p.pager.Filter() != next.Filter() {
			return // chosen otherwise meanwhile: another reading follows
		}
		if err != nil {
			p.drawFault(err)
			return
		}
		next.Take(wish, rows)
		p.pager = next
		p.list.Length = p.pager.Len
		p.news.Hide()
		p.keepChoice()
		p.list.Refresh()
		p.drawEmpty()
	})
}

// keepChoice marks the message that is open where it stands now.
func (p *logPage) keepChoice() {
	p.list.none()
	for i := range p.pager.Known() {
		if e, ok := p.pager.Row(i); ok && e.ID == p.chosen {
			onSelected := p.list.OnSelected
			p.list.OnSelected = nil
			p.list.Select(i)
			p.list.at, p.list.OnSelected = i, onSelected
			p.story.again()
			return
		}
	}
}

func (p *logPage) fetch(wish present.Wish, show func([]mail.Entry, error)) {
	work(p.d, func(ctx context.Context) ([]mail.Entry, error) { return p.d.Backend.Page(ctx, wish.Filter) }, show)
}

// row fills one line; when its page is not in memory it is read.
func (p *logPage) row(i widget.ListItemID, o fyne.CanvasObject) {
	e, ok := p.pager.Row(i)
	if !ok {
		o.(*row).show(plain("", "", "...", "", "", ""))
		p.want(i)
		return
	}
	r := present.NewLogRow(p.d.Text(), e, p.d.Now())
	cells := plain(r.Time, r.From, r.Subject, r.To, r.Size, sign(r.Mark)+r.State)
	cells[5].mark = r.Mark
	o.(*row).show(cells)
}

func (p *logPage) want(i int) {
	pager := p.pager
	wish, ok := pager.Want(i)
	if !ok {
		return
	}
	p.fetch(wish, func(rows []mail.Entry, err error) {
		if err != nil {
			pager.Failed(wish)
			p.drawFault(err)
			return
		}
		if !pager.Take(wish, rows) || pager != p.pager {
			return
		}
		p.list.Refresh()
		// The line that was chosen may have come only now.
		if e, ok := pager.Row(p.list.at); ok && e.ID != p.chosen {
			p.selected(p.list.at)
		}
	})
}

// drawEmpty says so when nothing fits.
func (p *logPage) drawEmpty() {
	visible(p.empty, p.pager.Empty())
	visible(p.list, !p.pager.Empty())
	p.empty.SetText(p.d.Text().T("main.log.empty"))
	if p.choice.Any() {
		p.empty.SetText(p.d.Text().T("log.empty"))
	}
	able(p.clear, p.choice.Any())
}

func (p *logPage) drawFault(err error) {
	e := present.Sentence(p.d.Text(), err, i18n.Context{})
	p.empty.SetText(join(e.What, e.Meaning, e.Advice))
	p.empty.Show()
	p.list.Hide()
}

func (p *logPage) selected(i widget.ListItemID) {
	p.list.at = i
	if e, ok := p.pager.Row(i); ok {
		p.chosen = e.ID
		p.openStory(e.ID)
	}
}

func (p *logPage) openStory(id string) {
	p.story.show(id)
	arrange(p.body, nil, p.story)
}

func (p *logPage) closeStory() {
	p.chosen = ""
	p.story.show("")
	p.list.none()
	arrange(p.body, nil, p.story)
	p.d.Window.Canvas().Focus(p.search)
}
