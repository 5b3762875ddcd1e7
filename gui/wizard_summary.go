package gui

import (
	"context"
	"errors"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/gui/present"
)

// wizardSummary is step 9: what will be written, Finish, and the first collection.
type wizardSummary struct {
	w        *Wizard
	form     *wizardForm
	now      *wizardCheck
	outcome  *fyne.Container
	bar      *widget.ProgressBar
	told     *widget.Label
	progress present.WizardProgress
}

func (g *wizardSummary) build() fyne.CanvasObject {
	p, a := g.w.p(), g.w.answers
	f := newWizardForm()
	g.form = f
	list := container.NewVBox()
	for _, x := range a.Summary() {
		list.Add(wizardFactRow(x))
	}
	g.now = newWizardCheck(g.w.keys(), p.T("wizard.summary.collect_now"), a.CollectNow, func(on bool) { a.CollectNow = on })
	g.outcome = container.NewVBox()
	f.wideField(g.now, g.now, present.AsksOther) // first: a long list would hide it
	f.wide(widget.NewSeparator())
	f.wide(wizardDense(list))
	return container.NewVBox(f.rows, wizardDense(g.outcome))
}

func (g *wizardSummary) first() fyne.Focusable { return g.w.next }
func (g *wizardSummary) check(faults []present.WizardFault) *wizardField {
	return g.form.check(faults, nil)
}
func (g *wizardSummary) leave() {}

// finish writes the settings. A page with a fault is shown first.
func (g *wizardSummary) finish() {
	w := g.w
	w.answers.Try()
	if faults := w.answers.AllFaults(); len(faults) > 0 {
		w.answers.TryAll()
		if s := faults[0].Step; s != w.answers.Current() {
			w.answers.GoTo(s)
			w.show()
		}
		w.point(w.answers.Faults(w.answers.Current()))
		return
	}
	draft := w.answers.Draft()
	g.busy(true)
	g.outcome.RemoveAll()
	w.run(func() {
		err := draft.Write(w.ctx, w.desk.Backend)
		post(func() { g.written(err) })
	})
}

func (g *wizardSummary) busy(on bool) {
	for _, b := range []*Button{g.w.next, g.w.back, g.w.cancel} {
		if on {
			b.Disable()
		} else {
			b.Enable()
		}
	}
}

// written shows that the settings are kept, or why not, and goes on. Then the
// page is about what happens, no more about what would.
func (g *wizardSummary) written(err error) {
	w, p := g.w, g.w.p()
	g.busy(false)
	if err != nil {
		g.say(false, present.WriteFault(p, err))
		w.refreshButtons()
		return
	}
	w.over = true
	w.keepLook()
	g.form.rows.Hide()
	w.ask(p.T("wizard.done.heading"), p.T("wizard.done.question"))
	w.refreshSteps()
	w.refreshButtons()
	w.win.Canvas().Focus(w.next)
	g.start()
}

// start sees to the start at sign-in, starts the engine and collects, in the
// background: the window may be closed meanwhile.
func (g *wizardSummary) start() {
	w := g.w
	backend, autostart, on, collect := w.desk.Backend, w.desk.Autostart, w.answers.Autostart, w.answers.CollectNow && len(w.answers.LookBoxes()) > 0
	ctx := w.desk.Context
	if collect {
		g.bar, g.told = widget.NewProgressBar(), wizardText(g.progress.Text(w.p()))
		g.bar.TextFormatter = func() string { return "" } // half on the bar, half beside it nobody can read it
		g.outcome.Add(wizardDense(g.bar))
		g.outcome.Add(g.told)
	}
	g.outcome.Add(wizardText(w.answers.DoneText()))
	w.relayout()
	w.run(func() {
		var errs []error
		if autostart != nil {
			errs = append(errs, autostart.Set(on))
		}
		if !backend.Running() {
			errs = append(errs, backend.Start(ctx))
		}
		err := errors.Join(errs...)
		post(func() { g.started(err) })
		if collect {
			g.collect(ctx, backend)
		}
	})
}

func (g *wizardSummary) started(err error) {
	if err != nil {
		g.say(false, present.StartFault(g.w.p(), err))
	}
}

// collect collects and shows how far it is. It runs beside the user interface.
func (g *wizardSummary) collect(ctx context.Context, backend present.Backend) {
	told := &gatherer[facts.Event]{show: g.heard}
	stop := backend.Watch(told.add)
	report, err := backend.Collect(ctx, nil)
	stop()
	post(func() { g.collected(report, err) })
}

func (g *wizardSummary) heard(events []facts.Event) {
	fresh := false
	for _, e := range events {
		fresh = g.progress.Take(e) || fresh
	}
	if !fresh || g.bar == nil {
		return
	}
	if share, known := g.progress.Value(); known {
		g.bar.SetValue(share)
	}
	g.told.SetText(g.progress.Text(g.w.p()))
}

func (g *wizardSummary) collected(report facts.CollectReport, err error) {
	if g.bar != nil {
		g.outcome.Objects = g.outcome.Objects[2:] // bar and words
		g.bar = nil
	}
	text, good := present.CollectText(g.w.p(), report, err)
	g.say(good, text)
}

// say adds a sentence with a sign below the summary.
func (g *wizardSummary) say(good bool, text string) {
	icon := theme.NewSuccessThemedResource(theme.ConfirmIcon())
	if !good {
		icon = theme.NewWarningThemedResource(theme.WarningIcon())
	}
	line := probeLine(icon, wizardBold(text))
	if g.w.over { // what goes on from now stands last
		g.outcome.Objects = slices.Insert(g.outcome.Objects, len(g.outcome.Objects)-1, fyne.CanvasObject(line))
	} else {
		g.outcome.Add(line)
	}
	g.w.relayout()
	g.w.body.ScrollToBottom()
}

// keepLook keeps the language that was chosen on the first page.
func (w *Wizard) keepLook() {
	d := w.desk
	if d.Look == nil || d.SetLook == nil || w.p().Lang() == w.initial {
		return
	}
	look := d.Look()
	look.Language = w.p().Lang()
	d.SetLook(look)
}
