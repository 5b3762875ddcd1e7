package run

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// display tells whether there is a screen to draw on. Elsewhere than on Linux
// and the BSDs there always is one to ask for.
func display(goos string, getenv func(string) string) bool {
	switch goos {
	case "windows", "darwin":
		return true
	}
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != "" || getenv("WAYLAND_SOCKET") != ""
}

// bus tells whether there is a desktop session to put an icon and messages in.
//
// QUIRK Asked without one, the D-Bus library starts a bus of its own that nobody
// ever ends.
func bus(goos string, getenv func(string) string) bool {
	if goos == "windows" || goos == "darwin" {
		return true
	}
	if address := getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address != "autolaunch:"
	}
	_, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus"))
	return err == nil
}

// watchLog passes the log of the window library on, and sees in it why it
// cannot go on.
//
// QUIRK Fyne reports that it cannot draw in its log only, and then ends the
// process or runs into a nil pointer.
type watchLog struct {
	out  io.Writer
	seen func(present.Obstacle)
}

// Write reads one entry of package log.
func (w *watchLog) Write(line []byte) (int, error) {
	n, err := w.out.Write(line)
	switch {
	case bytes.Contains(line, []byte("failed to initialise GLFW")):
		w.seen(present.NoDisplay)
	case bytes.Contains(line, []byte("window creation error")):
		w.seen(present.NoOpenGL)
	}
	return n, err
}

// fileError is a fault of the data folder as the texts know it.
type fileError struct{ err error }

// Error is the cause.
func (e *fileError) Error() string { return e.err.Error() }

// Unwrap makes a failure of it.
func (e *fileError) Unwrap() error {
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Err: e.err}
}
