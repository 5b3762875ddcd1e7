package gui

// drafting is a page on which something can be typed that is lost with the
// program unless it is saved.
type drafting interface {
	Unsaved() bool
}

// Quit ends the program when the user wants it: what was typed and not saved is
// asked about first. The end of the session does not ask: see End.
func (s *Shell) Quit() {
	switch page := s.unsaved(); {
	case s.ending:
	case s.wizard != nil && s.wizard.unsaved():
		s.wizard.Raise()
		s.wizard.askLeave(s.End)
	case page != "":
		s.Raise()
		s.Navigate(page)
		s.askQuit()
	default:
		s.End()
	}
}

// unsaved names the first page on which something waits to be saved.
func (s *Shell) unsaved() string {
	for _, p := range s.pages {
		if d, ok := p.(drafting); ok && d.Unsaved() {
			return p.Title()
		}
	}
	return ""
}

func (s *Shell) askQuit() {
	if s.parting {
		return // the question is on the screen already
	}
	s.parting = true
	p := s.d.Text()
	ask(s.d, p.T("main.unsaved.title"), p.T("gui.quit.text"), nil, nil,
		answer{label: p.T("gui.quit.anyway"), danger: true, do: func() bool { s.End(); return false }},
		answer{label: p.T("main.unsaved.stay"), do: func() bool { s.parting = false; return false }})
}

func (e *editor[T]) unsaved() bool { return e.form != nil && e.form.dirty }

func (s *sheetBox) unsaved() bool { return s.form != nil && s.form.dirty }

// Unsaved tells whether a mailbox is being changed.
func (p *mailboxesPage) Unsaved() bool { return p.edit.unsaved() }

// Unsaved tells whether an office server is being changed.
func (p *targetPage) Unsaved() bool { return p.edit.unsaved() }

// Unsaved tells whether somebody or a list is being changed, on any of the tabs.
func (p *peoplePage) Unsaved() bool {
	return p.people.unsaved() || p.lists.unsaved() || p.rules.unsaved()
}

// Unsaved tells whether the schedule is being changed.
func (p *schedulePage) Unsaved() bool { return p.box.unsaved() }

// Unsaved tells whether one of the settings is being changed.
func (p *settingsPage) Unsaved() bool {
	for _, g := range p.boxes {
		if g.box.unsaved() {
			return true
		}
	}
	return false
}
