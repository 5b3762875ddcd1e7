//go:build windows || darwin

package launch

import "context"

// WatchTray tells that there is a place for icons near the clock: always.
func WatchTray(wanted bool, told func(there bool)) (stop func()) {
	told(wanted)
	return func() {}
}

// HasPortal tells that the desktop says whether it is light or dark: always.
func HasPortal(context.Context, func(string) string) bool { return true }
