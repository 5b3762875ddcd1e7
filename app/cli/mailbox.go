package cli

import (
	"context"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
)

func (s *session) mailboxCommand() *cobra.Command {
	mailbox := s.command("mailbox", s.group, -1, -1)
	s.jsonFlag(mailbox.PersistentFlags())
	pause := s.command("mailbox.pause", s.mailboxChange("mailbox.paused", Backend.Pause), 1, 1)
	resume := s.command("mailbox.resume", s.mailboxChange("mailbox.resumed", Backend.Resume), 1, 1)
	pause.ValidArgsFunction, resume.ValidArgsFunction = s.completeMailboxes, s.completeMailboxes
	mailbox.AddCommand(s.command("mailbox.list", s.mailboxList, 0, 0), pause, resume)
	return mailbox
}

func (s *session) mailboxList(cmd *cobra.Command, _ []string) error {
	return s.with(cmd, facts.AccessRead, func(b Backend) error {
		mailboxes, err := b.Mailboxes(cmd.Context())
		if err != nil {
			return err
		}
		if !s.json {
			return s.mailboxTable(mailboxes)
		}
		for _, m := range mailboxes {
			if err := s.out.object(s.mailboxObject(m)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) mailboxChange(done string,
	change func(Backend, context.Context, string) (facts.MailboxStatus, error),
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		return s.with(cmd, facts.AccessChange, func(b Backend) error {
			m, err := change(b, cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if s.json {
				return s.out.object(s.mailboxObject(m))
			}
			return s.out.put(s.p.T(done, i18n.Args{"Mailbox": cell(m.Name)}))
		})
	}
}
