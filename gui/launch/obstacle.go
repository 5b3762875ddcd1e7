package launch

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"postbag/gui/present"
)

// Display tells whether there is a screen to draw on. Elsewhere than on Linux
// and the BSDs there always is one to ask for.
func Display(goos string, getenv func(string) string) bool {
	switch goos {
	case "windows", "darwin":
		return true
	}
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != "" || getenv("WAYLAND_SOCKET") != ""
}

// Bus tells whether there is a desktop session to put an icon and messages in.
//
// QUIRK Asked without one, the D-Bus library starts a bus of its own that nobody
// ever ends.
func Bus(goos string, getenv func(string) string) bool {
	if goos == "windows" || goos == "darwin" {
		return true
	}
	if address := getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address != "autolaunch:"
	}
	_, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus"))
	return err == nil
}

// Log passes the log of the window library on, and sees in it why it cannot go
// on.
//
// QUIRK Fyne reports that it cannot draw in its log only, and then ends the
// process or runs into a nil pointer.
type Log struct {
	Out  io.Writer
	Seen func(present.Obstacle)
}

// Write reads one entry of package log.
func (w *Log) Write(line []byte) (int, error) {
	n, err := w.Out.Write(line)
	switch {
	case bytes.Contains(line, []byte("failed to initialise GLFW")):
		w.Seen(present.NoDisplay)
	case bytes.Contains(line, []byte("window creation error")):
		w.Seen(present.NoOpenGL)
	}
	return n, err
}
