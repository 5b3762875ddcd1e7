package gui

import (
	"io"
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"

	"postbag/app/i18n"
	"postbag/gui/present"
)

// importFile asks for a CSV file, by its name or with the mouse, and takes the
// people in it.
func (g *wizardOffice) importFile() {
	p, here := g.w.p(), *g.w.desk
	here.Window = g.w.win
	var q *question
	keys := wizardKeys{enter: func() { q.entryKey(fyne.KeyReturn) }, escape: func() { q.key(fyne.KeyEscape) }}
	path := newWizardEntry(keys, "", nil)
	path.SetPlaceHolder(p.T("wizard.office.file.sample"))
	fault := newWizardFaultLine()
	read := func() bool {
		from := present.Trim(path.Text)
		if from == "" {
			fault.set(p.T("wizard.problem.required"))
			return true
		}
		g.w.run(func() {
			data, err := readFile(from)
			post(func() {
				if err != nil {
					e := present.Sentence(p, err, i18n.Context{Name: from})
					fault.set(join(e.What, e.Detail))
					return
				}
				q.popup.Hide()
				g.imported(data)
			})
		})
		return true
	}
	browse := newButton(p.T("wizard.office.file.browse"), func() { g.browse(path) })
	content := container.NewVBox(container.NewBorder(nil, nil, nil, browse, path), fault.box)
	q = ask(&here, p.T("wizard.office.import"), p.T("wizard.office.file.text"), content, path,
		answer{label: p.T("wizard.office.file.read"), do: read}, answer{label: p.T("wizard.cancel")})
}

// readFile reads a file that a person named, no more of it than a list of
// people can be.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, present.FileFault(path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, present.MaxImport))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, present.FileFault(path, err)
	}
	return data, nil
}

// browse lets the person choose the file with the mouse.
func (g *wizardOffice) browse(path *wizardEntry) {
	win := g.w.win
	chooser := dialog.NewFileOpen(func(r fyne.URIReadCloser, err error) {
		if err == nil && r != nil {
			path.SetText(r.URI().Path())
			_ = r.Close() // nothing was read
		}
		win.Canvas().Focus(path)
	}, win)
	chooser.SetFilter(storage.NewExtensionFileFilter([]string{".csv", ".txt", ".tsv", ".CSV", ".TXT", ".TSV"}))
	chooser.Resize(fyne.NewSize(640, 480))
	chooser.Show()
}

// imported shows what a file brought.
func (g *wizardOffice) imported(data []byte) {
	got, err := g.w.answers.Import(data)
	if err == nil {
		g.people.SetText(g.w.answers.Office.People)
	}
	g.count.SetText(present.ImportText(g.w.p(), got, err))
	g.w.relayout()
	g.w.win.Canvas().Focus(g.people)
}
