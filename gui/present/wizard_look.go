package present

import (
	"strings"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// WizardLookLimit is how many messages the X-ray of a mailbox reads.
const WizardLookLimit = 50

// XRay is what the look into a mailbox shows: headers only, nothing deleted.
type XRay struct {
	Kind    string // of the mailbox
	Running bool
	Lines   []facts.PreviewLine
	Verdict facts.Verdict
	Done    bool
	Err     error
}

// XRayLine is one message in the user's words.
type XRayLine struct {
	Subject string
	From    string
	For     string // who would get it
	Why     string
	Unknown bool // nobody known: it goes to the unknown recipient
}

// Line is the message of the given row.
func (x *XRay) Line(t *i18n.Printer, row int) XRayLine {
	l := x.Lines[row]
	out := XRayLine{
		Subject: l.Subject, From: l.From, For: t.List(l.Recipients),
		Why: whyRoute(t, l), Unknown: l.Route == mail.RouteUnknown,
	}
	if out.Subject == "" {
		out.Subject = t.T("wizard.look.no_subject")
	}
	if out.For == "" {
		out.For = t.T("wizard.look.nobody")
	}
	return out
}

func whyRoute(t *i18n.Printer, l facts.PreviewLine) string {
	route := l.Route
	if header, is := strings.CutPrefix(route, mail.RouteEnvelope); is {
		if l.Evidence == "" {
			return t.T("wizard.look.why.envelope", i18n.Args{"Line": header})
		}
		return t.T("wizard.look.why.envelope", i18n.Args{"Line": l.Evidence})
	}
	if key := "wizard.look.why." + route; route != "" && route != mail.RouteUnknown && t.Has(key) {
		return t.T(key, i18n.Args{"Line": l.Evidence})
	}
	if l.Evidence != "" {
		return t.T("wizard.look.why.unknown_in", i18n.Args{"Line": l.Evidence})
	}
	return t.T("wizard.look.why.unknown")
}

// Sentence is the one plain verdict; good tells that nothing needs attention.
func (x *XRay) Sentence(t *i18n.Printer) (text string, good bool) {
	switch {
	case x.Err != nil:
		f := mail.AsFailure(x.Err)
		e := t.Fault(f, i18n.Context{Side: i18n.SideSource})
		return strings.TrimSpace(e.What + " " + certificateAdvice(t, f.Code, e.Advice)), false
	case x.Running:
		return t.N("wizard.look.reading", int64(len(x.Lines))), true
	case !x.Done:
		return t.T("wizard.look.not_yet"), true
	case x.Kind == config.Individual:
		return t.T("wizard.look.verdict.individual"), true
	case len(x.Lines) == 0:
		return t.T("wizard.look.verdict.empty"), true
	case x.Verdict.Verdict == facts.VerdictBccWorks && x.Verdict.EnvelopeHeader != "":
		return t.T("wizard.look.verdict.works_header", i18n.Args{"Header": x.Verdict.EnvelopeHeader}), true
	case x.Verdict.Verdict == facts.VerdictBccWorks:
		return t.T("wizard.look.verdict.works"), true
	}
	return t.T("wizard.look.verdict.unknown"), false
}

// Advice says what can be done about a verdict that is not good, "" for nothing.
func (x *XRay) Advice(t *i18n.Printer) string {
	if x.Done && x.Err == nil && x.Kind == config.Global && len(x.Lines) > 0 && x.Verdict.Verdict != facts.VerdictBccWorks {
		return t.T("wizard.look.advice")
	}
	return ""
}

// certificateAdvice leads to the test, which shows the certificate: the advice
// for the file names its keys.
func certificateAdvice(t *i18n.Printer, code mail.Code, otherwise string) string {
	if t.Has("wizard.probe.advice." + string(code)) {
		return t.T("wizard.certificate.see")
	}
	return otherwise
}

// LookBoxes lists the mailboxes that can be looked into.
func (w *Wizard) LookBoxes() []*WizardMailbox {
	d := w.Draft()
	var out []*WizardMailbox
	for _, b := range d.owners {
		if b != nil && d.MailboxName(b) != "" {
			out = append(out, b)
		}
	}
	return out
}

// LookKey tells two looks apart: with the same mailbox, rules and people a
// second one would show the same.
func (w *Wizard) LookKey(b *WizardMailbox) string {
	d := w.Draft()
	return d.MailboxName(b) + "\n" + b.Password + "\n" + string(config.Marshal(d.Config))
}
