package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/mail/tlspolicy"
	"postbag/engine/source"
)

// Check tests the named mailboxes (none: all that are enabled) and every
// target as far as possible without touching mail.
func (l *Local) Check(ctx context.Context, names []string, each func(facts.CheckStep) error) error {
	boxes, err := l.chosen(names)
	if err != nil {
		return err
	}
	for _, m := range boxes {
		if err := l.checkMailbox(ctx, m, each); err != nil {
			return err
		}
	}
	for i := range l.config().Targets {
		if err := l.checkTarget(ctx, &l.config().Targets[i], each); err != nil {
			return err
		}
	}
	return nil
}

func (l *Local) chosen(names []string) ([]*config.Mailbox, error) {
	var out []*config.Mailbox
	for _, name := range names {
		m, err := l.mailboxByName(name)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if len(names) > 0 {
		return out, nil
	}
	for i := range l.config().Mailboxes {
		if l.config().Mailboxes[i].Enabled {
			out = append(out, &l.config().Mailboxes[i])
		}
	}
	return out, nil
}

// steps reports the steps of one check; a step that began and was followed by
// another has worked.
type steps struct {
	template facts.CheckStep
	each     func(facts.CheckStep) error
	open     string
	err      error
}

func (s *steps) begin(step string) {
	s.finish("", nil)
	s.open = step
}

func (s *steps) finish(detail string, failure error) {
	if s.open == "" {
		return
	}
	s.tell(s.open, detail, failure)
	s.open = ""
}

func (s *steps) tell(step, detail string, failure error) {
	if s.err != nil {
		return
	}
	out := s.template
	out.Step, out.Detail, out.OK, out.Fault = step, detail, failure == nil, facts.FaultOf(failure)
	if shown, is := tlspolicy.CertificateOf(failure); is {
		c := facts.Certificate(shown)
		out.Certificate = &c // rule 6
	}
	s.err = s.each(out)
}

func (l *Local) checkMailbox(ctx context.Context, m *config.Mailbox, each func(facts.CheckStep) error) error {
	s := &steps{each: each, template: facts.CheckStep{Side: facts.SideSource, Subject: m.Name, Host: m.Host}}
	conn, err := l.parts().dial(ctx, m, s.begin)
	if err != nil {
		if s.open == "" {
			s.open = "login" // the secret could not be read
		}
		s.finish("", err)
		return s.err
	}
	defer conn.Close()
	s.finish("", nil)
	list, err := conn.List(ctx)
	if err != nil {
		s.tell("stat", "", err)
		return s.err
	}
	s.tell("stat", fmt.Sprintf("%d messages, %d octets", list.Count, list.Size), nil)
	s.tell("uidl", uidlDetail(list), uidlFault(m, list))
	if err := conn.Quit(ctx); err != nil && s.err == nil {
		l.logger().Warn("QUIT after a check", "mailbox", m.ID, "error", err)
	}
	return s.err
}

func uidlDetail(list source.Listing) string {
	switch {
	case !list.HasUIDL:
		return "no UIDL, messages are told apart by their content"
	case len(list.Faults) > 0:
		return fmt.Sprintf("%d lines cannot be read: %s", len(list.Faults), strings.Join(list.Faults[:min(3, len(list.Faults))], "; "))
	}
	return ""
}

// uidlFault: keeping mail at the provider needs UIDL.
func uidlFault(m *config.Mailbox, list source.Listing) error {
	if list.HasUIDL || !(m.AfterDelivery.Keep || m.AfterDelivery.Days > 0) {
		return nil
	}
	return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeNoUIDL, Op: "UIDL"}
}

func (l *Local) checkTarget(ctx context.Context, t *config.Target, each func(facts.CheckStep) error) error {
	s := &steps{each: each, template: facts.CheckStep{Side: facts.SideTarget, Subject: t.Name, Host: t.Host}}
	target := l.parts().target(t)
	var err error
	if target.Secret, err = l.parts().targetSecret(ctx, t.Name); err != nil {
		s.tell("auth", "", err)
		return s.err
	}
	conn, err := deliver.Dial(ctx, target, deliver.Options{Log: l.logger(), Step: s.tell})
	if err != nil {
		return s.err
	}
	defer conn.Close()
	for _, rcpt := range l.recipientsOf(t.Name) {
		err := conn.Probe(ctx, l.probeSender(), rcpt)
		s.tell("rcpt", rcpt, err)
		if err != nil && connectionIsDead(err) {
			break
		}
	}
	return s.err
}

// probeSender is the sender that most mail comes with: somebody outside. The
// null sender is accepted everywhere and would prove less, yet an invented one
// may be refused for reasons that no real mail has.
func (l *Local) probeSender() string { return "" }

func connectionIsDead(err error) bool {
	switch mail.AsFailure(err).Code {
	case mail.CodeClosed, mail.CodeTimeout, mail.CodeProtocol, mail.CodeCancelled:
		return true
	}
	return false
}

// recipientsOf lists every address that this office may hand to the target.
func (l *Local) recipientsOf(target string) []string {
	var out []string
	seen := make(map[string]bool)
	add := func(address string) {
		for _, r := range l.parts().lookup(address) {
			if r.Target == target && !seen[r.Address] {
				seen[r.Address] = true
				out = append(out, r.Address)
			}
		}
	}
	for _, r := range l.config().Recipients {
		add(r.Address)
	}
	for i := range l.config().Mailboxes {
		for _, a := range l.config().Mailboxes[i].DeliverTo {
			add(a)
		}
	}
	add(l.config().Office.UnknownRecipient)
	add(l.config().Office.Administrator)
	return out
}

// previewBytes is how much of a header is read for the preview.
const previewBytes = 256 << 10

// Preview reads the headers of up to limit messages, the newest, and says who
// would get each. Nothing is deleted and nothing delivered.
func (l *Local) Preview(ctx context.Context, name string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error) {
	m, err := l.mailboxByName(name)
	if err != nil {
		return facts.Verdict{}, err
	}
	rules, err := l.parts().rules(m)
	if err != nil {
		return facts.Verdict{}, err
	}
	conn, err := l.parts().dial(ctx, m, nil)
	if err != nil {
		return facts.Verdict{}, err
	}
	defer conn.Close()
	list, err := conn.List(ctx)
	if err != nil {
		return facts.Verdict{}, err
	}
	items := list.Items[max(0, len(list.Items)-limit):]
	votes := make(map[string]int)
	for _, it := range items {
		top, err := conn.Top(ctx, it.Number, 0, previewBytes)
		if err != nil {
			if mail.AsFailure(err).Code == mail.CodeRefused && it.Number != items[0].Number {
				continue // this one has just been deleted by somebody else
			}
			return facts.Verdict{}, err
		}
		h := header.Parse(top)
		d := rules.Decide(h)
		votes[d.Route]++
		if err := each(previewLine(it, h, d)); err != nil {
			return facts.Verdict{}, err
		}
	}
	if err := conn.Quit(ctx); err != nil && !errors.Is(err, context.Canceled) {
		l.logger().Warn("QUIT after a preview", "mailbox", m.ID, "error", err)
	}
	return verdict(m, votes), nil
}

func previewLine(it source.Item, h header.Header, d mail.Decision) facts.PreviewLine {
	sum := header.Summarize(h)
	line := facts.PreviewLine{UID: it.UID, From: sum.From, Subject: sum.Subject, Size: it.Size, Route: d.Route, Evidence: d.Evidence}
	for _, r := range d.Recipients {
		line.Recipients = append(line.Recipients, r.Address)
	}
	return line
}

// verdict: Bcc and lists can work when the provider writes the envelope down.
// A message or two without it, put there by hand, do not change that.
func verdict(m *config.Mailbox, votes map[string]int) facts.Verdict {
	if m.Kind == config.Individual {
		return facts.Verdict{Verdict: facts.VerdictBccWorks}
	}
	out := facts.Verdict{Verdict: facts.VerdictBccUnknown}
	best, envelope, all := 0, 0, 0
	for route, n := range votes {
		all += n
		name, is := strings.CutPrefix(route, mail.RouteEnvelope)
		if !is && route != mail.RouteEnv && route != mail.RouteReceived {
			continue
		}
		envelope += n
		if is && (n > best || (n == best && name < out.EnvelopeHeader)) {
			best, out.EnvelopeHeader = n, name
		}
	}
	if all > 0 && envelope*2 > all {
		out.Verdict = facts.VerdictBccWorks
	}
	return out
}
