package gui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// The menu offers what the page in front can do, each with its shortcut, and
// nothing while a question waits.
func TestShellCommands(t *testing.T) {
	b := newBench(t, nil)
	item := func(word string) *fyne.MenuItem { return b.commands[word] }
	for word, it := range b.commands {
		if !it.Disabled {
			t.Errorf("the overview offers %s", word)
		}
		if it.Shortcut == nil && word != CommandUndo {
			t.Errorf("%s has no shortcut", word)
		}
	}
	b.Navigate(PageMailboxes)
	if item(CommandSave).Disabled || item(CommandTest).Disabled || !item(CommandExport).Disabled {
		t.Error("the mailboxes do not offer what they can do")
	}
	item(CommandSave).Action()
	item(CommandExport).Action() // a shortcut may come all the same
	if got := b.pages[3].did; got[CommandSave] != 1 || len(got) != 1 {
		t.Error(got)
	}
	question := widget.NewModalPopUp(widget.NewLabel("?"), b.d.Window.Canvas())
	question.Show()
	item(CommandSave).Action()
	if got := b.pages[3].did[CommandSave]; got != 1 {
		t.Error("saved behind a question")
	}
	question.Hide()
	menu := b.mainMenu().Items[2]
	if at := slices.IndexFunc(menu.Items, func(it *fyne.MenuItem) bool { return it.Label == "Find in the log" }); at < 0 {
		t.Fatal("no way to search")
	} else {
		menu.Items[at].Action()
	}
	if b.current != PageLog {
		t.Error(b.current)
	}
}

// Every page does by its commands what its buttons do.
func TestPagesCommands(t *testing.T) {
	for name, open := range pageMakers() {
		t.Run(name, func(t *testing.T) {
			pageTest(t, "en", open, nil, func(t *testing.T, b *pageBench) {
				c, ok := b.page.(Commander)
				if !ok {
					return
				}
				commands := c.Commands()
				if save := commands[CommandSave]; save != nil {
					b.do(save)
					if b.has("apply") {
						t.Error("saved what nobody changed")
					}
				}
				if add := commands[CommandAdd]; add != nil {
					b.do(add)
					b.see(t, "New ")
					b.do(commands[CommandUndo])
					b.seeNot(t, "New ")
				}
				if probe := commands[CommandTest]; probe != nil {
					b.do(probe)
					b.press(t, "Close")
				}
				if export := commands[CommandExport]; export != nil {
					b.do(export)
					b.press(t, "Cancel")
				}
			})
		})
	}
}
