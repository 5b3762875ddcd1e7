package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
)

const stepRcpt = "rcpt"

// checkLine is the JSON object of one step of `check`.
type checkLine struct {
	Subject string  `json:"subject"`
	Step    string  `json:"step"`
	OK      bool    `json:"ok"`
	Detail  *string `json:"detail"`
	Advice  *string `json:"advice"`
}

func (s *session) checkCommand() *cobra.Command {
	c := s.command("check", s.check, 0, -1)
	c.ValidArgsFunction = s.completeMailboxes
	s.jsonFlag(c.Flags())
	return c
}

func (s *session) check(cmd *cobra.Command, names []string) error {
	return s.with(cmd, facts.AccessConfig, func(b Backend) error {
		var sourceFailed, targetFailed bool
		err := b.Check(cmd.Context(), names, func(step facts.CheckStep) error {
			if !step.OK {
				sourceFailed = sourceFailed || step.Side == facts.SideSource
				targetFailed = targetFailed || step.Side == facts.SideTarget
			}
			if err := s.showStep(step); err != nil {
				return err
			}
			return s.out.flush()
		})
		if err != nil {
			return err
		}
		if !s.json {
			key := "check.good"
			if sourceFailed || targetFailed {
				key = "check.bad"
			}
			if err := s.out.put(s.p.T(key)); err != nil {
				return err
			}
		}
		return asOutcome(checkCode(sourceFailed, targetFailed))
	})
}

func (s *session) showStep(step facts.CheckStep) error {
	c := i18n.Context{Side: step.Side, Name: step.Subject, Host: step.Host}
	if s.json {
		line := checkLine{Subject: step.Subject, Step: step.Step, OK: step.OK, Detail: orNull(cell(step.Detail))}
		if step.Fault != nil {
			line.Detail = orNull(strings.TrimSpace(s.sentence(step.Fault, c) + " " + cell(step.Detail)))
			line.Advice = orNull(s.p.Fault(step.Fault.Failure(), c).Advice)
		}
		return s.out.object(line)
	}
	mark := s.p.T("check.ok")
	said := []string{s.p.T("check.step." + step.Step)}
	if !step.OK {
		mark = s.p.T("check.fault")
	}
	if step.Fault != nil {
		said = s.explain(step.Fault.Failure(), c)
		if step.Step == stepRcpt { // no message was refused, only a question
			said = s.advise(step.Fault.Failure(), c)
		}
	}
	if step.Detail != "" {
		said[0] += " (" + cell(step.Detail) + ")"
	}
	line := pad(mark, 3) + " " + cell(step.Subject) + s.p.T("cli.colon") + strings.Join(said, "\n      ")
	return s.out.put(line)
}
