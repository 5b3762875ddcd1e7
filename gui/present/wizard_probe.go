package present

import (
	"slices"
	"strings"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// Probe collects what a test of a server tells, step by step, as it goes.
type Probe struct {
	Running bool
	Steps   []facts.CheckStep
	Err     error // the test itself could not be done
}

// ProbeLine is one line of a test in the user's words.
type ProbeLine struct {
	OK     bool
	Wide   bool // needs the whole width
	Text   string
	Advice string // what it means and what to do, with a fault only
	Detail string // technical, with a fault only
}

// maxAccepted and maxRefused bound how many people are named one by one.
const (
	maxAccepted = 20
	maxRefused  = 5
)

// Lines says what came out so far. The people whom the office server accepts
// are named in one line together.
func (p *Probe) Lines(t *i18n.Printer) []ProbeLine {
	var out []ProbeLine
	var accepted []string
	refused := 0
	for _, s := range p.Steps {
		switch {
		case s.Step != "rcpt" && s.OK:
			out = append(out, ProbeLine{OK: true, Text: t.T("wizard.probe.step." + s.Step)})
		case s.Step == "rcpt" && s.OK:
			accepted = append(accepted, s.Detail)
		default:
			if s.Step == "rcpt" {
				refused++
				if refused > maxRefused {
					continue
				}
			}
			out = append(out, faultLine(t, s))
		}
	}
	if len(accepted) > 0 {
		out = slices.Insert(out, slices.IndexFunc(append(out, ProbeLine{}), func(l ProbeLine) bool { return !l.OK }),
			ProbeLine{OK: true, Wide: true, Text: acceptedText(t, accepted)})
	}
	if refused > maxRefused {
		out = append(out, ProbeLine{Text: t.N("wizard.probe.refused_more", int64(refused-maxRefused))})
	}
	if p.Err != nil {
		e := t.Fault(mail.AsFailure(p.Err), i18n.Context{})
		out = append(out, ProbeLine{Text: e.What, Advice: e.Advice, Detail: e.Detail})
	}
	return out
}

// acceptedText names the first of those whom the office server accepts.
func acceptedText(t *i18n.Printer, who []string) string {
	text := t.N("wizard.probe.accepted", int64(len(who))) + t.T("cli.colon") + strings.Join(who[:min(len(who), maxAccepted)], ", ")
	if len(who) > maxAccepted {
		text += " …"
	}
	return text
}

func faultLine(t *i18n.Printer, s facts.CheckStep) ProbeLine {
	e := t.Fault(s.Fault.Failure(), i18n.Context{Side: s.Side, Host: s.Host})
	l := ProbeLine{Text: e.What, Advice: e.Advice, Detail: e.Detail}
	if s.Step == "rcpt" && s.Detail != "" {
		l.Text = s.Detail + t.T("cli.colon") + l.Text
	}
	if s.Certificate != nil || s.Step == "tls" || s.Step == "starttls" {
		// The advice for the file names its keys; here there is a button.
		if key := "wizard.probe.advice." + string(faultCode(s)); t.Has(key) {
			l.Advice = t.T(key)
		}
	}
	return l
}

func faultCode(s facts.CheckStep) mail.Code {
	if s.Fault == nil {
		return ""
	}
	return s.Fault.Code
}

// OK tells that the test is done and everything was good.
func (p *Probe) OK() bool {
	return !p.Running && p.Err == nil && len(p.Steps) > 0 && !slices.ContainsFunc(p.Steps, func(s facts.CheckStep) bool { return !s.OK })
}

// Finished tells that the test came to an end, good or bad.
func (p *Probe) Finished() bool { return !p.Running && (p.Err != nil || len(p.Steps) > 0) }

// Certificate is the one that was refused, nil without one (rule 6).
func (p *Probe) Certificate() *facts.Certificate {
	for _, s := range p.Steps {
		if s.Certificate != nil {
			return s.Certificate
		}
	}
	return nil
}

// CertificateLines describes a certificate for the person who must decide: its
// fingerprint in groups that can be read out on the telephone.
func CertificateLines(t *i18n.Printer, c *facts.Certificate) []WizardFact {
	return []WizardFact{
		{t.T("wizard.certificate.names"), strings.Join(c.Names, ", ")},
		{t.T("wizard.certificate.subject"), c.Subject},
		{t.T("wizard.certificate.issuer"), c.Issuer},
		{t.T("wizard.certificate.valid"), t.T("wizard.certificate.span", i18n.Args{
			"From": formatDay(t, c.NotBefore), "To": formatDay(t, c.NotAfter)})},
		{t.T("wizard.certificate.fingerprint"), GroupFingerprint(c.Fingerprint)},
	}
}

// GroupFingerprint writes the hexadecimal digits of a pin in groups of four.
func GroupFingerprint(pin string) string {
	digits := pin[strings.IndexByte(pin, ':')+1:]
	var b strings.Builder
	for i, r := range strings.ToUpper(digits) {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
