package gui

import (
	"context"
	"errors"
	"io"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// peopleImport is the question for many people at once: typed, pasted from
// elsewhere, or out of a file.
type peopleImport struct {
	page  *peoplePage
	q     *question
	entry *wizardEntry
	fault *wizardFaultLine
	state *widget.Label
}

// paste asks for many people at once.
func (p *peoplePage) paste() *peopleImport {
	t := p.d.Text()
	m := &peopleImport{page: p, fault: newWizardFaultLine(), state: wizardHint("")}
	m.entry = newWizardEntry(wizardKeys{enter: func() {}, escape: func() { m.q.key(fyne.KeyEscape) }}, "", nil)
	m.entry.MultiLine, m.entry.Scroll = true, fyne.ScrollBoth
	m.entry.SetMinRowsVisible(10)
	m.entry.SetPlaceHolder(t.T("main.person.import_example"))
	file := newButtonWithIcon(t.T("wizard.office.import"), theme.FolderOpenIcon(), m.browse)
	m.q = ask(p.d, t.T("main.person.import"), t.T("main.person.import_text"),
		container.NewVBox(m.entry, container.NewBorder(nil, nil, file, nil, m.state), m.fault.box), m.entry,
		answer{label: t.T("main.add"), do: m.take}, answer{label: t.T("main.cancel")})
	return m
}

// take adds who is written there; the question stays until they are there.
func (m *peopleImport) take() bool {
	t := m.page.d.Text()
	people, bad := present.ParsePeople(m.entry.Text)
	switch {
	case len(bad) > 0:
		m.fault.set(t.T("main.person.import_bad", i18n.Args{"Line": bad[0]}))
	case len(people) == 0:
		m.fault.set(t.T("main.fault.empty"))
	default:
		m.add(people)
	}
	return true
}

func (m *peopleImport) add(people []present.WizardPerson) {
	p := m.page
	work(p.d, present.AddPeople(p.d.Backend, people), func(problems []facts.Problem, err error) {
		switch {
		case err != nil:
			m.fault.set(present.Sentence(p.d.Text(), err, i18n.Context{}).What)
		case len(problems) > 0:
			m.fault.set(present.Reasons(problems))
		default:
			m.q.popup.Hide()
			p.people.shown()
		}
	})
}

// browse asks for a file as address books export it.
func (m *peopleImport) browse() {
	d := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
		if r != nil || err != nil { // else thought better of it
			m.read(r, err)
		}
	}, m.page.d.Window)
	d.SetFilter(storage.NewExtensionFileFilter([]string{".csv", ".txt", ".tsv", ".CSV", ".TXT"}))
	d.Resize(fyne.NewSize(640, 480))
	d.Show()
}

// read puts the people of a file below those that are written there already.
func (m *peopleImport) read(r io.ReadCloser, err error) {
	desk, text := m.page.d, m.entry.Text
	work(desk, func(ctx context.Context) (present.PeopleFile, error) {
		if err != nil {
			return present.PeopleFile{}, present.FileFault("", err)
		}
		data, err := io.ReadAll(io.LimitReader(r, present.MaxImport))
		if err = errors.Join(err, r.Close()); err != nil {
			return present.PeopleFile{}, present.FileFault("", err)
		}
		cfg, err := desk.Backend.Config(ctx)
		if err != nil && !present.NoConfigYet(err) {
			cfg = config.Defaults() // then every domain is as good as another
		}
		return present.ReadPeople(cfg, text, data)
	}, func(got present.PeopleFile, err error) {
		m.state.SetText("")
		said := present.ImportText(desk.Text(), got.WizardImport, err)
		if err != nil {
			m.fault.set(said)
			return
		}
		m.fault.set("")
		m.entry.SetText(got.Text)
		m.state.SetText(said)
	})
}
