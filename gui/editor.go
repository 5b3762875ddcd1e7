package gui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// editorWords are the keys of what an editor says of its things.
type editorWords struct {
	about    string // a sentence at the top, "" for none
	none     string // there is nothing yet
	fresh    string // the heading of a new one
	question string // before one is removed, with Name
}

// editor lists the tables of a collection at the left and edits one of them at
// the right. What is typed reaches nothing before it is saved.
type editor[T any] struct {
	d      *Desk
	of     *present.Collection[T]
	words  editorWords
	extra  func() []fyne.CanvasObject // further buttons for the thing that is open; may be nil
	beside func() fyne.CanvasObject   // stands under Add; may be nil
	saved  func()                     // after something changed; may be nil
	above  fyne.CanvasObject          // stands over the form; may be nil

	cfg   *config.Config
	names []string
	marks []present.Mark // of the names; may be shorter
	item  *present.Item[T]
	form  *form
	busy  bool
	want  string // the name to open when the settings are read, "" for the first
	quiet bool   // the list is changed by the program

	list  *keyList
	pane  *fyne.Container
	addB  *Button
	saveB *Button
	undoB *Button
	delB  *Button
	state *widget.Label
	root  *fyne.Container
}

func newEditor[T any](d *Desk, of *present.Collection[T], words editorWords) *editor[T] {
	return &editor[T]{d: d, of: of, words: words, root: container.NewStack()}
}

// build makes every widget anew, in the language of the moment; what is being
// typed stays.
func (e *editor[T]) build() {
	p := e.d.Text()
	e.list = newKeyList(func() int { return len(e.names) }, func() fyne.CanvasObject { return newRow(oneColumn()) }, func(i widget.ListItemID, o fyne.CanvasObject) {
		c := cell{text: e.names[i]}
		if i < len(e.marks) {
			c = cell{text: sign(e.marks[i]) + e.names[i], mark: e.marks[i]}
		}
		o.(*row).show([]cell{c})
	})
	e.list.OnSelected = func(i widget.ListItemID) {
		e.list.at = i
		if !e.quiet {
			e.leaving(func() { e.open(i) })
		}
	}
	e.addB = newButton(p.T("main.add"), func() { e.leaving(func() { e.open(-1) }) })
	e.pane = container.NewStack()
	e.state = wizardText("")
	e.saveB = newMainButton(p.T("main.save"), e.save)
	e.undoB = newButton(p.T("main.undo"), e.undo)
	e.delB = newButton(p.T("main.remove"), e.remove)
	foot := container.NewVBox(e.addB, e.delB)
	if e.beside != nil {
		foot.Add(e.beside())
	}
	left := container.NewBorder(nil, container.NewPadded(foot), nil, nil, e.list)
	split := container.NewBorder(nil, nil, container.New(&leastSize{width: 176}, container.NewBorder(nil, nil, nil, widget.NewSeparator(), left)), nil, e.pane)
	var top fyne.CanvasObject
	if e.words.about != "" {
		top = wizardHint(p.T(e.words.about))
	}
	e.root.Objects = []fyne.CanvasObject{container.NewBorder(top, nil, nil, nil, split)}
	e.root.Refresh()
	e.draw()
}

// shown reads the settings anew, unless something is being edited.
func (e *editor[T]) shown() {
	if e.form != nil && e.form.dirty || e.busy {
		return
	}
	e.read()
}

// read reads the settings and opens what was open, or what is wanted.
func (e *editor[T]) read() {
	name := e.want
	if name == "" && e.item != nil && !e.item.Fresh() {
		name = e.of.Name(*e.item.Was())
	}
	work(e.d, e.d.Backend.Config, func(cfg *config.Config, err error) {
		if err != nil && !present.NoConfigYet(err) {
			e.tell(err)
		}
		e.cfg, e.want = cfg, ""
		e.names = e.of.Names(cfg)
		at := slices.Index(e.names, name)
		if at < 0 && len(e.names) > 0 {
			at = 0
		}
		e.item, e.form = nil, nil
		if at >= 0 {
			e.open(at)
		} else {
			e.draw()
		}
	})
}

// open edits the thing at a place of the list, a new one below zero.
func (e *editor[T]) open(at int) {
	if e.cfg == nil {
		return
	}
	e.item = e.of.Open(e.cfg, at)
	e.form = nil
	e.draw()
	e.choose(at)
	if at < 0 {
		e.form.focusFirst()
	}
}

// choose marks the row without opening it.
func (e *editor[T]) choose(at int) {
	e.quiet = true
	e.list.Refresh()
	if at < 0 {
		e.list.none()
	} else {
		e.list.Select(at)
		e.list.at = at
	}
	e.quiet = false
}

// show opens the thing with a name, now or as soon as the settings are read.
func (e *editor[T]) show(name string) {
	e.want = name
	e.leaving(e.read)
}

// leaving goes on at once, or asks what to do with what was typed.
func (e *editor[T]) leaving(then func()) {
	if e.form == nil || !e.form.dirty {
		then()
		return
	}
	p := e.d.Text()
	back := func() bool {
		e.choose(e.place())
		return false
	}
	ask(e.d, p.T("main.unsaved.title"), p.T("main.unsaved.text"), nil, nil,
		answer{label: p.T("main.save"), do: func() bool { back(); e.save(); return false }},
		answer{label: p.T("main.unsaved.discard"), do: func() bool { e.form.dirty = false; then(); return false }},
		answer{label: p.T("main.unsaved.stay"), do: back})
}

// place is where the open thing stands in the list, -1 for a new one.
func (e *editor[T]) place() int {
	if e.item == nil || e.item.Fresh() {
		return -1
	}
	return slices.Index(e.names, e.of.Name(*e.item.Was()))
}

// draw shows the open thing.
func (e *editor[T]) draw() {
	p := e.d.Text()
	if e.list == nil {
		return
	}
	e.list.Refresh()
	if e.item == nil {
		e.pane.Objects = []fyne.CanvasObject{container.NewPadded(wizardText(p.T(e.words.none)))}
		e.pane.Refresh()
		return
	}
	typed := map[string]string{}
	dirty := e.form != nil && e.form.dirty
	if dirty {
		for _, row := range e.form.rows {
			typed[row.field.Key] = row.control.get()
		}
	}
	e.form = newForm(e.d, e.item, wizardKeys{enter: e.save, escape: e.undo}, e.mark)
	for _, row := range e.form.rows {
		if text, ok := typed[row.field.Key]; ok && dirty {
			row.control.set(text)
		}
	}
	e.form.dirty = dirty
	title := p.T(e.words.fresh)
	if !e.item.Fresh() {
		title = e.of.Name(*e.item.Edited())
	}
	heading := widget.NewLabelWithStyle(title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	heading.Truncation = fyne.TextTruncateEllipsis
	rows := container.NewVBox(heading)
	if e.above != nil && !e.item.Fresh() {
		rows.Add(e.above)
	}
	rows.Add(e.form.box)
	buttons := container.New(&flow{}, e.saveB, e.undoB)
	if e.extra != nil {
		for _, b := range e.extra() {
			buttons.Add(b)
		}
	}
	foot := container.NewVBox(widget.NewSeparator(), container.NewBorder(nil, nil, nil, nil, e.state), container.NewPadded(buttons))
	e.pane.Objects = []fyne.CanvasObject{container.NewBorder(nil, foot, nil, nil, container.NewVScroll(container.NewPadded(rows)))}
	e.pane.Refresh()
	e.mark()
}

// mark says what can be done now.
func (e *editor[T]) mark() {
	p := e.d.Text()
	dirty := e.form != nil && e.form.dirty
	open := !e.busy && e.form != nil && (dirty || e.item.Fresh())
	able(e.saveB, open)
	able(e.undoB, open)
	able(e.delB, e.item != nil && !e.item.Fresh() && !e.busy)
	switch {
	case e.busy:
		e.state.SetText(p.T("main.saving"))
	case dirty:
		e.state.SetText(p.T("main.not_saved"))
	}
	visible(e.state, e.state.Text != "" && (e.busy || dirty || e.state.Text == p.T("main.saved")))
}

// undo shows the thing as it is in the settings.
func (e *editor[T]) undo() {
	if e.item == nil || e.busy {
		return
	}
	e.form.dirty = false
	e.read()
}

// save keeps what was typed and applies it.
func (e *editor[T]) save() {
	if e.form == nil || e.busy || !e.form.dirty && !e.item.Fresh() || !e.form.store() {
		return
	}
	password := e.form.password()
	item := e.item
	e.busy = true
	e.mark()
	work(e.d, func(ctx context.Context) ([]present.FieldFault, error) {
		return present.Keep(ctx, e.d.Backend, item, password)
	}, func(found []present.FieldFault, err error) {
		e.busy = false
		if err != nil {
			e.mark()
			e.tell(err)
			return
		}
		if hasFault(found) {
			e.form.tell(found)
			e.mark()
			return
		}
		e.want = e.of.Name(*item.Edited())
		e.form.dirty = false
		e.after(found)
	})
}

// after goes on when something was saved.
func (e *editor[T]) after(warnings []present.FieldFault) {
	work(e.d, e.d.Backend.Config, func(cfg *config.Config, err error) {
		if err != nil {
			e.tell(err)
			return
		}
		e.cfg = cfg
		e.names = e.of.Names(cfg)
		at := slices.Index(e.names, e.want)
		e.want = ""
		if at < 0 {
			e.item, e.form = nil, nil
			e.draw()
		} else {
			e.open(at)
			e.form.tell(warnings)
			e.state.SetText(e.d.Text().T("main.saved"))
			e.mark()
		}
		if e.saved != nil {
			e.saved()
		}
	})
}

// remove takes the open thing out of the settings, after a question.
func (e *editor[T]) remove() {
	if e.item == nil || e.item.Fresh() || e.busy {
		return
	}
	p := e.d.Text()
	item := e.item
	name := e.of.Name(*item.Was())
	confirm(e.d, p.T("main.remove_title", i18n.Args{"Name": name}), p.T(e.words.question, i18n.Args{"Name": name}), p.T("main.remove_verb"), func() {
		e.busy = true
		e.mark()
		work(e.d, func(ctx context.Context) ([]facts.Problem, error) { return present.Remove(ctx, e.d.Backend, item) },
			func(problems []facts.Problem, err error) {
				e.busy = false
				e.mark()
				switch {
				case err != nil:
					e.tell(err)
				case len(problems) > 0:
					tellFault(e.d, i18n.Explanation{What: p.T("main.cannot_remove"), Meaning: present.Reasons(problems)})
				default:
					e.item, e.form = nil, nil
					e.after(nil)
				}
			})
	})
}

func (e *editor[T]) tell(err error) { tellError(e.d, err, i18n.Context{}) }

// able switches a button on or off.
func able(b fyne.Disableable, on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}
