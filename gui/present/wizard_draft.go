package present

import (
	"slices"
	"strconv"
	"strings"

	"postbag/app/config"
	"postbag/app/secret"
)

// WizardDraft is the configuration that the answers make.
type WizardDraft struct {
	Config  *config.Config
	Secrets map[string]string // passwords typed in the wizard, by reference
	Unused  []string          // keyring references that the configuration so far named and the new one does not

	known  []string         // references of the configuration so far
	target int              // index of the office server of the wizard
	owners []*WizardMailbox // whose each mailbox is
}

// Draft puts the answers into a copy of the configuration so far. What the
// wizard does not ask for stays as it is.
func (w *Wizard) Draft() *WizardDraft {
	// Writing and reading again makes a copy that shares nothing.
	cfg, _ := config.Parse(config.Marshal(w.base), w.base.Dir)
	d := &WizardDraft{Config: cfg, Secrets: map[string]string{}}
	w.draftLine(d)
	w.draftOffice(d)
	w.draftTarget(d)
	w.draftSchedule(d)
	w.draftMailboxes(d)
	used := d.Config.SecretRefs()
	d.known = w.base.SecretRefs()
	for _, ref := range d.known {
		if strings.HasPrefix(ref, secret.Keyring+":") && !slices.Contains(used, ref) {
			d.Unused = append(d.Unused, ref)
		}
	}
	return d
}

// keyringRef names a password by what it opens, so that two mailboxes or two
// installations never overwrite each other's.
func keyringRef(what ...string) string { return secret.Keyring + ":" + strings.Join(what, "") }

// keep chooses the reference of a password: the old one while it fits, else one
// of its own name; "" when there is none.
func (d *WizardDraft) keep(password, old string, fits bool, fresh string) string {
	switch {
	case password == "" && fits:
		return old
	case password == "":
		return ""
	case fits && strings.HasPrefix(old, secret.Keyring+":"):
		fresh = old
	}
	d.Secrets[fresh] = password
	return fresh
}

func (w *Wizard) draftLine(d *WizardDraft) {
	c, l := &d.Config.Connection, w.Line
	c.Kind, c.Dialup = l.Kind, nil
	if l.Kind != config.Dialup {
		return
	}
	// This version does not dial, and says so on the page: the line must be up.
	// What was typed is kept for the one that does.
	c.Kind = config.Permanent
	entry := strings.TrimSpace(l.Entry)
	c.Dialup = &config.DialupEntry{
		Entry: entry, Username: strings.TrimSpace(l.Username), Domain: strings.TrimSpace(l.Domain),
		Secret: d.keep(l.Password, l.secret, l.secret != "", keyringRef("line ", entry)),
	}
}

func (w *Wizard) draftOffice(d *WizardDraft) {
	o := &d.Config.Office
	domains := splitWords(w.Office.Domains)
	for i := range domains {
		domains[i] = strings.TrimPrefix(domains[i], "@")
	}
	w.followDomains(d, domains)
	o.Domains = domains
	o.UnknownRecipient = strings.TrimSpace(w.Office.Unknown)
	o.Administrator = strings.TrimSpace(w.Office.Administrator)
	if o.Administrator == "" {
		o.Administrator = o.UnknownRecipient
	}
	d.Config.Recipients = w.recipients(d.Config.Recipients)
}

// followDomains lets a lone office server take the new domains when it took
// exactly the old ones.
func (w *Wizard) followDomains(d *WizardDraft, domains []string) {
	ts := d.Config.Targets
	if len(ts) == 1 && len(ts[0].Domains) > 0 && slices.Equal(ts[0].Domains, d.Config.Office.Domains) {
		ts[0].Domains = slices.Clone(domains)
	}
}

// recipients are the people of the page; what it does not show of those who
// were there already is kept.
func (w *Wizard) recipients(old []config.Recipient) []config.Recipient {
	people, _ := ParsePeople(w.Office.People)
	out := make([]config.Recipient, 0, len(people))
	for _, p := range people {
		r := config.Recipient{Address: p.Address, Aliases: p.Aliases}
		for _, o := range old {
			if config.Canonical(o.Address) == config.Canonical(p.Address) {
				r.Target, r.DeliverAs = o.Target, o.DeliverAs
			}
		}
		out = append(out, r)
	}
	return out
}

func (w *Wizard) draftTarget(d *WizardDraft) {
	s := w.Target
	t := config.NewTarget()
	base, known := w.baseTarget()
	if known {
		t = d.Config.Targets[s.index]
	}
	t.Host, t.Security, t.Auth = strings.TrimSpace(s.Host), s.Security, s.Auth
	t.Port = portNumber(s.Port, config.TargetPort(t.Protocol, s.Security))
	t.TLSPin = s.Pin
	t.AllowPlaintext = s.AllowPlaintext && s.AsksPlaintext()
	t.Username, t.Secret = "", ""
	if s.NeedsAccount() {
		t.Username = strings.TrimSpace(s.Username)
		t.Secret = d.keep(s.Password, base.Secret, w.HasPassword(), keyringRef("smtp ", t.Username, "@", t.Host))
	}
	if !known {
		// Mail under way remembers its server by name: a name never changes here.
		t.Name = t.Host
	}
	if known {
		d.Config.Targets[s.index], d.target = t, s.index
		return
	}
	d.Config.Targets = append(d.Config.Targets, t)
	d.target = len(d.Config.Targets) - 1
}

// portNumber reads a port: the usual one for an empty field, -1 for what is no
// number, so that validation finds it.
func portNumber(text string, usual int) int {
	text = strings.TrimSpace(text)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n == 0 {
		return -1
	}
	return n
}

func (w *Wizard) draftSchedule(d *WizardDraft) {
	s := &d.Config.Schedule
	s.Days = nil
	for i := range 7 {
		day := (i + 1) % 7 // the week begins on Monday
		if w.Schedule.Days[day] {
			s.Days = append(s.Days, config.Day(day))
		}
	}
	if v, err := config.ParseDuration(w.Schedule.Every); err == nil {
		s.Every = v
	}
	if v, err := config.ParseClock(w.Schedule.From); err == nil {
		s.From = v
	}
	if v, err := config.ParseClock(w.Schedule.To); err == nil {
		s.To = v
	}
	for i := range d.Config.Mailboxes {
		if m := &d.Config.Mailboxes[i]; !m.OwnSchedule {
			m.Schedule = *s
		}
	}
}

func (w *Wizard) draftMailboxes(d *WizardDraft) {
	d.owners = make([]*WizardMailbox, len(d.Config.Mailboxes))
	at := 0
	for _, b := range w.Incoming.Boxes {
		switch {
		case b.base != nil:
			w.draftMailbox(d, b, &d.Config.Mailboxes[at])
			d.owners[at] = b
			at++
		case b.Empty() || b.Kind != w.Incoming.Kind:
			// Left for later, or the answer to a question that was taken back.
		default:
			m := config.NewMailbox(d.Config.Schedule)
			m.Name = w.freeName(d.Config, b)
			w.draftMailbox(d, b, &m)
			d.Config.Mailboxes = append(d.Config.Mailboxes, m)
			d.owners = append(d.owners, b)
		}
	}
}

func (w *Wizard) draftMailbox(d *WizardDraft, b *WizardMailbox, m *config.Mailbox) {
	m.Kind, m.Host, m.Port, m.Security = b.Kind, strings.TrimSpace(b.Host), portNumber(b.Port, config.MailboxPort(config.POP3, b.Security)), b.Security
	m.Username, m.TLSPin = b.Username(), b.Pin
	m.AllowPlaintext = b.AllowPlaintext && b.AsksPlaintext()
	m.DeliverTo = nil
	if b.Kind == config.Individual {
		m.DeliverTo = splitWords(b.DeliverTo)
	}
	old := ""
	if b.base != nil {
		old = b.base.Secret
	}
	m.Secret = d.keep(b.Password, old, b.HasPassword(), keyringRef(m.Username, "@", m.Host))
	before := timesOf(w.base, w.p)
	if b.base == nil || w.Schedule.First != before.First || w.Schedule.Since != before.Since {
		m.FirstCollection = w.first()
	}
	if b.base == nil || w.Schedule.After != before.After || w.Schedule.Keep != before.Keep {
		m.AfterDelivery = w.after()
	}
}

func (w *Wizard) first() config.FirstCollection {
	switch w.Schedule.First {
	case WizardFirstNew:
		return config.FirstCollection{New: true}
	case WizardFirstSince:
		if t, ok := w.since(); ok {
			return config.FirstSince(t)
		}
	}
	return config.FirstCollection{}
}

func (w *Wizard) after() config.AfterDelivery {
	switch w.Schedule.After {
	case WizardAfterKeep:
		return config.AfterDelivery{Keep: true}
	case WizardAfterDays:
		if a, err := config.ParseAfterDelivery("delete after " + strings.TrimSpace(w.Schedule.Keep) + " days"); err == nil {
			return a
		}
	}
	return config.AfterDelivery{}
}

// freeName makes a name that no other mailbox has.
func (w *Wizard) freeName(cfg *config.Config, b *WizardMailbox) string {
	name := strings.TrimSpace(b.Account)
	if b.Kind == config.Global {
		name = w.p.T("wizard.incoming.name_global")
	}
	taken := func(s string) bool {
		return slices.ContainsFunc(cfg.Mailboxes, func(m config.Mailbox) bool { return strings.EqualFold(m.Name, s) })
	}
	free := name
	for n := 2; taken(free); n++ {
		free = name + " " + strconv.Itoa(n)
	}
	return free
}

// MailboxName is the name that the box has in the draft, "" when it is left out.
func (d *WizardDraft) MailboxName(b *WizardMailbox) string {
	if i := slices.Index(d.owners, b); i >= 0 {
		return d.Config.Mailboxes[i].Name
	}
	return ""
}

// TargetName is the name of the office server in the draft.
func (d *WizardDraft) TargetName() string { return d.Config.Targets[d.target].Name }
