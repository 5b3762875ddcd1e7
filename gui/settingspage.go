package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// settingsPage holds what is set once and for all, the transcripts, and what
// the program says of itself.
type settingsPage struct {
	d           *Desk
	boxes       []settingsGroup
	transcripts *transcriptPanel
	auto        *wizardCheck
	tabs        *container.AppTabs
	root        *fyne.Container
}

// settingsGroup is one sheet with its heading, on one of the tabs.
type settingsGroup struct {
	tab, heading string // keys
	box          *sheetBox
}

// NewSettingsPage makes the page of the settings.
func NewSettingsPage(d *Desk) Page {
	p := &settingsPage{d: d, root: container.NewStack(), transcripts: newTranscriptPanel(d)}
	p.boxes = []settingsGroup{
		{"main.settings.office", "main.settings.office_heading", newSheetBox(d, present.OfficeSheet)},
		{"main.settings.delivery", "main.settings.delivery_heading", newSheetBox(d, present.DeliverySheet)},
		{"main.settings.delivery", "main.settings.connection_heading", newSheetBox(d, present.ConnectionSheet)},
		{"main.settings.logging", "main.settings.journal_heading", newSheetBox(d, present.JournalSheet)},
		{"main.settings.logging", "main.settings.log_heading", newSheetBox(d, present.LogSheet)},
		{"main.settings.logging", "main.settings.alerts_heading", newSheetBox(d, present.AlertsSheet)},
	}
	return p
}

// Title is the key of the title.
func (p *settingsPage) Title() string { return PageSettings }

// Content is the page.
func (p *settingsPage) Content() fyne.CanvasObject { return p.root }

// Shown reads the settings anew.
func (p *settingsPage) Shown() {
	for _, b := range p.boxes {
		b.box.shown(nil)
	}
	p.transcripts.shown()
	p.knowAutostart()
}

// Hidden does nothing: what is typed stays.
func (p *settingsPage) Hidden() {}

// Heard does nothing.
func (p *settingsPage) Heard([]facts.Event) {}

// Retext writes every text anew.
func (p *settingsPage) Retext() {
	t := p.d.Text()
	at := 0
	if p.tabs != nil {
		at = p.tabs.SelectedIndex()
	}
	p.tabs = container.NewAppTabs(container.NewTabItem(t.T("main.settings.program"), container.NewVScroll(container.NewPadded(p.program()))))
	for _, tab := range []string{"main.settings.office", "main.settings.delivery", "main.settings.logging"} {
		rows := container.NewVBox()
		for _, b := range p.boxes {
			if b.tab == tab {
				b.box.build()
				rows.Add(container.NewVBox(wizardBold(t.T(b.heading)), b.box.root, widget.NewSeparator()))
			}
		}
		p.tabs.Append(container.NewTabItem(t.T(tab), container.NewVScroll(container.NewPadded(rows))))
	}
	p.transcripts.build()
	p.tabs.Append(container.NewTabItem(t.T("main.settings.transcripts"), p.transcripts.root))
	p.tabs.Append(container.NewTabItem(t.T("main.settings.about"), container.NewVScroll(container.NewPadded(aboutRows(p.d)))))
	p.tabs.SelectIndex(at)
	p.tabs.OnSelected = freshTab
	p.root.Objects = []fyne.CanvasObject{p.tabs}
	p.root.Refresh()
}

// program is what concerns the window and no mail: it holds at once.
func (p *settingsPage) program() fyne.CanvasObject {
	t := p.d.Text()
	look := present.DefaultLook()
	if p.d.Look != nil {
		look = p.d.Look()
	}
	keys := wizardKeys{enter: func() {}, escape: func() {}}
	change := func(set func(*present.Look)) {
		l := p.d.Look()
		set(&l)
		p.d.SetLook(l)
	}
	row := func(label string, o fyne.CanvasObject) fyne.CanvasObject {
		return container.NewBorder(nil, nil, wizardWidth(formLabelWidth, wizardText(t.T(label))), nil, o)
	}
	lang := newWizardSelect(keys, []string{i18n.English, i18n.French}, []string{t.T("main.language.en"), t.T("main.language.fr")}, t.Lang(),
		func(v string) { change(func(l *present.Look) { l.Language = v }) })
	theme := newWizardSelect(keys, []string{present.ThemeSystem, present.ThemeLight, present.ThemeDark},
		[]string{t.T("main.theme.system"), t.T("main.theme.light"), t.T("main.theme.dark")}, look.Theme,
		func(v string) { change(func(l *present.Look) { l.Theme = v }) })
	tray := newWizardSelect(keys, []string{present.TrayColour, present.TrayMonochrome},
		[]string{t.T("main.tray.colour"), t.T("main.tray.monochrome")}, look.TrayIcon,
		func(v string) { change(func(l *present.Look) { l.TrayIcon = v }) })
	on := p.auto != nil && p.auto.Checked
	p.auto = newWizardCheck(keys, t.T("main.settings.autostart"), on, p.setAutostart)
	visible(p.auto, p.d.Autostart != nil)
	wizard := newButton(t.T("main.mend.wizard"), func() { p.d.Wizard() })
	return container.NewVBox(row("main.settings.language", lang), row("main.settings.theme", theme), row("main.settings.tray", tray),
		container.NewBorder(nil, nil, wizardWidth(formLabelWidth, wizardText("")), nil, container.NewVBox(p.auto, container.NewHBox(wizard))))
}

// knowAutostart asks the desktop whether the program starts by itself.
func (p *settingsPage) knowAutostart() {
	if p.d.Autostart == nil {
		return
	}
	autostart := p.d.Autostart
	check := p.auto
	work(p.d, noContext(autostart.Enabled), func(on bool, err error) {
		check.OnChanged = nil
		check.SetChecked(err == nil && on)
		check.OnChanged = p.setAutostart
	})
}

func (p *settingsPage) setAutostart(on bool) {
	autostart := p.d.Autostart
	work(p.d, noContext(func() (bool, error) { return on, autostart.Set(on) }), func(_ bool, err error) {
		if err != nil {
			tellError(p.d, present.FileFault("", err), i18n.Context{})
			p.knowAutostart()
		}
	})
}
