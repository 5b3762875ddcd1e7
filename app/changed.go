package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"postbag/app/config"
	"postbag/engine"
	"postbag/engine/store"
)

// liftChanged gives a mailbox that was suspended after wrong passwords another
// chance when its settings have changed since (rule 8): the store remembers what it
// was signed in with last.
func (l *Local) liftChanged(ctx context.Context, mailboxes []engine.Mailbox) error {
	states, err := l.store.Mailboxes(ctx)
	if err != nil {
		return err
	}
	known := make(map[string]store.MailboxState, len(states))
	for _, st := range states {
		known[st.ID] = st
	}
	for _, m := range mailboxes {
		st, seen := known[m.ID]
		if !seen || st.Notes[engine.NoteSignIn] == m.SignIn {
			continue // a new mailbox has nothing to lift
		}
		err := l.store.UpdateMailbox(ctx, m.ID, func(st *store.MailboxState) {
			if st.Notes[engine.NoteSignIn] != "" {
				st.Suspended, st.Strikes = false, 0
			}
			if st.Notes == nil {
				st.Notes = make(map[string]string)
			}
			st.Notes[engine.NoteSignIn] = m.SignIn
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// signIn is a digest of the settings of a mailbox; it holds no secret, only
// the reference to one.
func signIn(m *config.Mailbox) (string, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("mailbox %q: %w", m.Name, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}
