package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// wizardOffice is step 4: domains, people, and who gets the rest.
type wizardOffice struct {
	w       *Wizard
	form    *wizardForm
	domains *wizardEntry
	people  *wizardEntry
	unknown *wizardEntry
	count   *widget.Label
}

func (g *wizardOffice) build() fyne.CanvasObject {
	p, o, k := g.w.p(), &g.w.answers.Office, g.w.keys()
	g.domains = newWizardEntry(k, o.Domains, g.setDomains)
	g.domains.SetPlaceHolder("office.test")
	g.people = newWizardEntry(k, o.People, func(s string) {
		o.People = s
		g.showCount()
		g.w.changed()
	})
	g.people.MultiLine = true
	g.people.Scroll = fyne.ScrollBoth
	g.people.SetMinRowsVisible(5)
	g.people.SetPlaceHolder("anne@office.test, info@office.test\nbob@office.test")
	g.unknown = newWizardEntry(k, o.Unknown, func(s string) { o.Unknown = s; g.w.changed() })
	administrator := newWizardEntry(k, o.Administrator, func(s string) { o.Administrator = s; g.w.changed() })
	administrator.SetPlaceHolder(p.T("wizard.office.administrator_same"))
	g.count = wizardHint("")
	load := newButtonWithIcon(p.T("wizard.office.import"), theme.FolderOpenIcon(), g.importFile)

	f := newWizardForm()
	g.form = f
	f.row(p.T("wizard.office.domains"), g.domains, "", g.domains, present.AsksDomains, present.AsksOther)
	f.row(p.T("wizard.office.people"), g.people, p.T("wizard.office.people_hint"), g.people, present.AsksPeople)
	f.row("", container.NewBorder(nil, nil, container.NewVBox(load), nil, g.count), "", nil)
	f.row(p.T("wizard.office.unknown"), g.unknown, p.T("wizard.office.unknown_hint"), g.unknown, present.AsksUnknown)
	f.row(p.T("wizard.office.administrator"), administrator, p.T("wizard.office.administrator_hint"), administrator, present.AsksAdministrator)
	g.showCount()
	return f.rows
}

func (g *wizardOffice) setDomains(text string) {
	a := g.w.answers
	a.SetDomains(text)
	if g.unknown.Text != a.Office.Unknown {
		g.unknown.SetText(a.Office.Unknown)
	}
	g.w.changed()
}

func (g *wizardOffice) showCount() {
	people, _ := present.ParsePeople(g.w.answers.Office.People)
	aliases := 0
	for _, x := range people {
		aliases += len(x.Aliases)
	}
	p := g.w.p()
	switch {
	case len(people) == 0:
		g.count.SetText(p.T("wizard.office.nobody_listed"))
	case aliases == 0:
		g.count.SetText(p.N("wizard.office.count", int64(len(people))))
	default:
		g.count.SetText(p.N("wizard.office.count", int64(len(people))) + ", " + p.N("wizard.office.aliases", int64(aliases)))
	}
}

func (g *wizardOffice) first() fyne.Focusable { return g.domains }
func (g *wizardOffice) check(faults []present.WizardFault) *wizardField {
	return g.form.check(faults, nil)
}
func (g *wizardOffice) leave() {}
