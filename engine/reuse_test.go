package engine_test

import (
	"fmt"
	"testing"
	"time"

	"postbag/engine/mailtest"
)

// unheard has the first session's QUIT carried out without an answer, and no
// second session in the same collection.
func unheard(c mailtest.POP3Command) *mailtest.POP3Fault {
	switch {
	case c.Session == 1 && c.Verb == "QUIT":
		return mailtest.POP3Cut(0)
	case c.Session == 2:
		return mailtest.POP3Drop()
	}
	return nil
}

// rule 3: the provider deleted a message, the answer to QUIT got lost, and its
// UIDL is used again, and again. None of the later messages is deleted unread,
// although LOGIN-DELAY forbids a second session that would see the gap.
func TestUIDLUsedAgainAfterALostQuit(t *testing.T) {
	for _, top := range []bool{true, false} {
		t.Run(fmt.Sprint("TOP ", top), func(t *testing.T) {
			w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{NoTOP: !top, LoginDelay: time.Minute}})
			w.misbehave(unheard)
			w.postRaw(global, "1", "a", letter("a", anne), anne)
			w.collect()
			w.misbehave(nil)
			for _, id := range []string{"b", "c", "d"} {
				w.clock.add(time.Hour)
				w.postRaw(global, "1", id, letter(id, anne), anne)
				w.collect()
			}
			w.exactly()
			w.atISP(0)
			w.wantStates("delivered 4")
		})
	}
}

// rule 3: the same, and the message that has the UIDL now could not be looked at
// in the session after the lost answer: its line could not be read, or the
// provider refused to give it out. The doubt lasts.
func TestUIDLUsedAgainUnseen(t *testing.T) {
	refuse := func(c mailtest.POP3Command) *mailtest.POP3Fault {
		if (c.Verb == "RETR" || c.Verb == "TOP") && c.Arg[0] == '2' {
			return mailtest.POP3Reply("-ERR [SYS/TEMP] not now")
		}
		return nil
	}
	for _, bad := range []bool{true, false} {
		t.Run(fmt.Sprint("bad line ", bad), func(t *testing.T) {
			spoil := false
			w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{Line: func(verb string, n int, line string) string {
				if spoil && verb == "UIDL" && n == 2 {
					return "2"
				}
				return line
			}}})
			w.misbehave(unheard)
			w.postRaw(global, "1", "a", letter("a", anne), anne)
			w.collect()
			w.postRaw(global, "2", "b", letter("b", anne), anne)
			w.postRaw(global, "1", "c", letter("c", anne), anne)
			if spoil = bad; bad {
				w.misbehave(nil)
			} else {
				w.misbehave(refuse)
			}
			w.collect()
			spoil = false
			w.misbehave(nil)
			w.collect()
			w.exactly()
			w.atISP(0)
			w.wantStates("delivered 3")
		})
	}
}

// rule 3: the same, and the message that has the UIDL now comes behind a QUIT in
// between: the second session of the run is in doubt as well.
func TestUIDLUsedAgainBehindQUITInBetween(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.misbehave(unheard)
	w.postRaw(global, "1", "a", letter("a", anne), anne)
	w.collect()
	w.misbehave(nil)
	for i := range 530 {
		w.postRaw(global, fmt.Sprint("m", i), fmt.Sprint("m", i), letter(fmt.Sprint("m", i), anne), anne)
	}
	w.postRaw(global, "1", "c", letter("c", anne), anne)
	w.collect()
	w.exactly()
	w.atISP(0)
}

// rule 12: what was noted for the first DELE ahead of time is taken back when the
// session dies before it.
func TestRule12_NothingWasAskedForYet(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.postRaw(global, "1", "a", letter("a", anne), anne)
	w.misbehave(func(c mailtest.POP3Command) *mailtest.POP3Fault {
		if c.Verb == "RETR" {
			return mailtest.POP3Drop()
		}
		return nil
	})
	w.collect()
	states, err := w.store.Mailboxes(t.Context())
	if err != nil || len(states) == 0 {
		t.Fatal(states, err)
	}
	for _, st := range states {
		if len(st.Notes) > 0 {
			t.Errorf("%s: %v", st.ID, st.Notes)
		}
	}
	w.misbehave(nil)
	w.collect()
	w.exactly()
	w.atISP(0)
}
