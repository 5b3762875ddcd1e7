//go:build !windows && !darwin

package autostart

// Entry switches the start at sign-in.
type Entry struct{ fileEntry }

// New returns the entry of this user.
func New(o Options) *Entry { return &Entry{xdgEntry(o)} }
