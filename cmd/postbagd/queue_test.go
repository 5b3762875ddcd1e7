//go:build linux

package main_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"postbag/engine/mailtest"
)

// one returns the only message of the queue.
func (s *site) one() object {
	s.t.Helper()
	all := s.want(0, "queue", "--json").entries()
	if len(all) != 1 {
		s.t.Fatalf("the queue has %d messages: %v", len(all), all)
	}
	return all[0]
}

// TestQueueOfQuarantine looks at a message that was set aside, saves it, sends
// it to somebody else, and deletes another.
func TestQueueOfQuarantine(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, rcptSays("anne@office.test", "550 5.2.1 account closed"))
	raw := message("anne@office.test", "set aside")
	s.isp.AddMessage(login, "", raw)
	r := s.want(4, "collect", "--json")
	if e := r.entries()[0]; e.text("state") != "quarantined" || e.text("at_source") != "deleted" || !strings.Contains(e.text("reason"), "account closed") {
		t.Errorf("collect tells %v", e)
	}
	s.want(0, "collect")
	e := s.one()
	id := e.text("id")
	s.want(0, "queue", "list").says(id, "set aside")
	s.want(0, "queue", "show", id).says("set aside", "550 5.2.1 account closed", "anne@office.test")
	shown := s.want(0, "queue", "show", id, "--json")
	if all := shown.entries(); len(all) != 1 || all[0].text("id") != id {
		t.Errorf("queue show --json: %v", all)
	}
	s.want(0, "queue", "save", id, s.path("saved.eml"))
	if b, err := os.ReadFile(s.path("saved.eml")); err != nil || !bytes.Equal(b, raw) {
		t.Errorf("saved %q, %v", b, err)
	}
	s.want(2, "queue", "save", id, s.path("saved.eml")).says("already exists")
	if r := s.want(0, "queue", "save", id, "-"); r.out != string(raw) {
		t.Errorf("saved to standard output %q", r.out)
	}
	s.want(2, "queue", "send-to", id, "someone@elsewhere.test").says("not an address")
	s.want(2, "queue", "send-to", id, "not an address")
	s.wantBalance(map[string]int{"quarantined": 1})
	s.want(0, "queue", "send-to", id, "claire@office.test")
	s.want(0, "collect")
	s.wantGot("claire@office.test set aside")
	s.wantBalance(map[string]int{"delivered": 1})
	s.want(2, "queue", "retry", id).says("present state")

	s.add("anne@office.test", "unwanted")
	s.want(4, "collect")
	s.want(0, "queue", "delete", s.one().text("id"), "--json")
	s.wantBalance(map[string]int{"delivered": 1, "deleted": 1})
	if n := len(s.quarantined()); n != 0 {
		t.Errorf("%d files in the quarantine", n)
	}
	s.want(0, "queue", "retry", "--all").says("queue is empty")
	s.want(0, "queue", "delete", "--all", "--yes")
}

// TestQueueOfWaiting retries and deletes what is queued.
func TestQueueOfWaiting(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, rcptSays("anne@office.test", "450 4.2.1 later"))
	s.add("anne@office.test", "one", "two")
	s.want(4, "collect")
	all := bySubject(s.want(0, "queue", "--json").entries())
	for _, e := range all {
		if e.text("state") != "queued" || e["next_attempt"] == nil || e.number("attempts") != 1 || e.text("at_source") != "present" {
			t.Errorf("the queue has %v", e)
		}
	}
	s.want(0, "queue", "delete", all["one"].text("id"))
	s.want(2, "queue", "retry", all["two"].text("id"), "NONE")
	s.want(0, "queue", "retry", all["two"].text("id"))
	s.office.Script(nil)
	s.want(0, "collect")
	s.wantGot("anne@office.test two")
	s.wantBalance(map[string]int{"delivered": 1, "deleted": 1})
	if s.left() != 0 {
		t.Errorf("%d left at the provider", s.left())
	}
}

// TestTooBig leaves a message over the limit at the provider, tells of it with
// sender and subject, and fetches or deletes it when asked. rule 15
func TestTooBig(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	big := func(subject string) []byte {
		return append(message("anne@office.test", subject), strings.Repeat(strings.Repeat("x", 70)+"\r\n", 400)...)
	}
	s.isp.AddMessage(login, "", big("wanted"))
	s.isp.AddMessage(login, "", big("unwanted"))
	s.add("anne@office.test", "small")
	s.configure("max_message_size = \"20KB\"\n")
	r := s.want(0, "collect", "--json") // too_big does not count
	all := bySubject(r.entries())
	for _, subject := range []string{"wanted", "unwanted"} {
		e := all[subject]
		if e.text("state") != "too_big" || e.text("at_source") != "present" || e.number("size") < 28000 || !strings.Contains(e.text("from"), "ada@sender.test") {
			t.Errorf("%s is %v", subject, e)
		}
	}
	// rule 15: told once, with what to do about it.
	r.says("“wanted” from", "“unwanted” from", "ada@sender.test", "queue retry "+all["wanted"].text("id"), "queue delete "+all["unwanted"].text("id"))
	s.wantBalance(map[string]int{"too_big": 2, "delivered": 1})
	if r := s.want(0, "collect", "--json"); len(r.entries()) != 0 || strings.Contains(r.err, "too big") {
		t.Errorf("told again: %s %s", r.out, r.err)
	}
	if s.left() != 2 {
		t.Errorf("%d at the provider", s.left())
	}
	s.want(0, "queue").says("wanted", "unwanted")
	s.want(0, "queue", "retry", all["wanted"].text("id"))
	s.want(0, "queue", "delete", all["unwanted"].text("id"))
	s.want(0, "collect")
	s.wantGot("anne@office.test small", "anne@office.test wanted")
	s.wantBalance(map[string]int{"delivered": 2, "deleted": 1})
	if s.left() != 0 {
		t.Errorf("%d at the provider", s.left())
	}
}

// TestRule16_SetAsideAfterThreeFetches: a message that cannot be fetched never
// keeps the others, and is given up after three times.
func TestRule16_SetAsideAfterThreeFetches(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*mailtest.POP3Fault{
		"refused": mailtest.POP3Reply("-ERR cannot read that message"), "breaks off": mailtest.POP3Cut(60),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, mailtest.POP3Options{NoPipelining: true}, mailtest.SMTPOptions{})
			s.add("anne@office.test", "good one", "poison", "good two")
			s.isp.Script(func(c mailtest.POP3Command) *mailtest.POP3Fault {
				// Its number changes when the first one is gone.
				number, _, _ := strings.Cut(c.Arg, " ")
				for i, m := range s.isp.Messages(login) {
					if c.Verb == "RETR" && fmt.Sprint(i+1) == number && subjectOf(m.Bytes) == "poison" {
						return fault
					}
				}
				return nil
			})
			s.want(3, "collect") // not collected whole
			s.want(3, "collect")
			r := s.want(4, "collect", "--json") // set aside by this run
			if all := r.entries(); len(all) != 1 || all[0].text("state") != "failed" || all[0].text("at_source") != "present" {
				t.Errorf("the third run tells\n%s", r.out)
			}
			s.wantGot("anne@office.test good one", "anne@office.test good two")
			s.wantBalance(map[string]int{"delivered": 2, "failed": 1})
			s.want(0, "collect")
			if s.left() != 1 {
				t.Errorf("%d at the provider", s.left())
			}
			s.isp.Script(nil)
			s.want(0, "queue", "retry", s.one().text("id"))
			s.want(0, "collect")
			s.wantBalance(map[string]int{"delivered": 3})
			if s.left() != 0 {
				t.Errorf("%d at the provider", s.left())
			}
		})
	}
}

// TestKeep: delivered mail stays, is kept, is never fetched again, and a later
// change to delete applies to it. rule 13
func TestKeep(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, rcptSays("bob@office.test", "450 4.2.1 later"))
	s.add("anne@office.test", "one")
	s.add("bob@office.test", "two")
	s.configure("after_delivery = \"keep\"\n")
	r := s.want(4, "collect", "--json")
	all := bySubject(r.entries())
	if e := all["one"]; e.text("state") != "delivered" || e.text("at_source") != "kept" {
		t.Errorf("kept: %v", e)
	}
	if e := all["two"]; e.text("state") != "queued" || e.text("at_source") != "present" {
		t.Errorf("queued: %v", e)
	}
	s.office.Script(nil)
	s.want(0, "collect")
	s.want(0, "collect")
	if n := countOf(s.isp.Transcript(), "RETR"); n != 2 || s.left() != 2 || countOf(s.isp.Transcript(), "DELE") != 0 {
		t.Errorf("%d fetched, %d left", n, s.left())
	}
	s.configure("after_delivery = \"delete after 1000 days\"\n")
	s.want(0, "collect")
	if s.left() != 2 {
		t.Errorf("%d left before the days are over", s.left())
	}
	s.configure("after_delivery = \"delete\"\n")
	s.want(0, "collect")
	if n := countOf(s.isp.Transcript(), "RETR"); n != 2 || s.left() != 0 {
		t.Errorf("%d fetched, %d left after the change", n, s.left())
	}
	s.wantGot("anne@office.test one", "bob@office.test two")
	s.wantBalance(map[string]int{"delivered": 2})
	for _, e := range s.want(0, "log", "--json").entries() {
		if e.text("at_source") != "deleted" {
			t.Errorf("at the source: %v", e)
		}
	}
}

func countOf(lines []string, verb string) int {
	n := 0
	for _, l := range lines {
		if strings.HasPrefix(l, verb) {
			n++
		}
	}
	return n
}

// TestFirstCollectionNew leaves what lies there at the first start.
func TestFirstCollectionNew(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "old one", "old two")
	s.configure("first_collection = \"new\"\n")
	s.want(0, "collect")
	s.wantBalance(map[string]int{"filtered": 2})
	s.add("anne@office.test", "new one")
	s.want(0, "collect")
	s.wantGot("anne@office.test new one")
	s.wantBalance(map[string]int{"filtered": 2, "delivered": 1})
	if s.left() != 2 {
		t.Errorf("%d at the provider: what was left out must stay", s.left())
	}
}

// TestMailboxCommands pauses, resumes and lists.
func TestMailboxCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.want(0, "mailbox", "pause", boxName)
	r := s.want(0, "collect", "--json")
	if got := r.results()[boxName]; got.text("result") != "skipped" {
		t.Errorf("a paused mailbox: %v", got)
	}
	if s.isp.Sessions() != 0 {
		t.Error("a paused mailbox was asked")
	}
	list := s.want(0, "mailbox", "list", "--json")
	if all := list.objects(); len(all) != 1 || list.of("mailbox", all[0])["paused"] != true {
		t.Errorf("mailbox list: %v", all)
	}
	s.want(0, "mailbox", "list").says(boxName, "paused")
	resumed := s.want(0, "mailbox", "resume", boxName, "--json")
	if all := resumed.objects(); len(all) != 1 || resumed.of("mailbox", all[0])["paused"] != false {
		t.Errorf("mailbox resume: %v", all)
	}
	s.want(0, "collect")
	s.wantGot("anne@office.test first")
	s.configure("enabled = false\n")
	s.add("anne@office.test", "second")
	s.want(0, "collect")
	if s.left() != 1 {
		t.Error("a mailbox that is switched off was collected")
	}
	s.want(0, "collect", boxName) // named all the same
	s.wantGot("anne@office.test first", "anne@office.test second")
}

// TestRenamedMailboxKeepsItsState: the id stays when the name changes.
func TestRenamedMailboxKeepsItsState(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.configure("after_delivery = \"keep\"\n")
	s.want(0, "collect")
	s.mailbox = strings.Replace(s.mailbox, boxName, "Everybody", 1)
	s.configure("after_delivery = \"keep\"\n")
	s.want(0, "collect", "Everybody")
	s.wantGot("anne@office.test first")
	if e := s.want(0, "log", "--json").entries()[0]; e.text("mailbox") != "Everybody" {
		t.Errorf("the log has %v", e)
	}
}

// A mailbox that is not configured any more still has a past.
func TestLogOfRemovedMailbox(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.configure("")
	s.want(0, "collect")
	s.mailbox = strings.Replace(s.mailbox, boxName, "Another", 1)
	s.configure("id = \"another\"\n")
	for _, name := range []string{boxName, s.want(0, "log", "--json").entries()[0].text("mailbox")} {
		if n := len(s.want(0, "log", "--json", "--mailbox", name).entries()); n != 1 {
			t.Errorf("%d messages of %q", n, name)
		}
	}
	s.want(2, "log", "--mailbox", "Nobody")
}
