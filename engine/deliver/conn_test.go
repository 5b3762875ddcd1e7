package deliver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mail/tlspolicy"
	"postbag/engine/mailtest"
)

// rule 38: nothing changes but our trace and Return-Path.
// rule 42: one transaction for all recipients, SIZE and BODY.
func TestRule42_OneTransactionPerMessage(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{})
	c := dial(t, target, Options{})
	outcomes, err := c.Send(t.Context(), letter(sample, "anne@office.test", "bob@office.test"))
	if err != nil || verdicts(outcomes) != "accepted accepted" {
		t.Fatalf("%v %s", err, verdicts(outcomes))
	}
	if outcomes[0].Reply != "250 2.0.0 Ok: queued as C1M1" {
		t.Errorf("reply %q", outcomes[0].Reply)
	}
	mails := s.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d messages", len(mails))
	}
	m := mails[0]
	if got := string(m.Data); got != "X-Trace: 1\r\n"+sampleSent {
		t.Errorf("data %q", got)
	}
	if m.Sender != "a@sender.test" || !slices.Equal(m.Rcpts, []string{"anne@office.test", "bob@office.test"}) {
		t.Errorf("envelope %+v", m)
	}
	if want := fmt.Sprintf("BODY=8BITMIME SIZE=%d", len(sample)+len("X-Trace: 1\r\n")); m.Params != want {
		t.Errorf("parameters %q, want %q", m.Params, want)
	}
	if m.Helo != "postbag.office.test" {
		t.Errorf("EHLO %q", m.Helo)
	}
	if _, err := c.Send(t.Context(), letter(sample, "anne@office.test")); err != nil {
		t.Fatal(err)
	}
	if n := s.Count("RSET") + s.Count("NOOP"); n != 0 || s.Count("EHLO") != 1 {
		t.Errorf("extra round trips: %v", s.Commands())
	}
}

func TestRule42_ManyRecipients(t *testing.T) {
	var rcpts []string
	for i := range 230 {
		rcpts = append(rcpts, fmt.Sprintf("u%d@office.test", i))
	}
	t.Run("100 each", func(t *testing.T) {
		s, target := startSMTP(t, mailtest.SMTPOptions{})
		outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(sample, rcpts...))
		if err != nil || strings.Count(verdicts(outcomes), "accepted") != 230 {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
		checkOnce(t, s, rcpts, 3)
	})
	t.Run("server takes ten", func(t *testing.T) {
		n, message := 0, 0
		s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepMAIL {
				n, message = 0, message+1
			}
			if e.Step == mailtest.StepRCPT {
				if n++; n > 10 {
					return mailtest.SMTPAction{Reply: "452 4.5.3 Too many recipients"}
				}
			}
			return mailtest.SMTPAction{}
		}})
		outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(sample, rcpts[:25]...))
		if err != nil || strings.Count(verdicts(outcomes), "accepted") != 25 {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
		checkOnce(t, s, rcpts[:25], 3)
	})
}

func checkOnce(t *testing.T, s *mailtest.SMTP, rcpts []string, transactions int) {
	t.Helper()
	seen := make(map[string]int)
	for _, m := range s.Mails() {
		for _, r := range m.Rcpts {
			seen[r]++
		}
	}
	for _, r := range rcpts {
		if seen[r] != 1 {
			t.Errorf("%s got it %d times", r, seen[r])
		}
	}
	if n := len(s.Mails()); n != transactions {
		t.Errorf("%d transactions", n)
	}
}

// rule 43: the status is per recipient.
func TestRule43_PerRecipient(t *testing.T) {
	script := func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT {
			switch {
			case strings.HasPrefix(e.Address, "full"):
				return mailtest.SMTPAction{Reply: "552 5.2.2 Mailbox full"}
			case strings.HasPrefix(e.Address, "grey"):
				return mailtest.SMTPAction{Reply: "450 4.2.0 Greylisted"}
			}
		}
		return mailtest.SMTPAction{}
	}
	s, target := startSMTP(t, mailtest.SMTPOptions{Users: []string{"anne@office.test"}, Script: script})
	c := dial(t, target, Options{})
	outcomes, err := c.Send(t.Context(), letter(sample, "full@office.test", "anne@office.test", "grey@office.test", "ghost@office.test"))
	if want := "refused:mailbox_full accepted deferred:deferred nosuchuser:unknown_user"; err != nil || verdicts(outcomes) != want {
		t.Fatalf("%v %s, want %s", err, verdicts(outcomes), want)
	}
	// Nobody accepted: no DATA, and the connection goes on.
	outcomes, err = c.Send(t.Context(), letter(sample, "ghost@office.test"))
	if err != nil || verdicts(outcomes) != "nosuchuser:unknown_user" {
		t.Fatalf("%v %s", err, verdicts(outcomes))
	}
	if _, err = c.Send(t.Context(), letter(sample, "anne@office.test")); err != nil {
		t.Fatal(err)
	}
	if s.Taken() != 2 || s.Count("DATA") != 2 {
		t.Errorf("%v", s.Commands())
	}
}

func TestRule43_LMTP(t *testing.T) {
	script := func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDot {
			switch e.Address {
			case "full@office.test":
				return mailtest.SMTPAction{Reply: "452-4.2.2 Quota\n452 4.2.2 exceeded"}
			case "gone@office.test":
				return mailtest.SMTPAction{Reply: "550 5.1.1 Gone"}
			}
		}
		return mailtest.SMTPAction{}
	}
	s, target := startSMTP(t, mailtest.SMTPOptions{LMTP: true, Script: script,
		Users: []string{"anne@office.test", "full@office.test", "gone@office.test"}})
	c := dial(t, target, Options{})
	for range 2 {
		outcomes, err := c.Send(t.Context(), letter(sample, "full@office.test", "ghost@office.test", "anne@office.test", "gone@office.test", "anne@office.test"))
		want := "deferred:deferred nosuchuser:unknown_user accepted nosuchuser:unknown_user accepted"
		if err != nil || verdicts(outcomes) != want {
			t.Fatalf("%v %s, want %s", err, verdicts(outcomes), want)
		}
	}
	for _, m := range s.Mails() {
		if !slices.Equal(m.Rcpts, []string{"anne@office.test"}) || string(m.Data) != "X-Trace: 1\r\n"+sampleSent {
			t.Errorf("%+v", m)
		}
	}
}

// rule 46: LMTP too: some replies came, then the line broke.
func TestRule46_LMTPDropsAmidReplies(t *testing.T) {
	_, target := startSMTP(t, mailtest.SMTPOptions{LMTP: true, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDot && strings.HasPrefix(e.Address, "c") {
			return mailtest.SMTPAction{Drop: true}
		}
		if e.Step == mailtest.StepDot && strings.HasPrefix(e.Address, "b") {
			return mailtest.SMTPAction{Reply: "552 5.2.2 full"}
		}
		return mailtest.SMTPAction{}
	}})
	outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(sample, "a@office.test", "b@office.test", "c@office.test", "d@office.test"))
	if err == nil || verdicts(outcomes) != "accepted refused:mailbox_full deferred:no_reply deferred:no_reply" {
		t.Fatalf("%v %s", err, verdicts(outcomes))
	}
}

// rule 41: <> stays <>; another sender is tried in the same session.
func TestRule41_Sender(t *testing.T) {
	refuse := func(reply string, step mailtest.SMTPStep) func(mailtest.SMTPEvent) mailtest.SMTPAction {
		refused := false
		return func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepMAIL {
				refused = strings.HasSuffix(e.Address, "@sender.test")
			}
			if e.Step == step && refused {
				return mailtest.SMTPAction{Reply: reply}
			}
			return mailtest.SMTPAction{}
		}
	}
	tests := []struct {
		name, sender, own string
		outside           bool
		script            func(mailtest.SMTPEvent) mailtest.SMTPAction
		want, from        string
	}{
		{"ordinary", "a@sender.test", "", false, nil, "accepted", "a@sender.test"},
		{"null", "", "us@office.test", false, nil, "accepted", ""},
		{"null outside", "", "us@office.test", true, nil, "accepted", ""},
		{"rule 33", "a@sender.test", "us@office.test", true, nil, "accepted", "us@office.test"},
		{"malformed", "a b@sender.test", "", false, nil, "accepted", ""},
		{"injected", "a@sender.test> SIZE=1", "", false, nil, "accepted", ""},
		{"refused, none of our own", "a@sender.test", "", false, refuse("550 5.7.1 no", mailtest.StepMAIL), "deferred:sender_refused", ""},
		{"refused at MAIL", "a@sender.test", "us@office.test", false, refuse("550 5.7.1 no", mailtest.StepMAIL), "accepted", "us@office.test"},
		{"refused at RCPT", "a@sender.test", "us@office.test", false, refuse("553 5.7.1 <a@sender.test>: Sender address rejected", mailtest.StepRCPT), "accepted", "us@office.test"},
		{"unknown domain at RCPT", "a@sender.test", "us@office.test", false, refuse("450 4.1.8 Sender address rejected", mailtest.StepRCPT), "deferred:deferred", ""},
		{"both refused", "a@sender.test", "us@sender.test", false, refuse("550 no", mailtest.StepMAIL), "deferred:sender_refused", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, target := startSMTP(t, mailtest.SMTPOptions{Script: tt.script})
			target.Sender = tt.own
			l := letter(sample, "anne@office.test")
			l.Job.Sender, l.Job.Outside = tt.sender, tt.outside
			outcomes, err := dial(t, target, Options{}).Send(t.Context(), l)
			if err != nil || verdicts(outcomes) != tt.want {
				t.Fatalf("%v %s, want %s", err, verdicts(outcomes), tt.want)
			}
			if tt.want == "accepted" && s.Mails()[0].Sender != tt.from {
				t.Errorf("sender %q, want %q", s.Mails()[0].Sender, tt.from)
			}
			if total, _ := s.Connections(); total != 1 {
				t.Errorf("%d connections", total)
			}
		})
	}
}

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
			quick := 150 * time.Millisecond
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

// rules 39 and 40: strange messages arrive, no line end stands alone.
func TestRule40_SentAsItIs(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: []string{}})
	c := dial(t, target, Options{})
	for _, m := range []string{
		"", "\r\n", "x", "no header\n", "A: \xe9\r\n\r\n\xe9\x00\r\n", "A: b\n\n.\n\n.\r\n",
		"A: b\r\n\r\n" + strings.Repeat("y", 200_000), strings.Repeat("\n", 70_000), strings.Repeat("\r", 70_000),
	} {
		outcomes, err := c.Send(t.Context(), letter(m, "anne@office.test"))
		if err != nil || verdicts(outcomes) != "accepted" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
		got := s.Mails()[len(s.Mails())-1]
		if want := reference("X-Trace: 1\r\n" + m); string(got.Data) != want && m != "" {
			t.Errorf("%.40q: got %.80q", m, got.Data)
		}
		if got.Bare {
			t.Errorf("%.40q: a bare line end", m)
		}
		if got.Params != "" {
			t.Errorf("parameters %q that were not offered", got.Params)
		}
	}
}

func TestSMTPUTF8(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{})
	c := dial(t, target, Options{})
	outcomes, err := c.Send(t.Context(), letter(sample, "andré@office.test"))
	if err != nil || verdicts(outcomes) != "accepted" || !strings.Contains(s.Mails()[0].Params, "SMTPUTF8") {
		t.Fatalf("%v %s %+v", err, verdicts(outcomes), s.Mails())
	}
}

// A message larger than every buffer, over TLS, in constant memory.
func TestLargeMessage(t *testing.T) {
	cfg, ca, _ := certificate(t, mailtest.CertificateOptions{})
	s, target := startSMTP(t, mailtest.SMTPOptions{TLS: cfg, ImplicitTLS: true})
	target.Security, target.CAFile = SecurityTLS, ca
	big := sampleSent + strings.Repeat(strings.Repeat("x", 78)+"\r\n", 100_000)
	outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(big, "anne@office.test"))
	if err != nil || verdicts(outcomes) != "accepted" {
		t.Fatalf("%v %s", err, verdicts(outcomes))
	}
	if !bytes.Equal(s.Mails()[0].Data, []byte("X-Trace: 1\r\n"+big)) {
		t.Error("changed on the way")
	}
}

// rule 32: check asks with RCPT and never sends anything.
func TestRule32_Probe(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Users: []string{"anne@office.test"}})
	c := dial(t, target, Options{})
	if err := c.Probe(t.Context(), "", "anne@office.test"); err != nil {
		t.Error(err)
	}
	if err := c.Probe(t.Context(), "a@office.test", "ghost@office.test"); codeOf(err) != mail.CodeUnknownUser {
		t.Error(err)
	}
	if err := c.Probe(t.Context(), "", "anne@office.test"); err != nil {
		t.Error(err)
	}
	if s.Count("DATA") != 0 || s.Count("RSET") != 3 {
		t.Errorf("%v", s.Commands())
	}
}

func TestSafePath(t *testing.T) {
	good := []string{"a@b.test", `"a b"@c.test`, `"a>b\"c@"@d.test`, "é@b.test", "a@[127.0.0.1]", "a+b=c@d"}
	bad := []string{"", "a", "@b", "a@", "a b@c", "a>@b", "a@b> SIZE=1", "a@b\r\nDATA", `"a@b`, "a\x00@b", "\"a\\\n\"@b", strings.Repeat("a", 1001) + "@b"}
	for _, a := range good {
		if !safePath(a) {
			t.Errorf("%q must pass", a)
		}
	}
	for _, a := range bad {
		if safePath(a) {
			t.Errorf("%q must not pass", a)
		}
	}
}

func TestHeloName(t *testing.T) {
	v4 := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5}
	if got := heloName("mail.office.test", v4); got != "mail.office.test" {
		t.Error(got)
	}
	if got := heloName("bad name", v4); strings.Contains(got, " ") {
		t.Error(got)
	}
	_ = tlspolicy.PinPrefix
}
