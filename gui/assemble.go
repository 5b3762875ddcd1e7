package gui

// first shows what a start begins with: the wizard when nothing is set up yet,
// else the main window, and the engine goes to work.
func (s *Shell) first(hidden bool) {
	if !s.state.Configured() {
		s.hidden = true // until the wizard is through
		s.openWizard()
		return
	}
	s.hidden = hidden
	if !hidden {
		s.Raise()
	}
	if s.o.StartError == nil {
		s.order(s.d.Backend.Start)
	}
}

// openWizard shows the wizard, or the one that is open already.
func (s *Shell) openWizard() {
	if s.wizard != nil {
		s.wizard.Raise()
		return
	}
	s.wizard = OpenWizard(s.d, s.wizardClosed)
}

// wizardClosed goes on with the main window. What could not be told beside the
// wizard is told now.
func (s *Shell) wizardClosed(done bool) {
	s.wizard = nil
	s.pulse.now()
	if s.ending {
		return
	}
	if done {
		s.banner.hide()
	}
	s.Raise()
	if len(s.pages) > 0 {
		s.Navigate(s.pages[0].Title())
	}
	if s.asked {
		s.TrayThere(s.there)
	}
}
