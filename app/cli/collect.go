package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// resultLine is the JSON object that `collect` writes for each mailbox.
type resultLine struct {
	Mailbox string     `json:"mailbox"`
	Result  string     `json:"result"`
	Error   *string    `json:"error"`
	Code    *mail.Code `json:"code"`
	Advice  *string    `json:"advice"`
	New     int        `json:"new"`
}

const collectName = "collect"

func (s *session) collectCommand() *cobra.Command {
	c := s.command(collectName, s.collect, 0, -1)
	c.ValidArgsFunction = s.completeMailboxes
	s.jsonFlag(c.Flags())
	return c
}

func (s *session) collect(cmd *cobra.Command, names []string) error {
	o := s.options(facts.AccessCollect)
	o.Mailboxes, o.Ready = names, s.env.Taken
	return s.withOptions(cmd, o, func(b Backend) error {
		s.env.untilTaken()
		// The first line that is shown is to hold up no mailbox.
		go s.p.Has("event.mailbox_start")
		var changed func(mail.Entry) error
		if s.json {
			// A reader that went away must not stop a collection: the error is
			// kept by the writer and told at the end.
			changed = func(e mail.Entry) error { _ = s.out.object(e); return nil }
		}
		report, err := b.Collect(cmd.Context(), names, s.startProgress().event, changed)
		s.bar.close()
		if err != nil && len(report.Mailboxes) == 0 && !report.Interrupted {
			return err
		}
		// What was done is told also when something failed on the way.
		if report.Interrupted && stopped(err) {
			err = nil
		}
		return errors.Join(err, s.showCollection(report), asOutcome(collectCode(report)))
	})
}

func (s *session) showCollection(r facts.CollectReport) error {
	if s.json {
		for _, m := range r.Mailboxes {
			if err := s.out.object(s.resultLine(m)); err != nil {
				return err
			}
		}
	} else if err := s.collectionTable(r); err != nil {
		return err
	}
	for _, big := range r.TooBig {
		s.sayTooBig(big)
	}
	for _, m := range r.Mailboxes {
		if m.BadLines > 0 { // rule 2
			s.say(s.p.N("collect.bad_lines", int64(m.BadLines), i18n.Args{"Mailbox": cell(m.Mailbox)}))
		}
		if m.Undeleted { // rule 12
			s.say(s.p.T("collect.undeleted", i18n.Args{"Mailbox": cell(m.Mailbox)}))
		}
		if m.Fault != nil {
			s.sayFault(m.Mailbox, m.Fault, i18n.Context{Side: i18n.SideSource, Name: m.Mailbox, Host: m.Host})
		}
	}
	s.sayTargets(r.Targets)
	if r.Interrupted {
		s.say(s.p.T("fault.cancelled") + " " + s.p.T("advice.cancelled"))
	}
	return nil
}

func (s *session) collectionTable(r facts.CollectReport) error {
	t := s.newTable(
		column{title: s.p.T("col.mailbox"), min: 20},
		column{title: s.p.T("col.new"), right: true},
		column{title: s.p.T("col.result")},
	)
	for _, m := range r.Mailboxes {
		// Why it failed stands in full below the table.
		if err := t.row(m.Mailbox, s.p.Number(int64(m.New)), s.p.T("result."+m.Result)); err != nil {
			return err
		}
	}
	if err := t.close(); err != nil {
		return err
	}
	return s.out.put(s.collectionSummary(r))
}

// collectionSummary is the last line: what became of the mail, and where to
// look when some of it needs a person.
func (s *session) collectionSummary(r facts.CollectReport) string {
	line := s.p.N("collect.delivered", int64(r.Delivered))
	if r.Queued > 0 {
		line += " " + s.p.N("collect.queued", r.Queued)
	}
	if r.Quarantined > 0 {
		line += " " + s.p.N("collect.quarantined", int64(r.Quarantined))
	}
	if r.Failed > 0 {
		line += " " + s.p.N("collect.failed", int64(r.Failed))
	}
	if r.Queued > 0 || r.Quarantined > 0 || r.Failed > 0 {
		line += "\n" + s.p.T("collect.see_queue", i18n.Args{"Program": Name})
	}
	return line
}

func (s *session) resultLine(m facts.MailboxResult) resultLine {
	line := resultLine{Mailbox: m.Mailbox, Result: m.Result, New: m.New}
	if m.Fault != nil {
		c := i18n.Context{Side: i18n.SideSource, Name: m.Mailbox, Host: m.Host}
		line.Error = orNull(s.sentence(m.Fault, c))
		line.Code = &m.Fault.Code
		line.Advice = orNull(s.p.Fault(m.Fault.Failure(), c).Advice)
	}
	return line
}

// sayFault shows one fault as a block under the name of what it is about.
func (s *session) sayFault(name string, f *facts.Fault, c i18n.Context) {
	lines := s.explain(f.Failure(), c)
	s.say(cell(name) + s.p.T("cli.colon") + lines[0])
	for _, l := range lines[1:] {
		s.say("  " + l)
	}
}

// sayTooBig tells once of a message that stays with the provider, and how to
// decide about it (rule 15).
func (s *session) sayTooBig(big facts.TooBig) {
	args := i18n.Args{
		"Mailbox": cell(big.Mailbox), "Size": s.p.Size(big.Size), "From": cell(big.From), "Subject": cell(big.Subject),
		"Program": Name, "ID": big.ID,
	}
	for _, key := range []string{"collect.too_big", "collect.fetch_it", "collect.delete_it"} {
		s.say(s.p.T(key, args))
	}
}

func (s *session) sayTargets(targets []facts.TargetStatus) {
	for _, t := range targets {
		if t.Fault != nil {
			s.sayFault(t.Name, t.Fault, i18n.Context{Side: i18n.SideTarget, Name: t.Name, Host: t.Host})
		}
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
