package deliver

import (
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
