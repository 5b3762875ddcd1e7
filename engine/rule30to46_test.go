package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine"
	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/route"
)

// rules 30 and 32: what nobody can be found for goes to the unknown recipient,
// with the reason; nothing is discarded.
func TestRule30_UnknownRecipient(t *testing.T) {
	w := newWorld(t, worldOptions{people: []route.Person{{Address: anne}}})
	w.postRaw(global, "", "list", []byte("Message-ID: <list@sender.test>\r\nTo: undisclosed-recipients:;\r\n\r\nhello\r\n"), unknown)
	w.post("strangers", "nobody@office.test", "noone@office.test")
	w.want["strangers"] = []string{unknown} // one copy, however many were unknown
	w.post("mixed", anne, "nobody@office.test")
	w.want["mixed"] = []string{anne, unknown}
	w.postRaw(global, "", "", []byte{}, unknown)
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 4")
	for _, m := range w.office.Mails() {
		reason := strings.Contains(string(m.Data), "X-Postbag-Reason: ")
		if want := slices.Contains(m.Rcpts, unknown); reason != want {
			t.Errorf("to %v: reason given %v\n%s", m.Rcpts, reason, m.Data)
		}
	}
}

// rule 35: copies of one message in several mailboxes are one delivery for a
// person; the second waits for the first and takes its place when it fails.
func TestRule35_TwoCopiesUnderWay(t *testing.T) {
	tests := []struct {
		name   string
		script func(mailtest.SMTPEvent) mailtest.SMTPAction
		first  string
	}{
		{"accepted", nil, "delivered 1, duplicate 1"},
		{"away", mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Reply: "421 later"}), "queued 2"},
		{"put off", refuse("anne", "451 4.2.0 later"), "queued 2"},
		{"refused", refuse("anne", "552 5.2.2 full"), "quarantined 2"},
		{"unknown there", refuse("anne", "550 5.1.1 who"), "delivered 1, duplicate 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, worldOptions{boxes: []string{"anne"}, smtp: mailtest.SMTPOptions{Script: tt.script}})
			w.post("same", anne)
			w.postRaw("anne", "", "same", letter("same", bob), anne)
			if tt.name == "unknown there" {
				w.want["same"] = []string{unknown}
			}
			w.collect()
			w.wantStates(tt.first)
			if strings.HasPrefix(tt.first, "quarantined") {
				w.atISP(0)
				return
			}
			w.office.Script(nil)
			w.clock.add(time.Hour)
			w.collect()
			w.wantStates("delivered 1, duplicate 1")
			w.exactly()
			w.atISP(0)
		})
	}
}

// rule 35: the window is over, or another person: no duplicate.
func TestRule35_Window(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.post("a", anne)
	w.collect()
	w.clock.add(29 * 24 * time.Hour)
	w.post("a", anne)
	w.collect()
	w.wantStates("delivered 1, duplicate 1")
	w.clock.add(2 * 24 * time.Hour)
	w.post("a", anne)
	w.collect()
	w.wantStates("delivered 2, duplicate 1")
	if n := w.delivered()["a"][anne]; n != 2 {
		t.Errorf("%d copies", n)
	}
	w.atISP(0)
}

// rule 36: our own mark, or too many Received lines: quarantine, never sent.
func TestRule36_Loop(t *testing.T) {
	w := newWorld(t, worldOptions{})
	mark := "X-Postbag-Loop: " + w.store.InstallationID() + "\r\n"
	w.postRaw(global, "", "loop", append([]byte(mark), letter("loop", anne)...))
	w.postRaw(global, "", "long", append([]byte(strings.Repeat("Received: from a.test by b.test; Mon, 02 Mar 2026 10:00:00 +0000\r\n", 101)), letter("long", anne)...))
	w.post("fine", anne)
	rep := w.collect()
	if rep.Quarantined != 2 {
		t.Errorf("%+v", rep)
	}
	w.exactly()
	w.atISP(0)
	w.wantStates("quarantined 2, delivered 1")
	if got := w.attention(); len(got) != 2 || got[0] != mail.CodeLoop {
		t.Errorf("attention %v", got)
	}
}

// rule 43: 250 is done and never sent again, 4xx is tried again, 5xx is rule 45;
// over SMTP and LMTP.
func TestRule43_PerRecipient(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		t.Run(fmt.Sprint("lmtp ", lmtp), func(t *testing.T) {
			step := mailtest.StepRCPT
			if lmtp {
				step = mailtest.StepDot
			}
			w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{LMTP: lmtp, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
				if e.Step == step && strings.HasPrefix(e.Address, "later@") {
					return mailtest.SMTPAction{Reply: "452 4.2.2 full for now"}
				}
				return mailtest.SMTPAction{}
			}}})
			w.post("a", anne, "later@office.test", bob)
			w.collect()
			w.wantStates("queued 1")
			w.atISP(1)
			w.collect()
			w.office.Script(nil)
			w.collect()
			w.exactly()
			w.atISP(0)
			w.wantStates("delivered 1")
		})
	}
}

// rule 44: a target that is down adds no attempt to any message, and nothing is
// deleted at the provider. The queue's lifetime ends it.
func TestRule44_TargetDown(t *testing.T) {
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Drop: true})}})
	for i := range 5 {
		w.post(fmt.Sprint("m", i), anne)
	}
	for range 4 {
		rep := w.collect()
		w.result(rep, engine.ResultOK)
		if rep.Queued != 5 {
			t.Errorf("%+v", rep)
		}
		w.clock.add(time.Hour)
	}
	for _, en := range w.entries() {
		if en.Attempts != 0 {
			t.Errorf("%s: %d attempts", en.MessageID, en.Attempts)
		}
	}
	w.atISP(5)
	w.clock.add(5 * 24 * time.Hour)
	rep := w.collect()
	if rep.Quarantined != 5 || len(rep.Rows) != 5 {
		t.Errorf("%+v", rep)
	}
	w.wantStates("quarantined 5")
	w.atISP(0)
}

// rule 44: the sign-in at the office server is refused.
func TestRule44_TargetAuth(t *testing.T) {
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Passwords: map[string]string{"postbag": "right"}, PlainAuth: true}})
	t0 := &w.set.Targets[0]
	t0.Auth, t0.Username, t0.AllowPlaintextPassword = deliver.AuthPlain, "postbag", true
	w.start()
	w.post("a", anne)
	w.collect()
	w.wantStates("queued 1")
	if en := w.entries()[0]; en.Attempts != 0 {
		t.Errorf("%d attempts", en.Attempts)
	}
	w.atISP(1)
}

func (w *world) entries() []mail.Entry {
	w.t.Helper()
	var out []mail.Entry
	rows := w.rows()
	for _, row := range rows {
		en, err := w.store.Entry(w.t.Context(), row)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, en)
	}
	return out
}

// rule 45: an unknown user goes to the unknown recipient once; refused there
// for good it is quarantine and never routed again.
func TestRule45_UnknownUser(t *testing.T) {
	known := []string{anne, unknown}
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Users: known}, boxes: []string{"ghost"}})
	w.post("a", anne, "ghost1@office.test", "ghost2@office.test")
	w.want["a"] = []string{anne, unknown}
	w.postRaw("ghost", "", "b", letter("b", anne), unknown) // an individual mailbox of somebody who has left
	rep := w.collect()
	if rep.Quarantined != 0 {
		t.Errorf("%+v", rep)
	}
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 2")

	w = newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Users: []string{anne}}})
	w.post("a", anne, "ghost1@office.test", "ghost2@office.test")
	w.want["a"] = []string{anne}
	rep = w.collect()
	if rep.Quarantined != 1 {
		t.Errorf("%+v", rep)
	}
	w.exactly()
	w.atISP(0)
	w.wantStates("quarantined 1")
	if !w.quarantined("a") {
		t.Error("no .eml")
	}
	said := w.office.Count("RCPT")
	w.collect()
	if again := w.office.Count("RCPT"); again != said {
		t.Error("tried again")
	}
}

// rule 45: where the unknown recipient is a list, each of its members gets what
// was for somebody whom the office server does not know, once.
func TestRule45_UnknownUserGoesToEachMemberOfTheList(t *testing.T) {
	w := newWorld(t, worldOptions{
		smtp:  mailtest.SMTPOptions{Users: []string{anne, bob, "claire@office.test"}},
		boxes: []string{"ghost"},
		lists: []route.List{{Address: unknown, Members: []string{anne, bob, "claire@office.test"}}},
	})
	w.postRaw("ghost", "", "a", letter("a", anne), anne, bob, "claire@office.test")
	w.post("b", bob, "ghost1@office.test", "ghost2@office.test")
	w.want["b"] = []string{anne, bob, "claire@office.test"}
	if rep := w.collect(); rep.Quarantined != 0 {
		t.Errorf("%+v", rep)
	}
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 2")
}

// rule 45: a 5xx to MAIL FROM, and three 5.7.x running, are faults of the
// target's settings: nothing goes to quarantine, nothing is deleted.
func TestRule45_FaultOfTheTarget(t *testing.T) {
	tests := map[string]func(mailtest.SMTPEvent) mailtest.SMTPAction{
		"MAIL FROM":   mailtest.OnStep(mailtest.StepMAIL, mailtest.SMTPAction{Reply: "550 5.7.1 may not send"}),
		"relaying":    mailtest.OnStep(mailtest.StepRCPT, mailtest.SMTPAction{Reply: "554 5.7.1 relay access denied"}),
		"end of data": mailtest.OnStep(mailtest.StepDot, mailtest.SMTPAction{Reply: "550 5.7.60 not permitted to send as this sender"}),
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Script: script}})
			for i := range 8 {
				w.post(fmt.Sprint("m", i), anne)
			}
			for range 3 {
				rep := w.collect()
				if rep.Quarantined != 0 || rep.Queued != 8 {
					t.Errorf("%+v", rep)
				}
				w.clock.add(time.Hour)
			}
			w.atISP(8)
			w.wantStates("queued 8")
			w.office.Script(nil)
			w.collect()
			w.exactly()
			w.atISP(0)
		})
	}
}

// rule 45: one message refused for its own sake stands in nobody's way.
func TestRule45_OneRefused(t *testing.T) {
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Script: refuse("full", "552 5.2.2 mailbox full")}})
	w.post("q", "full@office.test")
	w.want["q"] = nil
	for i := range 5 {
		w.post(fmt.Sprint("m", i), anne)
	}
	rep := w.collect()
	if rep.Quarantined != 1 {
		t.Errorf("%+v", rep)
	}
	w.exactly()
	w.atISP(0)
	w.wantStates("quarantined 1, delivered 5")
	if en := w.entries()[0]; en.Reason != "552 5.2.2 mailbox full" {
		t.Errorf("reason %q", en.Reason)
	}
}

// rule 46: no reply after the final dot is unknown: tried again, and marked.
func TestRule46_NoReply(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{LMTP: lmtp, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepDot && e.Conn == 1 {
				return mailtest.SMTPAction{Drop: true, Keep: true}
			}
			return mailtest.SMTPAction{}
		}}})
		w.set.Targets[0].Connections = 1
		w.start()
		w.post("a", anne)
		w.post("b", bob)
		w.collect()
		w.clock.add(time.Hour)
		w.collect()
		var marked []string
		for _, en := range w.entries() {
			if slices.ContainsFunc(en.Recipients, func(r mail.EntryRecipient) bool { return r.PossibleDuplicate }) {
				marked = append(marked, idOf([]byte("Message-ID: "+en.MessageID)))
			}
		}
		if len(marked) != 1 {
			t.Errorf("marked: %v", marked)
		}
		w.exactly(marked...)
		w.atISP(0)
		w.wantStates("delivered 2")
	}
}
