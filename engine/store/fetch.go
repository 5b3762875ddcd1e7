package store

import (
	"context"

	"postbag/engine/mail"
)

// maxFetches is how often a message may fail before it is set aside (rule 16).
const maxFetches = 3

// FetchFailed counts a fetch that failed because of the message itself; the
// third sets it aside as failed, so that one bad message never blocks its
// mailbox (rule 16). It returns the state.
func (s *Store) FetchFailed(ctx context.Context, row int64, f *mail.Failure) (mail.State, error) {
	var state mail.State
	err := s.write(ctx, "fetch failed", 0, func(t *tx) error {
		k, err := t.must("fetch failed", row)
		if err != nil {
			return err
		}
		state = k.State
		if state != mail.Waiting && state != mail.TooBig {
			return nil
		}
		if f == nil {
			f = &mail.Failure{Code: mail.CodeInternal}
		}
		if _, err := t.exec("UPDATE identity SET fetches = fetches + 1 WHERE row = ?", row); err != nil {
			return err
		}
		if err := t.note(row, StepFetchFailed, "", f.Code, f.Reply); err != nil {
			return err
		}
		if k.Fetches+1 < maxFetches {
			return nil
		}
		reason := f.Reply
		if reason == "" {
			reason = string(f.Code)
		}
		if err := t.setReason(row, f.Code, reason); err != nil {
			return err
		}
		state = mail.Failed
		return t.become(row, k.State, state)
	})
	return state, err
}

// SetTooBig records that a message is over the limit and stays at the provider
// (rule 15). first is true once per message: warn then.
func (s *Store) SetTooBig(ctx context.Context, row, size int64, sum mail.Summary) (first bool, err error) {
	err = s.write(ctx, "too big", 0, func(t *tx) error {
		first = false
		k, err := t.must("too big", row)
		if err != nil {
			return err
		}
		if k.State != mail.Waiting && k.State != mail.TooBig {
			return wrongState("too big", k.State)
		}
		if k.State == mail.TooBig && k.Size == size && sum == (mail.Summary{}) {
			return nil
		}
		if err := t.summarise(row, sum); err != nil {
			return err
		}
		if _, err := t.exec("UPDATE identity SET size = ? WHERE row = ?", size, row); err != nil {
			return err
		}
		if err := t.setReason(row, mail.CodeTooBig, ""); err != nil {
			return err
		}
		if k.State == mail.TooBig {
			return nil
		}
		first = true
		return t.become(row, k.State, mail.TooBig)
	})
	return first, err
}

// summarise stores what lists show of a message that stays at the provider.
func (t *tx) summarise(row int64, sum mail.Summary) error {
	_, err := t.exec(`INSERT INTO message (row, message_id, author, subject) VALUES (?, ?, ?, ?)
		ON CONFLICT (row) DO UPDATE SET message_id = excluded.message_id, author = excluded.author, subject = excluded.subject`,
		row, sum.MessageID, sum.From, sum.Subject)
	if err != nil {
		return err
	}
	return t.index(row, sum, nil)
}

// index makes a message findable; it replaces what was indexed before.
func (t *tx) index(row int64, sum mail.Summary, recipients []mail.Recipient) error {
	if err := t.unindex(row); err != nil {
		return err
	}
	if _, err := t.exec(sqlWords, row, searchText(sum, recipients)); err != nil {
		return err
	}
	_, err := t.exec("UPDATE message SET indexed = 1 WHERE row = ?", row)
	return err
}

func (t *tx) unindex(row int64) error {
	r, ok, err := t.first("SELECT indexed FROM message WHERE row = ?", row)
	if err != nil || !ok || !r.bool(0) {
		return err
	}
	_, err = t.exec("DELETE FROM search WHERE rowid = ?", row)
	return err
}
