package gui

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/widget"

	"postbag/app/i18n"
	"postbag/gui/present"
)

// saveAs asks for a name and has write fill the file. A file that exists is
// only written over when the person says so; one that could not be finished
// does not stay.
func saveAs(d *Desk, name string, write func(context.Context, *os.File) error) {
	t := d.Text()
	var q *question
	keys := wizardKeys{enter: func() { q.entryKey(fyne.KeyReturn) }, escape: func() { q.key(fyne.KeyEscape) }}
	entry := newWizardEntry(keys, filepath.Join(documents(), name), nil)
	fault := newWizardFaultLine()
	over := widget.NewCheck(t.T("main.save_as.over"), nil)
	over.Hide()
	browse := newButton(t.T("main.save_as.browse"), func() { browseFolder(d, entry) })
	state := widget.NewLabel("")
	state.Hide()
	content := container.NewVBox(container.NewBorder(nil, nil, nil, browse, entry), fault.box, over, state)
	busy := false
	save := func() bool {
		if busy {
			return true
		}
		busy = true
		path, force := present.Trim(entry.Text), over.Checked
		fault.set("")
		state.SetText(t.T("main.save_as.working"))
		state.Show()
		work(d, func(ctx context.Context) (string, error) { return path, writeFile(ctx, path, force, write) }, func(path string, err error) {
			busy = false
			state.Hide()
			switch {
			case errors.Is(err, fs.ErrExist) && !force:
				over.Show()
				fault.set(t.T("main.save_as.exists"))
			case err != nil:
				e := present.Sentence(t, err, i18n.Context{Name: path})
				fault.set(join(e.What, e.Detail))
			default:
				q.popup.Hide()
				ask(d, t.T("main.save_as.done"), path, nil, nil, answer{label: t.T("main.close")})
			}
		})
		return true
	}
	q = ask(d, t.T("main.save_as.title"), "", content, entry, answer{label: t.T("main.save"), do: save}, answer{label: t.T("main.cancel")})
}

// writeFile makes a file that only its owner can read: it may hold mail.
func writeFile(ctx context.Context, path string, force bool, write func(context.Context, *os.File) error) error {
	flag := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flag = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return present.FileFault(path, err)
	}
	err = write(ctx, f)
	if cerr := f.Close(); err == nil && cerr != nil {
		err = present.FileFault(path, cerr)
	}
	if err != nil {
		_ = os.Remove(path) // half a file would pass for a whole one
	}
	return err
}

// documents is where people keep files.
func documents() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	if dir := filepath.Join(home, "Documents"); isFolder(dir) {
		return dir
	}
	return home
}

func isFolder(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// browseFolder lets the person choose the folder with the mouse.
func browseFolder(d *Desk, entry *wizardEntry) {
	chooser := dialog.NewFolderOpen(func(folder fyne.ListableURI, err error) {
		if err == nil && folder != nil {
			entry.SetText(filepath.Join(folder.Path(), filepath.Base(entry.Text)))
		}
		d.Window.Canvas().Focus(entry)
	}, d.Window)
	if at, err := storage.ListerForURI(storage.NewFileURI(filepath.Dir(entry.Text))); err == nil {
		chooser.SetLocation(at)
	}
	chooser.Resize(fyne.NewSize(640, 480))
	chooser.Show()
}
