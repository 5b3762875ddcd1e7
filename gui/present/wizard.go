package present

import (
	"strconv"
	"strings"

	"postbag/app/config"
	"postbag/app/i18n"
)

// WizardStep is one page of the setup wizard.
type WizardStep int

// The steps of the wizard in their order.
const (
	WizardWelcome WizardStep = iota
	WizardStart
	WizardLine
	WizardOffice
	WizardTarget
	WizardIncoming
	WizardLook
	WizardSchedule
	WizardSummary
	wizardSteps // how many there are
)

// wizardStepKeys are the words of the steps in the keys of the texts.
var wizardStepKeys = [wizardSteps]string{
	"welcome", "start", "line", "office", "target", "incoming", "look", "schedule", "summary",
}

// WizardSteps lists the steps in their order.
func WizardSteps() []WizardStep {
	out := make([]WizardStep, wizardSteps)
	for i := range out {
		out[i] = WizardStep(i)
	}
	return out
}

// Key is the word of the step in the keys of the texts.
func (s WizardStep) Key() string { return wizardStepKeys[s] }

// Wizard holds what the user has answered so far, as typed. It belongs to one
// goroutine, that of the user interface. Nothing is written before Finish.
type Wizard struct {
	Autostart  bool
	Line       WizardDialup
	Office     WizardPeople
	Target     WizardServer
	Incoming   WizardMailboxes
	Schedule   WizardTimes
	CollectNow bool

	p       *i18n.Printer
	base    *config.Config // never changed
	begun   string         // the answers at the beginning, see typed
	current WizardStep
	visited [wizardSteps]bool
	tried   [wizardSteps]bool // Next was pressed: its faults are shown
}

// WizardDialup is how this computer gets to the internet.
type WizardDialup struct {
	Kind     string // config.Permanent, Router or Dialup
	Entry    string // the rest is for Dialup only
	Username string
	Password string
	Domain   string

	secret string // reference of the configuration so far
}

// WizardPeople is the office.
type WizardPeople struct {
	Domains       string // separated by spaces or commas
	People        string // see ParsePeople
	Unknown       string
	Administrator string // "": Unknown

	suggested string // what was put into Unknown by SetDomains
}

// WizardServer is the office server.
type WizardServer struct {
	Host           string
	Port           string
	Security       string
	Auth           string
	Username       string
	Password       string
	AllowPlaintext bool
	Pin            string // "" or as tls_pin takes it

	index int // in base.Targets, -1: a new one
}

// WizardMailbox is one mailbox at the provider.
type WizardMailbox struct {
	Kind           string // config.Global or Individual
	Account        string // an e-mail address or a name
	Host           string
	Port           string
	Security       string
	Password       string
	Again          string
	AllowPlaintext bool
	Pin            string
	DeliverTo      string // addresses, for Individual

	filled Provider        // what FillProvider put in
	base   *config.Mailbox // nil: a new one
}

// WizardMailboxes is the mail to collect.
type WizardMailboxes struct {
	Kind  string // of the boxes that the page shows
	Boxes []*WizardMailbox
}

// The words of WizardTimes.
const (
	WizardFirstAll   = "all"
	WizardFirstNew   = "new"
	WizardFirstSince = "since"

	WizardAfterDelete = "delete"
	WizardAfterDays   = "days"
	WizardAfterKeep   = "keep"
)

// WizardTimes says when to collect and what happens at the provider.
type WizardTimes struct {
	Days  [7]bool // by time.Weekday
	Every string  // as in the configuration
	From  string  // hh:mm
	To    string
	First string // one of the WizardFirst words
	Since string // a date in the user's format
	After string // one of the WizardAfter words
	Keep  string // days
}

// SetPrinter changes the language of names and faults.
func (w *Wizard) SetPrinter(p *i18n.Printer) {
	since, given := w.since()
	w.p = p
	if given {
		w.Schedule.Since = formatDay(p, since)
	}
}

// Printer is the one in use.
func (w *Wizard) Printer() *i18n.Printer { return w.p }

// Current is the step that is shown.
func (w *Wizard) Current() WizardStep { return w.current }

// Visited tells whether the step was shown before, so that the list at the side leads to it.
func (w *Wizard) Visited(s WizardStep) bool { return w.visited[s] }

// Tried tells whether the faults of the step are to be shown.
func (w *Wizard) Tried(s WizardStep) bool { return w.tried[s] }

// Done tells whether the step was left behind without a fault.
func (w *Wizard) Done(s WizardStep) bool { return w.DoneBut(s, w.AllFaults()) }

// DoneBut is Done for who has the faults of all steps already: they are found
// anew with every key, and finding them takes its time.
func (w *Wizard) DoneBut(s WizardStep, all []WizardFault) bool {
	return w.tried[s] && s != w.current && len(faultsOf(all, s)) == 0
}

// Next goes to the next step; with faults it stays and returns them.
func (w *Wizard) Next() []WizardFault {
	faults := w.Try()
	if len(faults) == 0 && w.current < WizardSummary {
		w.show(w.current + 1)
	}
	return faults
}

// Try returns the faults of the current step and has them shown from now on.
func (w *Wizard) Try() []WizardFault {
	if w.current == WizardIncoming {
		w.Incoming.Share()
	}
	w.tried[w.current] = true
	return w.Faults(w.current)
}

// Back goes to the step before.
func (w *Wizard) Back() {
	if w.current > WizardWelcome {
		w.show(w.current - 1)
	}
}

// GoTo shows a step that was visited before and tells whether it was.
func (w *Wizard) GoTo(s WizardStep) bool {
	if s < 0 || s >= wizardSteps || !w.visited[s] {
		return false
	}
	if s != w.current {
		w.tried[w.current] = true
	}
	w.show(s)
	return true
}

func (w *Wizard) show(s WizardStep) {
	w.current = s
	w.visited[s] = true
	if s == WizardIncoming {
		w.ensureBox()
	}
}

// SetDomains takes the accepted domains and suggests the unknown recipient as
// long as the user has not chosen one.
func (w *Wizard) SetDomains(text string) {
	o := &w.Office
	o.Domains = text
	if o.Unknown != o.suggested {
		return
	}
	o.Unknown = ""
	if d := splitWords(text); len(d) > 0 && strings.Contains(d[0], ".") {
		o.Unknown = "postmaster@" + strings.TrimPrefix(d[0], "@")
	}
	o.suggested = o.Unknown
}

// SetSecurity changes the security and, unless it was chosen by hand, the port.
func (s *WizardServer) SetSecurity(security string) {
	s.Port = followPort(s.Port, config.TargetPort(config.SMTP, s.Security), config.TargetPort(config.SMTP, security))
	s.Security = security
}

// SetSecurity changes the security and, unless it was chosen by hand, the port.
func (m *WizardMailbox) SetSecurity(security string) {
	m.Port = followPort(m.Port, config.MailboxPort(config.POP3, m.Security), config.MailboxPort(config.POP3, security))
	m.Security = security
}

func followPort(port string, old, standard int) string {
	if port == "" || port == strconv.Itoa(old) {
		return strconv.Itoa(standard)
	}
	return port
}

// NeedsAccount tells whether user name and password are asked for.
func (s *WizardServer) NeedsAccount() bool { return s.Auth != config.AuthNone }

// AsksPlaintext tells whether the password would go over an unencrypted line,
// which the user must allow.
func (s *WizardServer) AsksPlaintext() bool {
	return s.Security == config.SecurityNone && (s.Auth == config.AuthPlain || s.Auth == config.AuthLogin)
}

// AsksPlaintext tells whether the password may go over an unencrypted line,
// which the user must allow.
func (m *WizardMailbox) AsksPlaintext() bool { return m.Security == config.SecurityNone }

// SetAccount takes the account and fills in the server when the provider is known.
func (m *WizardMailbox) SetAccount(account string) {
	m.Account = account
	if p, known := ProviderOf(account); known {
		m.FillProvider(p)
	}
}

// FillProvider fills in the server of a provider, unless the user has typed
// another one.
func (m *WizardMailbox) FillProvider(p Provider) {
	switch m.Host {
	case p.Host: // filled in already, perhaps with another port since
		m.filled = p
	case "", m.filled.Host:
		m.ChooseProvider(p)
	}
}

// ChooseProvider fills in the server of a provider in any case.
func (m *WizardMailbox) ChooseProvider(p Provider) {
	m.filled = p
	m.Host, m.Port, m.Security = p.Host, strconv.Itoa(p.Port), p.Security
	m.Pin = ""
}

// Provider is the one whose server is filled in; without a name it is none of the table.
func (m *WizardMailbox) Provider() Provider {
	if m.filled.Host != "" && m.filled.Host == m.Host {
		return m.filled
	}
	return Provider{}
}

// Username is the name to sign in with: some providers want the part before
// the "@" only.
func (m *WizardMailbox) Username() string {
	account := strings.TrimSpace(m.Account)
	p := m.Provider()
	if local, domain, is := strings.Cut(account, "@"); is && p.LocalPart && p.serves(domain) {
		return local
	}
	return account
}

// Empty tells that the user has typed nothing: the mailbox can be left out.
func (m *WizardMailbox) Empty() bool {
	return m.base == nil && strings.TrimSpace(m.Account) == "" && m.Password == "" &&
		(m.Host == "" || m.Provider().Host != "") && strings.TrimSpace(m.DeliverTo) == ""
}

// HasPassword tells that a password is kept already for this account, so that
// the fields may stay empty.
func (m *WizardMailbox) HasPassword() bool {
	return m.base != nil && m.base.Secret != "" && m.base.Username == m.Username() && m.base.Host == strings.TrimSpace(m.Host)
}

// HasPassword tells that a password is kept already.
func (w *Wizard) HasPassword() bool {
	t, ok := w.baseTarget()
	return ok && t.Secret != "" && t.Username == strings.TrimSpace(w.Target.Username) && t.Host == strings.TrimSpace(w.Target.Host)
}

// HasLinePassword tells that a password for the line is kept already.
func (w *Wizard) HasLinePassword() bool { return w.Line.secret != "" }

func (w *Wizard) baseTarget() (config.Target, bool) {
	if i := w.Target.index; i >= 0 && i < len(w.base.Targets) {
		return w.base.Targets[i], true
	}
	return config.Target{}, false
}

// SetKind changes which boxes the page shows.
func (w *Wizard) SetKind(kind string) {
	w.Incoming.Kind = kind
	w.ensureBox()
}

func (w *Wizard) ensureBox() {
	if len(w.Incoming.Shown()) == 0 {
		w.Incoming.Add()
	}
}

// splitWords splits at commas, semicolons and spaces.
func splitWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return r == ',' || r == ';' || r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0'
	})
}

// TryAll has the faults of every step shown from now on.
func (w *Wizard) TryAll() {
	for i := range w.tried {
		w.tried[i], w.visited[i] = true, true
	}
}
