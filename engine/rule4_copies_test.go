package engine_test

import (
	"strings"
	"testing"
	"time"

	"postbag/engine/mailtest"
	"postbag/engine/source"
)

// rule 4, rule 49: a message was deleted, and the answer to QUIT got lost. A copy
// of it that the list tells of only now is not the one that vanished: it has a
// line of its own.
func TestRule4_CopyOfADeletedOne(t *testing.T) {
	lost := mailtest.OnPOP3("QUIT", 1, mailtest.POP3Cut(0))
	tests := []struct {
		name string
		bad  int // number of the message whose line of the first list cannot be read
		play func(w *world)
		want string
	}{
		{name: "its line could not be read", bad: 2, want: "delivered 1, duplicate 1", play: func(w *world) {
			w.post("a", anne)
			w.post("a", anne)
			w.collect()
		}},
		{name: "it came later", want: "delivered 1, duplicate 1", play: func(w *world) {
			w.post("a", anne)
			w.misbehave(func(c mailtest.POP3Command) *mailtest.POP3Fault {
				if c.Verb == "QUIT" && c.Session == 1 {
					w.post("a", anne)
				}
				return lost(c)
			})
			w.collect()
		}},
		{name: "after the next collection", want: "delivered 2, duplicate 1", play: func(w *world) {
			w.post("a", anne)
			w.collect()
			w.post("b", anne)
			before := w.isp.Sessions()
			w.misbehave(func(c mailtest.POP3Command) *mailtest.POP3Fault {
				if c.Verb == "QUIT" && c.Session == before+1 {
					w.post("a", anne)
				}
				return lost(c)
			})
			w.collect()
		}},
		{name: "the third of three", bad: 3, want: "delivered 1, duplicate 2", play: func(w *world) {
			for range 3 {
				w.post("a", anne)
			}
			w.collect()
		}},
		{name: "set aside", bad: 2, want: "quarantined 2", play: func(w *world) {
			w.office.Script(mailtest.OnStep(mailtest.StepDot, mailtest.SMTPAction{Reply: "552 5.3.4 too big"}))
			w.post("a", anne)
			w.post("a", anne)
			w.collect()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lists := 0
			w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{Line: func(verb string, n int, line string) string {
				if verb == "UIDL" && n == 1 {
					lists++
				}
				if verb == "UIDL" && n == tt.bad && lists == 1 {
					return "x"
				}
				return line
			}}})
			w.misbehave(lost)
			tt.play(w)
			w.misbehave(nil)
			w.collect()
			w.collect()
			w.atISP(0)
			w.wantStates(tt.want)
			if !strings.HasPrefix(tt.want, "quarantined") {
				w.exactly()
			}
		})
	}
}

// rule 4: what was delivered long ago lay there in spite of every DELE, and has
// a new UIDL now: rule 35 has forgotten the delivery, and still nobody gets it
// twice.
func TestRule4_NeverDeletedAndRenumbered(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.post("a", anne)
	w.misbehave(mailtest.OnPOP3("QUIT", 0, mailtest.POP3Drop()))
	w.collect()
	w.atISP(1)
	w.clock.add(40 * 24 * time.Hour)
	w.isp.Renumber(global, func(int, string) string { return "new" })
	w.loose = true
	w.collect()
	w.misbehave(nil)
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 1")
}

// rule 4: two copies were listed side by side, and one of them was fetched in
// the very millisecond of the listing. When it has vanished, the other is still
// another one.
func TestRule4_ListedSideBySideAtOnce(t *testing.T) {
	w := newWorld(t, worldOptions{policy: source.Policy{After: source.After{Keep: true}}})
	w.clock.stop()
	w.post("a", anne)
	w.post("a", anne)
	w.misbehave(func(c mailtest.POP3Command) *mailtest.POP3Fault {
		if c.Verb == "RETR" && c.Arg == "2" {
			return mailtest.POP3Reply("-ERR [SYS/TEMP] not now")
		}
		return nil
	})
	w.collect()
	w.misbehave(nil)
	left := w.isp.Messages(global)[1:]
	w.isp.Clear(global)
	for _, m := range left {
		w.isp.AddMessage(global, m.UID, m.Bytes)
	}
	w.collect()
	w.exactly()
	w.wantStates("delivered 1, duplicate 1")
}
