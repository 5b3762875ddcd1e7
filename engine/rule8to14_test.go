package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"postbag/engine"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/source"
)

// rule 8: three wrong passwords suspend the mailbox, and then nobody signs in.
func TestRule8_ThreeWrongPasswords(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.post("a", anne)
	good := w.set.Mailboxes[0].Dial
	w.set.Mailboxes[0].Dial = w.dial(global, "wrong")
	w.start()
	for i, want := range []mail.Code{mail.CodeAuth, mail.CodeAuth, mail.CodeAuth, mail.CodeSuspended, mail.CodeSuspended} {
		rep := w.collect()
		w.result(rep, engine.ResultNeedsUser)
		if got := rep.Results[0].Failure.Code; got != want {
			t.Errorf("attempt %d: %s, want %s", i+1, got, want)
		}
	}
	if n := w.isp.Sessions(); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
	w.set.Mailboxes[0].Dial = good
	w.restart() // a suspension outlives it
	w.result(w.collect(), engine.ResultNeedsUser)
	if err := w.e.Lift(t.Context(), global); err != nil {
		t.Fatal(err)
	}
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
}

// rule 8: what is not a wrong password is no strike.
func TestRule8_InUseIsNoStrike(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.post("a", anne)
	w.misbehave(mailtest.OnPOP3("PASS", 0, mailtest.POP3Reply("-ERR [IN-USE] locked")))
	for range 5 {
		w.result(w.collect(), engine.ResultTemporary)
	}
	w.misbehave(nil)
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
}

// rule 9: LOGIN-DELAY counts from the sign-in; there is no second session, and
// what could not be deleted in the first waits for the next.
func TestRule9_LoginDelay(t *testing.T) {
	w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{LoginDelay: 15 * time.Minute}})
	w.post("a", anne)
	w.post("b", bob)
	w.misbehave(mailtest.OnPOP3("DELE", 1, mailtest.POP3Reply("-ERR not now")))
	w.collect()
	w.atISP(1)
	if n := w.isp.Sessions(); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
	w.clock.add(14 * time.Minute)
	rep := w.collect()
	if rep.Results[0].Failure == nil || rep.Results[0].Failure.Code != mail.CodeLoginDelay || w.isp.Sessions() != 1 {
		t.Errorf("asked too soon: %+v", rep.Results)
	}
	w.clock.add(time.Minute)
	w.misbehave(nil)
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
	w.atISP(0)
}

// rule 9: two collections at the same time take turns.
func TestRule9_OneSessionPerMailbox(t *testing.T) {
	w := newWorld(t, worldOptions{})
	for i := range 20 {
		w.post(fmt.Sprint("m", i), anne)
	}
	if err := w.e.Start(); err != nil {
		t.Fatal(err)
	}
	results := make(chan engine.Report)
	for range 3 {
		go func() {
			rep, err := w.e.Collect(t.Context(), nil)
			if err != nil {
				t.Error(err)
			}
			results <- rep
		}()
	}
	for range 3 {
		w.result(<-results, engine.ResultOK) // the server would say [IN-USE]
	}
	if err := w.e.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	w.exactly()
	w.atISP(0)
}

// rule 9: whoever waits for his turn can be stopped.
func TestRule9_WaitingCanBeStopped(t *testing.T) {
	reached, wait := make(chan struct{}), make(chan struct{})
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step != mailtest.StepMAIL {
			return mailtest.SMTPAction{}
		}
		close(reached)
		return mailtest.SMTPAction{Wait: wait}
	}}})
	w.post("a", anne)
	if err := w.e.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := w.e.Collect(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}()
	<-reached
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if rep, err := w.e.Collect(ctx, nil); err == nil && !rep.Interrupted {
		t.Error("not interrupted")
	}
	close(wait)
	<-done
	if err := w.e.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	w.exactly()
}

// rule 12: DELE only after the office has it, real only after +OK to QUIT.
func TestRule12_Order(t *testing.T) {
	tests := []struct {
		name     string
		fault    func(mailtest.POP3Command) *mailtest.POP3Fault
		sessions int
		result   engine.ResultKind
		left     int // at the provider after the first collection
	}{
		{"all well", nil, 1, engine.ResultOK, 0},
		{"QUIT is refused", firstSession(mailtest.OnPOP3("QUIT", 1, mailtest.POP3Reply("-ERR some not removed"))), 2, engine.ResultOK, 0},
		{"the line drops at QUIT", firstSession(mailtest.OnPOP3("QUIT", 1, mailtest.POP3Drop())), 2, engine.ResultOK, 0},
		{"the reply to QUIT is lost", firstSession(mailtest.OnPOP3("QUIT", 1, mailtest.POP3Cut(0))), 2, engine.ResultOK, 0},
		{"the line drops at DELE", firstSession(mailtest.OnPOP3("DELE", 2, mailtest.POP3Drop())), 2, engine.ResultOK, 0},
		{"DELE is refused once", firstSession(mailtest.OnPOP3("DELE", 2, mailtest.POP3Reply("-ERR no"))), 2, engine.ResultOK, 0},
		{"DELE is always refused", mailtest.OnPOP3("DELE", 0, mailtest.POP3Reply("-ERR no")), 2, engine.ResultOK, 3},
		{"QUIT never answered with +OK", mailtest.OnPOP3("QUIT", 0, mailtest.POP3Reply("-ERR no")), 2, engine.ResultTemporary, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{Fault: tt.fault}})
			for i := range 3 {
				w.post(fmt.Sprint("m", i), anne)
			}
			w.result(w.collect(), tt.result)
			if n := w.count("STAT"); n != tt.sessions {
				t.Errorf("%d sessions, want %d", n, tt.sessions)
			}
			w.atISP(tt.left)
			w.wantStates("delivered 3")
			w.misbehave(nil)
			w.collect()
			w.exactly()
			w.atISP(0)
			if n := w.count("RETR"); n != 3 {
				t.Errorf("%d RETR, want 3", n)
			}
		})
	}
}

// firstSession lets a script act in the first session only.
func firstSession(f func(mailtest.POP3Command) *mailtest.POP3Fault) func(mailtest.POP3Command) *mailtest.POP3Fault {
	return func(c mailtest.POP3Command) *mailtest.POP3Fault {
		if c.Session != 1 {
			return nil
		}
		return f(c)
	}
}

// rule 12: past 500 messages a QUIT in between, unless the server has LOGIN-DELAY.
func TestRule12_QuitInBetween(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Minute} {
		w := newWorld(t, worldOptions{pop3: mailtest.POP3Options{LoginDelay: delay}})
		for i := range 1100 {
			w.post(fmt.Sprint("m", i), anne)
		}
		w.result(w.collect(), engine.ResultOK)
		w.exactly()
		w.atISP(0)
		sessions := w.count("STAT")
		if delay == 0 && (sessions < 3 || sessions > 4) || delay > 0 && sessions != 1 {
			t.Errorf("LOGIN-DELAY %v: %d sessions", delay, sessions)
		}
	}
}

// rule 12: what vanished by itself after it was settled is done; what vanished
// before it was collected is told.
func TestRule12_Vanished(t *testing.T) {
	w := newWorld(t, worldOptions{policy: keepAll()})
	w.post("a", anne)
	w.collect()
	w.policy(source.Policy{After: source.After{Keep: true}, MaxMessageSize: 100})
	w.postRaw(global, "big", "big", padded(letter("big", anne), 10000))
	w.collect()
	w.wantStates("too_big 1, delivered 1")
	w.isp.Clear(global)
	w.result(w.collect(), engine.ResultOK)
	w.wantStates("delivered 1, deleted 1")
	w.exactly()
}

// A listing that is empty once, by a fault of the provider, settles nothing.
func TestEmptyListingOnce(t *testing.T) {
	w := newWorld(t, worldOptions{policy: source.Policy{MaxMessages: 1}})
	for i := range 3 {
		w.post(fmt.Sprint("m", i), anne)
	}
	w.collect()
	list := w.isp.Messages(global)
	w.isp.Clear(global)
	w.collect()
	for _, m := range list {
		w.isp.AddMessage(global, m.UID, m.Bytes)
	}
	w.collect()
	w.collect()
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 3")
}

// rule 14: "delete after N days" counts from the first accepted delivery.
func TestRule14_DeleteAfterDays(t *testing.T) {
	const day = 24 * time.Hour
	w := newWorld(t, worldOptions{
		policy: source.Policy{After: source.After{Delay: 14 * day}},
		smtp:   mailtest.SMTPOptions{Script: refuse("full", "452 4.2.2 full")},
	})
	w.post("a", anne)
	w.post("b", "full@office.test")
	w.collect()
	w.wantStates("queued 1, delivered 1")
	w.clock.add(13 * day)
	w.office.Script(nil) // only now it is accepted
	w.set.QueueLifetime = 100 * day
	w.start()
	w.collect()
	w.wantStates("delivered 2")
	w.atISP(2)
	w.clock.add(day)
	w.collect()
	w.atISP(1)
	w.clock.add(13*day - time.Minute)
	w.collect()
	w.atISP(1)
	w.clock.add(time.Minute)
	w.collect()
	w.atISP(0)
	w.exactly()
	if n := w.count("RETR"); n != 2 {
		t.Errorf("%d RETR, want 2", n)
	}
}

// rule 14: undelivered mail is not deleted by age, and quarantine is no delivery.
func TestRule14_UndeliveredStays(t *testing.T) {
	w := newWorld(t, worldOptions{
		policy: source.Policy{After: source.After{Delay: 24 * time.Hour}},
		smtp:   mailtest.SMTPOptions{Script: refuse("full", "552 5.2.2 full")},
	})
	w.post("b", "full@office.test")
	w.collect()
	w.clock.add(100 * 24 * time.Hour)
	w.collect()
	w.atISP(1)
	w.wantStates("quarantined 1")
}

// refuse answers RCPT for addresses that begin with name.
func refuse(name, reply string) func(mailtest.SMTPEvent) mailtest.SMTPAction {
	return func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT && strings.HasPrefix(e.Address, name+"@") {
			return mailtest.SMTPAction{Reply: reply}
		}
		return mailtest.SMTPAction{}
	}
}

// rule 13: what was collected earlier and delivered later is deleted in the
// same run, also when its size in LIST is not the one received and it has no
// header to know it by.
func TestRule13_DeliveredLater(t *testing.T) {
	w := newWorld(t, worldOptions{smtp: mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Drop: true})}})
	w.postRaw(global, "", "", []byte("no header and no end of line"), unknown)
	w.post("a", anne)
	w.collect()
	w.wantStates("queued 2")
	w.office.Script(nil)
	w.result(w.collect(), engine.ResultOK)
	w.exactly()
	w.atISP(0)
	w.wantStates("delivered 2")
}
