package present

import (
	"context"
	"errors"
	"slices"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// WizardKeeper is what Finish writes to; Backend is one.
type WizardKeeper interface {
	Validate(ctx context.Context, draft *config.Config) []facts.Problem
	Apply(ctx context.Context, draft *config.Config) ([]facts.Problem, error)
	SetSecret(ctx context.Context, ref, value string) error
	DeleteSecret(ctx context.Context, ref string) error
}

// WizardProblems says that the settings cannot be used. Nothing was written.
type WizardProblems struct{ Problems []facts.Problem }

// Error returns a line for the log.
func (e *WizardProblems) Error() string {
	return (&facts.ConfigError{Path: "wizard", Problems: e.Problems}).Error()
}

// Write keeps the passwords and applies the settings. It may run on any
// goroutine. The passwords come first, so that the engine finds them; when the
// settings are then refused, those that nothing names are taken out again. The
// error is *WizardProblems, *mail.Failure or *facts.ConfigError.
func (d *WizardDraft) Write(ctx context.Context, k WizardKeeper) error {
	if bad := onlyFaults(k.Validate(ctx, d.Config)); len(bad) > 0 {
		return &WizardProblems{Problems: bad}
	}
	var kept []string
	for _, ref := range sortedRefs(d.Secrets) {
		if err := k.SetSecret(ctx, ref, d.Secrets[ref]); err != nil {
			return errors.Join(err, d.takeBack(ctx, k, kept))
		}
		kept = append(kept, ref)
	}
	problems, err := k.Apply(ctx, d.Config)
	if bad := onlyFaults(problems); err == nil && len(bad) > 0 {
		err = &WizardProblems{Problems: bad}
	}
	if err != nil {
		return errors.Join(err, d.takeBack(ctx, k, kept))
	}
	for _, ref := range d.Unused {
		// A password that stays behind does no harm to mail: not worth an alarm.
		_ = k.DeleteSecret(ctx, ref)
	}
	return nil
}

// takeBack removes the passwords that were kept for nothing. One that the
// settings so far name stays: it has been changed, which is no loss.
func (d *WizardDraft) takeBack(ctx context.Context, k WizardKeeper, refs []string) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, ref := range refs {
		if !slices.Contains(d.known, ref) {
			errs = append(errs, k.DeleteSecret(ctx, ref))
		}
	}
	return errors.Join(errs...)
}

func onlyFaults(problems []facts.Problem) []facts.Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p facts.Problem) bool { return p.Warning })
}

func sortedRefs(m map[string]string) []string {
	refs := make([]string, 0, len(m))
	for ref := range m {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	return refs
}

// WriteFault says why Write failed, in the user's words.
func WriteFault(t *i18n.Printer, err error) string {
	problems := []facts.Problem(nil)
	if e, ok := errors.AsType[*WizardProblems](err); ok {
		problems = e.Problems
	} else if e, ok := errors.AsType[*facts.ConfigError](err); ok {
		problems = onlyFaults(e.Problems)
	}
	if len(problems) > 0 {
		text := problems[0].Message
		if problems[0].Field != "" {
			text = problems[0].Field + t.T("cli.colon") + text
		}
		return t.T("wizard.summary.refused", i18n.Args{"Text": text})
	}
	e := t.Fault(mail.AsFailure(err), i18n.Context{})
	return t.T("wizard.summary.not_written", i18n.Args{"Text": e.What + " " + e.Advice})
}

// WizardProgress is how far the first collection is.
type WizardProgress struct {
	boxes map[string]facts.Event // the last count of each mailbox
	out   facts.Event            // the last count of deliveries
	host  string
}

// Take notes an event; true tells that there is something new to show.
func (p *WizardProgress) Take(e facts.Event) bool {
	switch e.Kind {
	case facts.EventMailboxStart:
		p.host = e.Host
	case facts.EventFetched:
		if p.boxes == nil {
			p.boxes = map[string]facts.Event{}
		}
		p.boxes[e.Mailbox] = e
	case facts.EventDelivered:
		p.out = e
	default:
		return false
	}
	return true
}

// Value is the share that is done, from 0 to 1; known is false as long as the
// number of messages is not known.
func (p *WizardProgress) Value() (share float64, known bool) {
	done, total := p.count()
	if total == 0 {
		return 0, false
	}
	// Half of the way is from the provider to here, half from here to the office server.
	share = float64(done) / float64(total) / 2
	if p.out.Total > 0 {
		share += float64(p.out.Done) / float64(max(p.out.Total, total)) / 2
	}
	return min(share, 1), true
}

func (p *WizardProgress) count() (done, total int) {
	for _, e := range p.boxes {
		done += e.Done
		total += e.Total
	}
	return done, total
}

// octets is how much was fetched.
func (p *WizardProgress) octets() (n int64) {
	for _, e := range p.boxes {
		n += e.Bytes
	}
	return n
}

// Text says how far it is.
func (p *WizardProgress) Text(t *i18n.Printer) string {
	done, total := p.count()
	if total == 0 {
		return t.T("wizard.collect.begin")
	}
	return t.N("wizard.collect.progress", int64(total), i18n.Args{
		"Done": t.Number(int64(done)), "Size": t.Size(p.octets()), "Out": t.Number(int64(p.out.Done))})
}

// collectedFrom counts what came from the mailboxes, and says what went wrong
// at the first that has a fault.
func collectedFrom(t *i18n.Printer, list []facts.MailboxResult) (fresh int, fault string) {
	for _, m := range list {
		fresh += m.New
		if m.Fault != nil && fault == "" {
			e := t.Fault(m.Fault.Failure(), i18n.Context{Side: i18n.SideSource, Name: m.Mailbox, Host: m.Host})
			e.Advice = certificateAdvice(t, m.Fault.Code, e.Advice)
			fault = m.Mailbox + t.T("cli.colon") + e.What + " " + e.Meaning + " " + e.Advice
		}
	}
	return fresh, fault
}

// CollectText says how the first collection ended; good tells that nothing
// needs attention.
func CollectText(t *i18n.Printer, r facts.CollectReport, err error) (text string, good bool) {
	if err != nil {
		e := t.Fault(mail.AsFailure(err), i18n.Context{})
		return e.What + " " + e.Meaning + " " + e.Advice, false
	}
	fresh, fault := collectedFrom(t, r.Mailboxes)
	if fault != "" && fresh == 0 && r.Delivered == 0 {
		return fault, false
	}
	text = t.T("wizard.collect.none")
	if fresh > 0 || r.Delivered > 0 {
		text = t.N("wizard.collect.fetched", int64(fresh)) + " " + t.N("wizard.collect.delivered", int64(r.Delivered))
	}
	if r.Queued > 0 {
		text += " " + t.N("wizard.collect.queued", r.Queued)
	}
	if n := r.Quarantined + r.Failed; n > 0 {
		text += " " + t.N("wizard.collect.aside", int64(n))
	}
	if n := int64(fresh-r.Delivered-r.Quarantined) - r.Queued; n > 0 {
		text += " " + t.N("wizard.collect.twice", n)
	}
	if fault != "" {
		text += " " + fault
	}
	return text, fault == "" && r.Queued == 0 && r.Quarantined+r.Failed == 0
}

// DoneText says what Postbag does from now on.
func (w *Wizard) DoneText() string {
	if len(w.LookBoxes()) == 0 {
		return w.p.T("wizard.done.no_mailbox")
	}
	return w.p.T("wizard.done."+w.startKey(), i18n.Args{"Schedule": ScheduleText(w.p, w.Draft().Config.Schedule)})
}

// StartFault says what could not be done after the settings were written.
func StartFault(t *i18n.Printer, err error) string {
	e := t.Fault(mail.AsFailure(err), i18n.Context{})
	return t.T("wizard.summary.not_started", i18n.Args{"Text": e.What + " " + e.Advice})
}
