package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

// previewLimit is how many messages a preview looks at unless told otherwise.
const previewLimit = 50

type previewLine struct {
	UID        string             `json:"uid"`
	From       *string            `json:"from"`
	Subject    *string            `json:"subject"`
	Size       *int64             `json:"size"`
	Recipients []previewRecipient `json:"recipients"`
	Route      string             `json:"route"`
}

type previewRecipient struct {
	Address string `json:"address"`
	State   string `json:"state"` // always "": nothing is delivered
	Reply   string `json:"reply"`
}

type verdictLine struct {
	Verdict        string  `json:"verdict"`
	EnvelopeHeader *string `json:"envelope_header"`
}

func (s *session) previewCommand() *cobra.Command {
	limit := previewLimit
	c := s.command("preview", func(cmd *cobra.Command, args []string) error {
		if limit < 1 {
			return s.usage(cmd, "cli.usage.flag_value", i18n.Args{"Flag": "--limit", "Value": limit})
		}
		return s.preview(cmd, args[0], limit)
	}, 1, 1)
	c.ValidArgsFunction = s.completeMailboxes
	c.Flags().IntVar(&limit, "limit", previewLimit, "flag.preview_limit")
	s.jsonFlag(c.Flags())
	return c
}

func (s *session) preview(cmd *cobra.Command, name string, limit int) error {
	return s.with(cmd, facts.AccessConfig, func(b Backend) error {
		t := s.newTable(
			column{title: s.p.T("col.from"), min: 12},
			column{title: s.p.T("col.subject"), min: 12},
			column{title: s.p.T("col.for"), min: 16},
			column{title: s.p.T("col.because"), min: 12},
		)
		count := 0
		verdict, err := b.Preview(cmd.Context(), name, limit, func(l facts.PreviewLine) error {
			count++
			if s.json {
				if err := s.out.object(previewObject(l)); err != nil {
					return err
				}
				return s.out.flush()
			}
			return t.row(l.From, l.Subject, strings.Join(l.Recipients, ", "), tell.Route(s.p, l.Route))
		})
		if err != nil {
			return s.previewFailed(name, err)
		}
		if s.json {
			return s.out.object(verdictLine{verdict.Verdict, orNull(verdict.EnvelopeHeader)})
		}
		if count == 0 {
			return s.out.put(s.p.T("preview.empty"))
		}
		if err := t.close(); err != nil {
			return err
		}
		return s.out.put(s.verdict(verdict))
	})
}

// previewFailed tells a mailbox that cannot be looked at from a fault of this
// program.
func (s *session) previewFailed(name string, err error) error {
	f, ok := errors.AsType[*mail.Failure](err)
	if !ok || usageCodes[f.Code] || f.Code == mail.CodeCancelled || f.Class == mail.Internal {
		return err
	}
	for i, line := range s.advise(f, i18n.Context{Side: i18n.SideSource, Name: name}) {
		if i == 0 {
			s.say(cell(name) + s.p.T("cli.colon") + line)
			continue
		}
		s.say("  " + line)
	}
	return outcome(exitMailbox)
}

func previewObject(l facts.PreviewLine) previewLine {
	out := previewLine{
		UID: l.UID, From: orNull(l.From), Subject: orNull(l.Subject),
		Recipients: make([]previewRecipient, 0, len(l.Recipients)), Route: l.Route,
	}
	if l.Size >= 0 {
		out.Size = &l.Size
	}
	for _, r := range l.Recipients {
		out.Recipients = append(out.Recipients, previewRecipient{Address: r})
	}
	return out
}

func (s *session) verdict(v facts.Verdict) string {
	if v.Verdict != facts.VerdictBccWorks {
		return s.p.T("preview.bcc_goes_to_unknown")
	}
	if v.EnvelopeHeader == "" {
		return s.p.T("preview.bcc_works")
	}
	return s.p.T("preview.bcc_works_by", i18n.Args{"Header": cell(v.EnvelopeHeader)})
}
