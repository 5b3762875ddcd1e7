package present

import (
	"strconv"
	"strings"
	"time"

	"postbag/app/config"
	"postbag/app/i18n"
)

// defaultKeepDays is what "delete after N days" begins with.
const defaultKeepDays = "14"

// NewWizard returns a wizard that begins with the configuration so far (nil:
// the defaults). Passwords are not known and not needed: what is kept stays.
func NewWizard(base *config.Config, p *i18n.Printer) *Wizard {
	if base == nil {
		base = config.Defaults()
	}
	w := &Wizard{p: p, base: base, CollectNow: true, Autostart: true}
	w.Line = dialupOf(base.Connection)
	w.Office = peopleOf(base)
	w.Target = serverOf(base)
	w.Incoming = mailboxesOf(base)
	w.Schedule = timesOf(base, p)
	w.visited[WizardWelcome] = true
	w.Begin(w.Autostart)
	return w
}

func dialupOf(c config.Connection) WizardDialup {
	d := WizardDialup{Kind: c.Kind}
	if d.Kind != config.Router {
		d.Kind = config.Permanent
	}
	if c.Dialup != nil {
		// The line is not brought up by this version yet, so the file says "permanent".
		d.Kind = config.Dialup
		d.Entry, d.Username, d.Domain, d.secret = c.Dialup.Entry, c.Dialup.Username, c.Dialup.Domain, c.Dialup.Secret
	}
	return d
}

func peopleOf(c *config.Config) WizardPeople {
	o := WizardPeople{
		Domains: strings.Join(c.Office.Domains, ", "), People: FormatPeople(c.Recipients),
		Unknown: c.Office.UnknownRecipient, Administrator: c.Office.Administrator,
	}
	if o.Administrator == o.Unknown {
		o.Administrator = ""
	}
	return o
}

func serverOf(c *config.Config) WizardServer {
	s := WizardServer{index: -1, Security: config.SecurityNone, Auth: config.AuthNone, Port: strconv.Itoa(config.TargetPort(config.SMTP, config.SecurityNone))}
	if len(c.Targets) == 0 {
		return s
	}
	t := c.Targets[0]
	return WizardServer{
		index: 0, Host: t.Host, Port: portText(t.Port), Security: t.Security, Auth: t.Auth,
		Username: t.Username, AllowPlaintext: t.AllowPlaintext, Pin: t.TLSPin,
	}
}

func portText(port int) string {
	if port == 0 {
		return ""
	}
	return strconv.Itoa(port)
}

func mailboxesOf(c *config.Config) WizardMailboxes {
	in := WizardMailboxes{Kind: config.Global}
	for i := range c.Mailboxes {
		m := c.Mailboxes[i]
		in.Boxes = append(in.Boxes, &WizardMailbox{
			base: &m, Kind: m.Kind, Account: m.Username, Host: m.Host, Port: portText(m.Port), Security: m.Security,
			AllowPlaintext: m.AllowPlaintext, Pin: m.TLSPin, DeliverTo: strings.Join(m.DeliverTo, ", "),
		})
	}
	if len(in.Boxes) > 0 && !c.HasGlobal() {
		in.Kind = config.Individual
	}
	return in
}

func timesOf(c *config.Config, p *i18n.Printer) WizardTimes {
	s := WizardTimes{
		Every: c.Schedule.Every.String(), From: c.Schedule.From.String(), To: c.Schedule.To.String(),
		First: WizardFirstAll, After: WizardAfterDelete, Keep: defaultKeepDays,
	}
	for _, d := range c.Schedule.Days {
		if d >= 0 && int(d) < len(s.Days) {
			s.Days[d] = true
		}
	}
	if len(c.Mailboxes) == 0 {
		return s
	}
	m := c.Mailboxes[0]
	switch f := m.FirstCollection; {
	case f.New:
		s.First = WizardFirstNew
	case !f.Since.IsZero():
		s.First, s.Since = WizardFirstSince, formatDay(p, f.Since)
	}
	switch a := m.AfterDelivery; {
	case a.Keep:
		s.After = WizardAfterKeep
	case a.Days > 0:
		s.After, s.Keep = WizardAfterDays, strconv.Itoa(a.Days)
	}
	return s
}

// dayLayouts are the ways to write a day, the one of the language first.
func dayLayouts(p *i18n.Printer) []string {
	if p.Lang() == i18n.French {
		return []string{"02/01/2006", "2/1/2006", "02.01.2006", time.DateOnly}
	}
	return []string{time.DateOnly, "2006/01/02", "2006.01.02"}
}

// formatDay writes a day as the user does.
func formatDay(p *i18n.Printer, t time.Time) string { return t.Format(dayLayouts(p)[0]) }

// parseDay reads a day as the user writes it, midnight local time.
func parseDay(p *i18n.Printer, text string) (time.Time, bool) {
	for _, layout := range dayLayouts(p) {
		if t, err := time.ParseInLocation(layout, strings.TrimSpace(text), time.Local); err == nil && t.Year() > 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// since is the day of "collect since".
func (w *Wizard) since() (time.Time, bool) { return parseDay(w.p, w.Schedule.Since) }
