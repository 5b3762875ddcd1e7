package engine_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"postbag/engine"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/schedule"
)

// bubble runs an engine by its schedule, in a time that passes as soon as
// everybody waits. The servers stand outside: what a client waits for from them
// takes no time.
func bubble(t *testing.T, o worldOptions, do func(t *testing.T, w *world, stop func())) {
	w := newServers(t, o)
	synctest.Test(t, func(t *testing.T) {
		w.t, w.clock.own = t, true
		w.begin(o)
		for i := range w.set.Mailboxes {
			w.set.Mailboxes[i].Schedule = schedule.Rule{Every: time.Hour, Days: [7]bool{true, true, true, true, true, true, true}}
		}
		w.start()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.e.Run(ctx) }()
		stopped := false
		stop := func() {
			if stopped {
				return
			}
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
		synctest.Wait()
		do(t, w, stop)
		stop()
		w.balanced()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
		w.store = nil
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d) // of the bubble: nobody waits for it
	synctest.Wait()
}

func TestRunBySchedule(t *testing.T) {
	o := worldOptions{boxes: []string{"anne"}}
	bubble(t, o, func(t *testing.T, w *world, stop func()) {
		pass(time.Minute)
		first := w.isp.Sessions()
		if first != 2 {
			t.Errorf("%d sessions at the start, want one for each mailbox", first)
		}
		w.post("a", anne)
		w.postRaw("anne", "", "b", letter("b", bob), anne)
		pass(58 * time.Minute)
		w.atISP(2)
		pass(2 * time.Minute)
		w.exactly()
		w.atISP(0)
		if got := w.e.Planned(global); time.Until(got) > time.Hour || got.Before(time.Now()) {
			t.Errorf("next collection %v, now %v", got, time.Now())
		}
		pass(10 * time.Hour)
		if n := w.isp.Sessions(); n != first+2*11 {
			t.Errorf("%d sessions in eleven hours", n-first)
		}
	})
}

// rule 44: what was put off is tried again at its time, without a collection.
func TestRunTriesAgain(t *testing.T) {
	bubble(t, worldOptions{smtp: mailtest.SMTPOptions{Script: refuse("anne", "451 4.2.0 later")}}, func(t *testing.T, w *world, stop func()) {
		w.post("a", anne)
		pass(61 * time.Minute) // collected at the hour, refused once
		w.wantStates("queued 1")
		pass(30 * time.Minute) // 1, 5 and 15 minutes, a tenth more
		said := w.office.Count("RCPT")
		if said != 4 {
			t.Errorf("%d attempts, want 4", said)
		}
		w.office.Script(nil)
		pass(35 * time.Minute)
		w.wantStates("delivered 1")
		w.exactly()
		pass(time.Hour)
		w.atISP(0)
	})
}

// rule 44: the queue's lifetime ends by itself.
func TestRunEndsLifetime(t *testing.T) {
	bubble(t, worldOptions{smtp: mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Drop: true})}},
		func(t *testing.T, w *world, stop func()) {
			w.post("a", anne)
			pass(4 * 24 * time.Hour)
			w.wantStates("queued 1")
			w.atISP(1)
			pass(2 * 24 * time.Hour)
			w.wantStates("quarantined 1")
			w.atISP(0)
			total, _ := w.office.Connections()
			if total < 100 || total > 200 {
				t.Errorf("%d connections in six days, want about one an hour", total)
			}
		})
}

func TestRunPauseAndResume(t *testing.T) {
	bubble(t, worldOptions{boxes: []string{"anne"}}, func(t *testing.T, w *world, stop func()) {
		pass(time.Minute)
		if err := w.e.Pause(t.Context(), global, global, true); err != nil {
			t.Fatal(err)
		}
		w.post("a", anne)
		w.postRaw("anne", "", "b", letter("b", anne), anne)
		before := w.count("PASS")
		pass(3 * time.Hour)
		w.wantStates("delivered 1")
		if n := w.count("PASS") - before; n != 3 {
			t.Errorf("%d sign-ins, want 3 of the other mailbox", n)
		}
		if err := w.e.Pause(t.Context(), global, global, false); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		w.exactly()
		w.atISP(0)
	})
}

// A person's collection while the engine runs, of a mailbox that is not due.
func TestRunCollectByHand(t *testing.T) {
	bubble(t, worldOptions{}, func(t *testing.T, w *world, stop func()) {
		pass(10 * time.Minute)
		w.post("a", anne)
		rep, err := w.e.Collect(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		w.result(rep, engine.ResultOK)
		w.exactly()
		w.atISP(0)
		before := w.isp.Sessions()
		pass(55 * time.Minute) // the hour counts from the sign-in by hand
		if n := w.isp.Sessions(); n != before {
			t.Errorf("%d sessions too many", n-before)
		}
		pass(6 * time.Minute)
		if n := w.isp.Sessions(); n != before+1 {
			t.Errorf("%d sessions, want 1", n-before)
		}
	})
}

// Apply while a session and a delivery are under way: nothing is lost, nothing
// comes twice, the new settings hold.
func TestRunApply(t *testing.T) {
	reached, wait := make(chan struct{}, 100), make(chan struct{})
	o := worldOptions{smtp: mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step != mailtest.StepMAIL {
			return mailtest.SMTPAction{}
		}
		reached <- struct{}{}
		return mailtest.SMTPAction{Wait: wait}
	}}}
	bubble(t, o, func(t *testing.T, w *world, stop func()) {
		for i := range 10 {
			w.post(fmt.Sprint("m", i), anne)
		}
		<-time.After(time.Hour)
		<-reached
		set := w.set
		set.Targets = append(set.Targets[:0:0], set.Targets...)
		set.Targets[0].Name = "renamed"
		if err := w.e.Apply(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		close(wait)
		pass(3 * time.Hour)
		w.exactly()
		w.atISP(0)
		w.wantStates("delivered 10")
	})
}

// Stop while messages are being fetched and delivered: what is begun is
// finished or given back, and the next start goes on.
func TestRunStopsInTheMiddle(t *testing.T) {
	reached := make(chan struct{}, 100)
	o := worldOptions{smtp: mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDot {
			reached <- struct{}{}
		}
		return mailtest.SMTPAction{}
	}}}
	bubble(t, o, func(t *testing.T, w *world, stop func()) {
		for i := range 40 {
			w.post(fmt.Sprint("m", i), anne)
		}
		<-time.After(time.Hour)
		<-reached
		stop()
		b := w.balance()
		if sum := b[mail.Delivered] + b[mail.Queued] + b[mail.Waiting]; sum != 40 {
			t.Errorf("%s", w.states())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := w.e.CollectOnce(ctx, nil); err != nil {
			t.Error(err)
		}
		w.exactly()
		w.atISP(0)
	})
}

// A session that is cut because the settings change is made good at once.
func TestRunApplyCutsASession(t *testing.T) {
	reached, wait := make(chan struct{}), make(chan struct{})
	o := worldOptions{pop3: mailtest.POP3Options{NoPipelining: true, Fault: func(c mailtest.POP3Command) *mailtest.POP3Fault {
		if c.Verb == "RETR" && c.Nth == 3 && c.Session == 2 {
			close(reached)
			<-wait
		}
		return nil
	}}}
	bubble(t, o, func(t *testing.T, w *world, stop func()) {
		for i := range 6 {
			w.post(fmt.Sprint("m", i), anne)
		}
		<-time.After(time.Hour)
		<-reached
		if err := w.e.Apply(t.Context(), w.set); err != nil {
			t.Fatal(err)
		}
		close(wait)
		pass(time.Minute)
		w.exactly()
		w.atISP(0)
	})
}
