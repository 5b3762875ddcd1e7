package present

import (
	"strings"
	"testing"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// texts are what would pop up.
func texts(list []Notice, lang string) []string {
	var out []string
	for _, n := range list {
		out = append(out, n.Text(i18n.New(lang)))
	}
	return out
}

func TestNoticesOncePerCause(t *testing.T) {
	bad := func() facts.Status {
		st := wellStatus()
		st.Mailboxes[0].Result = facts.ResultNeedsUser
		st.Mailboxes[0].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth}
		return st
	}
	n := NewNotices()
	if got := n.Know(wellStatus()); len(got) != 0 {
		t.Fatalf("all is well, yet %q", texts(got, "en"))
	}
	if got := n.Know(bad()); len(got) != 1 {
		t.Fatalf("told %q", texts(got, "en"))
	}
	for range 3 {
		if got := n.Know(bad()); len(got) != 0 {
			t.Fatalf("told again: %q", texts(got, "en"))
		}
	}
	n.Know(wellStatus())
	if got := n.Know(bad()); len(got) != 1 {
		t.Fatalf("the cause came back, told %q", texts(got, "en"))
	}
}

func TestNoticesTwoMailboxesOneSentence(t *testing.T) {
	st := wellStatus()
	st.Mailboxes[0].Suspended, st.Mailboxes[1].Suspended = true, true
	if got := NewNotices().Know(st); len(got) != 1 {
		t.Errorf("told %q", texts(got, "en"))
	}
}

func TestNoticesQuarantine(t *testing.T) {
	n := NewNotices()
	st := wellStatus()
	if got := n.Know(st); len(got) != 0 {
		t.Fatalf("what was set aside before the start is told: %q", texts(got, "en"))
	}
	st.Balance = facts.Balance{mail.Quarantined: 3}
	got := n.Know(st)
	if len(got) != 1 || !strings.HasPrefix(got[0].Text(i18n.New("en")), "2 messages are set aside") {
		t.Errorf("told %q", texts(got, "en"))
	}
	if !strings.HasPrefix(got[0].Text(i18n.New("fr")), "2 messages") {
		t.Errorf("told %q", texts(got, "fr"))
	}
	st.Balance = facts.Balance{mail.Quarantined: 1} // somebody cleared up
	if got := n.Know(st); len(got) != 0 {
		t.Errorf("told %q", texts(got, "en"))
	}
	st.Balance = facts.Balance{mail.Quarantined: 2}
	if got := n.Know(st); len(got) != 1 || !strings.HasPrefix(texts(got, "en")[0], "1 message is") {
		t.Errorf("told %q", texts(got, "en"))
	}
}

// Nothing that a stranger or a server wrote may reach a notification: on
// Windows it goes through a shell.
func TestNoticesHoldNoTextFromOutside(t *testing.T) {
	const evil = "$(calc)"
	st := facts.Status{
		Mailboxes: []facts.MailboxStatus{
			{Name: evil, ID: evil, Host: evil, Enabled: true, Result: facts.ResultNeedsUser, Fault: &facts.Fault{Class: mail.NeedsUser, Code: evil, Op: evil, Reply: evil, Detail: evil}},
			{Name: evil, ID: "2" + evil, Host: evil, Enabled: true, Result: facts.ResultFailed, Fault: &facts.Fault{Class: mail.Internal, Code: evil, Op: evil, Reply: evil, Detail: evil}},
		},
		Targets: []facts.TargetStatus{
			{Name: evil, Host: evil, Fault: &facts.Fault{Class: mail.NeedsUser, Code: evil, Op: evil, Reply: evil, Detail: evil}},
			{Name: "2" + evil, Host: evil, Fault: &facts.Fault{Class: mail.Transient, Code: evil, Op: evil, Reply: evil, Detail: evil}},
		},
	}
	got := NewNotices().Know(st)
	if len(got) != 4 {
		t.Fatalf("told %q", texts(got, "en"))
	}
	for _, lang := range i18n.Languages() {
		for _, text := range texts(got, lang) {
			if strings.ContainsAny(text, "$()") || strings.HasPrefix(text, "notify.") {
				t.Errorf("%s: %q", lang, text)
			}
		}
	}
}

func TestNoticeKeysExist(t *testing.T) {
	for _, code := range []mail.Code{mail.CodeDiskFull, mail.CodeStore, mail.CodeAuth} {
		for _, class := range []mail.Class{mail.NeedsUser, mail.Transient, mail.Permanent, mail.Internal} {
			for _, target := range []bool{true, false} {
				if key := noticeKey(&facts.Fault{Class: class, Code: code}, target); !i18n.New("en").Has(key) {
					t.Errorf("no text %q", key)
				}
			}
		}
	}
}
