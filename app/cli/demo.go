package cli

import (
	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

func (s *session) demoCommand() *cobra.Command {
	return s.command("demo", s.demo, 0, 0)
}

// demo shows the whole way on servers of its own: who got what, and why.
func (s *session) demo(cmd *cobra.Command, _ []string) error {
	if err := s.out.put(s.p.T("demo.intro")); err != nil {
		return err
	}
	if err := s.out.flush(); err != nil {
		return err
	}
	report, err := s.app.Demo(cmd.Context(), s.options(facts.AccessEngine), s.startProgress().event)
	s.bar.close()
	if err != nil {
		return err
	}
	if err := s.out.put(""); err != nil {
		return err
	}
	t := s.newTable(
		column{title: s.p.T("col.mailbox"), min: 6},
		column{title: s.p.T("col.from"), min: 12},
		column{title: s.p.T("col.subject"), min: 14},
		column{title: s.p.T("col.for"), min: 18},
		column{title: s.p.T("col.state")},
		column{title: s.p.T("col.because"), min: 12},
	)
	for _, e := range report.Messages {
		if err := s.demoRows(t, e); err != nil {
			return err
		}
	}
	if err := t.close(); err != nil {
		return err
	}
	return s.out.put("\n" + s.balance(report.Balance) + "\n" + s.p.T("demo.end", i18n.Args{"Seconds": s.p.Seconds(report.Took)}))
}

// demoRows writes one row for each copy of a message; the first carries what
// they share.
func (s *session) demoRows(t *table, e mail.Entry) error {
	recipients := e.Recipients
	if len(recipients) == 0 {
		recipients = []mail.EntryRecipient{{State: e.State}}
	}
	for i, r := range recipients {
		cells := []string{e.Mailbox, e.From, e.Subject, r.Address, s.p.T("state." + string(r.State)), tell.Route(s.p, e.Route)}
		if i > 0 {
			cells[0], cells[1], cells[2], cells[5] = "", "", "", ""
		}
		if err := t.row(cells...); err != nil {
			return err
		}
	}
	return nil
}
