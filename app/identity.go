package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
)

// identitiesFile remembers which mailbox has which id, so that renaming one
// keeps its state.
func identitiesFile(data string) string { return filepath.Join(data, "mailboxes.json") }

// resolveIDs gives every mailbox the id under which its state is kept, and
// remembers it when this process may write.
func (l *Local) resolveIDs(cfg *config.Config) error {
	path := identitiesFile(l.o.Data)
	var known []config.Identity
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &known)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: path, Err: err}
	}
	next := cfg.ResolveIDs(known)
	if l.lock == nil || slices.Equal(known, next) {
		return nil
	}
	if err := writeIdentities(path, next); err != nil {
		return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: path, Err: err}
	}
	return nil
}

// writeIdentities replaces the file at once or not at all.
func writeIdentities(path string, ids []config.Identity) error {
	data, err := json.MarshalIndent(ids, "", "  ")
	if err != nil {
		return fmt.Errorf("mailbox ids: %w", err)
	}
	return config.WriteFile(path, append(data, '\n'))
}
