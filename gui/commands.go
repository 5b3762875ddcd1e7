package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// Commander is a page with buttons that a menu offers as well, with a shortcut.
// It returns what each does by the key of its word, one of the Command
// constants; a button that is switched off does nothing.
type Commander interface {
	Commands() map[string]func()
}

// The commands, in the order of the menu.
const (
	CommandAdd    = "main.add"
	CommandSave   = "main.save"
	CommandUndo   = "main.undo"
	CommandTest   = "main.test"
	CommandExport = "main.log.export"
)

// editMenu offers what can be done on the page in front.
func (s *Shell) editMenu() *fyne.Menu {
	p := s.d.Text()
	find := fyne.NewMenuItem(p.T("gui.menu.find"), func() { s.unlessAsked(func() { s.Navigate(PageLog) }) })
	find.Shortcut = shortcut(fyne.KeyF)
	m := fyne.NewMenu(p.T("gui.menu.edit"), find, fyne.NewMenuItemSeparator())
	s.commands = map[string]*fyne.MenuItem{}
	for _, c := range []struct {
		word string
		key  fyne.KeyName
	}{{CommandAdd, fyne.KeyN}, {CommandSave, fyne.KeyS}, {CommandUndo, ""}, {CommandTest, fyne.KeyT}, {CommandExport, fyne.KeyE}} {
		it := fyne.NewMenuItem(p.T(c.word), func() { s.unlessAsked(func() { s.command(c.word) }) })
		if c.key != "" {
			it.Shortcut = shortcut(c.key)
		}
		s.commands[c.word] = it
		m.Items = append(m.Items, it)
	}
	return m
}

func shortcut(key fyne.KeyName) fyne.Shortcut {
	return &desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}
}

// unlessAsked does something unless a question waits for its answer.
func (s *Shell) unlessAsked(do func()) {
	if s.d.Window.Canvas().Overlays().Top() == nil {
		do()
	}
}

// command does on the page in front what a button of it does.
func (s *Shell) command(word string) {
	if do := s.offered()[word]; do != nil {
		do()
	}
}

// offered are the commands of the page in front.
func (s *Shell) offered() map[string]func() {
	for _, p := range s.pages {
		if c, ok := p.(Commander); ok && p.Title() == s.current {
			return c.Commands()
		}
	}
	return nil
}

// markCommands switches off what the page in front does not offer.
func (s *Shell) markCommands() {
	offered := s.offered()
	for word, it := range s.commands {
		it.Disabled = offered[word] == nil
	}
	if m := s.d.Window.MainMenu(); m != nil {
		m.Refresh()
	}
}

// pressing does what a button does, when it can be pressed.
func pressing(b *Button) func() {
	return func() {
		if b != nil && b.Visible() && !b.Disabled() && b.OnTapped != nil {
			b.OnTapped()
		}
	}
}

// commands are those of every page that edits a list of things.
func (e *editor[T]) commands() map[string]func() {
	return map[string]func(){CommandAdd: pressing(e.addB), CommandSave: pressing(e.saveB), CommandUndo: pressing(e.undoB)}
}

// Commands are those of the log.
func (p *logPage) Commands() map[string]func() { return map[string]func(){CommandExport: p.export} }

// Commands are those of the mailbox that is open.
func (p *mailboxesPage) Commands() map[string]func() {
	c := p.edit.commands()
	c[CommandTest] = p.test
	return c
}

// Commands are those of the office server that is open.
func (p *targetPage) Commands() map[string]func() {
	c := p.edit.commands()
	c[CommandTest] = p.test
	return c
}

// Commands are those of the list in front.
func (p *peoplePage) Commands() map[string]func() {
	front := func() map[string]func() {
		switch p.tabs.SelectedIndex() {
		case 1:
			return p.lists.commands()
		case 2:
			return p.rules.commands()
		}
		return p.people.commands()
	}
	return map[string]func(){
		CommandAdd:  func() { front()[CommandAdd]() },
		CommandSave: func() { front()[CommandSave]() },
		CommandUndo: func() { front()[CommandUndo]() },
	}
}

// Commands are those of the schedule.
func (p *schedulePage) Commands() map[string]func() {
	return map[string]func(){CommandSave: func() { pressing(p.box.save)() }, CommandUndo: func() { pressing(p.box.undo)() }}
}

// Commands are for whatever was typed on the page.
func (p *settingsPage) Commands() map[string]func() {
	each := func(button func(*sheetBox) *Button) func() {
		return func() {
			for _, g := range p.boxes {
				pressing(button(g.box))()
			}
		}
	}
	return map[string]func(){
		CommandSave: each(func(s *sheetBox) *Button { return s.save }),
		CommandUndo: each(func(s *sheetBox) *Button { return s.undo }),
	}
}
