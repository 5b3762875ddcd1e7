package gui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// tryOut tests settings that are not saved yet.
type tryOut func(ctx context.Context, draft *present.Draft, each func(facts.CheckStep) error) error

// probeWindow shows a test step by step as it goes. A certificate that cannot
// be verified is shown; pin takes its fingerprint when the person accepts
// exactly this one (rule 6).
type probeWindow struct {
	d      *Desk
	probe  present.Probe
	pin    func(string)
	state  *widget.Label
	rows   *fyne.Container
	accept *Button
	q      *question
	cancel context.CancelFunc
	closed bool
}

// runProbe tests a sheet as it is typed.
func runProbe(d *Desk, sheet present.Sheet, password string, try tryOut, pin func(string)) {
	t := d.Text()
	ctx, cancel := context.WithCancel(d.Context)
	w := &probeWindow{d: d, pin: pin, cancel: cancel, state: wizardText(t.T("main.testing")), rows: container.NewVBox()}
	w.probe.Running = true
	w.accept = newButton(t.T("wizard.certificate.accept"), nil)
	w.accept.Hide()
	body := container.NewVBox(w.state, tall(w.rows, 264), container.NewHBox(w.accept))
	w.q = ask(d, t.T("main.test"), "", body, nil, answer{label: t.T("main.close"), do: w.close})
	work(d, func(context.Context) (struct{}, error) {
		draft, err := soundDraft(ctx, d, sheet, password)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, try(ctx, draft, func(s facts.CheckStep) error {
			post(func() { w.step(s) })
			return ctx.Err()
		})
	}, func(_ struct{}, err error) { w.done(err) })
}

// soundDraft is the configuration with the sheet in it, without faults: a test
// of settings that could not be saved would tell nothing.
func soundDraft(ctx context.Context, d *Desk, sheet present.Sheet, password string) (*present.Draft, error) {
	draft, err := present.NewDraft(ctx, d.Backend, sheet, password)
	if err != nil {
		return nil, err
	}
	problems := d.Backend.Validate(ctx, draft.Config)
	if hasFault(present.FieldProblems(sheet.Fields(), draft.Prefix, problems)) {
		return nil, &facts.ConfigError{Problems: problems}
	}
	return draft, nil
}

func (w *probeWindow) close() bool {
	w.closed = true
	w.cancel()
	return false
}

func (w *probeWindow) step(s facts.CheckStep) {
	w.probe.Steps = append(w.probe.Steps, s)
	w.draw()
}

func (w *probeWindow) done(err error) {
	w.cancel()
	if w.closed {
		return
	}
	t := w.d.Text()
	w.probe.Running = false
	if c, ok := err.(*facts.ConfigError); ok {
		w.state.SetText(join(t.T("main.config.refused"), strings.ReplaceAll(present.Reasons(c.Problems), "\n", " ")))
		return
	}
	w.probe.Err = err
	w.state.SetText(t.T("main.test_bad"))
	if w.probe.OK() {
		w.state.SetText(t.T("main.test_good"))
	}
	w.draw()
}

func (w *probeWindow) draw() {
	t := w.d.Text()
	w.rows.RemoveAll()
	for _, l := range w.probe.Lines(t) {
		if l.OK {
			w.rows.Add(probeLine(theme.NewSuccessThemedResource(theme.ConfirmIcon()), wizardText(l.Text)))
			continue
		}
		w.rows.Add(probeLine(theme.NewWarningThemedResource(theme.WarningIcon()), wizardBold(l.Text)))
		if l.Advice != "" {
			w.rows.Add(wizardText(l.Advice))
		}
		if l.Detail != "" {
			w.rows.Add(small(l.Detail))
		}
	}
	if c := w.probe.Certificate(); c != nil && !w.probe.Running {
		w.rows.Add(wizardText(t.T("wizard.certificate.text")))
		for _, f := range present.CertificateLines(t, c) {
			if f.Text != "" {
				w.rows.Add(pair(f.Label, f.Text, 120, present.MarkNone))
			}
		}
		w.accept.OnTapped = func() { w.pin(c.Fingerprint); w.q.popup.Hide() }
		w.accept.Show()
	}
	w.rows.Refresh()
}

// tall gives what may grow a room of its own, with a bar to scroll.
func tall(o fyne.CanvasObject, height float32) *fyne.Container {
	return container.New(&leastSize{width: questionWidth, height: height}, container.NewVScroll(o))
}

// xrayWindow shows who would get the mail that lies in a mailbox, and why.
// Nothing is fetched and nothing deleted.
type xrayWindow struct {
	d      *Desk
	xray   present.XRay
	state  *widget.Label
	rows   *fyne.Container
	cancel context.CancelFunc
	closed bool
}

// runXRay looks into a mailbox as it is typed.
func runXRay(d *Desk, sheet present.Sheet, password, name, kind string) {
	t := d.Text()
	ctx, cancel := context.WithCancel(d.Context)
	w := &xrayWindow{d: d, cancel: cancel, state: wizardText(""), rows: container.NewVBox()}
	w.xray.Kind, w.xray.Running = kind, true
	w.draw()
	ask(d, t.T("main.mailbox.look"), "", container.NewVBox(w.state, tall(w.rows, 320)), nil, answer{label: t.T("main.close"), do: w.close})
	work(d, func(context.Context) (facts.Verdict, error) {
		draft, err := soundDraft(ctx, d, sheet, password)
		if err != nil {
			return facts.Verdict{}, err
		}
		return d.Backend.Preview(ctx, draft.Config, name, draft.Secrets, present.WizardLookLimit, func(l facts.PreviewLine) error {
			post(func() { w.line(l) })
			return ctx.Err()
		})
	}, w.done)
}

func (w *xrayWindow) close() bool {
	w.closed = true
	w.cancel()
	return false
}

func (w *xrayWindow) line(l facts.PreviewLine) {
	w.xray.Lines = append(w.xray.Lines, l)
	line := w.xray.Line(w.d.Text(), len(w.xray.Lines)-1)
	mark := present.MarkNone
	if line.Unknown {
		mark = present.MarkWaits
	}
	who := pair(line.For, sign(mark)+line.Subject, 176, mark)
	w.rows.Add(container.New(&closeRows{}, who, small(join(line.From, line.Why))))
	w.draw()
}

func (w *xrayWindow) done(v facts.Verdict, err error) {
	w.cancel()
	if w.closed {
		return
	}
	w.xray.Running, w.xray.Done, w.xray.Verdict, w.xray.Err = false, true, v, err
	if c, ok := err.(*facts.ConfigError); ok {
		e := present.Sentence(w.d.Text(), c, i18n.Context{})
		w.state.SetText(join(e.What, e.Detail))
		return
	}
	w.draw()
}

func (w *xrayWindow) draw() {
	t := w.d.Text()
	text, good := w.xray.Sentence(t)
	w.state.Importance = widget.MediumImportance
	if !good {
		w.state.Importance = widget.WarningImportance
	}
	w.state.SetText(join(text, w.xray.Advice(t)))
}
