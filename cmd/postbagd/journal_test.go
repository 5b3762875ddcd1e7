//go:build linux

package main_test

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mailtest"
)

// TestCollectTellsEachMessage: a line for each message whose state the run
// changed, with everything that the contract promises, and one for the mailbox.
func TestCollectTellsEachMessage(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	raw := message("Anne@Office.test", "plain")
	uid := s.isp.AddMessage(login, "uid-1", raw)
	s.isp.AddMessage(login, "uid-2", []byte("X-Original-To: sales@office.test\r\nFrom: =?utf-8?q?Z=C3=B6=C3=A9?= <z@b.test>\r\nSubject: =?iso-8859-1?q?caf=E9?=\r\n\r\nx\r\n"))
	s.isp.AddMessage(login, "uid-3", []byte("no header at all"))
	s.isp.AddMessage(login, "uid-4", raw)
	r := s.want(0, "collect", "--json")
	entries := r.entries()
	if len(entries) != 4 {
		t.Fatalf("collect tells of %d messages:\n%s", len(entries), r.out)
	}
	if got := r.results()[boxName]; got.text("result") != "ok" || got["error"] != nil {
		t.Errorf("the result is %v", got)
	}
	byUID := map[string]object{}
	for _, e := range entries {
		byUID[e.text("uid")] = e
	}
	e := byUID[uid]
	for field, want := range map[string]any{
		"mailbox": boxName, "message_id": "<plain@sender.test>", "from": "Ada <ada@sender.test>", "subject": "plain", "size": float64(len(raw)),
		"state": "delivered", "at_source": "deleted", "route": "envelope:X-Original-To", "attempts": 1.0, "next_attempt": nil, "reason": nil,
	} {
		if e[field] != want {
			t.Errorf("%s is %v, want %v", field, e[field], want)
		}
	}
	if at, err := time.Parse(time.RFC3339, e.text("time")); err != nil || time.Since(at) > commandLimit {
		t.Errorf("time is %q", e.text("time"))
	}
	if rcpt := e.list("recipients"); len(rcpt) != 1 || rcpt[0].text("state") != "delivered" || !strings.HasPrefix(rcpt[0].text("reply"), "250") {
		t.Errorf("recipients %v", rcpt)
	}
	if e := byUID["uid-2"]; e.text("from") != "Zöé <z@b.test>" || e.text("subject") != "café" || e["message_id"] != nil || len(e.list("recipients")) != 2 {
		t.Errorf("the second is %v", e)
	}
	if e := byUID["uid-3"]; e["from"] != nil || e["subject"] != nil || e.text("route") != "unknown" || e.text("state") != "delivered" {
		t.Errorf("the third is %v", e)
	}
	if e := byUID["uid-4"]; e.text("state") != "duplicate" || e.text("at_source") != "deleted" { // rule 35
		t.Errorf("the fourth is %v", e)
	}
	s.wantBalance(map[string]int{"delivered": 3, "duplicate": 1})
	// A second run changes nothing and tells of nothing.
	if again := s.want(0, "collect", "--json"); len(again.entries()) != 0 || len(again.results()) != 1 {
		t.Errorf("the second run tells\n%s", again.out)
	}
}

// TestLogFilters finds messages by time, text, state and mailbox, newest first.
func TestLogFilters(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{Users: map[string]string{login: password, "bob": password}}, rcptSays("claire@office.test", "450 4.2.1 later"))
	s.mailbox += strings.NewReplacer("Whole office", "Bob's own", "global", "individual", login, "bob").Replace(s.mailbox) + "deliver_to = [\"bob@office.test\"]\n"
	s.configure("")
	s.add("anne@office.test", "invoice 4711", "offer")
	s.add("claire@office.test", "waiting one")
	s.isp.AddMessage("bob", "", message("x@elsewhere.test", "private"))
	s.want(4, "collect")
	subjects := func(args ...string) []string {
		t.Helper()
		var all []string
		for _, e := range s.want(0, append([]string{"log", "--json"}, args...)...).entries() {
			all = append(all, e.text("subject"))
		}
		slices.Sort(all)
		return all
	}
	for _, c := range []struct {
		args string
		want []string
	}{
		{"", []string{"invoice 4711", "offer", "private", "waiting one"}},
		{"--search 4711", []string{"invoice 4711"}},
		{"--search INVOICE", []string{"invoice 4711"}},
		{"--search claire@office.test", []string{"waiting one"}},
		{"--search ada@sender.test", []string{"invoice 4711", "offer", "private", "waiting one"}},
		{"--search <offer@sender.test>", []string{"offer"}},
		{"--search nothing", nil},
		{"--search \"", nil}, // not a syntax of the search engine
		{"--search *", nil},
		{"--state queued", []string{"waiting one"}},
		{"--state delivered", []string{"invoice 4711", "offer", "private"}},
		{"--state quarantined", nil},
		{"--mailbox Bob's_own", []string{"private"}},
		{"--mailbox Whole_office --state delivered", []string{"invoice 4711", "offer"}},
		{"--since 24h", []string{"invoice 4711", "offer", "private", "waiting one"}},
		{"--since 2020-01-01", []string{"invoice 4711", "offer", "private", "waiting one"}},
		{"--since 2020-01-01T00:00:00Z --search offer", []string{"offer"}},
		{"--since 2099-01-01", nil},
	} {
		var args []string
		for _, w := range strings.Fields(c.args) {
			args = append(args, strings.ReplaceAll(w, "_", " "))
		}
		if got := subjects(args...); !slices.Equal(got, c.want) {
			t.Errorf("log %s: %q, want %q", c.args, got, c.want)
		}
	}
	var times []string
	for _, e := range s.want(0, "log", "--json").entries() {
		times = append(times, e.text("time"))
	}
	if !slices.IsSortedFunc(times, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("not newest first: %q", times)
	}
	s.want(0, "log").says("invoice 4711", "anne@office.test")
	s.want(0, "log", "--state", "failed").says("nothing that fits")
}

// TestLogCSV: what a sender wrote must not become a formula of a spreadsheet.
func TestLogCSV(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "=cmd|' /C calc'!A0")
	s.want(0, "collect")
	rows, err := csv.NewReader(strings.NewReader(s.want(0, "log", "--csv").out)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, cell := range rows[1] {
		if strings.HasPrefix(cell, "=") {
			t.Errorf("the cell %q is a formula", cell)
		}
	}
}

// TestNothingSteersTheTerminal: neither mail nor servers may write escape
// sequences to the reader's terminal.
func TestNothingSteersTheTerminal(t *testing.T) {
	t.Parallel()
	const evil = "\x1b]0;owned\x07\x1b[2J\u202e\u009b31m"
	s := newSite(t, mailtest.POP3Options{Users: map[string]string{login: password, "bob": password}}, rcptSays("anne@office.test", "450 4.2.1 later "+evil))
	s.isp.AddMessage(login, "", []byte("X-Original-To: anne@office.test\r\nFrom: "+evil+" <a@b.test>\r\nSubject: =?utf-8?B?G11wd25lZAcK?= "+evil+"\r\n\r\nx\r\n"))
	r := s.want(4, "collect", "--json")
	id := r.entries()[0].text("id")
	for _, args := range [][]string{{"collect"}, {"collect", "--json"}, {"log"}, {"log", "--json"}, {"queue"}, {"queue", "show", id}, {"queue", "show", id, "--json"}, {"log", "--csv"}, {"status"}, {"preview", boxName}, {"preview", boxName, "--json"}} {
		r := s.run(args...)
		if strings.ContainsAny(r.out+r.err, "\x1b\x07\u202e\u009b") {
			t.Errorf("postbagd %q steers the terminal: %q", args, r.out+r.err)
		}
	}
}

// TestBeforeTheFirstCollection: every command that reads answers, with 0, and
// makes nothing.
func TestBeforeTheFirstCollection(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	for _, args := range []string{"status", "log", "queue", "queue list", "mailbox list", "status --json", "log --json", "queue --json", "mailbox list --json"} {
		s.want(0, strings.Fields(args)...)
	}
	s.wantBalance(nil)
	if m := s.status().list("mailboxes"); len(m) != 1 || m[0]["last"] != nil || m[0]["result"] != nil {
		t.Errorf("mailboxes %v", m)
	}
	s.untouched("reading")
	s.want(0, "collect")
	info, err := os.Stat(s.data())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data folder: %v %v", info, err)
	}
}
