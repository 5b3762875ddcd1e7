package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postbag/app/i18n"
)

// langFlag finds --lang before the flags are parsed: the help itself must be in
// that language. given is false when it is not there.
func langFlag(args []string) (lang string, given bool) {
	for i, a := range args {
		switch {
		case a == "--":
			return lang, given
		case a == "--lang" && i+1 < len(args):
			lang, given = args[i+1], true
		case strings.HasPrefix(a, "--lang="):
			lang, given = strings.TrimPrefix(a, "--lang="), true
		}
	}
	return lang, given
}

func (s *session) usage(cmd *cobra.Command, key string, args ...i18n.Args) error {
	return &usageError{text: s.p.T(key, args...), hint: cmd.CommandPath()}
}

// flagError puts pflag's errors into the reader's words.
func (s *session) flagError(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := "--" + e.GetSpecifiedName()
		if e.GetSpecifiedShortnames() != "" {
			name = "-" + e.GetSpecifiedName()
		}
		return s.usage(cmd, "cli.usage.flag_unknown", i18n.Args{"Flag": name})
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return s.usage(cmd, "cli.usage.flag_value_missing", i18n.Args{"Flag": "--" + e.GetFlag().Name})
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return s.usage(cmd, "cli.usage.flag_value", i18n.Args{"Flag": "--" + e.GetFlag().Name, "Value": e.GetValue()})
	}
	return s.usage(cmd, "cli.usage.flag_other", i18n.Args{"Detail": err.Error()})
}

// between checks the number of arguments; most below zero is any number.
func (s *session) between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			s.describe(cmd)
		}
		switch {
		case len(args) < least:
			return s.usage(cmd, "cli.usage.too_few", i18n.Args{"Usage": cmd.UseLine()})
		case most >= 0 && len(args) > most:
			return s.usage(cmd, "cli.usage.too_many", i18n.Args{"Extra": args[most], "Usage": cmd.UseLine()})
		}
		return nil
	}
}

// group is what a command does that only holds others: without a word it shows
// its help, an unknown word is an error with a guess.
func (s *session) group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		s.say(s.helpText(cmd))
		return outcome(exitUsage)
	}
	return s.unknownCommand(cmd, args[0])
}

func (s *session) unknownCommand(cmd *cobra.Command, word string) error {
	err := &usageError{
		text: s.p.T("cli.usage.command_unknown", i18n.Args{"Word": word}),
		hint: cmd.CommandPath(),
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		err.text += " " + s.p.T("cli.usage.did_you_mean", i18n.Args{"Word": near[0]})
	}
	return err
}
