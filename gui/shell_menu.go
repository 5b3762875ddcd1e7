package gui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// mainMenu is the menu of the window; it shows the shortcuts.
func (s *Shell) mainMenu() *fyne.MainMenu {
	p := s.d.Text()
	item := func(label string, key fyne.KeyName, do func()) *fyne.MenuItem {
		it := fyne.NewMenuItem(label, do)
		if key != "" {
			it.Shortcut = shortcut(key)
		}
		return it
	}
	quit := item(p.T("gui.menu.quit"), fyne.KeyQ, s.Quit)
	quit.IsQuit = true
	work := fyne.NewMenu(p.T("gui.menu.work"),
		item(p.T("gui.tray.collect"), fyne.KeyR, func() { s.act(present.ActionCollect) }),
		item(p.T("gui.tray.start"), "", func() { s.act(present.ActionStart) }),
		item(p.T("gui.tray.stop"), "", func() { s.act(present.ActionStop) }),
		fyne.NewMenuItemSeparator(),
		item(p.T("gui.menu.wizard"), "", s.d.Wizard),
		fyne.NewMenuItemSeparator(),
		quit,
	)
	view := fyne.NewMenu(p.T("gui.menu.view"))
	for i, pg := range s.pages {
		key := fyne.KeyName(rune('1' + i))
		view.Items = append(view.Items, item(p.T(pg.Title()), key, func() { s.Navigate(pg.Title()) }))
	}
	menus := []*fyne.Menu{work}
	if len(view.Items) > 0 {
		menus = append(menus, view, s.editMenu())
	}
	if s.o.About != nil {
		menus = append(menus, fyne.NewMenu(p.T("gui.menu.help"),
			item(p.T("gui.menu.about"), "", func() { s.o.About(s.d) })))
	}
	return fyne.NewMainMenu(menus...)
}

func (s *Shell) act(action string) { s.do(present.TrayItem{Action: action}) }

// do does what an item of the menus stands for.
func (s *Shell) do(it present.TrayItem) {
	switch it.Action {
	case present.ActionOpen:
		s.Raise()
	case present.ActionCollect:
		s.order(func(ctx context.Context) error {
			_, err := s.d.Backend.Collect(ctx, nil)
			return err
		})
	case present.ActionStart:
		s.order(s.d.Backend.Start)
	case present.ActionStop:
		s.order(s.d.Backend.Stop)
	case present.ActionLog:
		s.open(PageLog, "")
	case present.ActionQueue:
		s.open(PageQueue, "")
	case present.ActionSettings:
		s.open(PageSettings, "")
	case present.ActionMailbox:
		s.open(PageMailboxes, it.Subject)
	case present.ActionTarget:
		s.open(PageTarget, it.Subject)
	case present.ActionWizard:
		s.d.Wizard()
	case present.ActionQuit:
		s.Quit()
	}
}

// open raises the window with a page, and shows there what it is about.
func (s *Shell) open(page, subject string) {
	s.Raise()
	s.Navigate(page)
	for _, p := range s.pages {
		if o, ok := p.(Opener); ok && p.Title() == page && subject != "" {
			o.Open(subject)
		}
	}
}

// order tells the engine something and shows what came of it.
func (s *Shell) order(job func(context.Context) error) {
	work(s.d, func(ctx context.Context) (struct{}, error) { return struct{}{}, job(ctx) },
		func(_ struct{}, err error) {
			s.pulse.now()
			if err != nil && !s.ending {
				s.tell(err)
			}
		})
}

// tell shows a fault over the pages.
func (s *Shell) tell(err error) {
	p := s.d.Text()
	if b, ok := present.StartBanner(p, err, s.d.Backend.Place().Config); ok {
		s.banner.show(b)
		return
	}
	e := p.Fault(mail.AsFailure(err), i18n.Context{})
	s.banner.show(present.Banner{What: e.What + " " + e.Advice, Detail: e.Detail, Wizard: true})
}

// patience is how long the engine may take to stop; then it is cut off, which
// loses no mail.
const patience = 20 * time.Second

// End stops the engine and ends the program, without a question. The windows go
// at once.
func (s *Shell) End() {
	if s.ending {
		return
	}
	s.ending = true
	s.pulse.stop()
	s.d.Window.Hide()
	work(s.d, func(ctx context.Context) (facts.Status, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		s.keeper.under.Wait()
		if s.d.Backend.Attached() {
			return facts.Status{}, nil // it goes on in its own process
		}
		return facts.Status{}, s.d.Backend.Stop(ctx)
	}, func(_ facts.Status, err error) {
		if err != nil {
			fyne.LogError("the engine did not stop", err)
		}
		s.o.Quit()
	})
}
