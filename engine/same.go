package engine

import (
	"context"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/source"
	"postbag/engine/store"
)

// same tells whether what is listed under a known UIDL is the message that is
// known by it. A provider may use the UIDL of a message that is gone for
// another one (RFC 1939 section 7), and nothing is to be deleted unread because
// of that. sure wants proof even when the sizes agree.
func (s *session) same(ctx context.Context, it source.Planned, sure bool) (bool, error) {
	k := it.Known
	if k.Fingerprint == "" && !k.DeleteAsked {
		return true, nil // it never was here, so it is fetched
	}
	over := k.Size - it.Size // a server adds a line end that was missing at the very end
	size := it.Size < 0 || k.Size < 0 || over >= 0 && over <= 2
	if size && !sure {
		return true, nil
	}
	top, err := s.top(ctx, it)
	if err != nil || top == nil {
		return false, err
	}
	en, err := s.e.deps.Store.Entry(ctx, k.Row)
	if err != nil {
		return false, err
	}
	known := mail.Summary{MessageID: en.MessageID, From: en.From, Subject: en.Subject}
	if known == (mail.Summary{}) {
		return size, nil // the journal has forgotten it, or it has no header
	}
	return header.Summarize(header.Parse(top)) == known && (size || known.MessageID != ""), nil
}

// byContent notes which of the known messages are meant by a UIDL although only
// the content tells which one is listed.
func (s *session) byContent(uid string, rows ...source.Known) {
	if uid == "" {
		return
	}
	for _, k := range rows {
		if k.AtSource == mail.SourcePresent || k.AtSource == mail.SourceKept {
			s.meant[uid] = append(s.meant[uid], k.Row)
		}
	}
}

// replaced returns those of them that the content did not prove to be listed.
// They are booked as gone, or their UIDL would mean them when the next message
// gets it, and that one would be deleted unread.
func (s *session) replaced() (rows []int64) {
	held := make(map[int]bool, len(s.fetch.rows))
	for _, it := range s.fetch.rows {
		held[it.Number] = true
	}
	for _, it := range s.listing.Items {
		if !held[it.Number] {
			delete(s.meant, it.UID) // it was not looked at
		}
	}
	for _, meant := range s.meant {
		for _, row := range meant {
			if _, listed := s.fetch.rows[row]; !listed {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// onlyRefused tells an -ERR, after which the session lives, from its end.
func onlyRefused(err error) bool {
	switch mail.AsFailure(err).Code {
	case mail.CodeRefused, mail.CodeSysTemp, mail.CodeSysPerm, mail.CodeInUse:
		return true
	}
	return false
}

// top asks for a header; nil when the provider does not give it. A message
// whose header breaks the session is not asked again in this run.
func (s *session) top(ctx context.Context, it source.Planned) ([]byte, error) {
	if !s.conn.Capabilities().TOP || !s.run.mayTop(s.mb.ID, it) {
		return nil, nil
	}
	top, err := s.conn.Top(ctx, it.Number, 0, 1<<18)
	if err == nil {
		return top, nil
	}
	if onlyRefused(err) {
		return nil, nil
	}
	if ctx.Err() == nil {
		s.run.noTop(s.mb.ID, it)
	}
	return nil, err
}

// noteUnsure is the key of a mailbox's note that deletions were asked for and
// not confirmed.
const noteUnsure = "unsure"

// unsure notes before the first DELE that it is not known what the provider
// still has, and takes the note back after QUIT (rule 12). A note of an earlier
// session stays until everything that lies there was looked at.
func (s *session) unsure(ctx context.Context, unsure bool) error {
	if !s.mayNote(unsure) {
		return nil
	}
	s.noted = unsure
	return s.e.deps.Store.UpdateMailbox(ctx, s.mb.ID, func(st *store.MailboxState) { setUnsure(st, unsure) })
}

// short is how many messages a listing has at most that is recorded at once.
const short = 100

// noteEarly returns how to note it together with the UIDLs of a short listing,
// which saves a commit; nil: settleLast does it. A crash before the first DELE then
// makes the next session look closely at these few without need.
func (s *session) noteEarly() func(context.Context) error {
	if s.noted || len(s.listing.Items) > short {
		return nil
	}
	s.noted = true
	return func(ctx context.Context) error {
		return s.e.deps.Store.UpdateMailbox(ctx, s.mb.ID, func(st *store.MailboxState) { setUnsure(st, true) })
	}
}

// mayNote tells whether the note is to be changed.
func (s *session) mayNote(unsure bool) bool {
	return unsure != s.noted && (!s.doubt || s.lookedAtAll())
}

func setUnsure(st *store.MailboxState, unsure bool) {
	if unsure {
		setNote(st, noteUnsure, "1")
	} else {
		delete(st.Notes, noteUnsure)
	}
}

func setNote(st *store.MailboxState, key, text string) {
	if st.Notes == nil {
		st.Notes = make(map[string]string)
	}
	st.Notes[key] = text
}

// lookedAtAll tells whether this session has seen every message that lies there.
// One whose line could not be read, or that was refused, may be another one by now.
func (s *session) lookedAtAll() bool {
	s.fetch.mu.Lock()
	defer s.fetch.mu.Unlock()
	return s.whole && len(s.listing.Faults) == 0 && !s.fetch.missed
}

// wasUnsure tells whether an earlier session ended like that.
func (s *session) wasUnsure(ctx context.Context) error {
	st, err := s.e.deps.Store.GetMailbox(ctx, s.mb.ID)
	s.doubt = st.Notes[noteUnsure] != ""
	s.noted = s.doubt
	return err
}
