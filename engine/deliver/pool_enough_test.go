package deliver

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mailtest"
)

// rule 44: eight connections have enough at the same time. That is no fault of
// the target, and nothing is put off because of it.
func TestRule44_EnoughForOneConnection(t *testing.T) {
	for name, a := range map[string]mailtest.SMTPAction{
		"421": {Reply: "421 4.7.0 too many messages"}, "452": {Reply: "452 4.3.2 too many messages"}, "closed": {Drop: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
				if e.Step == mailtest.StepMAIL && (e.Message > 3 || e.Address == "later@sender.test") {
					return a
				}
				return mailtest.SMTPAction{}
			}})
			target.Connections = 8
			q := newFakeQueue()
			q.add(200, "anne@office.test")
			want := 200
			if name == "452" {
				want, q.due[100].Sender = 199, "later@sender.test" // put off through each
			}
			r := startPool(t, target, q)
			r.quiet()
			if s.Taken() != want || slices.ContainsFunc(q.log(), func(s string) bool { return strings.HasPrefix(s, "pause") }) {
				t.Errorf("%d taken, %+v", s.Taken(), r.p.State())
			}
			if total, _ := s.Connections(); total > 100 {
				t.Errorf("%d connections", total)
			}
		})
	}
}

// A message that was taken before the target failed does not call it up again
// when its outcome is written only afterwards.
func TestTakenBeforeThePause(t *testing.T) {
	_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepMAIL && e.Message == 2 {
			return mailtest.SMTPAction{Reply: "530 5.7.0 Authentication required"}
		}
		return mailtest.SMTPAction{}
	}})
	target.Connections = 1
	q := newFakeQueue()
	q.gate = make(chan struct{})
	q.add(2, "anne@office.test")
	r := startPool(t, target, q)
	for !r.p.State().Paused && t.Context().Err() == nil {
		runtime.Gosched()
	}
	close(q.gate)
	r.quiet()
	if st := r.p.State(); !st.Paused || st.Failure == nil || st.Attempts != 1 || q.verdict("M1") != "accepted" {
		t.Errorf("%+v, M1 %s", st, q.verdict("M1"))
	}
}
