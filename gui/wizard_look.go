package gui

import (
	"context"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// wizardLook is step 7: who would get the mail that lies in a mailbox now.
type wizardLook struct {
	w      *Wizard
	box    *present.WizardMailbox
	key    string // what was looked at: mailbox and settings
	xray   present.XRay
	cancel context.CancelFunc
	turn   int

	button  *Button
	mend    *Button // leads to the settings when the look failed
	busy    *widget.Activity
	verdict *widget.Label
	advice  *widget.Label
	list    *keyList
}

func (g *wizardLook) build() fyne.CanvasObject {
	p := g.w.p()
	boxes := g.w.answers.LookBoxes()
	if len(boxes) == 0 {
		g.button, g.list = nil, nil
		return wizardText(p.T("wizard.look.no_mailbox"))
	}
	if !slices.Contains(boxes, g.box) {
		g.box = boxes[0]
	}
	g.button = newButton("", g.toggle)
	g.busy = widget.NewActivity()
	g.verdict = wizardBold("")
	g.advice = wizardText("")
	g.list = newKeyList(func() int { return len(g.xray.Lines) }, newXRayRow, func(i widget.ListItemID, o fyne.CanvasObject) {
		fillXRayRow(g.w.p(), g.xray.Line(g.w.p(), i), o)
	})
	g.list.OnSelected = func(i widget.ListItemID) { g.list.at = i }
	g.list.onKey = func(key fyne.KeyName) bool { return g.w.keys().pressed(&fyne.KeyEvent{Name: key}) }
	g.mend = newButton(p.T("wizard.look.mend"), func() {
		g.w.goTo(present.WizardIncoming)
	})
	bar := container.NewHBox(g.button, g.mend, g.busy)
	top := container.NewVBox()
	if len(boxes) > 1 {
		f := newWizardForm()
		f.row(p.T("wizard.incoming.mailbox"), g.chooser(boxes), "", nil)
		top.Add(f.rows)
	}
	top.Add(wizardIndent(bar))
	top.Add(g.verdict)
	top.Add(g.advice)
	g.show()
	return container.NewBorder(top, nil, nil, nil, wizardHeight(160, g.list))
}

func (g *wizardLook) chooser(boxes []*present.WizardMailbox) fyne.CanvasObject {
	d := g.w.answers.Draft()
	values, labels := make([]string, len(boxes)), make([]string, len(boxes))
	for i, b := range boxes {
		values[i], labels[i] = strconv.Itoa(i), d.MailboxName(b)
	}
	return newWizardSelect(g.w.keys(), values, labels, strconv.Itoa(slices.Index(boxes, g.box)), func(v string) {
		i, _ := strconv.Atoi(v)
		g.stop()
		g.box = boxes[i]
		g.look()
	})
}

// first begins to look when there is something new to see.
func (g *wizardLook) first() fyne.Focusable {
	if g.button == nil {
		return nil
	}
	if !g.xray.Running && g.key != g.subject() {
		g.look()
	}
	return g.w.next
}

// subject tells what a look is about: with other answers it is worth another.
func (g *wizardLook) subject() string {
	return g.w.answers.LookKey(g.box)
}

func (g *wizardLook) toggle() {
	if g.xray.Running {
		g.stop()
		return
	}
	g.look()
}

func (g *wizardLook) look() {
	g.stop()
	d := g.w.answers.Draft()
	name, backend := d.MailboxName(g.box), g.w.desk.Backend
	ctx, cancel := context.WithCancel(g.w.ctx)
	g.cancel, g.key = cancel, g.subject()
	turn := g.turn
	g.xray = present.XRay{Kind: g.box.Kind, Running: true}
	g.show()
	g.w.run(func() {
		told := &gatherer[facts.PreviewLine]{show: func(l []facts.PreviewLine) { g.tell(turn, l) }}
		verdict, err := backend.Preview(ctx, d.Config, name, d.Secrets, present.WizardLookLimit, func(l facts.PreviewLine) error {
			told.add(l)
			return ctx.Err()
		})
		post(func() { g.done(turn, verdict, err) })
	})
}

func (g *wizardLook) tell(turn int, l []facts.PreviewLine) {
	if turn == g.turn {
		g.xray.Lines = append(g.xray.Lines, l...)
		g.show()
	}
}

func (g *wizardLook) done(turn int, v facts.Verdict, err error) {
	if turn != g.turn {
		return
	}
	g.cancel()
	g.cancel = nil
	g.xray.Running, g.xray.Done, g.xray.Verdict, g.xray.Err = false, true, v, err
	g.show()
}

func (g *wizardLook) stop() {
	g.turn++
	if g.cancel != nil {
		g.cancel()
		g.cancel = nil
		g.key = ""
	}
	g.xray.Running = false
	g.show()
}

// show writes everything from the facts.
func (g *wizardLook) show() {
	if g.button == nil {
		return
	}
	p := g.w.p()
	if g.xray.Running {
		g.button.SetText(p.T("wizard.probe.stop"))
		g.busy.Show()
		g.busy.Start()
	} else {
		g.button.SetText(p.T("wizard.look.again"))
		g.busy.Stop()
		g.busy.Hide()
	}
	if g.trouble() {
		g.mend.Show()
	} else {
		g.mend.Hide()
	}
	text, good := g.xray.Sentence(p)
	g.verdict.Importance = widget.MediumImportance
	if !good {
		g.verdict.Importance = widget.WarningImportance
	}
	g.verdict.SetText(text)
	g.advice.SetText(g.xray.Advice(p))
	if g.advice.Text == "" {
		g.advice.Hide()
	} else {
		g.advice.Show()
	}
	g.list.Refresh()
	g.w.relayout()
}

func (g *wizardLook) check([]present.WizardFault) *wizardField { return nil }

// trouble tells that the mailbox could not be looked into.
func (g *wizardLook) trouble() bool { return g.xray.Err != nil && !g.xray.Running }

func (g *wizardLook) leave() { g.stop() }

// A row is the subject with its sender, and below for whom and why.
func newXRayRow() fyne.CanvasObject {
	subject, who, why := widget.NewLabel(""), widget.NewLabel(""), widget.NewLabel("")
	for _, l := range []*widget.Label{subject, who, why} {
		l.Truncation = fyne.TextTruncateEllipsis
	}
	who.TextStyle.Bold = true
	why.SizeName, subject.SizeName = theme.SizeNameCaptionText, theme.SizeNameCaptionText
	return wizardDense(container.NewVBox(who, subject, why))
}

func fillXRayRow(p *i18n.Printer, l present.XRayLine, o fyne.CanvasObject) {
	row := o.(*fyne.Container).Objects[0].(*container.ThemeOverride).Content.(*fyne.Container).Objects
	who := row[0].(*widget.Label)
	who.Importance = widget.MediumImportance
	if l.Unknown {
		who.Importance = widget.WarningImportance
	}
	who.SetText(p.T("wizard.look.for", i18n.Args{"People": l.For}))
	row[1].(*widget.Label).SetText(p.T("wizard.look.message", i18n.Args{"Subject": l.Subject, "From": l.From}))
	row[2].(*widget.Label).SetText(l.Why)
}
