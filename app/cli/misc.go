package cli

import (
	"context"
	"runtime"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/engine/mail"
)

func (s *session) versionCommand() *cobra.Command {
	return s.command("version", func(*cobra.Command, []string) error {
		b := s.app.Build()
		line := Name + " " + b.Version
		if b.Commit != "" {
			line += " (" + b.Commit + ")"
		}
		return s.out.put(line + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH)
	}, 0, 0)
}

func (s *session) completionCommand() *cobra.Command {
	c := s.command("completion", func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(s.env.Stdout, true)
		case "zsh":
			return root.GenZshCompletion(s.env.Stdout)
		case "fish":
			return root.GenFishCompletion(s.env.Stdout, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(s.env.Stdout)
		}
		return s.unknownCommand(cmd, args[0])
	}, 1, 1)
	c.ValidArgs = []string{"bash", "zsh", "fish", "powershell"}
	return c
}

// completionTime bounds how long the Tab key may take.
const completionTime = 2 * time.Second

// completeMailboxes offers the names of mailboxes; without an answer in time it
// offers nothing.
func (s *session) completeMailboxes(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return s.complete(cmd, prefix, func(ctx context.Context, b Backend, offer func(string)) {
		mailboxes, err := b.Mailboxes(ctx)
		if err != nil {
			return
		}
		for _, m := range mailboxes {
			offer(m.Name)
		}
	})
}

func (s *session) completeQueue(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if cmd.Name() == "save" && len(args) == 1 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return s.complete(cmd, prefix, func(ctx context.Context, b Backend, offer func(string)) {
		_ = b.Queued(ctx, func(e mail.Entry) error {
			offer(e.ID)
			return nil
		})
	})
}

func (s *session) complete(cmd *cobra.Command, prefix string, list func(context.Context, Backend, func(string))) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	b, err := s.app.Open(ctx, s.options(facts.AccessRead))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer b.Close()
	var words []string
	list(ctx, b, func(word string) {
		if strings.HasPrefix(word, prefix) {
			words = append(words, cell(word))
		}
	})
	return words, cobra.ShellCompDirectiveNoFileComp
}

// pad fills a text with spaces to so many columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-uniseg.StringWidth(text)))
}

// unindented lists pairs in two columns from the left edge.
func unindented(rows [][2]string) string {
	lines := strings.Split(twoColumns(rows), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
