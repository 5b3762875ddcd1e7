package deliver

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

// rules 43 to 46: one fault per step, and what becomes of the recipients and
// of the connection.
func TestRule44_FaultAtEachStep(t *testing.T) {
	act := func(step mailtest.SMTPStep, a mailtest.SMTPAction) mailtest.SMTPOptions {
		return mailtest.SMTPOptions{Script: mailtest.OnStep(step, a)}
	}
	say := func(s string) mailtest.SMTPAction { return mailtest.SMTPAction{Reply: s} }
	drop, silent := mailtest.SMTPAction{Drop: true}, mailtest.SMTPAction{Silent: true}
	tests := []struct {
		name string
		o    mailtest.SMTPOptions
		want string
		dead mail.Code // "" = the connection goes on
	}{
		{"MAIL 4xx", act(mailtest.StepMAIL, say("451 4.3.0 later")), "deferred:deferred", ""},
		{"MAIL 421", act(mailtest.StepMAIL, say("421 4.3.2 closing")), "notattempted:target_busy", mail.CodeTargetBusy},
		{"MAIL 530", act(mailtest.StepMAIL, say("530 5.7.0 sign in")), "notattempted:target_auth", mail.CodeTargetAuth},
		{"MAIL too large", mailtest.SMTPOptions{MaxSize: 10}, "refused:too_large", ""},
		{"MAIL drop", act(mailtest.StepMAIL, drop), "notattempted:closed", mail.CodeClosed},
		{"MAIL silence", act(mailtest.StepMAIL, silent), "notattempted:timeout", mail.CodeTimeout},
		{"MAIL garbage", act(mailtest.StepMAIL, say("hello there")), "notattempted:protocol", mail.CodeProtocol},
		{"MAIL endless line", act(mailtest.StepMAIL, say("250 "+strings.Repeat("x", 1<<20))), "notattempted:protocol", mail.CodeProtocol},
		{"MAIL endless reply", act(mailtest.StepMAIL, say(strings.Repeat("250-x\n", 1<<17))), "notattempted:protocol", mail.CodeProtocol},
		{"RCPT drop", act(mailtest.StepRCPT, drop), "deferred:closed", mail.CodeClosed},
		{"RCPT silence", act(mailtest.StepRCPT, silent), "deferred:timeout", mail.CodeTimeout},
		{"RCPT 421", act(mailtest.StepRCPT, say("421 4.3.2 closing")), "deferred:target_busy", mail.CodeTargetBusy},
		{"RCPT 530", act(mailtest.StepRCPT, say("530 5.7.0 sign in")), "notattempted:target_auth", mail.CodeTargetAuth},
		{"RCPT multi-line", act(mailtest.StepRCPT, say("550-5.1.1 No\n550 5.1.1 such user")), "nosuchuser:unknown_user", ""},
		{"DATA 4xx", act(mailtest.StepDATA, say("451 later")), "deferred:deferred", ""},
		{"DATA 5xx", act(mailtest.StepDATA, say("554 5.6.0 no")), "refused:content", ""},
		{"DATA drop", act(mailtest.StepDATA, drop), "deferred:closed", mail.CodeClosed},
		{"DATA silence", act(mailtest.StepDATA, silent), "deferred:timeout", mail.CodeTimeout},
		{"DATA 250", act(mailtest.StepDATA, say("250 what?")), "deferred:protocol", mail.CodeProtocol},
		{"dot 4xx", act(mailtest.StepDot, say("452 4.3.1 disk")), "deferred:deferred", ""},
		{"dot 421", act(mailtest.StepDot, say("421 4.3.2 closing")), "deferred:target_busy", mail.CodeTargetBusy},
		{"dot 5xx content", act(mailtest.StepDot, say("554 5.6.0 no")), "refused:content", ""},
		{"dot 5xx too large", act(mailtest.StepDot, say("552 5.3.4 no")), "refused:too_large", ""},
		{"dot 251", act(mailtest.StepDot, say("251 fine")), "accepted", ""},
		{"dot drop", act(mailtest.StepDot, drop), "deferred:no_reply", mail.CodeNoReply},
		{"dot taken and drop", act(mailtest.StepDot, mailtest.SMTPAction{Drop: true, Keep: true}), "deferred:no_reply", mail.CodeNoReply},
		{"dot silence", act(mailtest.StepDot, silent), "deferred:no_reply", mail.CodeNoReply},
		{"dot garbage", act(mailtest.StepDot, say("yes!")), "deferred:no_reply", mail.CodeNoReply},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, target := startSMTP(t, tt.o)
			quick := 20 * time.Second
			if strings.HasSuffix(tt.name, "silence") {
				quick = 150 * time.Millisecond
			}
			c := dial(t, target, Options{Timeouts: Timeouts{Command: quick, Mail: quick, Rcpt: quick, Data: quick, FinalDot: quick}})
			outcomes, err := c.Send(t.Context(), letter(sample, "anne@office.test"))
			if verdicts(outcomes) != tt.want || codeOf(err) != tt.dead {
				t.Fatalf("%s (%v), want %s (%s)", verdicts(outcomes), err, tt.want, tt.dead)
			}
			if tt.want != "accepted" && outcomes[0].Failure == nil {
				t.Error("no failure")
			}
			s.Script(nil)
			again, err := c.Send(t.Context(), letter("A: b\r\n", "anne@office.test"))
			if alive := err == nil && (verdicts(again) == "accepted" || tt.o.MaxSize > 0); alive != (tt.dead == "") {
				t.Errorf("afterwards: %s %v", verdicts(again), err)
			}
		})
	}
}

// rule 11, rule 46: a line that breaks in the data leaves nothing behind: the
// server never sees a final dot, not even from QUIT.
func TestRule46_BreakInTheData(t *testing.T) {
	big := sample + strings.Repeat(strings.Repeat("x", 78)+"\r\n", 40_000)
	t.Run("server drops", func(t *testing.T) {
		s, target := startSMTP(t, mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepDATA, mailtest.SMTPAction{DropAfter: 5000})})
		outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(big, "anne@office.test"))
		// Some of the data were still in flight: what matters is that it is tried again.
		if got := verdicts(outcomes); err == nil || got != "deferred:closed" && got != "deferred:no_reply" {
			t.Fatalf("%v %s", err, got)
		}
		if s.Taken() != 0 {
			t.Error("the server took half a message")
		}
	})
	t.Run("message unreadable", func(t *testing.T) {
		s, target := startSMTP(t, mailtest.SMTPOptions{})
		l := letter(big, "anne@office.test")
		l.Open = func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(big), &failingReader{})), nil
		}
		c := dial(t, target, Options{})
		outcomes, err := c.Send(t.Context(), l)
		if err == nil || verdicts(outcomes) != "deferred:internal" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
		_ = c.Close()
		_ = s.Close()
		if s.Taken() != 0 {
			t.Error("the server took half a message")
		}
	})
	t.Run("message missing", func(t *testing.T) {
		_, target := startSMTP(t, mailtest.SMTPOptions{})
		l := letter(big, "anne@office.test")
		l.Open = func(context.Context) (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF }
		outcomes, err := dial(t, target, Options{}).Send(t.Context(), l)
		if err != nil || verdicts(outcomes) != "deferred:internal" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
	})
	t.Run("barrier", func(t *testing.T) {
		s, target := startSMTP(t, mailtest.SMTPOptions{})
		l := letter(big, "anne@office.test")
		l.Barrier = func(context.Context) error { return io.ErrUnexpectedEOF }
		outcomes, err := dial(t, target, Options{}).Send(t.Context(), l)
		if err == nil || verdicts(outcomes) != "notattempted:internal" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
		_ = s.Close()
		if s.Taken() != 0 {
			t.Error("the dot was sent")
		}
	})
}

type failingReader struct{}

func (*failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// rule 9: cancellable within a second, save for the reply to a final dot.
func TestRule9_Cancel(t *testing.T) {
	for _, step := range []mailtest.SMTPStep{mailtest.StepMAIL, mailtest.StepRCPT, mailtest.StepDATA} {
		t.Run(string(step), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
				if e.Step == step {
					cancel()
					return mailtest.SMTPAction{Silent: true}
				}
				return mailtest.SMTPAction{}
			}})
			c := dial(t, target, Options{})
			began := time.Now()
			outcomes, err := c.Send(ctx, letter(sample, "anne@office.test"))
			if codeOf(err) != mail.CodeCancelled || verdicts(outcomes) != "notattempted:cancelled" {
				t.Fatalf("%v %s", err, verdicts(outcomes))
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	t.Run("reply to the dot", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		later := make(chan struct{})
		_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepDot {
				cancel()
				time.AfterFunc(200*time.Millisecond, func() { close(later) })
				return mailtest.SMTPAction{Wait: later}
			}
			return mailtest.SMTPAction{}
		}})
		outcomes, err := dial(t, target, Options{}).Send(ctx, letter(sample, "anne@office.test"))
		if err != nil || verdicts(outcomes) != "accepted" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
	})
	t.Run("no reply to the dot", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepDot {
				cancel()
				return mailtest.SMTPAction{Silent: true}
			}
			return mailtest.SMTPAction{}
		}})
		outcomes, err := dial(t, target, Options{Timeouts: Timeouts{StopDot: 100 * time.Millisecond}}).Send(ctx, letter(sample, "anne@office.test"))
		if err == nil || verdicts(outcomes) != "deferred:no_reply" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
	})
}
