package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/engine/mail"
)

func (s *session) runCommand() *cobra.Command {
	return s.command("run", s.run, 0, 0)
}

// run is the engine in the foreground. Being asked to stop is its normal end.
func (s *session) run(cmd *cobra.Command, _ []string) error {
	return s.with(cmd, facts.AccessEngine, func(b Backend) error {
		lines := &progress{p: s.p, line: s.err.line, faults: true, fetched: map[string][2]int{}}
		err := b.Run(cmd.Context(), lines.event)
		if cmd.Context().Err() != nil && stopped(err) {
			return nil
		}
		return err
	})
}

// stopped tells whether an error only says that the work was asked to end.
func stopped(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return true
	}
	f, ok := errors.AsType[*mail.Failure](err)
	return ok && f.Code == mail.CodeCancelled
}
