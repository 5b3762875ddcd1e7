package autostart

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows/registry"
)

const (
	runKey  = `Software\Microsoft\Windows\CurrentVersion\Run`
	runName = "Postbag"
)

// Entry switches the start at sign-in.
type Entry struct{ command string }

// New returns the entry of this user.
func New(o Options) *Entry {
	var words []string
	for _, a := range o.command() {
		words = append(words, quoteWindows(a))
	}
	return &Entry{command: strings.Join(words, " ")}
}

// Enabled tells whether the value is there.
func (e *Entry) Enabled() (_ bool, err error) {
	k, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if err != nil {
		return false, fmt.Errorf("start at sign-in: %w", err)
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	_, _, err = k.GetStringValue(runName)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("start at sign-in: %w", err)
	}
	return true, nil
}

// Set writes the value or takes it away.
func (e *Entry) Set(on bool) (err error) {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("start at sign-in: %w", err)
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	if on {
		err = k.SetStringValue(runName, e.command)
	} else if err = k.DeleteValue(runName); errors.Is(err, registry.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("start at sign-in: %w", err)
	}
	return nil
}
