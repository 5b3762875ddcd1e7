package gui

// NewPages makes the pages of the main window in the order of the navigation.
func NewPages(d *Desk) []Page {
	return []Page{
		NewOverviewPage(d), NewLogPage(d), NewQueuePage(d), NewMailboxesPage(d),
		NewPeoplePage(d), NewTargetPage(d), NewSchedulePage(d), NewSettingsPage(d),
	}
}
