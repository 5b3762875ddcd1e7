package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// sheetBox edits a table that the settings have once, with its own Save.
type sheetBox struct {
	d    *Desk
	make func(*config.Config) present.Sheet

	sheet present.Sheet
	form  *form
	busy  bool
	state *widget.Label
	save  *Button
	undo  *Button
	root  *fyne.Container
}

func newSheetBox(d *Desk, make func(*config.Config) present.Sheet) *sheetBox {
	return &sheetBox{d: d, make: make, root: container.NewStack()}
}

// shown reads the settings anew, unless something is being typed.
func (s *sheetBox) shown(then func()) {
	if s.busy || s.form != nil && s.form.dirty {
		return
	}
	work(s.d, s.d.Backend.Config, func(cfg *config.Config, err error) {
		if err != nil && !present.NoConfigYet(err) {
			s.fault(err)
			return
		}
		s.sheet = s.make(cfg)
		s.form = nil
		s.build()
		if then != nil {
			then()
		}
	})
}

// build makes the widgets anew; what is being typed stays.
func (s *sheetBox) build() {
	if s.sheet == nil {
		return
	}
	t := s.d.Text()
	old := s.form
	s.form = newForm(s.d, s.sheet, wizardKeys{enter: s.keep, escape: s.back}, s.mark)
	if old != nil && old.dirty {
		for i, row := range s.form.rows {
			row.control.set(old.rows[i].control.get())
		}
		s.form.dirty = true
	}
	s.save, s.undo = newMainButton(t.T("main.save"), s.keep), newButton(t.T("main.undo"), s.back)
	s.state = widget.NewLabel("")
	s.root.Objects = []fyne.CanvasObject{container.NewVBox(s.form.box, container.NewHBox(s.save, s.undo, s.state))}
	s.root.Refresh()
	s.mark()
}

// mark says what can be done now.
func (s *sheetBox) mark() {
	t := s.d.Text()
	able(s.save, s.form.dirty && !s.busy)
	able(s.undo, s.form.dirty && !s.busy)
	switch {
	case s.busy:
		s.state.SetText(t.T("main.saving"))
	case s.form.dirty:
		s.state.SetText(t.T("main.not_saved"))
	}
}

// back forgets what was typed.
func (s *sheetBox) back() {
	if s.busy || s.form == nil {
		return
	}
	s.form.dirty = false
	s.state.SetText("")
	s.shown(nil)
}

// keep saves what was typed and applies it.
func (s *sheetBox) keep() {
	if s.busy || !s.form.dirty || !s.form.store() {
		return
	}
	s.busy = true
	s.mark()
	sheet := s.sheet
	work(s.d, func(ctx context.Context) ([]present.FieldFault, error) {
		return present.Keep(ctx, s.d.Backend, sheet, "")
	}, func(found []present.FieldFault, err error) {
		s.busy = false
		switch {
		case err != nil:
			s.mark()
			s.fault(err)
		case hasFault(found):
			s.form.tell(found)
			s.mark()
		default:
			s.form.dirty = false
			s.shown(func() {
				s.form.tell(found)
				s.state.SetText(s.d.Text().T("main.saved"))
			})
		}
	})
}

func (s *sheetBox) fault(err error) { tellError(s.d, err, i18n.Context{}) }
