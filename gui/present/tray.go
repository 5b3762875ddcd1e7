package present

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// TrayShape is what the icon near the clock says by its shape.
type TrayShape string

// The shapes.
const (
	ShapeIdle       TrayShape = "idle"
	ShapeCollecting TrayShape = "collecting"
	ShapeTrouble    TrayShape = "trouble"
	ShapeStopped    TrayShape = "stopped"
)

// The actions of the menu.
const (
	ActionNone     = "" // a line to read
	ActionOpen     = "open"
	ActionCollect  = "collect"
	ActionStart    = "start"
	ActionStop     = "stop"
	ActionLog      = "log"
	ActionQueue    = "queue"
	ActionSettings = "settings"
	ActionMailbox  = "mailbox" // Subject needs the user: password or settings
	ActionTarget   = "target"  // the office server Subject needs the user
	ActionWizard   = "wizard"
	ActionQuit     = "quit"
)

// TrayItem is one line of the menu.
type TrayItem struct {
	Action   string
	Subject  string // the mailbox or target that it is about
	Label    string // "" for a line between groups
	Disabled bool
}

// TrayView is the icon and its menu.
type TrayView struct {
	Shape TrayShape
	Items []TrayItem
}

// Headline is what is going on, in one line.
func (v TrayView) Headline() string {
	if len(v.Items) == 0 {
		return ""
	}
	return v.Items[0].Label
}

// Tray knows the state of the whole, from what the engine tells. It is not safe
// for use by many goroutines.
type Tray struct {
	status     facts.Status
	err        error // why the status is not known
	running    bool  // by schedule
	attached   bool  // the engine runs in another process
	configured bool
	sessions   []string // mailboxes that are being collected, in the order in which they began
}

// NewTray returns the state before anything is known: stopped.
func NewTray() *Tray { return &Tray{configured: true} }

// Heard takes note of one event.
func (t *Tray) Heard(ev facts.Event) {
	i := slices.Index(t.sessions, ev.Mailbox)
	switch ev.Kind {
	case facts.EventMailboxStart:
		if i < 0 {
			t.sessions = append(t.sessions, ev.Mailbox)
		}
	case facts.EventMailboxEnd:
		if i >= 0 {
			t.sessions = slices.Delete(t.sessions, i, i+1)
		}
	case facts.EventStopping:
		t.sessions = nil
	}
}

// Know takes over the state of the whole; err says why it is not known.
func (t *Tray) Know(st facts.Status, err error, running, attached bool) {
	t.err, t.running, t.attached = err, running, attached
	t.configured = true
	if err != nil {
		t.configured = !needsSetup(err)
		return
	}
	t.status = st
}

// Configured tells whether there are settings to work by, good or bad.
func (t *Tray) Configured() bool { return t.configured }

// needsSetup tells that there is no configuration yet.
func needsSetup(err error) bool {
	f := mail.AsFailure(err)
	return f != nil && f.Code == facts.CodeConfigMissing
}

// unusable tells that there are settings, and that they are no good.
func (t *Tray) unusable() bool {
	_, bad := errors.AsType[*facts.ConfigError](t.err)
	return bad
}

// Collecting tells whether a session is under way.
func (t *Tray) Collecting() bool { return len(t.sessions) > 0 }

// Shape decides what the icon shows: what happens now, before what is wrong,
// before what is switched off.
func (t *Tray) Shape() TrayShape {
	switch {
	case !t.configured:
		return ShapeStopped
	case t.err != nil:
		return ShapeTrouble
	case t.Collecting():
		return ShapeCollecting
	case len(t.troubles()) > 0:
		return ShapeTrouble
	case !t.running:
		return ShapeStopped
	}
	return ShapeIdle
}

// View writes icon and menu in the language of p.
func (t *Tray) View(p *i18n.Printer, now time.Time) TrayView {
	v := TrayView{Shape: t.Shape()}
	add := func(action, label string, disabled bool) {
		v.Items = append(v.Items, TrayItem{Action: action, Label: label, Disabled: disabled})
	}
	add(ActionNone, t.headline(p, now), true)
	for _, tr := range t.mends() {
		v.Items = append(v.Items, TrayItem{Action: tr.action, Subject: tr.name, Label: p.T(tr.key, i18n.Args{"Name": tr.name})})
	}
	v.Items = append(v.Items, TrayItem{})
	if !t.configured {
		add(ActionWizard, p.T("gui.tray.wizard"), false)
		v.Items = append(v.Items, TrayItem{})
		add(ActionQuit, p.T("gui.tray.quit"), false)
		return v
	}
	if t.unusable() {
		add(ActionWizard, p.T("gui.tray.wizard"), false)
	}
	add(ActionOpen, p.T("gui.tray.open"), false)
	add(ActionCollect, p.T("gui.tray.collect"), t.err != nil || t.Collecting())
	if t.running {
		add(ActionStop, p.T("gui.tray.stop"), t.attached)
	} else {
		add(ActionStart, p.T("gui.tray.start"), t.err != nil)
	}
	v.Items = append(v.Items, TrayItem{})
	add(ActionLog, p.T("gui.page.log"), false)
	add(ActionQueue, p.T("gui.tray.queue", i18n.Args{"Count": p.Number(t.Waiting())}), false)
	add(ActionSettings, p.T("gui.page.settings"), false)
	v.Items = append(v.Items, TrayItem{})
	add(ActionQuit, p.T("gui.tray.quit"), false)
	return v
}

// Waiting counts what the queue shows: mail that waits, is set aside, too big
// or could not be fetched.
func (t *Tray) Waiting() int64 {
	b := t.status.Balance
	return b[mail.Queued] + b[mail.Quarantined] + b[mail.TooBig] + b[mail.Failed]
}

func (t *Tray) headline(p *i18n.Printer, now time.Time) string {
	troubles := t.troubles()
	switch t.Shape() {
	case ShapeCollecting:
		// Without numbers: each change makes the menu anew, under the pointer.
		return p.T("gui.tray.collecting", i18n.Args{"Name": strings.Join(t.sessions, ", ")})
	case ShapeTrouble:
		if t.unusable() {
			return p.T("gui.tray.unusable")
		}
		if t.err != nil {
			return p.Fault(mail.AsFailure(t.err), i18n.Context{}).What
		}
		return troubles[0].name + p.T("gui.colon") + troubles[0].what(p)
	case ShapeStopped:
		if !t.configured {
			return p.T("gui.tray.not_set_up")
		}
		return p.T("gui.tray.stopped")
	}
	last, collected := t.last()
	if last.IsZero() {
		return p.T("gui.tray.never")
	}
	return p.N("gui.tray.last", collected, i18n.Args{"Time": p.When(last, now)})
}

// oneRound is within which collections of several mailboxes count as one.
const oneRound = 5 * time.Minute

// last is when mail was collected last, and how many messages came then.
func (t *Tray) last() (at time.Time, collected int64) {
	for _, m := range t.status.Mailboxes {
		if m.Last.After(at) {
			at = m.Last
		}
	}
	for _, m := range t.status.Mailboxes {
		if !m.Last.IsZero() && at.Sub(m.Last) < oneRound {
			collected += int64(m.Collected)
		}
	}
	return at, collected
}

// mostMends is how many troubles the menu offers to mend at once.
const mostMends = 3

// trayTrouble is something that a person must mend.
type trayTrouble struct {
	action string // ActionMailbox or ActionTarget
	name   string
	host   string
	key    string // text of the menu item that mends it
	fault  *facts.Fault
}

func (tr trayTrouble) what(p *i18n.Printer) string {
	c := i18n.Context{Side: i18n.SideSource, Name: tr.name, Host: tr.host}
	if tr.action == ActionTarget {
		c.Side = i18n.SideTarget
	}
	return p.Fault(tr.fault.Failure(), c).What
}

// troubles lists what needs a person: mailboxes first, in their order, then
// office servers that take no mail. Temporary faults of a provider are none:
// time mends them.
func (t *Tray) troubles() []trayTrouble {
	var out []trayTrouble
	for _, m := range t.status.Mailboxes {
		if tr, ok := mailboxTrouble(m); ok {
			out = append(out, tr)
		}
	}
	for _, g := range t.status.Targets {
		if g.Fault != nil {
			out = append(out, trayTrouble{action: ActionTarget, name: g.Name, host: g.Host, key: "gui.tray.mend_target", fault: g.Fault})
		}
	}
	return out
}

func mailboxTrouble(m facts.MailboxStatus) (trayTrouble, bool) {
	tr := trayTrouble{action: ActionMailbox, name: m.Name, host: m.Host, key: "gui.tray.mend_mailbox", fault: m.Fault}
	switch {
	case !m.Enabled || m.Paused:
		return tr, false
	case m.Suspended:
		tr.fault = cmp.Or(tr.fault, &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeSuspended})
	case m.Fault == nil, m.Result != facts.ResultNeedsUser && m.Result != facts.ResultFailed:
		return tr, false
	}
	if slices.Contains(passwordCodes(), tr.fault.Code) {
		tr.key = "gui.tray.mend_password"
	}
	return tr, true
}

// passwordCodes are the faults that a new password mends.
func passwordCodes() []mail.Code {
	return []mail.Code{mail.CodeAuth, mail.CodeSuspended, mail.CodeSecretMissing, mail.CodeTargetAuth}
}

// mends are the troubles that the menu offers to mend.
func (t *Tray) mends() []trayTrouble {
	all := t.troubles()
	return all[:min(len(all), mostMends)]
}
