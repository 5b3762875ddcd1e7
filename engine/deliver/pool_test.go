package deliver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

func TestPoolDelivers(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{})
	q := newFakeQueue()
	q.add(200, "anne@office.test")
	r := startPool(t, target, q)
	r.quiet()
	if s.Taken() != 200 {
		t.Fatalf("%d taken", s.Taken())
	}
	for i := range 200 {
		if got := q.verdict(fmt.Sprintf("M%d", i+1)); got != "accepted" {
			t.Errorf("M%d: %s", i+1, got)
		}
	}
	if q.target.Attempts != 0 || q.target.Failure != nil || !q.target.Until.IsZero() {
		t.Errorf("%+v", q.target)
	}
	if s.Count("RSET")+s.Count("NOOP") > 0 {
		t.Error("more than four round trips a message")
	}
	// What comes later goes through the same connections.
	total, _ := s.Connections()
	q.add(1, "bob@office.test")
	r.p.Kick()
	r.quiet()
	if after, _ := s.Connections(); s.Taken() != 201 || after != total {
		t.Errorf("%d taken, %d connections after %d", s.Taken(), after, total)
	}
}

// rule 44: the attempt at the target is booked before the dial; a target that
// is down is paused, no message loses an attempt.
func TestRule44_TargetDown(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{})
	addr := s.Addr()
	_ = s.Close()
	q := newFakeQueue()
	q.add(3, "anne@office.test")
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	r := startPool(t, target, q, func(d *Deps) { d.Now = func() time.Time { return now } })
	r.quiet()
	st := r.p.State()
	if !st.Paused || st.Failure.Code != mail.CodeConnect || !st.Until.Equal(now.Add(time.Minute)) || st.Attempts != 1 {
		t.Errorf("%+v", st)
	}
	if log := q.log(); !slices.Equal(log, []string{"claim", "book", "pause:connect", "release:3"}) &&
		!slices.Equal(log, []string{"claim", "book", "release:3", "pause:connect"}) {
		t.Errorf("%v", log)
	}
	for _, j := range q.due {
		if j.Copies[0].Attempts != 0 {
			t.Errorf("an attempt was counted: %+v", j)
		}
	}
	r.p.Resume()
	r.quiet()
	if st := r.p.State(); st.Attempts != 2 || !st.Until.Equal(now.Add(5*time.Minute)) {
		t.Errorf("second attempt: %+v", st)
	}
	if _, err := mailtest.NewSMTP(mailtest.SMTPOptions{Addr: addr}); err != nil {
		t.Fatal(err)
	}
	r.p.Resume()
	r.quiet()
	if due, settled, _ := q.counts(); due != 0 || settled != 3 || q.target.Attempts != 0 {
		t.Errorf("%d due, %d settled, %+v", due, settled, q.target)
	}
}

// rule 44: a pause outlives a restart.
func TestRule44_PauseOutlivesRestart(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{})
	q := newFakeQueue()
	q.add(1, "anne@office.test")
	q.target = TargetState{Attempts: 2, Until: time.Now().Add(time.Hour), Failure: &mail.Failure{Code: mail.CodeConnect}}
	r := startPool(t, target, q)
	r.quiet()
	if total, _ := s.Connections(); total != 0 || !r.p.State().Paused {
		t.Fatalf("%d connections, %+v", total, r.p.State())
	}
	r.p.Resume()
	r.quiet()
	if s.Taken() != 1 {
		t.Error("Resume did not try")
	}
}

// rules 44 and 45: faults of the target's settings pause it; nothing is
// refused, no attempt counts.
func TestRule45_FaultOfTheTarget(t *testing.T) {
	say := func(step mailtest.SMTPStep, reply string) mailtest.SMTPOptions {
		return mailtest.SMTPOptions{Script: mailtest.OnStep(step, mailtest.SMTPAction{Reply: reply})}
	}
	tests := []struct {
		name string
		o    mailtest.SMTPOptions
		n    int
		want mail.Code
	}{
		{"relay denied", say(mailtest.StepRCPT, "554 5.7.1 Relay access denied"), 10, mail.CodeRelay},
		{"relay denied without code", say(mailtest.StepRCPT, "550 Relaying denied"), 10, mail.CodeRelay},
		{"policy after the data", say(mailtest.StepDot, "550 5.7.1 No"), 10, mail.CodeRelay},
		{"may not send as", say(mailtest.StepDot, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"), 10, mail.CodeRelay},
		{"sender refused", say(mailtest.StepMAIL, "550 5.7.1 may not send as"), 10, mail.CodeSender},
		{"sender of the only message refused", say(mailtest.StepMAIL, "553 no"), 1, mail.CodeSender},
		{"sign-in demanded", say(mailtest.StepMAIL, "530 5.7.0 Authentication required"), 10, mail.CodeTargetAuth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, target := startSMTP(t, tt.o)
			target.Connections = 1
			q := newFakeQueue()
			q.add(tt.n, "anne@office.test")
			r := startPool(t, target, q)
			r.quiet()
			st := r.p.State()
			if !st.Paused || st.Failure.Code != tt.want || st.Failure.Class != mail.NeedsUser || time.Until(st.Until) < 59*time.Minute {
				t.Fatalf("%+v", st)
			}
			_, settled, _ := q.counts()
			if settled > 3 {
				t.Errorf("%d messages were tried", settled)
			}
			for id := range q.settled {
				if got := q.verdict(id); got != "deferred:"+string(tt.want) {
					t.Errorf("%s: %s", id, got)
				}
			}
		})
	}
}

// rule 45: a refusal by policy amid successes is about that message.
func TestRule45_PolicyOfOneMessage(t *testing.T) {
	_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT && strings.HasPrefix(e.Address, "spam") {
			return mailtest.SMTPAction{Reply: "550 5.7.1 Spam"}
		}
		return mailtest.SMTPAction{}
	}})
	target.Connections = 1
	q := newFakeQueue()
	q.add(2, "spam@office.test")
	q.add(1, "anne@office.test")
	q.add(2, "spam@office.test")
	q.add(1, "anne@office.test", "spam@office.test")
	q.add(1, "spam@office.test")
	r := startPool(t, target, q)
	r.quiet()
	want := []string{"refused:policy", "refused:policy", "accepted", "refused:policy", "refused:policy", "accepted refused:policy", "refused:policy"}
	for i, w := range want {
		if got := q.verdict(fmt.Sprintf("M%d", i+1)); got != w {
			t.Errorf("M%d: %s, want %s", i+1, got, w)
		}
	}
	if r.p.State().Paused {
		t.Error("paused")
	}
}

// rule 45: with nothing to compare with, a refusal by policy proves nothing
// unless it is about the content; what proves nothing is tried again later.
func TestRule45_LonePolicy(t *testing.T) {
	tests := []struct {
		step        mailtest.SMTPStep
		reply, want string
	}{
		{mailtest.StepRCPT, "550 5.7.1 no", "deferred:policy"},
		{mailtest.StepRCPT, "554 5.7.1 Relay access denied", "deferred:policy"},
		{mailtest.StepDot, "554 5.7.1 Spam", "refused:policy"},
		{mailtest.StepDot, "550 5.7.60 may not send as this sender", "deferred:policy"},
	}
	for _, tt := range tests {
		_, target := startSMTP(t, mailtest.SMTPOptions{Script: mailtest.OnStep(tt.step, mailtest.SMTPAction{Reply: tt.reply})})
		q := newFakeQueue()
		q.add(2, "anne@office.test")
		r := startPool(t, target, q)
		r.quiet()
		if q.verdict("M1") != tt.want || q.verdict("M2") != tt.want || r.p.State().Paused {
			t.Errorf("%s: %s %s %+v", tt.reply, q.verdict("M1"), q.verdict("M2"), r.p.State())
		}
	}
}

// Three messages that the server refuses do not stand in the way for ever.
func TestRule45_OthersFirstNextTime(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT && strings.HasPrefix(e.Address, "spam") {
			return mailtest.SMTPAction{Reply: "550 5.7.1 Spam"}
		}
		return mailtest.SMTPAction{}
	}})
	target.Connections = 1
	q := newFakeQueue()
	q.add(3, "spam@office.test")
	q.add(4, "anne@office.test")
	tried := slices.Clone(q.due[:3])
	r := startPool(t, target, q)
	r.quiet()
	if s.Taken() != 0 || !r.p.State().Paused {
		t.Fatalf("%d taken, %+v", s.Taken(), r.p.State())
	}
	q.mu.Lock()
	q.due = append(tried, q.due...) // the store hands out the longest due first
	q.settled = make(map[string][]mail.Outcome)
	q.mu.Unlock()
	r.p.Resume()
	r.quiet()
	if s.Taken() != 4 || q.verdict("M1") != "refused:policy" || r.p.State().Paused {
		t.Errorf("%d taken, %s, %+v", s.Taken(), q.verdict("M1"), r.p.State())
	}
}

// A sender that is refused while others pass blocks nobody and is not refused.
func TestRule45_OneSenderRefused(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepMAIL && e.Address == "bad@sender.test" {
			return mailtest.SMTPAction{Reply: "550 5.1.8 no such domain"}
		}
		return mailtest.SMTPAction{}
	}})
	q := newFakeQueue()
	q.add(4, "anne@office.test")
	q.due[0].Sender = "bad@sender.test"
	r := startPool(t, target, q)
	r.quiet()
	if s.Taken() != 3 || q.verdict("M1") != "deferred:sender_refused" || r.p.State().Paused {
		t.Errorf("%d %s %+v", s.Taken(), q.verdict("M1"), r.p.State())
	}
}

// rule 44: a backlog does not hammer a server that says "later" to everything,
// and one at a time of a queue is tried when only recipients are put off.
func TestRule44_BusyServer(t *testing.T) {
	for _, tt := range []struct {
		step   mailtest.SMTPStep
		paused bool
	}{{mailtest.StepMAIL, true}, {mailtest.StepDot, true}, {mailtest.StepRCPT, false}} {
		t.Run(string(tt.step), func(t *testing.T) {
			s, target := startSMTP(t, mailtest.SMTPOptions{Script: mailtest.OnStep(tt.step, mailtest.SMTPAction{Reply: "451 4.3.0 later"})})
			q := newFakeQueue()
			q.add(500, "anne@office.test")
			r := startPool(t, target, q)
			r.quiet()
			st := r.p.State()
			if st.Paused != tt.paused {
				t.Fatalf("%+v", st)
			}
			if n := s.Count("MAIL"); tt.paused && n > 30 || !tt.paused && n != 500 {
				t.Errorf("%d attempts", n)
			}
			if tt.paused && (st.Failure.Code != mail.CodeTargetBusy || st.Failure.Class != mail.Transient) {
				t.Errorf("%v", st.Failure)
			}
		})
	}
}

// 421 after some messages, connections that break: the others go on.
func TestRule44_ConnectionsBreak(t *testing.T) {
	tests := []struct {
		name   string
		script func(mailtest.SMTPEvent) mailtest.SMTPAction
	}{
		{"421 at MAIL", func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepMAIL && e.Message > 3 {
				return mailtest.SMTPAction{Reply: "421 4.7.0 enough for one connection"}
			}
			return mailtest.SMTPAction{}
		}},
		{"dropped between messages", func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepMAIL && e.Message > 3 {
				return mailtest.SMTPAction{Drop: true}
			}
			return mailtest.SMTPAction{}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, target := startSMTP(t, mailtest.SMTPOptions{Script: tt.script})
			q := newFakeQueue()
			q.add(50, "anne@office.test")
			startPool(t, target, q).quiet()
			if due, settled, _ := q.counts(); s.Taken() != 50 || due != 0 || settled != 50 {
				t.Errorf("%d taken, %d due, %d settled", s.Taken(), due, settled)
			}
		})
	}
}

// One message that always breaks the connection does not stop the others.
func TestRule16_PoisonAtTheTarget(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT && strings.HasPrefix(e.Address, "poison") {
			return mailtest.SMTPAction{Drop: true}
		}
		return mailtest.SMTPAction{}
	}})
	q := newFakeQueue()
	q.add(1, "poison@office.test")
	q.add(10, "anne@office.test")
	r := startPool(t, target, q)
	r.quiet()
	if s.Taken() != 10 || q.verdict("M1") != "deferred:closed" || r.p.State().Paused {
		t.Errorf("%d %s %+v", s.Taken(), q.verdict("M1"), r.p.State())
	}
}

// A server that breaks every connection is left alone after three of them.
func TestRule44_AlwaysBroken(t *testing.T) {
	for _, step := range []mailtest.SMTPStep{mailtest.StepMAIL, mailtest.StepRCPT, mailtest.StepDATA, mailtest.StepDot} {
		t.Run(string(step), func(t *testing.T) {
			s, target := startSMTP(t, mailtest.SMTPOptions{Script: mailtest.OnStep(step, mailtest.SMTPAction{Drop: true})})
			target.Connections = 1
			q := newFakeQueue()
			q.add(20, "anne@office.test")
			r := startPool(t, target, q)
			r.quiet()
			total, _ := s.Connections()
			if !r.p.State().Paused || total != 3 {
				t.Errorf("%d connections, %+v", total, r.p.State())
			}
			due, settled, _ := q.counts()
			if step == mailtest.StepMAIL && settled != 0 || step != mailtest.StepMAIL && settled != 3 || due+settled != 20 {
				t.Errorf("%d due, %d settled", due, settled)
			}
		})
	}
}

// The server takes fewer connections than we would like: it gets fewer.
func TestPoolShrinks(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{MaxConns: 1})
	q := newFakeQueue()
	q.add(100, "anne@office.test")
	r := startPool(t, target, q)
	r.quiet()
	if s.Taken() != 100 || r.p.State().Paused {
		t.Errorf("%d %+v", s.Taken(), r.p.State())
	}
	// The one, and 7 more at once that are tried again after 32 windows: on a slow
	// machine, where the server seems far, a window is one message.
	if total, _ := s.Connections(); total > 1+7*4 {
		t.Errorf("%d connections", total)
	}
}

// While replies take long and jobs wait, connections are added up to 8.
func TestPoolGrows(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDot {
			c := make(chan struct{})
			time.AfterFunc(2*time.Millisecond, func() { close(c) })
			return mailtest.SMTPAction{Wait: c}
		}
		return mailtest.SMTPAction{}
	}})
	q := newFakeQueue()
	q.add(400, "anne@office.test")
	startPool(t, target, q).quiet()
	if _, most := s.Connections(); most < 3 || most > 8 {
		t.Errorf("%d connections at most", most)
	}
	s2, target := startSMTP(t, mailtest.SMTPOptions{})
	target.Connections = 3
	q2 := newFakeQueue()
	q2.add(300, "anne@office.test")
	startPool(t, target, q2).quiet()
	if _, most := s2.Connections(); most > 3 {
		t.Errorf("%d connections where 3 were asked for", most)
	}
}
