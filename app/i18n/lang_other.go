//go:build !windows

package i18n

// desktopLocale is the language of the desktop where the environment does not
// name one.
func desktopLocale() string { return "" }
