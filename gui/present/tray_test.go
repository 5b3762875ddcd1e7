package present

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

func trayNow() time.Time { return time.Date(2026, 11, 20, 14, 6, 0, 0, time.UTC) }

func trayPrinter(lang string) *i18n.Printer { return i18n.New(lang).In(time.UTC) }

// wellStatus is an office in which all is well.
func wellStatus() facts.Status {
	at := trayNow().Add(-time.Minute)
	return facts.Status{
		Engine: facts.EngineRunning,
		Mailboxes: []facts.MailboxStatus{
			{Name: "Whole office", ID: "whole", Enabled: true, Last: at, Result: facts.ResultOK, Collected: 11},
			{Name: "Anne", ID: "anne", Enabled: true, Last: at.Add(-20 * time.Second), Result: facts.ResultOK, Collected: 1},
			{Name: "Bob", ID: "bob", Enabled: true, Last: at.Add(-time.Hour), Result: facts.ResultOK, Collected: 40},
		},
		Targets: []facts.TargetStatus{{Name: "office", Host: "mx.office.test"}},
		Balance: facts.Balance{mail.Queued: 2, mail.Quarantined: 1, mail.TooBig: 1, mail.Delivered: 900},
	}
}

func TestTrayShape(t *testing.T) {
	missing := &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing}
	broken := &facts.ConfigError{Path: "postbag.toml"}
	with := func(change func(*facts.Status)) facts.Status {
		st := wellStatus()
		change(&st)
		return st
	}
	fault := func(class mail.Class, code mail.Code) *facts.Fault { return &facts.Fault{Class: class, Code: code} }
	for _, c := range []struct {
		name    string
		status  facts.Status
		err     error
		running bool
		events  []facts.Event
		want    TrayShape
	}{
		{"well", wellStatus(), nil, true, nil, ShapeIdle},
		{"stopped", wellStatus(), nil, false, nil, ShapeStopped},
		{"not set up", facts.Status{}, missing, false, nil, ShapeStopped},
		{"damaged configuration", facts.Status{}, broken, false, nil, ShapeTrouble},
		{"collecting", wellStatus(), nil, true, []facts.Event{{Kind: facts.EventMailboxStart, Mailbox: "Anne"}}, ShapeCollecting},
		{"collecting by hand while stopped", wellStatus(), nil, false, []facts.Event{{Kind: facts.EventMailboxStart, Mailbox: "Anne"}}, ShapeCollecting},
		{"collected", wellStatus(), nil, true, []facts.Event{
			{Kind: facts.EventMailboxStart, Mailbox: "Anne"}, {Kind: facts.EventMailboxStart, Mailbox: "Bob"},
			{Kind: facts.EventMailboxEnd, Mailbox: "Bob"}, {Kind: facts.EventMailboxEnd, Mailbox: "Anne"},
		}, ShapeIdle},
		{"one of two is still collected", wellStatus(), nil, true, []facts.Event{
			{Kind: facts.EventMailboxStart, Mailbox: "Anne"}, {Kind: facts.EventMailboxStart, Mailbox: "Bob"},
			{Kind: facts.EventMailboxEnd, Mailbox: "Anne"},
		}, ShapeCollecting},
		{"the engine stopped in the middle", wellStatus(), nil, false, []facts.Event{
			{Kind: facts.EventMailboxStart, Mailbox: "Anne"}, {Kind: facts.EventStopping},
		}, ShapeStopped},
		{"wrong password", with(func(s *facts.Status) {
			s.Mailboxes[1].Result, s.Mailboxes[1].Fault = facts.ResultNeedsUser, fault(mail.NeedsUser, mail.CodeAuth)
		}), nil, true, nil, ShapeTrouble},
		{"suspended, even when the fault is forgotten", with(func(s *facts.Status) { s.Mailboxes[1].Suspended = true }), nil, true, nil, ShapeTrouble},
		{"a provider that does not answer mends itself", with(func(s *facts.Status) {
			s.Mailboxes[1].Result, s.Mailboxes[1].Fault = facts.ResultTemporary, fault(mail.Transient, mail.CodeConnect)
		}), nil, true, nil, ShapeIdle},
		{"a paused mailbox is no trouble", with(func(s *facts.Status) {
			s.Mailboxes[1].Paused, s.Mailboxes[1].Suspended = true, true
		}), nil, true, nil, ShapeIdle},
		{"office server down", with(func(s *facts.Status) { s.Targets[0].Fault = fault(mail.Transient, mail.CodeConnect) }), nil, true, nil, ShapeTrouble},
		{"trouble is seen while stopped", with(func(s *facts.Status) { s.Mailboxes[1].Suspended = true }), nil, false, nil, ShapeTrouble},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := NewTray()
			tr.Know(c.status, c.err, c.running, false)
			for _, ev := range c.events {
				tr.Heard(ev)
			}
			if got := tr.Shape(); got != c.want {
				t.Errorf("shape %q, want %q", got, c.want)
			}
			if v := tr.View(trayPrinter("en"), trayNow()); v.Shape != c.want || v.Headline() == "" {
				t.Errorf("view %+v", v)
			}
		})
	}
}

// labels are the lines of the menu that can be chosen, by action.
func labels(v TrayView) map[string]string {
	out := map[string]string{}
	for _, it := range v.Items {
		if it.Action != ActionNone && !it.Disabled {
			out[it.Action] = it.Label
		}
	}
	return out
}

func TestTrayMenu(t *testing.T) {
	tr := NewTray()
	tr.Know(wellStatus(), nil, true, false)
	v := tr.View(trayPrinter("en"), trayNow())
	if got, want := v.Headline(), "Last collected 14:05, 12 messages"; got != want {
		t.Errorf("headline %q, want %q", got, want)
	}
	menu := labels(v)
	for action, want := range map[string]string{
		ActionCollect: "Collect now", ActionStop: "Stop collecting", ActionLog: "Delivery log",
		ActionQueue: "Queue (4)", ActionSettings: "Settings", ActionQuit: "Quit",
	} {
		if menu[action] != want {
			t.Errorf("%s: %q, want %q", action, menu[action], want)
		}
	}
	if _, both := menu[ActionStart]; both {
		t.Error("Start and Stop are offered together")
	}
	if got := tr.View(trayPrinter("fr"), trayNow()).Headline(); got != "Dernière relève 14:05, 12 messages" {
		t.Errorf("in French %q", got)
	}
}

func TestTrayMenuOfAStoppedEngine(t *testing.T) {
	tr := NewTray()
	tr.Know(wellStatus(), nil, false, false)
	menu := labels(tr.View(trayPrinter("en"), trayNow()))
	if menu[ActionStart] == "" || menu[ActionStop] != "" {
		t.Errorf("menu %v", menu)
	}
	tr.Know(wellStatus(), nil, true, true)
	menu = labels(tr.View(trayPrinter("en"), trayNow()))
	if menu[ActionStop] != "" {
		t.Error("the engine of another process can be stopped")
	}
}

func TestTrayOffersWhatMends(t *testing.T) {
	st := wellStatus()
	st.Mailboxes[0].Suspended = true
	st.Mailboxes[1].Result = facts.ResultNeedsUser
	st.Mailboxes[1].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeTLSPin}
	st.Targets[0].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeRelay}
	tr := NewTray()
	tr.Know(st, nil, true, false)
	v := tr.View(trayPrinter("en"), trayNow())
	var mends []TrayItem
	for _, it := range v.Items {
		if it.Subject != "" {
			mends = append(mends, it)
		}
	}
	want := []TrayItem{
		{Action: ActionMailbox, Subject: "Whole office", Label: "Change password: Whole office..."},
		{Action: ActionMailbox, Subject: "Anne", Label: "Settings of Anne..."},
		{Action: ActionTarget, Subject: "office", Label: "Settings of the office server office..."},
	}
	if !slices.Equal(mends, want) {
		t.Errorf("offered %+v", mends)
	}
	if !strings.HasPrefix(v.Headline(), "Whole office: ") {
		t.Errorf("headline %q", v.Headline())
	}
}

func TestTrayWithoutSettingsOffersTheWizard(t *testing.T) {
	tr := NewTray()
	tr.Know(facts.Status{}, &mail.Failure{Code: facts.CodeConfigMissing}, false, false)
	menu := labels(tr.View(trayPrinter("en"), trayNow()))
	if len(menu) != 2 || menu[ActionWizard] == "" || menu[ActionQuit] == "" {
		t.Errorf("menu %v", menu)
	}
}

// While one menu is open it must not change under the pointer: numbers of
// fetched messages are none of its business.
func TestTrayMenuStaysWhileFetching(t *testing.T) {
	tr := NewTray()
	tr.Know(wellStatus(), nil, true, false)
	tr.Heard(facts.Event{Kind: facts.EventMailboxStart, Mailbox: "Anne"})
	before := tr.View(trayPrinter("en"), trayNow())
	tr.Heard(facts.Event{Kind: facts.EventFetched, Mailbox: "Anne", Done: 7, Total: 9})
	if after := tr.View(trayPrinter("en"), trayNow()); !slices.Equal(before.Items, after.Items) {
		t.Errorf("%v became %v", before.Items, after.Items)
	}
}
