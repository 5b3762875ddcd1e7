package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"postbag/app/config"
	"postbag/engine/store"
)

// noteSignIn is the key under which the store remembers what a mailbox was
// signed in with last.
const noteSignIn = "sign_in"

// liftChanged gives a mailbox that was suspended after wrong passwords another
// chance when its settings have changed since (rule 8).
func (l *Local) liftChanged(ctx context.Context) error {
	states, err := l.store.Mailboxes(ctx)
	if err != nil {
		return err
	}
	known := make(map[string]store.MailboxState, len(states))
	for _, st := range states {
		known[st.ID] = st
	}
	for i := range l.config().Mailboxes {
		m := &l.config().Mailboxes[i]
		print, err := signIn(m)
		if err != nil {
			return err
		}
		st, seen := known[m.ID]
		if !seen || st.Notes[noteSignIn] == print {
			continue // a new mailbox has nothing to lift
		}
		err = l.store.UpdateMailbox(ctx, m.ID, func(st *store.MailboxState) {
			if st.Notes[noteSignIn] != "" {
				st.Suspended, st.Strikes = false, 0
			}
			if st.Notes == nil {
				st.Notes = make(map[string]string)
			}
			st.Notes[noteSignIn] = print
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
