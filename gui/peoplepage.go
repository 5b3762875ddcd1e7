package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/gui/present"
)

// peoplePage edits who there is: people, distribution lists and the rules for
// mailing lists.
type peoplePage struct {
	d      *Desk
	people *editor[config.Recipient]
	lists  *editor[config.List]
	rules  *editor[config.ListRule]
	tabs   *container.AppTabs
	root   *fyne.Container
}

// NewPeoplePage makes the page of people and lists.
func NewPeoplePage(d *Desk) Page {
	p := &peoplePage{d: d, root: container.NewStack()}
	p.people = newEditor(d, present.PeopleItems(), editorWords{
		about: "main.person.about", none: "main.person.none", fresh: "main.person.fresh", question: "main.person.remove_question",
	})
	p.people.beside = func() fyne.CanvasObject { return newButton(d.Text().T("main.person.import"), func() { p.paste() }) }
	p.lists = newEditor(d, present.ListItems(), editorWords{
		about: "main.list.about", none: "main.list.none", fresh: "main.list.fresh", question: "main.list.remove_question",
	})
	p.rules = newEditor(d, present.RuleItems(), editorWords{
		about: "main.rule.about", none: "main.rule.none", fresh: "main.rule.fresh", question: "main.rule.remove_question",
	})
	return p
}

// Title is the key of the title.
func (p *peoplePage) Title() string { return PagePeople }

// Content is the page.
func (p *peoplePage) Content() fyne.CanvasObject { return p.root }

// Shown reads the settings anew.
func (p *peoplePage) Shown() {
	p.people.shown()
	p.lists.shown()
	p.rules.shown()
	p.d.Window.Canvas().Focus(p.people.list)
}

// Hidden does nothing: what is typed stays.
func (p *peoplePage) Hidden() {}

// Heard does nothing: people do not change by themselves.
func (p *peoplePage) Heard([]facts.Event) {}

// Open edits one person.
func (p *peoplePage) Open(address string) { p.people.show(address) }

// Retext writes every text anew.
func (p *peoplePage) Retext() {
	t := p.d.Text()
	at := 0
	if p.tabs != nil {
		at = p.tabs.SelectedIndex()
	}
	p.people.build()
	p.lists.build()
	p.rules.build()
	p.tabs = container.NewAppTabs(
		container.NewTabItem(t.T("main.person.tab"), p.people.root),
		container.NewTabItem(t.T("main.list.tab"), p.lists.root),
		container.NewTabItem(t.T("main.rule.tab"), p.rules.root),
	)
	p.tabs.SelectIndex(at)
	p.tabs.OnSelected = freshTab
	p.root.Objects = []fyne.CanvasObject{p.tabs}
	p.root.Refresh()
}
