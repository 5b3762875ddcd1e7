package launch

import (
	"fmt"
	"io"

	"golang.org/x/sys/windows"
)

// Tell says a sentence where the person who started the program sees it: a
// program with windows has no standard error there.
func Tell(stderr io.Writer, title, sentence string) {
	_, _ = fmt.Fprintln(stderr, sentence)
	text, err := windows.UTF16PtrFromString(sentence)
	if err != nil {
		return
	}
	caption, err := windows.UTF16PtrFromString(title)
	if err != nil {
		return
	}
	_, _ = windows.MessageBox(0, text, caption, windows.MB_OK|windows.MB_ICONWARNING)
}

// OpenFile opens a file with the program that the desktop has for it.
func OpenFile(path string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	file, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := windows.ShellExecute(0, verb, file, nil, nil, windows.SW_SHOWNORMAL); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}
