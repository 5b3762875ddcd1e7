package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// wizardGround is the ground of the list of steps; it follows the theme.
type wizardGround struct{ widget.BaseWidget }

func newWizardGround() *wizardGround {
	g := &wizardGround{}
	g.ExtendBaseWidget(g)
	return g
}

// CreateRenderer draws a rectangle.
func (g *wizardGround) CreateRenderer() fyne.WidgetRenderer {
	r := &wizardGroundRenderer{WidgetRenderer: nil, face: canvas.NewRectangle(color.Transparent)}
	r.WidgetRenderer = widget.NewSimpleRenderer(r.face)
	r.Refresh()
	return r
}

type wizardGroundRenderer struct {
	fyne.WidgetRenderer
	face *canvas.Rectangle
}

// Refresh follows the theme.
func (r *wizardGroundRenderer) Refresh() {
	r.face.FillColor = theme.Color(theme.ColorNameHeaderBackground)
	r.face.Refresh()
}

// wizardWelcome is step 1: the language, and what to have at hand.
type wizardWelcome struct {
	w    *Wizard
	lang *wizardSelect
	note *wizardFaultLine
}

func (g *wizardWelcome) build() fyne.CanvasObject {
	p := g.w.p()
	labels := make([]string, 0, 2)
	for _, l := range i18n.Languages() {
		labels = append(labels, i18n.New(l).T("wizard.welcome.name"))
	}
	g.lang = newWizardSelect(g.w.keys(), i18n.Languages(), labels, p.Lang(), g.w.setLanguage)
	g.note = newWizardFaultLine()
	f := newWizardForm()
	if g.w.anew {
		old := newWizardFaultLine()
		old.set(p.T("wizard.welcome.anew"))
		f.wide(old.box)
	}
	f.row(p.T("wizard.welcome.language"), wizardWidth(200, g.lang), "", g.lang)
	f.wide(wizardGap(8))
	f.wide(wizardText(p.T("wizard.welcome.have")))
	items := container.NewVBox()
	for _, key := range []string{"domains", "people", "server", "account"} {
		items.Add(wizardText("•  " + p.T("wizard.welcome.item."+key)))
	}
	f.wide(wizardDense(items))
	f.wide(wizardGap(8))
	f.wide(wizardText(p.T("wizard.welcome.sheet")))
	f.wide(wizardIndent(container.NewHBox(newButtonWithIcon(p.T("wizard.welcome.print"), theme.DocumentPrintIcon(), g.print))))
	f.wide(g.note.box)
	return f.rows
}

// print opens the sheet of the provider's settings with the program that the
// system has for such files; that program prints.
func (g *wizardWelcome) print() {
	sheet, p, desk := g.w.answers.Sheet(), g.w.p(), g.w.desk
	g.w.run(func() {
		path, err := present.SaveSheet(sheet, p.Lang())
		if err == nil && desk.OpenFile != nil {
			err = desk.OpenFile(path)
		}
		post(func() {
			g.note.set("")
			if err != nil {
				g.note.set(p.T("wizard.welcome.not_opened", i18n.Args{"Path": path}))
			}
		})
	})
}

func (g *wizardWelcome) first() fyne.Focusable                    { return g.lang }
func (g *wizardWelcome) check([]present.WizardFault) *wizardField { return nil }
func (g *wizardWelcome) leave()                                   {}

// wizardStart is step 2: at sign-in or by hand.
type wizardStart struct {
	w     *Wizard
	radio *wizardRadios
}

func (g *wizardStart) build() fyne.CanvasObject {
	p, a := g.w.p(), g.w.answers
	chosen := "manual"
	if a.Autostart {
		chosen = "automatic"
	}
	values := []string{"automatic", "manual"}
	g.radio = newWizardRadios(g.w.keys(), values, []string{p.T("wizard.start.automatic"), p.T("wizard.start.manual")}, chosen, func(v string) {
		a.Autostart = v == "automatic"
		g.w.changed()
	})
	o := g.radio.objects()
	return container.NewVBox(o[0], wizardOption(p.T("wizard.start.automatic_hint")), wizardGap(4), o[1], wizardOption(p.T("wizard.start.manual_hint")))
}

func (g *wizardStart) first() fyne.Focusable                    { return g.radio.first() }
func (g *wizardStart) check([]present.WizardFault) *wizardField { return nil }
func (g *wizardStart) leave()                                   {}

// wizardLine is step 3: how this computer gets to the internet.
type wizardLine struct {
	w     *Wizard
	radio *wizardRadios
	form  *wizardForm
}

func (g *wizardLine) build() fyne.CanvasObject {
	p, l, k := g.w.p(), &g.w.answers.Line, g.w.keys()
	values := []string{config.Permanent, config.Router, config.Dialup}
	labels := []string{p.T("wizard.line.permanent"), p.T("wizard.line.router"), p.T("wizard.line.dialup")}
	g.radio = newWizardRadios(k, values, labels, l.Kind, func(v string) {
		l.Kind = v
		g.w.rebuild(nil)
		g.w.win.Canvas().Focus(g.radio.first())
	})
	g.form = newWizardForm()
	for _, o := range g.radio.objects() {
		g.form.wide(o)
	}
	if l.Kind != config.Dialup {
		return g.form.rows
	}
	entry := func(value *string) *wizardEntry {
		return newWizardEntry(k, *value, func(s string) { *value = s; g.w.changed() })
	}
	g.form.wide(wizardText(p.T("wizard.line.must_be_up")))
	name, user, domain := entry(&l.Entry), entry(&l.Username), entry(&l.Domain)
	password := newWizardPassword(k, l.Password, func(s string) { l.Password = s; g.w.changed() })
	if g.w.answers.HasLinePassword() {
		password.SetPlaceHolder(p.T("wizard.password_kept"))
	}
	domain.SetPlaceHolder(p.T("wizard.optional"))
	g.form.row(p.T("wizard.line.entry"), name, "", name, present.AsksEntry, present.AsksOther)
	g.form.row(p.T("wizard.user"), user, "", user, present.AsksUsername)
	g.form.row(p.T("wizard.password"), password, "", password, present.AsksPassword)
	g.form.row(p.T("wizard.line.domain"), domain, "", domain)
	return g.form.rows
}

func (g *wizardLine) first() fyne.Focusable { return g.radio.first() }
func (g *wizardLine) check(faults []present.WizardFault) *wizardField {
	return g.form.check(faults, nil)
}
func (g *wizardLine) leave() {}
