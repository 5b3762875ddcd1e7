package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/source"
)

// rule 15: over the limit it stays, is told once with its sender and subject,
// and a person decides.
func TestRule15_TooBig(t *testing.T) {
	w := newWorld(t, worldOptions{policy: source.Policy{MaxMessageSize: 5000}})
	w.postRaw(global, "", "big", padded(letter("big", anne), 6000), anne)
	w.postRaw(global, "", "huge", padded(letter("huge", anne), 9000))
	w.post("small", bob)
	for range 2 {
		w.result(w.collect(), engine.ResultOK)
	}
	w.atISP(2)
	w.wantStates("too_big 2, delivered 1")
	if n := len(w.attention()); n != 2 {
		t.Errorf("told %d times: %v", n, w.attention())
	}
	ids := make(map[string]string)
	err := w.store.Queue(t.Context(), func(en mail.Entry) error {
		if en.From != "Zoe <zoe@sender.test>" || !strings.HasPrefix(en.Subject, "about ") || en.Size < 6000 {
			t.Errorf("told %+v", en)
		}
		ids[strings.TrimPrefix(en.Subject, "about ")] = en.ID
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Retry(t.Context(), ids["big"]); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Delete(t.Context(), ids["huge"]); err != nil {
		t.Fatal(err)
	}
	w.collect()
	w.atISP(0)
	w.exactly()
	w.wantStates("delivered 2, deleted 1")
}

// rule 10: LIST is a hint. What turns out to be over the limit is told, and
// does not break a session each time.
func TestRule10_ListLies(t *testing.T) {
	w := newWorld(t, worldOptions{
		policy: source.Policy{MaxMessageSize: 1000},
		pop3: mailtest.POP3Options{Line: func(verb string, n int, line string) string {
			if verb == "LIST" {
				return fmt.Sprint(n, " 500")
			}
			return line
		}},
	})
	w.postRaw(global, "", "big", padded(letter("big", anne), 200<<10))
	w.post("small", bob)
	for range 3 {
		w.result(w.collect(), engine.ResultOK)
	}
	w.atISP(1)
	w.exactly()
	w.wantStates("too_big 1, delivered 1")
	if n := w.count("RETR"); n > 4 {
		t.Errorf("%d RETR", n)
	}
}

// rule 16: a message that breaks its session each time is set aside the third
// time; the others do not wait for it.
func TestRule16_Poison(t *testing.T) {
	tests := map[string]struct {
		fault *mailtest.POP3Fault
		delay time.Duration
	}{
		"drops":                  {fault: mailtest.POP3Cut(200)},
		"drops with LOGIN-DELAY": {fault: mailtest.POP3Cut(200), delay: time.Minute},
		"refused":                {fault: mailtest.POP3Reply("-ERR cannot read it")},
		"no status line":         {fault: mailtest.POP3Reply("what?")},
		"silent":                 {fault: mailtest.POP3Stream(nil)},
	}
	for name, tt := range tests {
		if name == "silent" {
			continue // engine/source/pop3 proves its deadlines
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{LoginDelay: tt.delay}})
			w.post("a", anne)
			w.postRaw(global, "poison", "poison", padded(letter("poison", anne), 1000))
			for i := range 5 {
				w.post(fmt.Sprint("m", i), bob)
			}
			w.misbehave(func(c mailtest.POP3Command) *mailtest.POP3Fault {
				if c.Verb == "RETR" && w.uidOf(c) == "poison" {
					return tt.fault
				}
				return nil
			})
			for i := range 5 {
				rep := w.collect()
				switch {
				case i < 2 && rep.Results[0].Kind == engine.ResultOK:
					t.Errorf("collection %d: ok, although a message was not fetched", i+1)
				case i == 2 && rep.SetAside != 1:
					t.Errorf("collection %d: %+v", i+1, rep)
				case i > 2 && rep.Results[0].Kind != engine.ResultOK:
					t.Errorf("collection %d: %v", i+1, rep.Results[0].Failure)
				}
				w.clock.add(time.Hour)
				if i == 1 {
					w.exactly() // the others are there
				}
			}
			w.atISP(1)
			w.wantStates("failed 1, delivered 6")
			w.misbehave(nil)
			w.retryFailed()
			w.want["poison"] = []string{anne}
			w.collect()
			w.exactly()
			w.atISP(0)
		})
	}
}

// uidOf is the UIDL of the message that a command names.
func (w *world) uidOf(c mailtest.POP3Command) string {
	var n int
	if _, err := fmt.Sscan(c.Arg, &n); err != nil {
		return ""
	}
	list := w.isp.Messages(c.User)
	if n < 1 || n > len(list) {
		return ""
	}
	return list[n-1].UID
}

// rule 16: without UIDL there is nothing to count for; the others come all the
// same, and the provider is not hammered.
func TestRule16_PoisonWithoutUIDL(t *testing.T) {
	w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{NoUIDL: true}})
	w.postRaw(global, "poison", "poison", padded(letter("poison", anne), 1000))
	for i := range 5 {
		w.post(fmt.Sprint("m", i), bob)
	}
	w.misbehave(func(c mailtest.POP3Command) *mailtest.POP3Fault {
		if c.Verb == "RETR" && w.uidOf(c) == "poison" {
			return mailtest.POP3Cut(100)
		}
		return nil
	})
	for range 3 {
		if rep := w.collect(); rep.Results[0].Kind == engine.ResultOK {
			t.Error("ok, although a message was not fetched")
		}
	}
	w.exactly()
	w.atISP(1)
	if n := w.count("STAT"); n > 6 { // attempts that found the mailbox still locked do not count
		t.Errorf("%d sessions", n)
	}
}

// rule 16: a provider that gives out nothing has no bad messages.
func TestRule16_ProviderAtFault(t *testing.T) {
	for name, fault := range map[string]*mailtest.POP3Fault{
		"-ERR": mailtest.POP3Reply("-ERR internal error"), "SYS/TEMP": mailtest.POP3Reply("-ERR [SYS/TEMP] later"), "drop": mailtest.POP3Drop(),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldOptions{})
			for i := range 12 {
				w.post(fmt.Sprint("m", i), anne)
			}
			w.misbehave(mailtest.OnPOP3("RETR", 0, fault))
			for range 5 {
				if rep := w.collect(); rep.Results[0].Kind == engine.ResultOK || rep.SetAside != 0 {
					t.Errorf("%+v", rep)
				}
			}
			w.misbehave(nil)
			w.result(w.collect(), engine.ResultOK)
			w.exactly()
			w.atISP(0)
			w.wantStates("delivered 12")
		})
	}
}

// rule 16: a header that breaks the session (TOP, for what is too big) does not
// block the mailbox either.
func TestRule16_PoisonousHeader(t *testing.T) {
	w := newWorld(t, worldOptions{policy: source.Policy{MaxMessageSize: 5000}})
	w.postRaw(global, "big", "big", padded(letter("big", anne), 6000))
	w.post("a", anne)
	w.misbehave(mailtest.OnPOP3("TOP", 0, mailtest.POP3Drop()))
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
	w.wantStates("too_big 1, delivered 1")
}

// first_collection: what lies there stays, told apart from what comes.
func TestFirstCollection(t *testing.T) {
	old := strings.Replace(string(letter("old", anne)), "2026", "2020", 1)
	tests := []struct {
		name   string
		set    func(*engine.Mailbox)
		states string
		at     []string
	}{
		{"all", func(*engine.Mailbox) {}, "delivered 3", nil},
		{"new", func(m *engine.Mailbox) { m.Policy.SkipFirst = true }, "filtered 2, delivered 1", []string{"old", "young"}},
		{"date", func(m *engine.Mailbox) { m.Since = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }, "filtered 1, delivered 2", []string{"old"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, worldOptions{})
			tt.set(&w.set.Mailboxes[0])
			w.start()
			w.postRaw(global, "old", "old", []byte(old))
			w.postRaw(global, "young", "young", letter("young", anne))
			for _, id := range []string{"old", "young"} {
				if !slices.Contains(tt.at, id) {
					w.want[id] = []string{anne}
				}
			}
			w.collect()
			w.post("new", anne)
			w.collect()
			w.collect()
			w.exactly()
			w.wantStates(tt.states)
			var at []string
			for _, m := range w.isp.Messages(global) {
				at = append(at, m.UID)
			}
			if !slices.Equal(at, tt.at) {
				t.Errorf("left at the provider: %v", at)
			}
		})
	}
}

// Limits of a session, and small messages first when a backlog waits.
func TestLimits(t *testing.T) {
	w := newWorld(t, worldOptions{policy: source.Policy{MaxMessages: 10}})
	for i := range 25 {
		id := fmt.Sprint("m", i)
		raw := letter(id, anne)
		if i < 5 {
			raw = padded(raw, 300<<10)
		}
		w.postRaw(global, "", id, raw, anne)
	}
	for i, want := range []string{"waiting 15, delivered 10", "waiting 5, delivered 20", "delivered 25"} {
		w.result(w.collect(), engine.ResultOK)
		w.wantStates(want)
		if i == 0 && len(w.delivered()["m0"]) > 0 {
			t.Error("a big one came before the small ones")
		}
	}
	w.exactly()
	w.atISP(0)

	w = newWorld(t, worldOptions{policy: source.Policy{MaxBytes: 100 << 10}})
	for i := range 5 {
		id := fmt.Sprint("m", i)
		w.postRaw(global, "", id, padded(letter(id, anne), 45<<10), anne)
	}
	w.collect()
	w.wantStates("waiting 3, delivered 2")
	w.collect()
	w.collect()
	w.exactly()
	w.atISP(0)
}

// rule 44: past the spool quota collecting stops, what is settled is deleted
// all the same, and a message larger than the whole quota does not wait for ever.
func TestRule44_SpoolQuota(t *testing.T) {
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Script: refuse("full", "452 4.2.2 full")}})
	w.set.SpoolQuota = 100 << 10
	w.start()
	for i := range 8 {
		id := fmt.Sprint("q", i)
		w.postRaw(global, "", id, padded(letter(id, "full@office.test"), 30<<10), "full@office.test")
	}
	rep := w.collect()
	if rep.Results[0].Failure == nil || rep.Results[0].Failure.Code != mail.CodeSpoolFull {
		t.Errorf("%+v", rep.Results)
	}
	w.wantStates("waiting 5, queued 3")
	// The spool empties while the session waits: it goes on and brings the rest.
	w.office.Script(nil)
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
	w.atISP(0)
	w.postRaw(global, "", "huge", padded(letter("huge", anne), 200<<10), anne)
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
	w.atISP(0)
}
