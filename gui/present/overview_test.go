package present

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

var overviewNow = time.Date(2026, 11, 3, 14, 6, 0, 0, time.UTC)

func overview(lang string, change func(*OverviewFacts)) Overview {
	f := OverviewFacts{
		Running: true, Now: overviewNow, Today: Today{Known: true, Count: 128, Last: overviewNow.Add(-time.Minute)},
		Status: facts.Status{
			Mailboxes: []facts.MailboxStatus{
				{Name: "Whole office", Host: "pop.isp.test", Enabled: true, Last: overviewNow.Add(-time.Minute), Next: overviewNow.Add(59 * time.Minute), Result: facts.ResultOK, Collected: 12},
			},
			Balance: facts.Balance{mail.Delivered: 4690, mail.Queued: 12, mail.Quarantined: 0, mail.Duplicate: 9},
		},
	}
	change(&f)
	return NewOverview(i18n.New(lang).In(time.UTC), f)
}

func TestOverviewHeadline(t *testing.T) {
	for _, c := range []struct {
		name, lang, want string
		change           func(*OverviewFacts)
	}{
		{"well", "en", "All is well. 128 messages today, the last at 14:05.", func(*OverviewFacts) {}},
		{"French", "fr", "Tout va bien. 128 messages aujourd'hui, le dernier à 14:05.", func(*OverviewFacts) {}},
		{"one", "en", "All is well. 1 message today, at 14:05.", func(f *OverviewFacts) { f.Today.Count = 1 }},
		{"none", "en", "All is well. No messages yet today.", func(f *OverviewFacts) { f.Today.Count = 0 }},
		{"very many", "en", "All is well. More than 2,000 messages today, the last at 14:05.", func(f *OverviewFacts) { f.Today.Count, f.Today.More = 2000, true }},
		{"not known", "en", "All is well.", func(f *OverviewFacts) { f.Today = Today{} }},
		{"stopped", "en", "All is well. Postbag does not collect at present.", func(f *OverviewFacts) { f.Running = false }},
		{"trouble", "en", "1 thing needs attention. 128 messages today, the last at 14:05.", func(f *OverviewFacts) { f.Status.Balance[mail.Quarantined] = 3 }},
		{"no status", "en", "1 thing needs attention.", func(f *OverviewFacts) { f.Fault = errors.New("x") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := overview(c.lang, c.change).Headline; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestOverviewRowAndBalance(t *testing.T) {
	o := overview("en", func(*OverviewFacts) {})
	want := MailboxRow{Name: "Whole office", Last: "14:05", New: "12 new", Next: "15:05", Result: "ok"}
	if !o.Well || len(o.Mailboxes) != 1 || o.Mailboxes[0] != want {
		t.Errorf("%+v", o)
	}
	// rule 49: seen is the sum of all.
	if want := "Seen 4,711 = waits\u00a012 + delivered\u00a04,690 + duplicate\u00a09"; o.Balance != want {
		t.Errorf("%q", o.Balance)
	}
}

func TestOverviewAttention(t *testing.T) {
	auth := &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Op: "PASS", Reply: "-ERR [AUTH] no"}
	down := &facts.Fault{Class: mail.Transient, Code: mail.CodeConnect}
	for _, c := range []struct {
		name   string
		change func(*facts.Status)
		mend   Mend
		user   bool
		what   string
	}{
		{"password", func(s *facts.Status) { s.Mailboxes[0].Fault = auth }, MendPassword, true, "Whole office: The provider's server pop.isp.test refuses the user name or the password."},
		{"suspended", func(s *facts.Status) { s.Mailboxes[0].Fault, s.Mailboxes[0].Suspended = auth, true }, MendPassword, true, "Whole office: The mailbox is suspended: the password was refused three times."},
		{"certificate", func(s *facts.Status) {
			s.Mailboxes[0].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeTLSUntrusted}
		}, MendMailbox, true, "Whole office: The provider's server pop.isp.test shows a certificate from an unknown authority."},
		{"provider down", func(s *facts.Status) { s.Mailboxes[0].Fault = down }, MendNothing, false, "Whole office: The provider's server pop.isp.test cannot be reached."},
		{"office down", func(s *facts.Status) {
			s.Targets = []facts.TargetStatus{{Name: "office", Host: "mail.office.test", Fault: down}}
		}, MendTarget, false, "office: The office server mail.office.test cannot be reached."},
		{"set aside", func(s *facts.Status) { s.Balance[mail.Quarantined] = 1 }, MendQueue, true, "1 message is set aside."},
		{"not readable", func(s *facts.Status) { s.Balance[mail.Failed] = 2 }, MendQueue, true, "2 messages cannot be fetched."},
		{"too big", func(s *facts.Status) { s.Balance[mail.TooBig] = 2 }, MendQueue, true, "2 messages are too big."},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := overview("en", func(f *OverviewFacts) { c.change(&f.Status) })
			if len(o.Attention) != 1 {
				t.Fatalf("%+v", o.Attention)
			}
			a := o.Attention[0]
			if a.Mend != c.mend || a.NeedsUser != c.user || a.What != c.what || a.Meaning == "" || a.Advice == "" {
				t.Errorf("%+v", a)
			}
		})
	}
}

// What a person must decide about in the queue is one matter with one button;
// red is for what is out of service alone.
func TestOverviewTellsDecisionsFromLossOfService(t *testing.T) {
	o := overview("en", func(f *OverviewFacts) {
		f.Status.Balance[mail.Quarantined], f.Status.Balance[mail.TooBig] = 4, 1
		f.Status.Mailboxes[0].Fault, f.Status.Mailboxes[0].Suspended = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth}, true
	})
	if len(o.Attention) != 2 || !o.Attention[0].Stopped || o.Attention[1].Stopped {
		t.Fatalf("%+v", o.Attention)
	}
	if got := o.Attention[1].What; got != "4 messages are set aside. 1 message is too big." {
		t.Error(got)
	}
}

// The table has room for a word or two.
func TestOverviewResultsAreShort(t *testing.T) {
	auth := &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth}
	for _, c := range []struct {
		box  facts.MailboxStatus
		text string
		mark Mark
	}{
		{facts.MailboxStatus{}, "not collected yet", MarkNone},
		{facts.MailboxStatus{Result: facts.ResultOK}, "ok", MarkNone},
		{facts.MailboxStatus{Result: facts.ResultNeedsUser, Fault: auth}, "password refused", MarkTrouble},
		{facts.MailboxStatus{Result: facts.ResultNeedsUser, Fault: auth, Suspended: true}, "password refused 3 times", MarkTrouble},
		{facts.MailboxStatus{Result: facts.ResultTemporary, Fault: &facts.Fault{Class: mail.Transient, Code: mail.CodeConnect}}, "tries again", MarkWaits},
	} {
		c.box.Name, c.box.Enabled = "Anne", true
		o := overview("en", func(f *OverviewFacts) { f.Status.Mailboxes[0] = c.box })
		if row := o.Mailboxes[0]; row.Result != c.text || row.Mark != c.mark {
			t.Errorf("%+v", row)
		}
	}
}

func TestOverviewIsQuietAboutWhatIsMeantSo(t *testing.T) {
	fault := &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth}
	for name, change := range map[string]func(*facts.MailboxStatus){
		"paused":       func(m *facts.MailboxStatus) { m.Paused, m.Fault = true, fault },
		"switched off": func(m *facts.MailboxStatus) { m.Enabled, m.Fault = false, fault },
	} {
		o := overview("en", func(f *OverviewFacts) { change(&f.Status.Mailboxes[0]) })
		if !o.Well || o.Mailboxes[0].Mark == MarkTrouble {
			t.Errorf("%s: %+v", name, o)
		}
		if next := o.Mailboxes[0].Next; next != "paused" && next != "off" {
			t.Errorf("%s: next %q", name, next)
		}
	}
}

func TestOverviewPutsWhatNeedsYouFirst(t *testing.T) {
	o := overview("en", func(f *OverviewFacts) {
		f.Status.Mailboxes[0].Fault = &facts.Fault{Class: mail.Transient, Code: mail.CodeTimeout}
		f.Status.Targets = []facts.TargetStatus{{Name: "office", Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeRelay}}}
	})
	if len(o.Attention) != 2 || !o.Attention[0].NeedsUser || o.Attention[1].NeedsUser {
		t.Errorf("%+v", o.Attention)
	}
}

func TestOverviewWithoutSettingsLeadsToTheWizard(t *testing.T) {
	o := overview("en", func(f *OverviewFacts) {
		f.Fault = &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing, Op: "postbag.toml"}
	})
	if len(o.Attention) != 1 || o.Attention[0].Mend != MendWizard || !strings.Contains(o.Attention[0].Advice, "wizard") {
		t.Errorf("%+v", o.Attention)
	}
}

func TestLiveFollowsACollection(t *testing.T) {
	var l Live
	row := func() MailboxRow {
		return overview("en", func(f *OverviewFacts) { f.Live = &l }).Mailboxes[0]
	}
	hear := func(ev facts.Event) bool { ev.Mailbox = "Whole office"; return l.Hear([]facts.Event{ev}) }
	if row().Busy {
		t.Error("busy before it begins")
	}
	hear(facts.Event{Kind: facts.EventMailboxStart})
	if r := row(); !r.Busy || r.Progress != "Connecting..." || !l.Collecting() {
		t.Errorf("%+v", r)
	}
	hear(facts.Event{Kind: facts.EventFetched, Total: 40})
	stale := hear(facts.Event{Kind: facts.EventFetched, Done: 12, Bytes: 34_000})
	if r := row(); stale || r.Done != 12 || r.Total != 40 || r.Progress != "12 of 40, 34\u00a0KB" {
		t.Errorf("stale %v, %+v", stale, r)
	}
	if !hear(facts.Event{Kind: facts.EventMailboxEnd}) || row().Busy || l.Collecting() {
		t.Error("the end was not heard")
	}
}

// dayJournal has so many messages today.
type dayJournal struct {
	Journal
	n      int
	filter facts.LogFilter
	err    error
}

func (j *dayJournal) Log(_ context.Context, f facts.LogFilter, each func(mail.Entry) error) error {
	j.filter = f
	for i := range min(j.n, f.Limit) {
		if err := each(mail.Entry{Time: overviewNow.Add(-time.Duration(i) * time.Minute)}); err != nil {
			return err
		}
	}
	return j.err
}

func TestCountToday(t *testing.T) {
	j := &dayJournal{n: 3}
	got := CountToday(t.Context(), j, overviewNow)
	if got != (Today{Known: true, Count: 3, Last: overviewNow}) || !j.filter.Since.Equal(overviewNow.Truncate(24*time.Hour)) {
		t.Errorf("%+v, %+v", got, j.filter)
	}
	if got := CountToday(t.Context(), &dayJournal{n: 5000}, overviewNow); !got.More || got.Count != countLimit {
		t.Errorf("%+v", got)
	}
	if got := CountToday(t.Context(), &dayJournal{err: errors.New("x")}, overviewNow); got.Known {
		t.Errorf("%+v", got)
	}
}

func TestMailboxSentence(t *testing.T) {
	p := i18n.New("en")
	m := facts.MailboxStatus{Name: "Anne", Enabled: true}
	if text, mark := MailboxSentence(p, m); text != "" || mark != MarkNone {
		t.Errorf("%q", text)
	}
	m.Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Reply: "-ERR no"}
	if text, mark := MailboxSentence(p, m); mark != MarkTrouble || !strings.HasPrefix(text, "The provider's server refuses") || !strings.HasSuffix(text, "\n-ERR no") {
		t.Errorf("%q", text)
	}
	m.Paused = true
	if text, mark := MailboxSentence(p, m); mark != MarkWaits || text != "The mailbox is paused." {
		t.Errorf("%q", text)
	}
}
