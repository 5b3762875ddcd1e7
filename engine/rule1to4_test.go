package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postbag/engine"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/source"
)

const (
	anne = "anne@office.test"
	bob  = "bob@office.test"
)

func keepAll() source.Policy { return source.Policy{After: source.After{Keep: true}} }

// rule 1, rule 13: what is known is not fetched again, whatever its number.
func TestRule1_KnownByUIDLNotByNumber(t *testing.T) {
	w := newWorld(t, worldOptions{policy: keepAll()})
	for i := range 5 {
		w.post(fmt.Sprint("m", i), anne)
	}
	w.collect()
	first := w.isp.Messages(global)
	w.isp.Clear(global)
	for i, m := range slices.Backward(first) { // other numbers, one is gone
		if i != 2 {
			w.isp.AddMessage(global, m.UID, m.Bytes)
		}
	}
	w.collect()
	w.exactly()
	if n := w.count("RETR"); n != 5 {
		t.Errorf("%d RETR, want 5", n)
	}
	w.policy(source.Policy{}) // a later change to delete applies to what was delivered before
	w.collect()
	w.atISP(0)
	w.wantStates("delivered 5")
}

// rule 4: the provider moves the mailbox: new UIDLs for everything, more
// messages than fit between two checkpoints, some of them never seen.
func TestRule4_Renumbered(t *testing.T) {
	tests := []struct {
		name   string
		policy source.Policy
		empty  bool // one session in between finds nothing
		limit  int
	}{
		{name: "at once", policy: keepAll()},
		{name: "after an empty listing", policy: keepAll(), empty: true},
		{name: "few at a time", policy: keepAll(), limit: 100},
		{name: "delete after days", policy: source.Policy{After: source.After{Delay: 30 * 24 * time.Hour}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldOptions{policy: tt.policy, smtp: mailtest.SMTPOptions{}})
			const many = 520
			for i := range many {
				w.post(fmt.Sprint("m", i), anne)
			}
			w.collect()
			w.clock.add(100 * 24 * time.Hour / 10)
			if tt.policy.After.Keep {
				w.clock.add(90 * 24 * time.Hour) // beyond the window of rule 35
			}
			moved := w.isp.Messages(global)
			if tt.empty {
				w.isp.Clear(global)
				w.collect()
				for _, m := range moved {
					w.isp.AddMessage(global, m.UID, m.Bytes)
				}
			}
			w.isp.Renumber(global, func(i int, _ string) string { return fmt.Sprint("new-", i) })
			w.loose = true
			w.post("fresh", bob)
			p := tt.policy
			p.MaxMessages = tt.limit
			w.policy(p)
			fresh := 0
			for range 7 {
				fresh += w.collect().Results[0].New
			}
			if fresh != 1 {
				t.Errorf("%d are called new", fresh)
			}
			w.exactly()
			w.wantStates("delivered 521")
			if !tt.empty && !slices.Contains(w.attention(), mail.CodeRenumbered) {
				t.Error("nobody was asked")
			}
		})
	}
}

// rule 4: a message that vanished and another copy of it that came for somebody
// else are two messages.
func TestRule4_OtherCopyIsNotTheVanishedOne(t *testing.T) {
	w := newWorld(t, worldOptions{policy: keepAll()})
	w.post("list", anne)
	w.collect()
	w.isp.Clear(global)
	w.post("list", bob)
	w.collect()
	w.exactly()
	w.wantStates("delivered 2")
}

// rule 3: two messages share a UIDL.
func TestRule3_SharedUIDL(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.postRaw(global, "same", "a", letter("a", anne), anne)
	w.postRaw(global, "same", "b", letter("b", bob), bob)
	w.post("c", anne)
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 3")
	w.postRaw(global, "same", "d", letter("d", anne), anne) // alone, with a UIDL that meant others
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 4")
}

// rule 3: a UIDL that was one message's is two messages' later.
func TestRule3_UIDLBecomesShared(t *testing.T) {
	w := newWorld(t, worldOptions{policy: keepAll()})
	w.postRaw(global, "same", "a", letter("a", anne), anne)
	w.collect()
	w.postRaw(global, "same", "b", letter("b", anne), anne)
	for range 3 {
		w.collect()
	}
	w.exactly()
	w.wantStates("delivered 2")
	w.policy(source.Policy{})
	w.collect()
	w.atISP(0)
	w.exactly()
}

// rule 3: every UIDL is the same, and the office is away at first.
func TestRule3_OneUIDLForAll(t *testing.T) {
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Drop: true})}})
	for i := range 30 {
		w.postRaw(global, "1", fmt.Sprint("m", i), letter(fmt.Sprint("m", i), anne), anne)
	}
	w.collect()
	w.wantStates("queued 30")
	w.collect()
	w.wantStates("queued 30")
	w.office.Script(nil)
	w.collect()
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 30")
}

// rule 3: without UIDL the content tells which message it is; identical ones
// are one delivery for the same person, and nobody else loses his.
func TestRule3_NoUIDL(t *testing.T) {
	w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{NoUIDL: true}})
	w.post("a", anne)
	w.post("a", anne)
	w.post("b", bob)
	w.post("list", anne)
	rep := w.collect()
	w.result(rep, engine.ResultOK)
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 3, duplicate 1")
	w.post("list", bob) // the same message, for somebody else, later
	w.post("a", anne)   // once more the same for the same
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 4, duplicate 2")
}

// rule 3: without UIDL what waits here is fetched again, known, and not sent twice.
func TestRule3_NoUIDLOfficeAway(t *testing.T) {
	w := newWorld(t, worldOptions{
		pop3: mailtest.POP3Options{NoUIDL: true},
		smtp: mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepMAIL, mailtest.SMTPAction{Reply: "451 4.3.0 later"})},
	})
	for i := range 4 {
		w.post(fmt.Sprint("m", i%3), anne)
	}
	for range 3 {
		w.collect()
	}
	w.atISP(4)
	w.wantStates("queued 4")
	w.office.Script(nil)
	w.collect()
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 3, duplicate 1")
}

// rule 3: without UIDL, a reply to QUIT that got lost. What the provider
// deleted nevertheless is not mistaken for what comes later.
func TestRule3_NoUIDLLostQuit(t *testing.T) {
	w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{NoUIDL: true}})
	w.post("list", anne)
	w.misbehave(mailtest.OnPOP3("QUIT", 1, mailtest.POP3Cut(0)))
	w.collect()
	w.misbehave(nil)
	w.post("list", bob)
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 2")
}

// rule 3: first_collection = "new" without UIDL.
func TestRule3_NoUIDLSkipFirst(t *testing.T) {
	w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{NoUIDL: true}, policy: source.Policy{SkipFirst: true}})
	w.isp.AddMessage(global, "", letter("old", anne))
	w.collect()
	w.post("new", anne)
	w.collect()
	w.exactly()
	w.atISP(1)
	w.wantStates("filtered 1, delivered 1")
}

// A provider that uses a UIDL again, as RFC 1939 section 7 lets it once the
// first message is gone, and one that says +OK to QUIT and deletes nothing.
func TestUIDLUsedAgain(t *testing.T) {
	for _, top := range []bool{true, false} {
		t.Run(fmt.Sprint("TOP ", top), func(t *testing.T) {
			w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{NoTOP: !top}})
			for round := range 3 {
				for i := range 4 {
					id := fmt.Sprint("r", round, "m", i)
					w.postRaw(global, fmt.Sprint(i), id, letter(id, anne), anne)
				}
				w.collect()
			}
			w.exactly()
			w.atISP(0)
			w.wantStates("delivered 12")
		})
	}
}

// A person had a message deleted unread; later its UIDL is another one's.
func TestUIDLOfADeletedOneUsedAgain(t *testing.T) {
	w := newWorld(t, worldOptions{policy: source.Policy{MaxMessageSize: 5000}})
	w.postRaw(global, "1", "big", padded(letter("big", anne), 6000))
	w.collect()
	if _, err := w.store.Delete(t.Context(), w.entries()[0].ID); err != nil {
		t.Fatal(err)
	}
	w.collect()
	w.atISP(0)
	w.postRaw(global, "1", "small", letter("small", anne), anne)
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 1, deleted 1")
}

// rule 13: "deleted" according to the reply to QUIT, but still there.
func TestRule13_DeletedButStillThere(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.post("a", anne)
	w.misbehave(mailtest.OnPOP3("QUIT", 0, says("+OK bye\r\n")))
	w.collect()
	w.atISP(1)
	w.misbehave(nil)
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 1")
	if n := w.count("RETR"); n != 1 {
		t.Errorf("%d RETR, want 1", n)
	}
}

// A server that does not stuff dots ends a message early: what follows shows
// that the line is out of step, and half a message is not taken for a whole one.
func TestRule11_DotsNotStuffed(t *testing.T) {
	for _, pipelining := range []bool{true, false} {
		t.Run(fmt.Sprint("pipelining ", pipelining), func(t *testing.T) {
			w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{NoPipelining: !pipelining}})
			w.post("a", anne)
			bad := string(letter("bad", anne))
			w.postRaw(global, "bad", "bad", []byte(bad))
			w.post("c", anne)
			w.misbehave(func(c mailtest.POP3Command) *mailtest.POP3Fault {
				n, _ := strconv.Atoi(c.Arg)
				if list := w.isp.Messages(global); c.Verb == "RETR" && list[n-1].UID == "bad" {
					return mailtest.POP3Raw("+OK\r\n" + strings.TrimSuffix(bad, "\r\n") + "\r\n.\r\n")
				}
				return nil
			})
			for range 3 {
				w.collect()
			}
			w.exactly()
			w.atISP(1)
			w.wantStates("failed 1, delivered 2")
		})
	}
}

// A line too many between two messages must not put the text of one under the
// UIDL of the other.
func TestOutOfStep(t *testing.T) {
	w := newWorld(t, worldOptions{})
	for i := range 6 {
		id := fmt.Sprint("m", i)
		w.postRaw(global, "", id, padded(letter(id, anne), 100*i), anne)
	}
	w.misbehave(mailtest.OnPOP3("RETR", 2, mailtest.POP3Then("-ERR what was that\r\n")))
	w.collect()
	w.misbehave(nil)
	w.collect()
	w.collect()
	w.exactly()
	w.atISP(0)
}
