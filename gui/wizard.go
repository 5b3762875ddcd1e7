package gui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// The size of the wizard's window, and of the list of steps in it.
const (
	wizardWidthOf  = 760
	wizardHeightOf = 560
	wizardSide     = 184
	wizardButton   = 104
)

// Wizard is the setup wizard in a window of its own. What it asks and what it
// makes of the answers is in present.Wizard. All methods belong to the
// goroutine of the user interface.
type Wizard struct {
	desk    *Desk
	win     fyne.Window // nil until the settings so far are read
	answers *present.Wizard
	initial string          // language at the start, for Cancel
	run     func(func())    // starts work beside the user interface
	closed  func(done bool) // told once, when the window closes; done: settings were written
	ctx     context.Context // ends with the wizard
	end     context.CancelFunc

	pages    []wizardPage
	steps    []*Button
	marks    []*widget.Icon // of the steps
	side     *fyne.Container
	heading  *widget.Label
	question *widget.Label
	body     *container.Scroll
	frame    *wizardFrame
	main     *fyne.Container
	back     *Button
	next     *Button
	cancel   *Button
	over     bool // Finish has written the settings
	anew     bool // there are settings that cannot be used
}

// wizardPage is one step. build makes the widgets anew in the language of the
// wizard; the answers themselves are in present.Wizard.
type wizardPage interface {
	build() fyne.CanvasObject
	first() fyne.Focusable // where the typing begins, may be nil
	check(faults []present.WizardFault) *wizardField
	leave() // another page is shown: stop what runs
}

// OpenWizard shows the wizard with the settings so far. closed is told once
// when its window closes: with done when settings were written, so that the
// main window is worth showing.
func OpenWizard(d *Desk, closed func(done bool)) *Wizard {
	w := newWizard(d, closed)
	w.run(func() {
		cfg, err := d.Backend.Config(w.ctx)
		post(func() {
			if cfg == nil {
				cfg = config.Defaults()
			}
			w.anew = err != nil && mail.AsFailure(err).Code != facts.CodeConfigMissing
			w.open(cfg, d.App.NewWindow(""))
			w.win.Show()
		})
	})
	return w
}

func newWizard(d *Desk, closed func(bool)) *Wizard {
	w := &Wizard{desk: d, closed: closed, run: func(f func()) { go f() }}
	w.ctx, w.end = context.WithCancel(d.Context)
	return w
}

// Raise brings the window to the front.
func (w *Wizard) Raise() {
	if w.win != nil {
		w.win.RequestFocus()
	}
}

// open fills the window with the wizard.
func (w *Wizard) open(cfg *config.Config, win fyne.Window) {
	p := w.desk.Text()
	w.initial = p.Lang()
	w.answers = present.NewWizard(cfg, p)
	if on, err := w.autostart(); err == nil && len(cfg.Mailboxes) > 0 {
		w.answers.Begin(on) // of a set-up that exists; a new one begins with the usual
	}
	w.win = win
	w.pages = []wizardPage{
		&wizardWelcome{w: w}, &wizardStart{w: w}, &wizardLine{w: w}, &wizardOffice{w: w}, newWizardTarget(w),
		newWizardIncoming(w), &wizardLook{w: w}, &wizardSchedule{w: w}, &wizardSummary{w: w},
	}
	win.SetCloseIntercept(w.askCancel)
	win.Canvas().SetOnTypedKey(func(ev *fyne.KeyEvent) {
		if win.Canvas().Overlays().Top() == nil {
			w.keys().pressed(ev)
		}
	})
	w.Retext()
	win.Resize(fyne.NewSize(wizardWidthOf, wizardHeightOf))
	win.CenterOnScreen()
}

func (w *Wizard) autostart() (bool, error) {
	if w.desk.Autostart == nil {
		return false, nil
	}
	return w.desk.Autostart.Enabled()
}

// Retext builds everything anew in the language of the answers.
func (w *Wizard) Retext() {
	p := w.p()
	w.win.SetTitle(p.T("wizard.title"))
	w.buildSide()
	w.heading, w.question = wizardText(""), wizardText("")
	w.heading.SizeName, w.heading.TextStyle = theme.SizeNameHeadingText, fyne.TextStyle{Bold: true}
	w.body = container.NewVScroll(widget.NewLabel(""))
	w.back = newButton(p.T("wizard.back"), w.goBack)
	w.next = newMainButton(p.T("wizard.next"), w.goNext)
	w.frame = &wizardFrame{heading: w.heading, question: w.question, body: w.body, scroll: w.body,
		buttons: container.NewHBox(layout.NewSpacer(), wizardWidth(wizardButton, w.back), wizardWidth(wizardButton, w.next))}
	w.main = container.New(w.frame, w.heading, w.question, w.body, w.frame.buttons)
	w.win.SetContent(container.NewBorder(nil, nil, w.side, nil, w.main))
	w.show()
}

func (w *Wizard) p() *i18n.Printer { return w.answers.Printer() }

// keys are what Enter and Escape do wherever the focus is.
func (w *Wizard) keys() wizardKeys { return wizardKeys{enter: w.goNext, escape: w.askCancel} }

// page is the one that is shown.
func (w *Wizard) page() wizardPage { return w.pages[w.answers.Current()] }

// show brings the current step into the window and the focus to its first field.
func (w *Wizard) show() {
	p, s := w.p(), w.answers.Current()
	w.ask(p.T("wizard."+s.Key()+".heading"), p.T("wizard."+s.Key()+".question"))
	w.body.Content = wizardPageBox(w.page().build())
	w.body.Offset = fyne.Position{}
	w.changed()
	w.refreshButtons()
	if f := w.page().first(); f != nil {
		w.win.Canvas().Focus(f)
	} else {
		w.win.Canvas().Focus(w.next)
	}
}

// ask writes the heading of the page and the sentence below it.
func (w *Wizard) ask(heading, question string) {
	w.heading.SetText(heading)
	w.question.SetText(question)
}

// rebuild shows the current step anew after an answer that changes its fields.
// The focus stays where the answer was given; nil leaves it to the caller.
func (w *Wizard) rebuild(at fyne.Focusable) {
	place := slices.Index(focusables(w.body.Content), at)
	offset := w.body.Offset
	w.body.Content = wizardPageBox(w.page().build())
	w.body.Offset = offset
	w.changed()
	if all := focusables(w.body.Content); place >= 0 && place < len(all) {
		w.win.Canvas().Focus(all[place])
	}
}

// focusables lists what can have the focus, in the order of Tab.
func focusables(o fyne.CanvasObject) []fyne.Focusable {
	var out []fyne.Focusable
	switch o := o.(type) {
	case fyne.Focusable:
		out = append(out, o)
	case *fyne.Container:
		for _, c := range o.Objects {
			out = append(out, focusables(c)...)
		}
	case *container.ThemeOverride:
		out = focusables(o.Content)
	}
	return out
}

// changed shows the faults anew, once Next was pressed on this page.
func (w *Wizard) changed() {
	s := w.answers.Current()
	if w.answers.Tried(s) {
		w.page().check(w.answers.Faults(s))
	}
	w.refreshSteps()
	w.relayout()
}

// relayout gives every text the room that it needs now, and every button that
// is there now its Escape.
func (w *Wizard) relayout() {
	for _, part := range []fyne.CanvasObject{w.body.Content, w.frame.buttons, w.side} {
		for _, f := range focusables(part) {
			if b, is := f.(*Button); is {
				b.escape = w.askCancel
			}
		}
	}
	w.frame.Layout(nil, w.main.Size())
}

func (w *Wizard) refreshButtons() {
	p := w.p()
	w.back.Show()
	switch {
	case w.over:
		w.back.Hide()
		w.cancel.Hide()
		w.next.SetText(p.T("wizard.close"))
	case w.answers.Current() == present.WizardSummary:
		w.next.SetText(p.T("wizard.finish"))
	default:
		w.next.SetText(p.T("wizard.next"))
	}
	if w.answers.Current() == present.WizardWelcome {
		w.back.Disable()
	} else {
		w.back.Enable()
	}
}

func (w *Wizard) goNext() {
	switch {
	case w.over:
		w.close()
	case w.next.Disabled():
	case w.answers.Current() == present.WizardSummary:
		w.page().(*wizardSummary).finish()
	default:
		from := w.page()
		if faults := w.answers.Next(); len(faults) > 0 {
			w.point(faults)
			return
		}
		from.leave()
		w.show()
	}
}

// point shows the faults of the page and brings the focus to the first.
func (w *Wizard) point(faults []present.WizardFault) {
	if p, is := w.page().(*wizardIncoming); is {
		p.aim(faults)
	}
	first := w.page().check(faults)
	w.refreshSteps()
	w.relayout()
	if first == nil || first.focus == nil {
		return
	}
	w.win.Canvas().Focus(first.focus)
	w.reveal(first.row)
}

// reveal scrolls a row into sight.
func (w *Wizard) reveal(row fyne.CanvasObject) {
	top := fyne.CurrentApp().Driver().AbsolutePositionForObject(row).Y
	home := fyne.CurrentApp().Driver().AbsolutePositionForObject(w.body.Content).Y
	y := top - home
	if seen := w.body.Offset.Y; y < seen || y+row.Size().Height > seen+w.body.Size().Height {
		w.body.ScrollToOffset(fyne.NewPos(0, y))
	}
}

func (w *Wizard) goBack() {
	if w.over || w.back.Disabled() {
		return
	}
	w.page().leave()
	w.answers.Back()
	w.show()
}

func (w *Wizard) goTo(s present.WizardStep) {
	if w.over || s == w.answers.Current() || w.next.Disabled() {
		return
	}
	from := w.page()
	if w.answers.GoTo(s) {
		from.leave()
		w.show()
	}
}

// setLanguage changes the language of the wizard at once; it is kept by Finish.
func (w *Wizard) setLanguage(lang string) {
	if lang == w.p().Lang() {
		return
	}
	w.answers.SetPrinter(i18n.New(lang))
	w.Retext()
}

// askCancel closes the wizard; what was typed is asked about first.
func (w *Wizard) askCancel() {
	switch {
	case !w.unsaved():
		w.close()
	case w.next.Disabled():
		// Finish is writing: a moment later there is something to close
	default:
		w.askLeave(w.close)
	}
}

// unsaved tells whether something was answered that is lost when the wizard goes.
func (w *Wizard) unsaved() bool {
	return w.win != nil && !w.over && (w.answers.Changed() || w.p().Lang() != w.initial)
}

// askLeave asks whether what was answered may be lost.
func (w *Wizard) askLeave(leave func()) {
	if w.win.Canvas().Overlays().Top() != nil {
		return // a question is on the screen already
	}
	p := w.p()
	here := *w.desk
	here.Window = w.win
	ask(&here, p.T("wizard.leave.title"), p.T("wizard.leave.text"), nil, nil,
		answer{label: p.T("wizard.leave.leave"), do: func() bool { leave(); return false }},
		answer{label: p.T("wizard.leave.stay")})
}

func (w *Wizard) close() {
	w.page().leave()
	w.end()
	w.win.SetCloseIntercept(nil)
	retire(w.win)
	if f := w.closed; f != nil {
		w.closed = nil
		f(w.over)
	}
}
