//go:build linux

package main_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"postbag/engine/mailtest"
)

// sourceFault is one way in which a mailbox cannot be collected.
type sourceFault struct {
	isp     mailtest.POP3Options
	prepare func(s *site) (keys string) // further keys of the mailbox
	mailbox func(s *site) string        // instead of the plain one
	result  string
	code    string
	says    []string
}

// TestSourceFaults collects from providers that do not let us in: exit code 3,
// a sentence, and neither side was touched.
func TestSourceFaults(t *testing.T) {
	t.Parallel()
	for name, c := range sourceFaults(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.isp, mailtest.SMTPOptions{})
			s.add("anne@office.test", "first", "second")
			if c.mailbox != nil {
				s.mailbox = c.mailbox(s)
			}
			keys := ""
			if c.prepare != nil {
				keys = c.prepare(s)
			}
			s.configure(keys)
			r := s.want(3, "collect", "--json").says(c.says...)
			got := r.results()[boxName]
			if got.text("result") != c.result || got.text("error") == "" || got.text("code") != c.code {
				t.Errorf("the result is %v, want %s because of %s", got, c.result, c.code)
			}
			if s.left() != 2 || s.office.Taken() != 0 {
				t.Errorf("%d messages at the provider, %d at the office server", s.left(), s.office.Taken())
			}
			if s.isp.Sessions() > 1 {
				t.Errorf("%d sessions: the provider is hammered", s.isp.Sessions())
			}
			st := s.status()
			if m := st.list("mailboxes")[0]; m.text("result") != c.result || m.text("error") == "" {
				t.Errorf("status has %v", m)
			}
			s.want(3, "check", "--json")
		})
	}
}

func sourceFaults(t *testing.T) map[string]sourceFault {
	all := tlsFaults(t)
	reply := func(verb, text string) mailtest.POP3Options {
		return mailtest.POP3Options{Fault: mailtest.OnPOP3(verb, 1, mailtest.POP3Reply(text))}
	}
	all["unknown host"] = sourceFault{result: "temporary", code: "dns", says: []string{"cannot be found", "typing errors"}, mailbox: func(s *site) string {
		return strings.Replace(s.mailbox, `"127.0.0.1"`, `"pop.nowhere.invalid"`, 1)
	}}
	all["refused connection"] = sourceFault{result: "temporary", code: "connect", says: []string{"cannot be reached"}, mailbox: func(s *site) string {
		return plainMailbox(closedPort(s.t))
	}}
	all["greeting"] = sourceFault{isp: reply("GREETING", "-ERR too many connections"), result: "temporary", code: "greeting", says: []string{"too many connections"}}
	all["line drops"] = sourceFault{isp: mailtest.POP3Options{Fault: mailtest.OnPOP3("LIST", 1, mailtest.POP3Cut(5))}, result: "temporary", code: "closed"}
	all["locked"] = sourceFault{isp: reply("PASS", "-ERR [IN-USE] somebody is there"), result: "temporary", code: "in_use", says: []string{"in use by another program"}}
	all["passing fault"] = sourceFault{isp: reply("PASS", "-ERR [SYS/TEMP] database down"), result: "temporary", code: "sys_temp", says: []string{"database down"}}
	all["lasting fault"] = sourceFault{isp: reply("PASS", "-ERR [SYS/PERM] mailbox broken"), result: "needs_user", code: "sys_perm", says: []string{"mailbox broken"}}
	all["login delay"] = sourceFault{isp: reply("PASS", "-ERR [LOGIN-DELAY] wait"), result: "temporary", code: "login_delay"}
	all["password in clear"] = sourceFault{result: "needs_user", code: "plaintext_refused", says: []string{"a line that others can read"}, mailbox: func(s *site) string {
		return strings.Replace(s.mailbox, "allow_plaintext_password = true\n", "", 1)
	}}
	all["kept without UIDL"] = sourceFault{isp: mailtest.POP3Options{NoUIDL: true}, result: "needs_user", code: "no_uidl", prepare: func(*site) string {
		return "after_delivery = \"keep\"\n"
	}}
	all["secret missing"] = sourceFault{result: "needs_user", code: "secret_missing", mailbox: func(s *site) string {
		return strings.Replace(s.mailbox, "file:secret", "env:NOT_THERE", 1)
	}}
	all["secret open to others"] = sourceFault{result: "needs_user", code: "secret_open", says: []string{"can be read by other users"}, prepare: func(s *site) string {
		openToOthers(s)
		return ""
	}}
	return all
}

// rules 5 and 6
func tlsFaults(t *testing.T) map[string]sourceFault {
	t.Helper()
	authority, err := mailtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(o mailtest.CertificateOptions) *tls.Certificate {
		c, err := authority.Certificate(o)
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	expired := certificate(mailtest.CertificateOptions{NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().AddDate(-1, 0, 0)})
	foreign := certificate(mailtest.CertificateOptions{Hosts: []string{"mail.elsewhere.test"}})
	good := certificate(mailtest.CertificateOptions{})
	secure := func(security, more string) func(s *site) string {
		return func(s *site) string {
			s.write("ca.pem", string(authority.PEM()))
			m := strings.Replace(s.mailbox, "allow_plaintext_password = true\n", more, 1)
			return strings.Replace(m, `security = "none"`, fmt.Sprintf("security = %q", security), 1)
		}
	}
	ca := "ca_file = \"ca.pem\"\n"
	stls := func(c *tls.Certificate) mailtest.POP3Options {
		return mailtest.POP3Options{Certificate: c, STLS: true, PlainTLS: true}
	}
	implicit := func(c *tls.Certificate) mailtest.POP3Options {
		return mailtest.POP3Options{Certificate: c, ImplicitTLS: true}
	}
	otherPin := fmt.Sprintf("tls_pin = \"sha256:%s\"\n", strings.Repeat("ab", 32))
	return map[string]sourceFault{
		"expired":         {isp: implicit(expired), mailbox: secure("tls", ca), result: "needs_user", code: "tls_expired", says: []string{"expired"}},
		"other name":      {isp: implicit(foreign), mailbox: secure("tls", ca), result: "needs_user", code: "tls_name", says: []string{"another name"}},
		"untrusted":       {isp: implicit(good), mailbox: secure("tls", ""), result: "needs_user", code: "tls_untrusted", says: []string{"unknown authority"}},
		"changed pin":     {isp: implicit(good), mailbox: secure("tls", ca+otherPin), result: "needs_user", code: "tls_pin", says: []string{"another certificate than the one you accepted"}},
		"STLS, expired":   {isp: stls(expired), mailbox: secure("starttls", ca), result: "needs_user", code: "tls_expired"},
		"STLS, untrusted": {isp: stls(good), mailbox: secure("starttls", ""), result: "needs_user", code: "tls_untrusted"},
		"no STLS":         {mailbox: secure("starttls", ca), result: "needs_user", code: "tls_missing", says: []string{"offers no encryption"}},
	}
}

// TestPin collects over an untrusted and expired certificate that was pinned. rule 6
func TestPin(t *testing.T) {
	t.Parallel()
	for _, security := range []string{"tls", "starttls"} {
		cert, _, err := mailtest.NewCertificate(mailtest.CertificateOptions{
			Hosts: []string{"elsewhere.test"}, NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().AddDate(-1, 0, 0),
		})
		if err != nil {
			t.Fatal(err)
		}
		s := newSite(t, mailtest.POP3Options{Certificate: &cert, ImplicitTLS: security == "tls", STLS: security != "tls"}, mailtest.SMTPOptions{})
		s.add("anne@office.test", "first")
		sum := sha256.Sum256(cert.Certificate[0])
		s.mailbox = strings.Replace(s.mailbox, `security = "none"`, fmt.Sprintf("security = %q\ntls_pin = \"sha256:%s\"", security, hex.EncodeToString(sum[:])), 1)
		s.configure("")
		s.want(0, "collect")
		s.wantGot("anne@office.test first")
	}
}

// TestRule8_ThreeStrikes suspends a mailbox after three wrong passwords, asks
// no more after that, and lifts the suspension as the contract says.
func TestRule8_ThreeStrikes(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.write("secret", "wrong\n")
	suspend := func() {
		t.Helper()
		for range 3 {
			s.want(3, "collect", "--json").says("refuses the user name or the password")
		}
		before := s.isp.Sessions()
		r := s.want(3, "collect", "--json")
		if got := r.results()[boxName]; got.text("result") != "needs_user" || got.text("code") != "suspended" {
			t.Errorf("after three strikes: %v", got)
		}
		s.want(3, "collect")
		if s.isp.Sessions() != before {
			t.Error("a suspended mailbox was tried again")
		}
		if m := s.status().list("mailboxes")[0]; m["suspended"] != true {
			t.Errorf("status has %v", m)
		}
	}
	suspend()
	s.want(3, "collect", boxName) // naming it lifts it, and it is wrong for the first time again
	s.want(3, "collect")
	s.want(3, "collect")
	suspendedAt := s.isp.Sessions()
	s.want(3, "collect")
	if s.isp.Sessions() != suspendedAt {
		t.Error("not suspended after three more")
	}
	s.want(0, "mailbox", "resume", boxName)
	s.write("secret", password+"\n")
	s.want(0, "collect")
	s.wantGot("anne@office.test first")
}

// TestSuspensionEndsWithChange: a change to that mailbox lifts a suspension.
func TestSuspensionEndsWithChange(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	good := s.mailbox
	s.mailbox = strings.Replace(good, `username = "office-42"`, `username = "office-24"`, 1)
	s.configure("")
	for range 4 {
		s.want(3, "collect")
	}
	if n := s.isp.Sessions(); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
	s.mailbox = good
	s.configure("")
	s.want(0, "collect")
	s.wantGot("anne@office.test first")
}

// TestOneBadMailboxOfTwo: the other one is collected all the same. rule 2
func TestOneBadMailboxOfTwo(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{Users: map[string]string{login: password, "bob": password}}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.isp.AddMessage("bob", "", message("anne@office.test", "for bob whatever it says"))
	bob := strings.NewReplacer("Whole office", "Bob", "global", "individual", login, "bob").Replace(s.mailbox) + "deliver_to = [\"bob@office.test\"]\n"
	s.mailbox = plainMailbox(closedPort(t)) + bob
	s.configure("")
	r := s.want(3, "collect", "--json")
	if got := r.results(); got["Bob"].text("result") != "ok" || got[boxName].text("result") != "temporary" {
		t.Errorf("results %v", got)
	}
	s.wantGot("bob@office.test for bob whatever it says")
	s.want(0, "collect", "Bob")
	s.want(2, "collect", "Bob", "Nobody").says(`no mailbox of the name "Nobody"`)
}

// closedPort is a port of loopback where nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// rule 2: a line of UIDL that cannot be read is told; its message stays, the
// others come.
func TestRule2_MalformedLine(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("UIDL", 0, mailtest.POP3Reply("+OK\n1 a b\n2 fine\n."))}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first", "second")
	s.configure("after_delivery = \"keep\"\n")
	s.want(0, "collect").says("list of messages has 1 fault", "left alone")
	s.wantGot("anne@office.test second")
	s.want(0, "collect", "--lang", "fr", "--json").says("contient 1 erreur")
	if s.left() != 2 {
		t.Errorf("%d at the provider", s.left())
	}
}

// rule 12: deletions that are refused are told; nothing comes a second time.
func TestRule12_DeletionRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("DELE", 0, mailtest.POP3Reply("-ERR not here"))}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.configure("")
	for range 2 {
		s.want(0, "collect").says("did not delete")
		s.wantGot("anne@office.test first")
	}
	if e := s.want(0, "log", "--json").entries()[0]; e.text("at_source") != "present" || s.left() != 1 {
		t.Errorf("%v, %d at the provider", e, s.left())
	}
}
