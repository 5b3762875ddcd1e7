//go:build linux

package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mailtest"
)

// TestCheck tests every source and target without touching mail.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{Users: map[string]string{login: password, "bob": password}}, mailtest.SMTPOptions{Users: []string{"anne@office.test", "bob@office.test", "postmaster@office.test", "claire@office.test"}})
	s.mailbox += strings.NewReplacer("Whole office", "Bob", "global", "individual", login, "bob").Replace(s.mailbox) + "deliver_to = [\"bob@office.test\"]\n"
	s.configure("")
	s.add("anne@office.test", "first")
	steps := func(code int, args ...string) map[string]string {
		t.Helper()
		all := map[string]string{}
		r := s.want(code, append([]string{"check", "--json"}, args...)...)
		for _, o := range r.objects() {
			r.of("check", o)
			verdict := "ok"
			if o["ok"] != true {
				verdict = "fault"
				if o["detail"] == nil || o["advice"] == nil {
					t.Errorf("a fault without words: %v", o)
				}
			}
			key := o.text("subject") + " " + o.text("step")
			if all[key] != "fault" {
				all[key] = verdict
			}
		}
		return all
	}
	got := steps(0)
	for _, want := range []string{boxName + " connect", boxName + " login", boxName + " stat", boxName + " uidl", "Bob login", "office connect", "office ehlo", "office rcpt"} {
		if got[want] != "ok" {
			t.Errorf("%s is %q: %v", want, got[want], got)
		}
	}
	if got := steps(0, "Bob"); got[boxName+" login"] != "" || got["Bob login"] != "ok" || got["office ehlo"] != "ok" {
		t.Errorf("check Bob: %v", got)
	}
	s.want(0, "check").says("All is well")
	// A recipient whom the office server does not know is a fault of the target.
	s.head += "[[recipient]]\naddress = \"ghost@office.test\"\n"
	s.configure("")
	if got := steps(4); got["office rcpt"] != "fault" {
		t.Errorf("an unknown recipient: %v", got)
	}
	s.want(4, "check").says("ghost@office.test", "Not all is well")
	s.write("secret", "wrong\n")
	if got := steps(3); got[boxName+" login"] != "fault" || got["office rcpt"] != "fault" { // 3 before 4
		t.Errorf("a wrong password: %v", got)
	}
	if s.left() != 1 || s.office.Taken() != 0 || s.office.Count("DATA") != 0 || countOf(s.isp.Transcript(), "RETR") != 0 {
		t.Error("check touched mail")
	}
}

// TestPreview is the X-ray of a mailbox.
func TestPreview(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	for i := range 60 {
		s.isp.AddMessage(login, fmt.Sprintf("u%02d", i), message("anne@office.test", fmt.Sprintf("message %d", i)))
	}
	lines := func(args ...string) (all []object, verdict object) {
		t.Helper()
		r := s.want(0, append([]string{"preview", boxName, "--json"}, args...)...)
		objects := r.objects()
		last := r.of("verdict", objects[len(objects)-1])
		for _, o := range objects[:len(objects)-1] {
			r.of("preview", o)
			for _, rcpt := range o.list("recipients") {
				r.of("previewed", rcpt)
			}
		}
		return objects[:len(objects)-1], last
	}
	all, verdict := lines()
	if len(all) != 50 || verdict.text("verdict") != "bcc_works" || verdict.text("envelope_header") != "X-Original-To" {
		t.Errorf("%d lines, %v", len(all), verdict)
	}
	if e := all[0]; e.text("route") != "envelope:X-Original-To" || e.list("recipients")[0].text("address") != "anne@office.test" {
		t.Errorf("the first line is %v", e)
	}
	if all, _ := lines("--limit", "3"); len(all) != 3 {
		t.Errorf("%d lines with --limit 3", len(all))
	}
	s.want(0, "preview", boxName).says("X-Original-To", "right people")
	verbs := s.isp.Transcript()
	if countOf(verbs, "RETR") != 0 || countOf(verbs, "DELE") != 0 || s.left() != 60 || s.office.Taken() != 0 {
		t.Error("preview touched mail")
	}
	s.untouchedData("preview")
	s.isp.Clear(login)
	if all, verdict := lines(); len(all) != 0 || verdict.text("verdict") != "bcc_goes_to_unknown" || verdict["envelope_header"] != nil {
		t.Errorf("an empty mailbox: %v %v", all, verdict)
	}
	s.isp.AddMessage(login, "", []byte("From: a@b.test\r\nTo: anne@office.test\r\nSubject: x\r\n\r\nx\r\n"))
	if all, verdict := lines(); len(all) != 1 || all[0].text("route") != "to_cc" || verdict.text("verdict") != "bcc_goes_to_unknown" {
		t.Errorf("without an envelope header: %v %v", all, verdict)
	}
	s.want(0, "preview", boxName).says("go to the mailbox for unknown recipients")
	s.write("secret", "wrong\n")
	s.want(3, "preview", boxName).says("refuses the user name or the password")
}

// untouchedData demands that no data folder was made.
func (s *site) untouchedData(what string) {
	s.t.Helper()
	if files := s.glob("data", "*"); len(files) != 0 {
		s.t.Errorf("%s made %v", what, files)
	}
}

// TestDemo shows the whole way with nothing prepared.
func TestDemo(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	for _, lang := range []string{"en", "fr"} {
		r := s.want(0, "demo", "--lang", lang).says("anne@office.test", "postmaster@office.test")
		if n := strings.Count(r.out, "\n"); n < 30 {
			t.Errorf("the demo shows %d lines:\n%s", n, r.out)
		}
	}
	s.untouched("demo")
}

// TestFrench: what people read comes in their language, what scripts read does not change.
func TestFrench(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.env = []string{"LANG=fr_FR.UTF-8"}
	r := s.want(0, "collect", "--lang", "fr", "--json")
	if e := r.entries(); len(e) != 1 || e[0].text("state") != "delivered" {
		t.Errorf("collect in French: %s", r.out)
	}
	s.want(0, "status", "--lang", "fr").says("Boîte", "Tout va bien")
	s.write("secret", "wrong\n")
	french := s.want(3, "collect", "--lang", "fr")
	english := s.want(3, "collect")
	if slices.Equal(strings.Fields(french.err), strings.Fields(english.err)) {
		t.Errorf("both languages say %s", french.err)
	}
}
