package present

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"postbag/app/config"
	"postbag/app/i18n"
)

// The words of Look.
const (
	ThemeSystem = "system" // as the desktop is
	ThemeLight  = "light"
	ThemeDark   = "dark"

	TrayColour     = "colour"
	TrayMonochrome = "monochrome"
)

// Look are the settings of the desktop itself. They concern no mail, so they
// stand in a file of their own in the data folder, desktop.toml.
type Look struct {
	Language string `toml:"language"`     // en or fr, "" as the system is
	Theme    string `toml:"theme"`        // one of the Theme words
	TrayIcon string `toml:"tray_icon"`    // one of the Tray words
	NoTray   bool   `toml:"no_tray_told"` // the user has been told that this desktop shows no icons
}

// DefaultLook is what holds without a file.
func DefaultLook() Look { return Look{Theme: ThemeSystem, TrayIcon: TrayColour} }

// sane puts words that nobody knows right: a damaged file of looks must not
// keep anybody from his mail.
func (l Look) sane() Look {
	d := DefaultLook()
	if l.Language != "" && !i18n.Supported(l.Language) {
		l.Language = d.Language
	}
	if l.Theme != ThemeLight && l.Theme != ThemeDark {
		l.Theme = d.Theme
	}
	if l.TrayIcon != TrayMonochrome {
		l.TrayIcon = d.TrayIcon
	}
	return l
}

func lookFile(data string) string { return filepath.Join(data, "desktop.toml") }

// LoadLook reads the settings of the desktop from the data folder. What cannot
// be read is as by default; the error says why.
func LoadLook(data string) (Look, error) {
	text, err := os.ReadFile(lookFile(data))
	if errors.Is(err, fs.ErrNotExist) {
		return DefaultLook(), nil
	}
	if err != nil {
		return DefaultLook(), fmt.Errorf("settings of the desktop: %w", err)
	}
	l := DefaultLook()
	if err := toml.Unmarshal(text, &l); err != nil {
		return DefaultLook(), fmt.Errorf("settings of the desktop: %w", err)
	}
	return l.sane(), nil
}

// Save keeps the settings, whole or not at all.
func (l Look) Save(data string) error {
	text, err := toml.Marshal(l.sane())
	if err != nil {
		return fmt.Errorf("settings of the desktop: %w", err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("settings of the desktop: %w", err)
	}
	if err := config.WriteFile(lookFile(data), text); err != nil {
		return fmt.Errorf("settings of the desktop: %w", err)
	}
	return nil
}
