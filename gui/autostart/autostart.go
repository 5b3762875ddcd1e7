// Package autostart lets the program start when the user signs in: a desktop
// entry (XDG), a value of the Run key (Windows), a launch agent (macOS). It
// concerns this user only and needs no rights.
package autostart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"postbag/app/config"
)

// ID is the name of the entries, and of the application towards the desktop.
const ID = "test.postbag.desktop"

// hidden makes the program start with the icon near the clock only.
const hidden = "--hidden"

// Options say what is to be started.
type Options struct {
	Program string   // absolute path of the executable
	Args    []string // besides --hidden: configuration and data folder, when not the usual ones
	Hint    string   // what the program does, for the list of the desktop
	Getenv  func(string) string
}

// command is the program with its arguments.
func (o Options) command() []string { return append(append([]string{o.Program}, o.Args...), hidden) }

// fileEntry is an entry that is a file: there, or not.
type fileEntry struct {
	path string
	text string
}

// Enabled tells whether the entry is there.
func (e fileEntry) Enabled() (bool, error) {
	text, err := os.ReadFile(e.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("start at sign-in: %w", err)
	}
	// Desktops switch an entry off with a line in it instead of removing it.
	return !strings.Contains(string(text), "\nHidden=true") &&
		!strings.Contains(string(text), "\nX-GNOME-Autostart-enabled=false"), nil
}

// Set writes the entry or takes it away.
func (e fileEntry) Set(on bool) error {
	err := os.Remove(e.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if on && err == nil {
		if err = os.MkdirAll(filepath.Dir(e.path), 0o700); err == nil {
			err = config.WriteFile(e.path, []byte(e.text))
		}
	}
	if err != nil {
		return fmt.Errorf("start at sign-in: %w", err)
	}
	return nil
}

// xdgEntry is the desktop entry of the Desktop Application Autostart
// Specification 0.5.
func xdgEntry(o Options) fileEntry {
	dir := o.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(o.Getenv("HOME"), ".config")
	}
	var exec []string
	for _, a := range o.command() {
		exec = append(exec, quoteExec(a))
	}
	return fileEntry{
		path: filepath.Join(dir, "autostart", "postbag.desktop"),
		text: "[Desktop Entry]\nType=Application\nName=Postbag\nComment=" + oneLine(o.Hint) +
			"\nExec=" + strings.Join(exec, " ") +
			"\nIcon=postbag\nTerminal=false\nX-GNOME-Autostart-enabled=true\n",
	}
}

// quoteExec quotes an argument of an Exec line (Desktop Entry Specification
// 1.5, "The Exec key"): quotes, then the string escapes of the file itself.
func quoteExec(a string) string {
	if a != "" && strings.IndexFunc(a, func(r rune) bool { return !plain(r) }) < 0 {
		return a
	}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`, `%`, `%%`).Replace(a)
	return strings.ReplaceAll(`"`+quoted+`"`, `\`, `\\`)
}

// plain are the characters that no desktop reads as anything else.
func plain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/-_.=,:+@", r)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// agentEntry is a launch agent (launchd.plist(5)).
func agentEntry(o Options) fileEntry {
	var args strings.Builder
	for _, a := range o.command() {
		args.WriteString("    <string>" + xmlText(a) + "</string>\n")
	}
	return fileEntry{
		path: filepath.Join(o.Getenv("HOME"), "Library", "LaunchAgents", ID+".plist"),
		text: `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>` + ID + `</string>
  <key>ProgramArguments</key>
  <array>
` + args.String() + `  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>ProcessType</key>
  <string>Interactive</string>
</dict>
</plist>
`,
	}
}

func xmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// quoteWindows quotes an argument in the way CommandLineToArgvW undoes it.
func quoteWindows(a string) string {
	if a != "" && !strings.ContainsAny(a, " \t\"") {
		return a
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for i := range len(a) {
		switch a[i] {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteByte(a[i])
	}
	b.WriteString(strings.Repeat(`\`, slashes) + `"`)
	return b.String()
}
