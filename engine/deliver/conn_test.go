package deliver

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mail"
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
	// rule 48: the quarantine keeps what was said.
	if said := outcomes[0].Transcript; !strings.HasPrefix(said, "C: MAIL FROM:<a@sender.test>") ||
		!strings.Contains(said, "C: RCPT TO:<full@office.test>\nS: 552 5.2.2 Mailbox full\n") || strings.Contains(said, "body") {
		t.Errorf("transcript %q", said)
	}
	if outcomes[1].Transcript != "" {
		t.Errorf("transcript of an accepted one: %q", outcomes[1].Transcript)
	}
	// Nobody accepted: no data, and the connection goes on.
	outcomes, err = c.Send(t.Context(), letter(sample, "ghost@office.test"))
	if err != nil || verdicts(outcomes) != "nosuchuser:unknown_user" {
		t.Fatalf("%v %s", err, verdicts(outcomes))
	}
	if _, err = c.Send(t.Context(), letter(sample, "anne@office.test")); err != nil {
		t.Fatal(err)
	}
	if s.Taken() != 2 {
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
	tests := []struct{ to, sent, params string }{
		{"andré@office.test", "andré@office.test", "SMTPUTF8"},
		{"Anne@BÜRO.test", "Anne@xn--bro-hoa.test", ""},
		{"andré@büro.test", "andré@xn--bro-hoa.test", "SMTPUTF8"},
	}
	for _, o := range []mailtest.SMTPOptions{{}, {LMTP: true}, {Extensions: pipelining}} {
		s, target := startSMTP(t, o)
		c := dial(t, target, Options{})
		for i, tt := range tests {
			outcomes, err := c.Send(t.Context(), letter(sample, tt.to))
			if err != nil || verdicts(outcomes) != "accepted" {
				t.Fatalf("%v %s", err, verdicts(outcomes))
			}
			m := s.Mails()[i]
			if m.Rcpts[0] != tt.sent || strings.Contains(m.Params, "SMTPUTF8") != (tt.params != "") {
				t.Errorf("%s: %+v", tt.to, m)
			}
		}
	}
}

// A server that answers once too often is left, and nothing is taken for the
// answer to something else.
func TestReplyTooMany(t *testing.T) {
	_, target := startSMTP(t, mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepDot, mailtest.SMTPAction{Reply: "552 5.3.4 too big\n250 2.0.0 Ok"})})
	c := dial(t, target, Options{})
	outcomes, err := c.Send(t.Context(), letter(sample, "anne@office.test"))
	if err != nil || verdicts(outcomes) != "refused:too_large" {
		t.Fatalf("%v %s", err, verdicts(outcomes))
	}
	outcomes, err = c.Send(t.Context(), letter(sample, "anne@office.test"))
	if codeOf(err) != mail.CodeProtocol || verdicts(outcomes) != "notattempted:protocol" {
		t.Errorf("%v %s", err, verdicts(outcomes))
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
}
