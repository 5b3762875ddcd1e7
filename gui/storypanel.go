package gui

import (
	"context"
	"os"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// storyPanel shows the way of one message at the right of a list, with what can
// be done about it.
type storyPanel struct {
	d       *Desk
	changed func(id string) // something was done with the message
	closed  func()

	id    string // what is asked for; "" nothing
	of    string // whose facts they are
	facts facts.Story
	known bool
	busy  bool

	resting bool // another one was asked for a moment ago
	late    bool // and one more since

	rows  *fyne.Container
	foot  *fyne.Container
	scrol *container.Scroll
	root  *fyne.Container
}

func newStoryPanel(d *Desk, changed func(string), closed func()) *storyPanel {
	return &storyPanel{d: d, changed: changed, closed: closed, root: container.NewStack()}
}

// show asks for the way of a message; "" empties the panel.
func (s *storyPanel) show(id string) {
	s.id = id
	if id == "" {
		s.known = false
		s.draw()
		return
	}
	if s.resting {
		s.late = true
		return
	}
	s.resting = true
	time.AfterFunc(storyRest, func() { post(s.rested) })
	work(s.d, func(ctx context.Context) (facts.Story, error) { return s.d.Backend.Story(ctx, id) }, func(story facts.Story, err error) {
		if s.id != id {
			return // another one was chosen meanwhile
		}
		if err != nil {
			s.known = false
			s.draw()
			s.rows.Add(wizardText(present.Sentence(s.d.Text(), err, i18n.Context{Name: id}).What))
			return
		}
		s.facts, s.of, s.known = story, id, true
		s.draw()
	})
}

// storyRest is the least time between two messages: who holds an arrow key down
// passes by what he cannot read.
const storyRest = 100 * time.Millisecond

func (s *storyPanel) rested() {
	s.resting = false
	if s.late {
		s.late = false
		s.show(s.id)
	}
}

// again asks anew for what is shown.
func (s *storyPanel) again() {
	if s.id != "" {
		s.show(s.id)
	}
}

// build makes the widgets anew in the language of the moment.
func (s *storyPanel) build() {
	s.rows, s.foot = container.New(&closeRows{}), container.New(&flow{})
	s.scrol = container.NewVScroll(s.rows)
	s.root.Objects = []fyne.CanvasObject{container.NewBorder(nil, s.foot, nil, nil, s.scrol)}
	s.root.Refresh()
	s.draw()
}

// draw shows what is known.
func (s *storyPanel) draw() {
	if s.rows == nil {
		return
	}
	s.rows.Objects, s.foot.Objects = nil, nil
	if s.known {
		v := present.NewStory(s.d.Text(), s.facts, s.d.Now())
		s.head(v)
		s.way(v)
		s.details(v)
		s.buttons(v)
	}
	s.rows.Refresh()
	s.foot.Refresh()
	s.scrol.ScrollToTop()
}

func (s *storyPanel) head(v present.Story) {
	subject := wizardText(v.Subject)
	subject.TextStyle.Bold = true
	subject.Selectable = true
	s.rows.Add(subject)
	if v.Fault.What != "" {
		what := wizardText(v.Fault.What)
		what.Importance = importance(v.Mark)
		s.rows.Add(what)
		s.rows.Add(wizardText(join(v.Fault.Meaning, v.Fault.Advice)))
		if v.Fault.Detail != "" {
			s.rows.Add(small(v.Fault.Detail))
		}
	}
}

// details are what a mail program would show of the message, and its numbers.
func (s *storyPanel) details(v present.Story) {
	s.rows.Add(container.New(layout.NewCustomPaddedLayout(8, 12, 0, 0), widget.NewSeparator()))
	for _, line := range v.Lines {
		s.rows.Add(pair(line[0], line[1], 96, present.MarkNone))
	}
	for _, r := range v.People {
		if r.Reply != "" {
			s.rows.Add(small(r.Address + ", " + r.State + ": " + r.Reply))
		}
	}
}

func (s *storyPanel) way(v present.Story) {
	for _, step := range v.Steps {
		s.rows.Add(pair(step.Time, sign(step.Mark)+step.Text, 72, step.Mark))
	}
}

// pair is a short word and what belongs to it, which may need several lines.
func pair(word, text string, width float32, mark present.Mark) fyne.CanvasObject {
	left := widget.NewLabel(word)
	left.Importance = widget.LowImportance
	right := wizardText(text)
	right.Selectable = true
	right.Importance = importance(mark)
	return container.NewBorder(nil, nil, container.New(&leastSize{width: width}, container.NewVBox(left)), nil, right)
}

// buttons are what can be done with the message.
func (s *storyPanel) buttons(v present.Story) {
	t := s.d.Text()
	add := func(on bool, key string, do func()) {
		if on {
			b := newButton(t.T(key), func() {
				if s.there() {
					do()
				}
			})
			able(b, !s.busy)
			s.foot.Add(b)
		}
	}
	a := v.Actions
	retry := "main.queue.retry"
	if st := s.facts.Entry.State; st == mail.TooBig || st == mail.Failed {
		retry = "main.queue.fetch"
	}
	add(a.Retry, retry, s.retry)
	add(a.SendTo, "main.queue.send_to", s.sendTo)
	add(a.Save, "main.queue.save", s.save)
	add(a.Delete, "main.queue.delete", s.remove)
	if s.closed != nil {
		b := newButton(t.T("main.close"), s.closed)
		b.Importance = widget.LowImportance
		s.foot.Add(b)
	}
}

// there tells whether the message that can be read is the one that was chosen:
// while the next one is on its way nothing may happen to either.
func (s *storyPanel) there() bool { return s.known && s.of == s.id && !s.busy }

// act does something with the message and shows what became of it.
func (s *storyPanel) act(job func(context.Context, string) (mail.Entry, error)) {
	id := s.id
	s.busy = true
	s.draw()
	work(s.d, func(ctx context.Context) (mail.Entry, error) { return job(ctx, id) }, func(_ mail.Entry, err error) {
		s.busy = false
		s.draw()
		if err != nil {
			tellError(s.d, err, i18n.Context{Name: id})
		}
		s.again()
		s.changed(id)
	})
}

func (s *storyPanel) retry() { s.act(s.d.Backend.Retry) }

func (s *storyPanel) remove() {
	t := s.d.Text()
	confirm(s.d, t.T("main.queue.delete_title"), present.DeleteQuestion(t, s.facts.Entry), t.T("main.queue.delete_verb"),
		func() { s.act(s.d.Backend.Delete) })
}

// sendTo asks for another address.
func (s *storyPanel) sendTo() {
	t := s.d.Text()
	work(s.d, s.d.Backend.Config, func(cfg *config.Config, _ error) {
		var q *question
		keys := wizardKeys{enter: func() { q.entryKey(fyne.KeyReturn) }, escape: func() { q.key(fyne.KeyEscape) }}
		entry := newWizardSelectEntry(keys, "", present.SendToChoices(cfg), nil)
		fault := newWizardFaultLine()
		q = ask(s.d, t.T("main.queue.send_to_title"), t.T("main.queue.send_to_text"), container.NewVBox(entry, fault.box), entry,
			answer{label: t.T("main.queue.send"), do: func() bool {
				if !present.LooksLikeAddress(entry.Text) {
					fault.set(t.T("main.fault.address"))
					return true
				}
				address := present.Trim(entry.Text)
				s.act(func(ctx context.Context, id string) (mail.Entry, error) { return s.d.Backend.SendTo(ctx, id, address) })
				return false
			}},
			answer{label: t.T("main.cancel")})
	})
}

// save writes the message into a file.
func (s *storyPanel) save() {
	id := s.id
	saveAs(s.d, present.FileName(s.facts.Entry), func(ctx context.Context, f *os.File) error { return s.d.Backend.Save(ctx, id, f) })
}
