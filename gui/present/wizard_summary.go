package present

import (
	"strings"

	"postbag/app/config"
	"postbag/app/i18n"
)

// WizardFact is one line of a list: a word and what it says.
type WizardFact struct {
	Label string
	Text  string
}

// Summary says what Finish is going to write.
func (w *Wizard) Summary() []WizardFact {
	p, d := w.p, w.Draft()
	c := d.Config
	t := c.Targets[d.target]
	people := p.T("wizard.summary.everybody")
	if n := len(c.Recipients); n > 0 {
		people = p.N("wizard.summary.people", int64(n))
	}
	out := []WizardFact{
		{p.T("wizard.summary.start"), p.T("wizard.start." + w.startKey())},
		{p.T("wizard.summary.line"), p.T("wizard.line." + w.Line.Kind)},
		{p.T("wizard.summary.domains"), strings.Join(c.Office.Domains, ", ")},
		{p.T("wizard.summary.people_label"), people},
		{p.T("wizard.summary.unknown"), c.Office.UnknownRecipient},
	}
	if c.Office.Administrator != c.Office.UnknownRecipient {
		out = append(out, WizardFact{p.T("wizard.summary.administrator"), c.Office.Administrator})
	}
	out = append(out, WizardFact{p.T("wizard.summary.target"), w.serverText(t.Host, t.Port, t.Security)})
	for i := range c.Mailboxes {
		out = append(out, w.mailboxFact(&c.Mailboxes[i]))
	}
	if len(c.Mailboxes) == 0 {
		out = append(out, WizardFact{p.T("wizard.summary.mailbox"), p.T("wizard.summary.no_mailbox")})
	}
	return append(out,
		WizardFact{p.T("wizard.summary.schedule"), ScheduleText(p, c.Schedule)},
		WizardFact{p.T("wizard.summary.first"), w.firstText()},
		WizardFact{p.T("wizard.summary.after"), w.afterText()},
	)
}

func (w *Wizard) startKey() string {
	if w.Autostart {
		return "automatic"
	}
	return "manual"
}

func (w *Wizard) serverText(host string, port int, security string) string {
	return w.p.T("wizard.summary.server", i18n.Args{"Host": host, "Port": port, "Security": w.p.T("wizard.security." + security)})
}

func (w *Wizard) mailboxFact(m *config.Mailbox) WizardFact {
	text := w.serverText(m.Host, m.Port, m.Security)
	if m.Username != m.Name {
		text = m.Username + ", " + text
	}
	if m.Kind == config.Individual {
		text = w.p.T("wizard.summary.mailbox_for", i18n.Args{"Server": text, "People": w.p.List(m.DeliverTo)})
	}
	return WizardFact{w.p.T("wizard.summary.mailbox"), m.Name + w.p.T("cli.colon") + text}
}

func (w *Wizard) firstText() string {
	text := w.p.T("wizard.schedule.first." + w.Schedule.First)
	if w.Schedule.First == WizardFirstSince {
		text += " " + strings.TrimSpace(w.Schedule.Since)
	}
	return text
}

func (w *Wizard) afterText() string {
	if w.Schedule.After == WizardAfterDays {
		return w.p.T("wizard.summary.after_days", i18n.Args{"Days": strings.TrimSpace(w.Schedule.Keep)})
	}
	return w.p.T("wizard.schedule.after." + w.Schedule.After)
}

// IntervalText says how often, in words where there are some: "every 60 minutes".
func IntervalText(p *i18n.Printer, every config.Duration) string {
	minutes := int64(every.D().Minutes())
	switch {
	case minutes == 60:
		return p.T("wizard.every.hour")
	case minutes > 60 && minutes%60 == 0:
		return p.N("wizard.every.hours", minutes/60)
	}
	return p.N("wizard.every.minutes", minutes)
}

// ScheduleText says when mail is collected: "Every hour, Monday to Friday".
func ScheduleText(p *i18n.Printer, s config.Schedule) string {
	parts := []string{IntervalText(p, s.Every), daysText(p, s.Days)}
	if s.From != 0 || s.To != 24*60 {
		parts = append(parts, p.T("wizard.every.between", i18n.Args{"From": s.From.String(), "To": s.To.String()}))
	}
	return strings.Join(parts, ", ")
}

func daysText(p *i18n.Printer, days []config.Day) string {
	var on [7]bool
	for _, d := range days {
		if d >= 0 && int(d) < 7 {
			on[d] = true
		}
	}
	switch on {
	case [7]bool{true, true, true, true, true, true, true}:
		return p.T("wizard.every.always")
	case [7]bool{1: true, 2: true, 3: true, 4: true, 5: true}:
		return p.T("wizard.every.week")
	case [7]bool{}:
		return p.T("wizard.every.never")
	}
	var words []string
	for i := range 7 {
		if day := (i + 1) % 7; on[day] {
			words = append(words, p.T("wizard.day."+config.Day(day).String()))
		}
	}
	return p.List(words)
}
