//go:build linux

package main_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"postbag/engine/mailtest/real"
	"postbag/engine/mailtest/sample"
)

// realSite is a site between Dovecot and Postfix.
type realSite struct {
	*site
	office  sample.Office
	dovecot *real.Dovecot
	postfix *real.Postfix
}

// newRealSite starts both servers; target are further keys of the target.
func newRealSite(t *testing.T, isp real.DovecotOptions, office real.PostfixOptions) *realSite {
	t.Helper()
	o := sample.Default()
	isp.Users = map[string]string{o.Login: password, "connector": "smtp-" + password}
	office.Users = o.Addresses()
	r := &realSite{site: &site{t: t, dir: t.TempDir()}, office: o, dovecot: real.StartDovecot(t, isp)}
	r.postfix = real.StartPostfix(t, office)
	r.write("secret", password+"\n")
	return r
}

// configure writes the configuration of the sample's office.
func (s *realSite) configure(target, mailbox string) {
	s.t.Helper()
	o := s.office
	var b strings.Builder
	fmt.Fprintf(&b, "version = 1\n[office]\ndomains = [%q]\nunknown_recipient = %q\n[[target]]\nname = \"office\"\nhost = \"127.0.0.1\"\n%s\n", o.Domain, o.Address(o.Unknown), target)
	for _, p := range o.People {
		var aliases []string
		for alias, owner := range o.Aliases {
			if owner == p {
				aliases = append(aliases, fmt.Sprintf("%q", o.Address(alias)))
			}
		}
		fmt.Fprintf(&b, "[[recipient]]\naddress = %q\naliases = [%s]\n", o.Address(p), strings.Join(aliases, ", "))
	}
	for list, members := range o.Lists {
		var all []string
		for _, m := range members {
			all = append(all, fmt.Sprintf("%q", o.Address(m)))
		}
		fmt.Fprintf(&b, "[[list]]\naddress = %q\nmembers = [%s]\n", o.Address(list), strings.Join(all, ", "))
	}
	for id, owner := range o.ListIDs {
		fmt.Fprintf(&b, "[[list_rule]]\nlist_id = %q\ndeliver_to = [%q]\n", id, o.Address(owner))
	}
	fmt.Fprintf(&b, "[[mailbox]]\nname = %q\nkind = \"global\"\nhost = \"127.0.0.1\"\nusername = %q\nsecret = \"file:secret\"\nca_file = %q\nserver_name = \"pop.isp.test\"\n%s\n", boxName, o.Login, s.dovecot.CAFile, mailbox)
	s.write("postbag.toml", b.String())
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// TestRealServers collects sample mail over STLS with a SASL sign-in and hands
// it over STARTTLS with AUTH: exactly the right Maildirs, unaltered, told as
// the contract says. rules 5, 17 to 31, 38, 39, 49
func TestRealServers(t *testing.T) {
	t.Parallel()
	auth := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{"connector": "smtp-" + password}})
	s := newRealSite(t, real.DovecotOptions{}, real.PostfixOptions{Auth: auth, TLSOnly: true})
	s.write("smtp-secret", "smtp-"+password+"\n")
	s.configure(fmt.Sprintf("port = %s\nsecurity = \"starttls\"\nca_file = %q\nserver_name = \"mail.office.test\"\nauth = \"plain\"\nusername = \"connector\"\nsecret = \"file:smtp-secret\"",
		port(s.postfix.Addr), s.postfix.CAFile), fmt.Sprintf("port = %s\nsecurity = \"starttls\"\nauth = \"cram-md5\"", port(s.dovecot.POP3Addr)))
	s.want(0, "check")
	messages := sample.Generate(11, 250, s.office)
	for _, m := range messages {
		s.dovecot.AddMessage(s.office.Login, m.Bytes)
	}
	r := s.want(0, "collect", "--json")
	entries := r.entries()
	if len(entries) != len(messages) {
		t.Errorf("collect tells of %d messages", len(entries))
	}
	routes := map[string]int{}
	for _, m := range messages {
		routes[m.Route]++
	}
	for _, e := range entries {
		routes[e.text("route")]--
		if state := e.text("state"); state != "delivered" && state != "duplicate" || e.text("at_source") != "deleted" {
			t.Errorf("a message is %v", e)
		}
	}
	for route, n := range routes {
		if n != 0 {
			t.Errorf("the route %q was told %d times too seldom", route, n)
		}
	}
	if n := s.dovecot.Count(s.office.Login); n != 0 {
		t.Errorf("%d messages still lie at the provider", n)
	}
	s.wantMaildirs(messages)
	balance := object(s.status()["balance"].(map[string]any))
	if balance.number("seen") != len(messages) || balance.number("delivered")+balance.number("duplicate") != len(messages) {
		t.Errorf("balance %v", balance)
	}
	if log := s.want(0, "log", "--json"); len(log.entries()) != len(messages) {
		t.Errorf("the log has %d messages", len(log.entries()))
	}
}

func (s *realSite) wantMaildirs(messages []sample.Message) {
	s.t.Helper()
	s.postfix.Settle()
	got := map[string][][]byte{}
	for _, a := range s.office.Addresses() {
		got[a] = s.postfix.Maildir(a)
	}
	for i, f := range sample.Check(messages, got) {
		if i > 20 {
			break
		}
		s.t.Errorf("%.500s", f)
	}
}

// TestRealLock: a mailbox that another program has open is told as such, and
// collected once that program is gone.
func TestRealLock(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, real.DovecotOptions{LockSession: true}, real.PostfixOptions{})
	s.configure("port = "+port(s.postfix.Addr), fmt.Sprintf("port = %s\nsecurity = \"tls\"", port(s.dovecot.POP3SAddr)))
	messages := sample.Generate(12, 30, s.office)
	for _, m := range messages {
		s.dovecot.AddMessage(s.office.Login, m.Bytes)
	}
	c, err := net.Dial("tcp", s.dovecot.POP3Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewScanner(c)
	for _, say := range []string{"", "USER " + s.office.Login, "PASS " + password, "STAT"} {
		if say != "" {
			if _, err := fmt.Fprintf(c, "%s\r\n", say); err != nil {
				t.Fatal(err)
			}
		}
		if !in.Scan() || !strings.HasPrefix(in.Text(), "+OK") {
			t.Fatalf("%q: %q", strings.Fields(say + " .")[0], in.Text())
		}
	}
	r := s.want(3, "collect", "--json").says("in use by another program")
	if got := r.results()[boxName]; got.text("result") != "temporary" || got.text("code") != "in_use" {
		t.Errorf("the result is %v", got)
	}
	if _, err := fmt.Fprintf(c, "QUIT\r\n"); err != nil || !in.Scan() {
		t.Fatal(err)
	}
	s.want(0, "collect")
	s.wantMaildirs(messages)
	// The password is not guessed three times because of a lock.
	if m := s.status().list("mailboxes")[0]; m["suspended"] == true {
		t.Error("suspended because of a lock")
	}
}

// TestRealRefusals: Postfix puts one recipient off and refuses another.
func TestRealRefusals(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, real.DovecotOptions{}, real.PostfixOptions{Replies: map[string]string{
		"anne@office.test": "450 4.2.1 come back later", "bob@office.test": "552 5.2.2 mailbox full",
	}})
	s.configure("port = "+port(s.postfix.Addr), fmt.Sprintf("port = %s\nsecurity = \"tls\"", port(s.dovecot.POP3SAddr)))
	for _, to := range []string{"anne", "bob", "claire", "ghost"} {
		s.dovecot.AddMessage(s.office.Login, message(to+"@office.test", "for "+to))
	}
	r := s.want(4, "collect", "--json")
	got := map[string]string{}
	for subject, e := range bySubject(r.entries()) {
		got[subject] = e.text("state") + " " + e.text("at_source")
	}
	for subject, want := range map[string]string{
		"for anne": "queued present", "for bob": "quarantined deleted", "for claire": "delivered deleted", "for ghost": "delivered deleted",
	} {
		if got[subject] != want {
			t.Errorf("%s is %q, want %q", subject, got[subject], want)
		}
	}
	s.want(0, "queue").says("450 4.2.1", "come back later", "552 5.2.2", "mailbox full")
	s.postfix.Settle()
	if n := len(s.postfix.Maildir("postmaster@office.test")); n != 1 {
		t.Errorf("the unknown recipient has %d messages", n)
	}
	if n := s.dovecot.Count(s.office.Login); n != 1 {
		t.Errorf("%d messages at the provider", n)
	}
}
