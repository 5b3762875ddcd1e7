//go:build !windows

package launch

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
)

// Tell says a sentence where the person who started the program sees it.
func Tell(stderr io.Writer, _, sentence string) {
	_, _ = fmt.Fprintln(stderr, sentence) // there is nobody else to tell
}

// OpenFile opens a file with the program that the desktop has for it.
func OpenFile(path string) error {
	name := "xdg-open"
	if runtime.GOOS == "darwin" {
		name = "open"
	}
	cmd := exec.Command(name, path)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	go func() { _ = cmd.Wait() }() // the viewer's business
	return nil
}
