package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/gui/present"
)

// wizardProbe is the button "Test" and what the test tells, step by step as it
// goes. A certificate that cannot be verified is shown, to be accepted by its
// fingerprint or not at all (rule 6).
type wizardProbe struct {
	w      *Wizard
	begin  func() wizardTest // nil: the answers have faults, which are shown already
	pin    func(fingerprint string)
	probe  present.Probe
	cancel context.CancelFunc
	turn   int // which test is the last: what an older one still tells is not shown

	button *Button
	busy   *widget.Activity
	lines  *fyne.Container
	accept *fyne.Container // the button for a certificate
}

// wizardTest does a test and tells each step.
type wizardTest func(ctx context.Context, each func(facts.CheckStep) error) error

// build makes the widgets anew; what the last test told stays.
func (t *wizardProbe) build() fyne.CanvasObject {
	t.button = newButton("", t.toggle)
	t.busy = widget.NewActivity()
	t.lines, t.accept = container.NewVBox(), container.NewHBox()
	t.show()
	bar := container.NewBorder(nil, nil, wizardWidth(wizardLabelWidth, wizardText("")), nil, container.NewHBox(wizardWidth(wizardButton, t.button), t.busy))
	return container.NewVBox(bar, wizardDense(t.lines), wizardIndent(t.accept))
}

// stale throws away what a test told about other answers.
func (t *wizardProbe) stale() {
	if len(t.probe.Steps) == 0 && t.probe.Err == nil && !t.probe.Running {
		return
	}
	t.stop()
	t.probe = present.Probe{}
	t.show()
}

// stop ends a test that runs.
func (t *wizardProbe) stop() {
	t.turn++
	if t.cancel != nil {
		t.cancel()
		t.cancel = nil
	}
	if t.probe.Running {
		t.probe = present.Probe{}
		t.show()
	}
}

func (t *wizardProbe) toggle() {
	if t.probe.Running {
		t.stop()
		return
	}
	test := t.begin()
	if test == nil {
		return
	}
	t.stop()
	ctx, cancel := context.WithCancel(t.w.ctx)
	t.cancel = cancel
	turn := t.turn
	t.probe = present.Probe{Running: true}
	t.show()
	t.w.run(func() {
		told := &gatherer[facts.CheckStep]{show: func(s []facts.CheckStep) { t.tell(turn, s) }}
		err := test(ctx, func(s facts.CheckStep) error {
			told.add(s)
			return ctx.Err()
		})
		post(func() { t.done(turn, err) })
	})
}

func (t *wizardProbe) tell(turn int, s []facts.CheckStep) {
	if turn != t.turn {
		return
	}
	t.probe.Steps = append(t.probe.Steps, s...)
	t.show()
}

func (t *wizardProbe) done(turn int, err error) {
	if turn != t.turn {
		return
	}
	t.cancel()
	t.cancel = nil
	t.probe.Running, t.probe.Err = false, err
	t.show()
	t.w.reveal(t.lines)
}

// show writes button and lines from the facts.
func (t *wizardProbe) show() {
	if t.button == nil {
		return
	}
	p := t.w.p()
	if t.probe.Running {
		t.button.SetText(p.T("wizard.probe.stop"))
		t.busy.Show()
		t.busy.Start()
	} else {
		t.button.SetText(p.T("wizard.probe.test"))
		t.busy.Stop()
		t.busy.Hide()
	}
	t.lines.RemoveAll()
	t.accept.RemoveAll()
	good := container.NewGridWithColumns(2)
	t.lines.Add(good)
	for _, l := range t.probe.Lines(p) {
		if l.OK && l.Wide {
			t.lines.Add(probeLine(theme.NewSuccessThemedResource(theme.ConfirmIcon()), wizardText(l.Text)))
			continue
		}
		if l.OK {
			good.Add(probeLine(theme.NewSuccessThemedResource(theme.ConfirmIcon()), widget.NewLabel(l.Text)))
			continue
		}
		t.lines.Add(probeLine(theme.NewWarningThemedResource(theme.WarningIcon()), wizardBold(l.Text)))
		if l.Advice != "" {
			t.lines.Add(indented(wizardText(l.Advice)))
		}
		if l.Detail != "" {
			t.lines.Add(indented(wizardHint(l.Detail)))
		}
	}
	if t.probe.OK() {
		t.lines.Add(probeLine(theme.NewSuccessThemedResource(theme.ConfirmIcon()), wizardBold(p.T("wizard.probe.good"))))
	}
	if c := t.probe.Certificate(); c != nil {
		t.lines.Add(t.certificate(c))
	}
	t.lines.Refresh()
	t.w.relayout()
}

// certificate shows who the server says it is, and the button that accepts
// exactly this certificate.
func (t *wizardProbe) certificate(c *facts.Certificate) fyne.CanvasObject {
	p := t.w.p()
	list := container.NewVBox(widget.NewSeparator(), wizardBold(p.T("wizard.certificate.heading")), wizardText(p.T("wizard.certificate.text")))
	for _, f := range present.CertificateLines(p, c) {
		if f.Text != "" {
			list.Add(wizardFactRow(f))
		}
	}
	t.accept.Add(newButton(p.T("wizard.certificate.accept"), func() {
		t.pin(c.Fingerprint)
		t.stale()
		t.toggle()
		t.w.win.Canvas().Focus(t.button)
	}))
	return list
}

func indented(o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(0, 0, theme.IconInlineSize()+4, 0), o)
}

// wizardFactRow is a word and what it says.
func wizardFactRow(f present.WizardFact) fyne.CanvasObject {
	word := wizardText(f.Label)
	word.Importance = widget.MediumImportance
	text := wizardText(f.Text)
	return container.NewBorder(nil, nil, wizardWidth(wizardLabelWidth, word), nil, text)
}
