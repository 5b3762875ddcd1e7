//go:build linux

package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mailtest"
)

// letter is a message with these header lines.
func letter(lines ...string) []byte {
	return []byte(strings.Join(lines, "\r\n") + "\r\nFrom: ada@sender.test\r\nSubject: x\r\n\r\nHello\r\n")
}

// received is a Received line of the provider for what came from outside.
const received = "Received: from out.sender.test (out.sender.test [203.0.113.5])\r\n\tby mx.isp.test (Postfix) with ESMTPS id 1%s;\r\n\tMon, 2 Nov 2026 10:00:00 +0100"

// TestMailboxSettings: each setting of a mailbox does what the contract says of
// it, seen in who gets the message and in the step that decided. rules 18 to 29
func TestMailboxSettings(t *testing.T) {
	t.Parallel()
	plain := fmt.Sprintf(received, "")
	with := fmt.Sprintf(received, " for <bob@office.test>")
	for name, c := range map[string]struct {
		keys  string
		mail  []byte
		want  string // recipients
		route string
	}{
		"default header":       {"", letter("Envelope-To: anne@office.test", "To: bob@office.test"), "anne", "envelope:Envelope-To"},
		"other header":         {`envelope_headers = ["X-Mine"]`, letter("X-Mine: anne@office.test", "X-Original-To: bob@office.test"), "anne", "envelope:X-Mine"},
		"no header":            {`envelope_headers = []`, letter("X-Original-To: anne@office.test", "To: bob@office.test"), "bob", "to_cc"},
		"second occurrence":    {"envelope_occurrence = 2\nisp_hosts = [\"*\"]", letter("Delivered-To: anne@office.test", "X-A: b", "Delivered-To: bob@office.test"), "bob", "envelope:Delivered-To"},
		"fewer than asked for": {`envelope_occurrence = 3`, letter("Delivered-To: anne@office.test", "To: claire@office.test"), "claire", "to_cc"},
		"prefix":               {`envelope_prefix = "office-42-"`, letter("Delivered-To: Office-42-anne@office.test"), "anne", "envelope:Delivered-To"},
		"pattern":              {`envelope_pattern = '^rcpt=(\S+)'`, letter("X-Original-To: rcpt=anne@office.test ok"), "anne", "envelope:X-Original-To"},
		"pattern passes over":  {`envelope_pattern = '^rcpt=(\S+)'`, letter("X-Original-To: bob@office.test", "To: anne@office.test"), "anne", "to_cc"},
		"subdomain":            {`strip_subdomains = true`, letter("X-Original-To: anne@mail.office.test"), "anne", "envelope:X-Original-To"},
		"no subdomain":         {"", letter("X-Original-To: anne@mail.office.test", "To: bob@office.test"), "bob", "to_cc"},
		"own address":          {"", letter("Delivered-To: office-42@isp.test", "To: anne@office.test"), "anne", "to_cc"},
		"forged":               {"", letter(plain, "X-Original-To: bob@office.test", "To: anne@office.test"), "anne", "to_cc"},
		"trust in all":         {`isp_hosts = ["*"]`, letter(plain, "X-Original-To: bob@office.test", "To: anne@office.test"), "bob", "envelope:X-Original-To"},
		"trust in another":     {`isp_hosts = ["elsewhere.test"]`, letter("X-Original-To: bob@office.test", plain, "To: anne@office.test"), "anne", "to_cc"},
		"received":             {`received_for = true`, letter(with, "To: anne@office.test"), "bob", "received"},
		"received not wanted":  {"", letter(with, "To: anne@office.test"), "anne", "to_cc"},
		"received, one skipped": {"received_for = true\nreceived_skip = 1",
			letter("Received: from mx.isp.test (mx.isp.test [10.0.0.1])\r\n\tby store.isp.test with LMTP id 2;\r\n\tMon, 2 Nov 2026 10:00:00 +0100", with), "bob", "received"},
		"Bcc":             {`use_bcc = true`, letter("Bcc: anne@office.test"), "anne", "to_cc"},
		"Bcc not wanted":  {"", letter("Bcc: anne@office.test"), "postmaster", "unknown"},
		"list":            {"", letter("List-Id: Go <golang-nuts.googlegroups.test>", "To: golang-nuts@googlegroups.test"), "claire", "list"},
		"resent":          {"", letter("Resent-From: x@y.test", "Resent-To: bob@office.test", "To: anne@office.test"), "bob", "resent"},
		"plus":            {"", letter("To: anne+shop@office.test"), "anne", "to_cc"},
		"alias":           {"", letter("X-Original-To: info@office.test"), "anne", "envelope:X-Original-To"},
		"list of persons": {"", letter("X-Original-To: sales@office.test"), "anne bob", "envelope:X-Original-To"},
		"stranger":        {"", letter("X-Original-To: ghost@office.test", "To: anne@office.test"), "postmaster", "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
			s.head += "[[list_rule]]\nlist_id = \"golang-nuts.googlegroups.test\"\ndeliver_to = [\"claire@office.test\"]\n"
			s.configure(c.keys + "\n")
			s.isp.AddMessage(login, "u1", c.mail)
			preview := s.want(0, "preview", boxName, "--json").objects()[0]
			e := s.want(0, "collect", "--json").entries()[0]
			for what, o := range map[string]object{"preview": preview, "collect": e} {
				var got []string
				for _, r := range o.list("recipients") {
					got = append(got, strings.TrimSuffix(r.text("address"), "@office.test"))
				}
				slices.Sort(got)
				if strings.Join(got, " ") != c.want || o.text("route") != c.route {
					t.Errorf("%s: %q by %q, want %q by %q", what, got, o.text("route"), c.want, c.route)
				}
			}
		})
	}
}

// TestSessionLimits: no more than so many messages or octets a session.
func TestSessionLimits(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]int{"max_messages_per_session = 3": 3, `max_bytes_per_session = "10KB"`: 2} {
		s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
		s.bulky(8, 4)
		s.configure(keys + "\n")
		s.want(0, "collect")
		if n := s.office.Taken(); n != want {
			t.Errorf("%s: %d messages, want %d", keys, n, want)
		}
		s.wantBalance(map[string]int{"delivered": want, "waiting": 8 - want})
		for range 4 {
			s.want(0, "collect")
		}
		s.wantEachOnce(8, 0)
	}
}

// TestFirstCollectionDate leaves out what was sent before.
func TestFirstCollectionDate(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	for subject, date := range map[string]string{"old": "Mon, 5 Jan 2026 10:00:00 +0100", "new": "Thu, 5 Nov 2026 10:00:00 +0100"} {
		s.isp.AddMessage(login, "", fmt.Appendf(nil, "X-Original-To: anne@office.test\r\nDate: %s\r\nFrom: a@b.test\r\nSubject: %s\r\n\r\nx\r\n", date, subject))
	}
	s.configure("first_collection = \"2026-10-01\"\n")
	s.want(0, "collect")
	s.wantGot("anne@office.test new")
	s.wantBalance(map[string]int{"delivered": 1, "filtered": 1})
}

// TestTargets: one target for each domain with a default, one for a single
// person, and the address that the target knows.
func TestTargets(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	other, err := mailtest.NewSMTP(mailtest.SMTPOptions{LMTP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	s.head = fmt.Sprintf(`version = 1
[office]
domains = ["office.test", "@branch.test"]
unknown_recipient = "postmaster@office.test"
outside_allowed = ["partner@elsewhere.test"]
[[target]]
name = "lmtp"
domains = ["branch.test"]
host = "127.0.0.1"
port = %d
protocol = "lmtp"
[[target]]
name = "default"
host = "127.0.0.1"
port = %d
sender = "postbag@office.test"
[[recipient]]
address = "anne@office.test"
[[recipient]]
address = "bob@office.test"
target = "lmtp"
deliver_as = "bob@inner.office.test"
[[recipient]]
address = "zoe@branch.test"
[[list]]
address = "both@office.test"
members = ["anne@office.test", "zoe@branch.test", "partner@elsewhere.test"]
`, other.Port(), s.office.Port())
	s.configure("")
	s.add("bob@office.test", "for bob")
	s.add("both@office.test", "for both")
	s.add("anne@office.test", "for anne")
	s.want(0, "collect")
	s.wantGot("anne@office.test for anne", "anne@office.test for both", "partner@elsewhere.test for both")
	var lmtp []string
	for _, m := range other.Mails() {
		lmtp = append(lmtp, strings.Join(m.Rcpts, " ")+" "+subjectOf(m.Data))
	}
	slices.Sort(lmtp)
	if want := []string{"bob@inner.office.test for bob", "zoe@branch.test for both"}; !slices.Equal(lmtp, want) {
		t.Errorf("the LMTP server got %q", lmtp)
	}
	for _, m := range s.office.Mails() {
		outside := slices.Contains(m.Rcpts, "partner@elsewhere.test")
		if outside && (m.Sender != "postbag@office.test" || len(m.Rcpts) != 1) { // rule 33
			t.Errorf("outside goes a message of %q to %q", m.Sender, m.Rcpts)
		}
	}
}

// TestIndividualMailbox ignores every recipient header; refused for good there
// without an unknown recipient, mail goes into quarantine. rule 17
func TestIndividualMailbox(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{Users: []string{"anne@office.test"}})
	s.head = strings.Replace(s.head, "unknown_recipient = \"postmaster@office.test\"\n", "", 1)
	s.mailbox = strings.Replace(s.mailbox, `"global"`, "\"individual\"\ndeliver_to = [\"anne@office.test\", \"bob@office.test\"]", 1)
	s.configure("")
	s.add("claire@office.test", "first")
	r := s.want(4, "collect", "--json")
	e := r.entries()[0]
	if e.text("route") != "individual" || e.text("state") != "quarantined" || len(e.list("recipients")) != 2 {
		t.Errorf("the message is %v", e)
	}
	s.wantGot("anne@office.test first")
	s.want(0, "collect")
}

// TestLoop: what was here before goes into quarantine. rule 36
func TestLoop(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.want(0, "collect")
	s.isp.AddMessage(login, "", append([]byte("X-Original-To: anne@office.test\r\n"), s.office.Mails()[0].Data...))
	r := s.want(4, "collect", "--json")
	if e := r.entries()[0]; e.text("state") != "quarantined" || e.text("route") != "loop" {
		t.Errorf("the message is %v", e)
	}
	if s.office.Taken() != 1 || s.left() != 0 {
		t.Errorf("%d taken, %d left", s.office.Taken(), s.left())
	}
	s.want(0, "queue").says("first")
}

// TestJournalPurge: old lines of the journal go, the balance sheet and what is
// known of the provider's messages stay. rule 49
func TestJournalPurge(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, rcptSays("bob@office.test", "550 5.2.1 closed"))
	s.add("anne@office.test", "one", "two")
	s.add("bob@office.test", "set aside")
	s.head = strings.Replace(s.head, "[[target]]", "[journal]\nkeep = \"1s\"\n[[target]]", 1)
	s.configure("after_delivery = \"keep\"\n")
	s.want(4, "collect")
	eventually(t, "the purge", func() bool {
		s.want(0, "collect")
		return len(s.want(0, "log", "--json", "--state", "delivered").entries()) == 0
	})
	s.wantBalance(map[string]int{"delivered": 2, "quarantined": 1})
	s.want(0, "collect")
	if n := countOf(s.isp.Transcript(), "RETR"); n != 3 {
		t.Errorf("%d fetched", n)
	}
	if e := s.one(); e.text("subject") != "set aside" { // what is not settled is never purged
		t.Errorf("the queue has %v", e)
	}
	s.wantBalance(map[string]int{"delivered": 2, "quarantined": 1})
}
