package deliver

import (
	"slices"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

// greets makes a server that tells of each EHLO.
func greets(t *testing.T) (*mailtest.SMTP, Target, <-chan bool) {
	t.Helper()
	heard := make(chan bool, 10)
	s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepEHLO {
			heard <- true
		}
		return mailtest.SMTPAction{}
	}})
	return s, target, heard
}

// rule 44: the connection for mail that is expected is booked before the dial
// like any other, and the mail goes through it.
func TestRule44_Expected(t *testing.T) {
	s, target, heard := greets(t)
	q := newFakeQueue()
	r := startPool(t, target, q)
	r.quiet()
	r.p.Expect(true)
	<-heard
	if log := q.log(); !slices.Equal(log, []string{"claim", "book"}) {
		t.Errorf("%v", log)
	}
	q.add(1, "anne@office.test")
	r.p.Kick()
	r.quiet()
	r.p.Expect(false)
	r.quiet()
	if total, _ := s.Connections(); total != 1 || s.Taken() != 1 || q.target.Attempts != 0 {
		t.Errorf("%d connections, %d taken, %+v", total, s.Taken(), q.target)
	}
}

// What was expected and did not come leaves no attempt behind.
func TestExpectedInVain(t *testing.T) {
	s, target, heard := greets(t)
	q := newFakeQueue()
	r := startPool(t, target, q)
	r.p.Expect(true)
	<-heard
	r.p.Expect(false)
	r.quiet()
	if total, _ := s.Connections(); total != 1 || q.target.Attempts != 0 {
		t.Errorf("%d connections, %+v", total, q.target)
	}
}

// A target that rests, or that has not answered lately, is not dialled for mail
// that has not come; one that does not answer now is paused, and nobody waits
// for it.
func TestExpectedOfATargetThatIsDown(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for name, st := range map[string]TargetState{
		"rests":    {Attempts: 2, Until: later, Failure: &mail.Failure{Code: mail.CodeConnect}},
		"attempts": {Attempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, target, _ := greets(t)
			q := newFakeQueue()
			q.target = st
			r := startPool(t, target, q)
			r.p.Expect(true)
			r.quiet()
			if total, _ := s.Connections(); total != 0 || slices.Contains(q.log(), "book") {
				t.Errorf("%d connections, %v", total, q.log())
			}
		})
	}
	s, target, _ := greets(t)
	_ = s.Close()
	r := startPool(t, target, newFakeQueue())
	r.p.Expect(true)
	r.quiet()
	if st := r.p.State(); !st.Paused || st.Attempts != 1 {
		t.Errorf("%+v", st)
	}
}
