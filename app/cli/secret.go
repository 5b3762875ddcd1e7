package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
)

// secretLimit bounds what is read as a secret; an OAuth2 token has a few KB.
const secretLimit = 64 << 10

func (s *session) secretCommand() *cobra.Command {
	secret := s.command("secret", s.group, -1, -1)
	set := s.command("secret.set", s.secretSet, 1, 1)
	set.Args = s.onlyReference(set.Args)
	secret.AddCommand(
		set,
		s.command("secret.delete", s.secretDelete, 1, 1),
		s.command("secret.list", s.secretList, 0, 0),
	)
	return secret
}

// onlyReference refuses a second argument without repeating it: it is most
// likely the password.
func (s *session) onlyReference(otherwise cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return s.usage(cmd, "cli.usage.secret_argument")
		}
		return otherwise(cmd, args)
	}
}

// keyringRef takes a reference with or without its scheme; only the keyring
// can be written to.
func (s *session) keyringRef(cmd *cobra.Command, word string) (string, error) {
	ref := strings.TrimPrefix(word, "keyring:")
	for _, scheme := range []string{"env:", "file:", "credential:"} {
		if strings.HasPrefix(ref, scheme) {
			return "", s.usage(cmd, "cli.usage.keyring_only", i18n.Args{"Value": word})
		}
	}
	if strings.TrimSpace(ref) == "" {
		return "", s.usage(cmd, "cli.usage.too_few", i18n.Args{"Usage": cmd.UseLine()})
	}
	return ref, nil
}

// secretSet reads the value from the terminal without echo, twice, or from
// standard input, never from an argument: arguments can be read by others.
func (s *session) secretSet(cmd *cobra.Command, args []string) error {
	ref, err := s.keyringRef(cmd, args[0])
	if err != nil {
		return err
	}
	value, err := s.readSecretValue(cmd.Context(), ref)
	if err != nil {
		return err
	}
	if value == "" {
		return s.usage(cmd, "cli.usage.secret_empty")
	}
	if err := s.app.Secrets(s.options(facts.AccessChange)).Set(cmd.Context(), ref, value); err != nil {
		return err
	}
	return s.out.put(s.p.T("secret.stored", i18n.Args{"Ref": cell(ref)}))
}

func (s *session) readSecretValue(ctx context.Context, ref string) (string, error) {
	if !s.env.StdinTerminal {
		data, err := io.ReadAll(io.LimitReader(s.env.Stdin, secretLimit+1))
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
		if len(data) > secretLimit {
			return "", &usageError{text: s.p.T("cli.usage.secret_long")}
		}
		// One line end at the end is the editor's or echo's, not the secret's.
		return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
	}
	first, err := s.env.ReadSecret(ctx, s.p.T("secret.prompt", i18n.Args{"Ref": cell(ref)}))
	if err != nil || first == "" {
		return "", err
	}
	second, err := s.env.ReadSecret(ctx, s.p.T("secret.again"))
	if err != nil {
		return "", err
	}
	if first != second {
		return "", &usageError{text: s.p.T("cli.usage.secret_differs")}
	}
	return first, nil
}

func (s *session) secretDelete(cmd *cobra.Command, args []string) error {
	ref, err := s.keyringRef(cmd, args[0])
	if err != nil {
		return err
	}
	if err := s.app.Secrets(s.options(facts.AccessChange)).Delete(cmd.Context(), ref); err != nil {
		return err
	}
	return s.out.put(s.p.T("secret.deleted", i18n.Args{"Ref": cell(ref)}))
}

func (s *session) secretList(cmd *cobra.Command, _ []string) error {
	states, err := s.app.Secrets(s.options(facts.AccessConfig)).List(cmd.Context())
	if err != nil {
		return err
	}
	t := s.newTable(column{title: s.p.T("col.ref")}, column{title: s.p.T("col.state")})
	for _, r := range states {
		word := s.p.T("secret.readable")
		if !r.Readable {
			word = s.sentence(r.Fault, i18n.Context{})
			if r.Fault != nil {
				word += " " + s.p.Fault(r.Fault.Failure(), i18n.Context{}).Advice
			}
		}
		if err := t.row(r.Ref, word); err != nil {
			return err
		}
	}
	if len(states) == 0 {
		return s.out.put(s.p.T("secret.none"))
	}
	return t.close()
}
