package deliver

import (
	"testing"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

// rule 46: RFC 5321 section 4.2 lets a code stand alone, so "250" after the
// final dot is a yes. Taken for no reply, the message would go out again with
// every attempt.
func TestRule46_ReplyWithoutText(t *testing.T) {
	codes := map[mailtest.SMTPStep]string{
		mailtest.StepGreeting: "220", mailtest.StepEHLO: "250", mailtest.StepMAIL: "250", mailtest.StepRCPT: "250",
		mailtest.StepDATA: "354", mailtest.StepDot: "250", mailtest.StepRSET: "250", mailtest.StepQUIT: "221",
	}
	for _, lmtp := range []bool{false, true} {
		s, target := startSMTP(t, mailtest.SMTPOptions{LMTP: lmtp, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			return mailtest.SMTPAction{Reply: codes[e.Step]}
		}})
		c := dial(t, target, Options{})
		for range 2 {
			outcomes, err := c.Send(t.Context(), letter(sample, "anne@office.test", "bob@office.test"))
			if err != nil || verdicts(outcomes) != "accepted accepted" || outcomes[0].Reply != "250" {
				t.Fatalf("LMTP %v: %v %s %q", lmtp, err, verdicts(outcomes), outcomes[0].Reply)
			}
		}
		if err := c.Probe(t.Context(), "", "anne@office.test"); err != nil {
			t.Errorf("LMTP %v: %v", lmtp, err)
		}
		if s.Taken() != 2 {
			t.Errorf("LMTP %v: %d taken", lmtp, s.Taken())
		}
	}
}

// rule 46: the codes of one reply differ. Of one class the first counts; else
// nobody can tell what it means. Neither is waited for until the time is over.
func TestRule46_CodesOfOneReplyDiffer(t *testing.T) {
	tests := []struct{ reply, want string }{
		{"250-taken\n251 and kept", "accepted"},
		{"552-too\n554 much", "refused:too_large"},
		{"250-taken\n550 or not", "deferred:no_reply"},
	}
	for _, tc := range tests {
		_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepDot {
				return mailtest.SMTPAction{Reply: tc.reply}
			}
			return mailtest.SMTPAction{}
		}})
		outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(sample, "anne@office.test"))
		if verdicts(outcomes) != tc.want || (err != nil) != (outcomes[0].Failure != nil && outcomes[0].Failure.Code == mail.CodeNoReply) {
			t.Errorf("%q: %v %s, want %s", tc.reply, err, verdicts(outcomes), tc.want)
		}
	}
}
