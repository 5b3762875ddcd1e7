package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

func (s *session) queueCommand() *cobra.Command {
	queue := s.command("queue", func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return s.unknownCommand(cmd, args[0])
		}
		return s.queueList(cmd, args)
	}, -1, -1)
	s.jsonFlag(queue.PersistentFlags())
	queue.AddCommand(
		s.command("queue.list", s.queueList, 0, 0),
		s.command("queue.show", s.queueShow, 1, 1),
		s.queueRetryCommand(),
		s.queueDeleteCommand(),
		s.command("queue.send-to", s.queueSendTo, 2, 2),
		s.queueSaveCommand(),
	)
	for _, c := range queue.Commands() {
		if c.Name() != "list" {
			c.ValidArgsFunction = s.completeQueue
		}
	}
	return queue
}

func (s *session) queueList(cmd *cobra.Command, _ []string) error {
	return s.with(cmd, facts.AccessRead, func(b Backend) error {
		if s.json {
			return b.Queued(cmd.Context(), func(e mail.Entry) error { return s.out.object(e) })
		}
		t := s.newTable(
			column{title: s.p.T("col.number")},
			column{title: s.p.T("col.time")},
			column{title: s.p.T("col.state")},
			column{title: s.p.T("col.from"), min: 10},
			column{title: s.p.T("col.subject"), min: 10},
			column{title: s.p.T("col.for"), min: 12},
			column{title: s.p.T("col.next")},
			column{title: s.p.T("col.reason"), min: 12},
		)
		count := 0
		now := s.env.Now()
		err := b.Queued(cmd.Context(), func(e mail.Entry) error {
			count++
			return t.row(e.ID, s.p.When(e.Time, now), s.p.T("state."+string(e.State)), e.From, e.Subject,
				pending(e), s.p.When(e.NextAttempt, now), e.Reason)
		})
		if err != nil {
			return err
		}
		if count == 0 {
			return s.out.put(s.p.T("queue.empty"))
		}
		return t.close()
	})
}

// pending names the recipients that still wait; those that have the message
// already are of no interest in the queue.
func pending(e mail.Entry) string {
	var waiting []mail.EntryRecipient
	for _, r := range e.Recipients {
		if r.State == mail.Queued || r.State == mail.Quarantined {
			waiting = append(waiting, r)
		}
	}
	if len(waiting) == 0 {
		waiting = e.Recipients
	}
	return addresses(waiting)
}

func (s *session) queueShow(cmd *cobra.Command, args []string) error {
	return s.with(cmd, facts.AccessRead, func(b Backend) error {
		story, err := b.Story(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return s.showStory(story)
	})
}

func (s *session) queueRetryCommand() *cobra.Command {
	all := false
	c := s.command("queue.retry", func(cmd *cobra.Command, ids []string) error {
		return s.queueChange(cmd, ids, all, "queue.retried", Backend.Retry)
	}, -1, -1)
	c.Flags().BoolVar(&all, "all", false, "flag.all")
	return c
}

func (s *session) queueDeleteCommand() *cobra.Command {
	var all, yes bool
	c := s.command("queue.delete", func(cmd *cobra.Command, ids []string) error {
		if all && !yes && s.env.StdinTerminal && len(ids) == 0 {
			if err := s.confirm(cmd.Context(), s.p.T("queue.delete_all")); err != nil {
				return err
			}
		}
		return s.queueChange(cmd, ids, all, "queue.deleted", Backend.Delete)
	}, -1, -1)
	c.Flags().BoolVar(&all, "all", false, "flag.all")
	c.Flags().BoolVar(&yes, "yes", false, "flag.yes")
	return c
}

// queueChange changes the named messages, or all of the queue. Every id is
// looked up before the first is changed: a typing error touches nothing.
func (s *session) queueChange(cmd *cobra.Command, ids []string, all bool, done string,
	change func(Backend, context.Context, string) (mail.Entry, error),
) error {
	if all == (len(ids) > 0) {
		return s.usage(cmd, "cli.usage.ids_or_all", i18n.Args{"Usage": cmd.UseLine()})
	}
	return s.with(cmd, facts.AccessChange, func(b Backend) error {
		ids, err := lookUp(cmd.Context(), b, ids, all)
		if err != nil {
			return err
		}
		var faults []error
		changed := 0
		for _, id := range ids {
			e, err := change(b, cmd.Context(), id)
			if all && overtaken(err) {
				continue
			}
			if err != nil {
				faults = append(faults, err)
				continue
			}
			changed++
			if err := s.showChanged(e, done); err != nil {
				return err
			}
		}
		if len(ids) == 0 && !s.json {
			return s.out.put(s.p.T("queue.empty"))
		}
		if changed > 0 && len(faults) > 0 {
			return &partial{errors.Join(faults...)}
		}
		return errors.Join(faults...)
	})
}

// partial is the error of a command that did a part of its work: its exit code
// is never "wrong usage, nothing was touched".
type partial struct{ error }

func (p *partial) Unwrap() error { return p.error }

func lookUp(ctx context.Context, b Backend, ids []string, all bool) ([]string, error) {
	if !all {
		var faults []error
		for _, id := range ids {
			if _, err := b.Story(ctx, id); err != nil {
				faults = append(faults, err)
			}
		}
		return ids, errors.Join(faults...)
	}
	ids = nil
	err := b.Queued(ctx, func(e mail.Entry) error { ids = append(ids, e.ID); return nil })
	return ids, err
}

// overtaken tells whether a message left the queue between listing and
// changing it, which is no fault when all were meant.
func overtaken(err error) bool {
	f, ok := errors.AsType[*mail.Failure](err)
	return ok && (f.Code == facts.CodeWrongState || f.Code == facts.CodeUnknownMessage || f.Code == facts.CodeNotFound)
}

func (s *session) showChanged(e mail.Entry, done string) error {
	if s.json {
		return s.out.object(e)
	}
	return s.out.put(s.p.T(done, i18n.Args{
		"ID": cell(e.ID), "Subject": cell(e.Subject), "From": cell(e.From), "State": s.p.T("state." + string(e.State)),
	}))
}

func (s *session) queueSendTo(cmd *cobra.Command, args []string) error {
	return s.with(cmd, facts.AccessChange, func(b Backend) error {
		e, err := b.SendTo(cmd.Context(), args[0], args[1])
		if err != nil {
			return err
		}
		return s.showChanged(e, "queue.sent_to")
	})
}

func (s *session) queueSaveCommand() *cobra.Command {
	return s.command("queue.save", func(cmd *cobra.Command, args []string) error {
		id, path := args[0], args[1]
		return s.with(cmd, facts.AccessRead, func(b Backend) error {
			if path == "-" {
				return b.Save(cmd.Context(), id, s.env.Stdout)
			}
			if err := saveFile(path, func(w writer) error { return b.Save(cmd.Context(), id, w) }); err != nil {
				return err
			}
			s.say(s.p.T("queue.saved", i18n.Args{"ID": cell(id), "Path": cell(path)}))
			return nil
		})
	}, 2, 2)
}
