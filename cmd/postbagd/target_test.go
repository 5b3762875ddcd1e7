//go:build linux

package main_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mailtest"
)

// rcptSays is an office server that answers to one recipient in its own way.
func rcptSays(address, reply string) mailtest.SMTPOptions {
	return mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT && strings.EqualFold(e.Address, address) {
			return mailtest.SMTPAction{Reply: reply}
		}
		return mailtest.SMTPAction{}
	}}
}

// stepSays is an office server that answers to one step in its own way.
func stepSays(step mailtest.SMTPStep, reply string) mailtest.SMTPOptions {
	return mailtest.SMTPOptions{Script: mailtest.OnStep(step, mailtest.SMTPAction{Reply: reply})}
}

// targetFault is one way in which an office server does not take mail for anne.
type targetFault struct {
	office  mailtest.SMTPOptions
	head    func(s *site) string // instead of the plain one
	exit    int                  // of collect
	state   string               // of the message for anne afterwards
	bob     string               // of the message for bob; "" delivered
	left    int                  // messages at the provider afterwards
	says    []string             // in the output of collect or of the queue
	healed  []string             // what the office server has after it was mended; nil: both messages
	heal    func(s *site)
	atFirst []string // what it has before
}

// TestTargetFaults hands mail to office servers that refuse it now or for good.
// rules 43 to 46
func TestTargetFaults(t *testing.T) {
	t.Parallel()
	for name, c := range targetFaults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, mailtest.POP3Options{}, c.office)
			s.add("anne@office.test", "for anne")
			s.add("bob@office.test", "for bob")
			plain := s.head
			if c.head != nil {
				s.head = c.head(s)
				s.configure("")
			}
			r := s.want(c.exit, "collect", "--json")
			entries := bySubject(r.entries())
			q := s.want(0, "queue")
			for _, w := range c.says {
				if !strings.Contains(r.err+r.out+q.out, w) {
					t.Errorf("nobody says %q:\n%s\n%s\n%s", w, r.err, r.out, q.out)
				}
			}
			bob := c.bob
			if bob == "" {
				bob = "delivered"
			}
			if a, b := entries["for anne"].text("state"), entries["for bob"].text("state"); a != c.state || b != bob {
				t.Errorf("the states are %q and %q, want %q and %q", a, b, c.state, bob)
			}
			if s.left() != c.left {
				t.Errorf("%d messages at the provider, want %d", s.left(), c.left)
			}
			s.wantGot(c.atFirst...)
			s.wantBalance(count(c.state, bob))
			if c.state == "quarantined" {
				s.wantEML("for anne")
			}
			if c.heal == nil {
				c.heal = func(s *site) { s.office.Script(nil); s.head = plain; s.configure("") }
			}
			c.heal(s)
			s.again(c)
		})
	}
}

// again collects once more after the office server was mended: what was queued
// arrives, what was set aside does so when it is sent again.
func (s *site) again(c targetFault) {
	s.t.Helper()
	s.want(0, "collect", "--json")
	if c.state == "quarantined" {
		s.wantBalance(count(c.state, "delivered"))
		s.want(0, "queue", "retry", "--all")
		s.want(0, "collect")
	}
	if c.healed == nil {
		c.healed = []string{"anne@office.test for anne", "bob@office.test for bob"}
	}
	s.wantGot(c.healed...)
	s.wantBalance(map[string]int{"delivered": 2})
	if s.left() != 0 {
		s.t.Errorf("%d messages still lie at the provider", s.left())
	}
	if files := s.quarantined(); len(files) != 0 {
		s.t.Errorf("the quarantine still has %v", files)
	}
}

func count(states ...string) map[string]int {
	n := map[string]int{}
	for _, s := range states {
		n[s]++
	}
	return n
}

func targetFaults() map[string]targetFault {
	bob := []string{"bob@office.test for bob"}
	deferred := func(o mailtest.SMTPOptions, says ...string) targetFault {
		return targetFault{office: o, exit: 4, state: "queued", left: 1, atFirst: bob, says: says}
	}
	aside := func(o mailtest.SMTPOptions, says ...string) targetFault {
		return targetFault{office: o, exit: 4, state: "quarantined", atFirst: bob, says: says}
	}
	down := func(o mailtest.SMTPOptions, says ...string) targetFault {
		return targetFault{office: o, exit: 4, state: "queued", bob: "queued", left: 2, says: says}
	}
	all := map[string]targetFault{
		"RCPT 450":       deferred(rcptSays("anne@office.test", "450 4.2.1 come back later"), "450 4.2.1 come back later"),
		"RCPT 452":       deferred(rcptSays("anne@office.test", "452 4.2.2 mailbox full for now"), "mailbox full for now"),
		"RCPT 552 5.2.2": aside(rcptSays("anne@office.test", "552 5.2.2 mailbox full"), "552 5.2.2 mailbox full"),
		"RCPT 550 5.2.1": aside(rcptSays("anne@office.test", "550 5.2.1 mailbox disabled"), "mailbox disabled"),
		"after DATA 451": deferred(dotSays("for anne", "451 4.3.0 try later"), "451 4.3.0 try later"),
		"after DATA 554": aside(dotSays("for anne", "554 5.6.0 cannot read this"), "554 5.6.0 cannot read this"),
		"after DATA 552": aside(dotSays("for anne", "552 5.3.4 too big"), "552 5.3.4 too big"),
		"MAIL FROM 550":  down(stepSays(mailtest.StepMAIL, "550 5.7.1 you may not send as this sender"), "you may not send as this sender"),
		"MAIL FROM 451":  down(stepSays(mailtest.StepMAIL, "451 4.3.2 not now"), "not now"),
		"greeting 421":   down(stepSays(mailtest.StepGreeting, "421 4.3.2 too busy"), "too busy"),
		"greeting 554":   down(stepSays(mailtest.StepGreeting, "554 no service here"), "no service here"),
		"silent drop":    down(mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Drop: true})}),
		"drops at MAIL":  down(mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepMAIL, mailtest.SMTPAction{Drop: true})}),
		"drops in DATA":  down(mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepDATA, mailtest.SMTPAction{DropAfter: 40})}),
		"unknown user": {
			office: rcptSays("anne@office.test", "550 5.1.1 no such user"), state: "delivered",
			atFirst: []string{"postmaster@office.test for anne", "bob@office.test for bob"}, // rule 45
			healed:  []string{"postmaster@office.test for anne", "bob@office.test for bob"},
		},
		"unknown user, no code": {
			office: rcptSays("anne@office.test", "553 sorry, no such mailbox"), state: "delivered",
			atFirst: []string{"postmaster@office.test for anne", "bob@office.test for bob"},
			healed:  []string{"postmaster@office.test for anne", "bob@office.test for bob"},
		},
	}
	return withConnections(all, down)
}

// withConnections adds the faults before any mail is spoken of.
func withConnections(all map[string]targetFault, down func(mailtest.SMTPOptions, ...string) targetFault) map[string]targetFault {
	closed := down(mailtest.SMTPOptions{}, "cannot be reached")
	closed.head = func(s *site) string { return head(closedPort(s.t)) }
	all["refused connection"] = closed
	noTLS := down(mailtest.SMTPOptions{}, "offers no encryption")
	noTLS.head = func(s *site) string {
		return strings.Replace(s.head, `host = "127.0.0.1"`, "host = \"127.0.0.1\"\nsecurity = \"starttls\"", 1)
	}
	all["no STARTTLS"] = noTLS
	unknown := down(mailtest.SMTPOptions{}, "cannot be found")
	unknown.head = func(s *site) string { return strings.Replace(s.head, `"127.0.0.1"`, `"mail.nowhere.invalid"`, 1) }
	all["unknown host"] = unknown
	auth := down(mailtest.SMTPOptions{Passwords: map[string]string{"connector": password}, PlainAuth: true}, "user name or password")
	auth.head = func(s *site) string {
		s.write("smtp-secret", "wrong\n")
		return strings.Replace(s.head, `host = "127.0.0.1"`,
			"host = \"127.0.0.1\"\nauth = \"plain\"\nusername = \"connector\"\nsecret = \"file:smtp-secret\"\nallow_plaintext_password = true", 1)
	}
	auth.heal = func(s *site) { s.write("smtp-secret", password+"\n") }
	all["wrong password"] = auth
	return all
}

// dotSays is an office server that refuses one message after its data. It
// knows the message by its subject, which the recipient tells, too.
func dotSays(subject, reply string) mailtest.SMTPOptions {
	refuse := make(chan bool, 1)
	refuse <- false
	return mailtest.SMTPOptions{MaxConns: 1, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		switch e.Step {
		case mailtest.StepMAIL:
			<-refuse
			refuse <- false
		case mailtest.StepRCPT:
			<-refuse
			refuse <- "for "+strings.TrimSuffix(e.Address, "@office.test") == subject
		case mailtest.StepDot:
			now := <-refuse
			refuse <- now
			if now {
				return mailtest.SMTPAction{Reply: reply}
			}
		}
		return mailtest.SMTPAction{}
	}}
}

// quarantined lists the .eml files beside the store.
func (s *site) quarantined() []string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.data(), "store", "quarantine", "*.eml"))
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

// wantEML demands the message with this subject as an .eml file, unaltered,
// private to the user. rule 45
func (s *site) wantEML(subject string) {
	s.t.Helper()
	files := s.quarantined()
	if len(files) != 1 {
		s.t.Fatalf("the quarantine has %v", files)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		s.t.Fatal(err)
	}
	if want := message("anne@office.test", subject); string(b) != string(want) {
		s.t.Errorf("the file in the quarantine is %q, want %q", b, want)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		s.t.Errorf("the file in the quarantine has the mode %v, %v", info.Mode(), err)
	}
}

// TestRule45_RelayDenied: 5.7.x on three messages running is a fault of the
// target's settings. Nothing is set aside, nothing deleted at the provider.
func TestRule45_RelayDenied(t *testing.T) {
	t.Parallel()
	for step, reply := range map[mailtest.SMTPStep]string{
		mailtest.StepRCPT: "554 5.7.1 relay access denied", mailtest.StepDot: "550 5.7.26 this mail is unauthenticated",
	} {
		s := newSite(t, mailtest.POP3Options{}, stepSays(step, reply))
		s.add("anne@office.test", "one", "two", "three", "four", "five", "six")
		r := s.want(4, "collect").says("refuses to take mail from us", reply)
		s.wantBalance(map[string]int{"queued": 6})
		if s.left() != 6 || len(s.quarantined()) != 0 {
			t.Errorf("%d at the provider, %v in quarantine\n%s", s.left(), s.quarantined(), r.err)
		}
		s.want(0, "status").says("refuses to take mail from us")
		s.office.Script(nil)
		s.want(0, "collect")
		s.wantBalance(map[string]int{"delivered": 6})
		if n := len(s.got()); n != 6 || s.left() != 0 {
			t.Errorf("%d delivered, %d left", n, s.left())
		}
	}
}

// TestRule45_UnknownRecipientRefused: who is refused for good as the unknown
// recipient goes into quarantine and is never routed again.
func TestRule45_UnknownRecipientRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{Users: []string{"bob@office.test"}})
	s.add("anne@office.test", "for anne")
	s.add("bob@office.test", "for bob")
	s.want(4, "collect")
	s.wantBalance(map[string]int{"quarantined": 1, "delivered": 1})
	s.wantEML("for anne")
	if n := s.office.Count("RCPT TO:<postmaster@"); n != 1 {
		t.Errorf("the unknown recipient was tried %d times", n)
	}
	s.want(0, "collect") // older quarantine does not count
	if n := s.office.Count("RCPT TO:<postmaster@"); n != 1 {
		t.Errorf("the unknown recipient was tried %d times", n)
	}
}

// TestRule46_NoReply: no reply after the final dot is no proof of anything, so
// the message is sent again and marked.
func TestRule46_NoReply(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{
		Script: mailtest.OnStep(mailtest.StepDot, mailtest.SMTPAction{Drop: true, Keep: true}),
	})
	s.add("anne@office.test", "perhaps twice")
	r := s.want(4, "collect", "--json")
	id := bySubject(r.entries())["perhaps twice"].text("id")
	if s.left() != 1 {
		t.Error("deleted at the provider without a reply of the office server")
	}
	s.office.Script(nil)
	s.want(0, "collect")
	s.want(0, "queue", "show", id).says("twice")
	s.wantBalance(map[string]int{"delivered": 1})
	ids := map[string]bool{}
	for _, m := range s.office.Mails() {
		ids[subjectOf(m.Data)] = true
	}
	if len(ids) != 1 || s.office.Taken() < 1 || s.office.Taken() > 3 {
		t.Errorf("the office server took %d: %v", s.office.Taken(), ids)
	}
}

// TestPartlyRefused: each recipient has an own fate. rule 43
func TestPartlyRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, rcptSays("bob@office.test", "450 4.2.1 later"))
	s.add("sales@office.test", "to both")
	r := s.want(4, "collect", "--json")
	e := bySubject(r.entries())["to both"]
	var got []string
	for _, rcpt := range e.list("recipients") {
		got = append(got, rcpt.text("address")+" "+rcpt.text("state"))
	}
	slices.Sort(got)
	if want := []string{"anne@office.test delivered", "bob@office.test queued"}; !slices.Equal(got, want) || e.text("state") != "queued" {
		t.Errorf("recipients %q, state %s", got, e.text("state"))
	}
	s.office.Script(nil)
	s.want(0, "collect")
	s.wantGot("anne@office.test to both", "bob@office.test to both")
}

// TestTargetCertificate: a target whose certificate is wrong gets nothing.
func TestTargetCertificate(t *testing.T) {
	t.Parallel()
	cert, roots, err := mailtest.NewCertificate(mailtest.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for security, implicit := range map[string]bool{"tls": true, "starttls": false} {
		s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{
			ImplicitTLS: implicit, TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		})
		s.add("anne@office.test", "first")
		s.write("ca.pem", string(roots))
		plain := s.head
		for _, keys := range []string{"", "ca_file = \"ca.pem\"\nserver_name = \"elsewhere.test\"\n", "tls_pin = \"sha256:" + strings.Repeat("0a", 32) + "\"\n"} {
			s.head = strings.Replace(plain, "[[recipient]]", "security = \""+security+"\"\n"+keys+"[[recipient]]", 1)
			s.configure("")
			s.want(4, "collect").says("certificate")
			s.want(4, "check").says("certificate")
			if s.left() != 1 || s.office.Taken() != 0 {
				t.Errorf("%s: %d at the provider, %d delivered", security, s.left(), s.office.Taken())
			}
		}
		s.head = strings.Replace(plain, "[[recipient]]", "security = \""+security+"\"\nca_file = \"ca.pem\"\n[[recipient]]", 1)
		s.configure("")
		s.want(0, "check")
		s.want(0, "collect")
		s.wantGot("anne@office.test first")
	}
}
