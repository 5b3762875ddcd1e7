package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rivo/uniseg"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postbag/app/i18n"
)

// helpText is the help of a command; cobra's own templates are English.
func (s *session) helpText(cmd *cobra.Command) string {
	s.describe(cmd)
	var b strings.Builder
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	b.WriteString(about + "\n")
	section := func(key string) { b.WriteString("\n" + s.p.T(key) + "\n") }
	section("cli.help.usage")
	b.WriteString("  " + s.useLine(cmd) + "\n")
	if cmd.HasAvailableSubCommands() {
		s.helpCommands(&b, cmd)
	}
	if cmd.Example != "" {
		section("cli.help.examples")
		b.WriteString(indent(cmd.Example) + "\n")
	}
	if rows := flagRows(cmd.LocalNonPersistentFlags()); len(rows) > 0 {
		section("cli.help.flags")
		b.WriteString(twoColumns(rows))
	}
	cmd.InitDefaultHelpFlag()
	if rows := flagRows(persistent(cmd)); len(rows) > 0 {
		section("cli.help.global")
		b.WriteString(twoColumns(rows))
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n" + s.p.T("cli.help.more", i18n.Args{"Command": cmd.CommandPath()}) + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func (s *session) useLine(cmd *cobra.Command) string {
	line := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		return line + " " + s.p.T("cli.help.command_word")
	}
	if cmd.LocalNonPersistentFlags().HasAvailableFlags() {
		line += " " + s.p.T("cli.help.option_word")
	}
	return line
}

func (s *session) helpCommands(b *strings.Builder, cmd *cobra.Command) {
	write := func(title, group string) {
		var rows [][2]string
		for _, c := range inOrder(cmd.Commands()) {
			if c.IsAvailableCommand() && c.GroupID == group {
				rows = append(rows, [2]string{c.Name(), c.Short})
			}
		}
		if len(rows) > 0 {
			b.WriteString("\n" + title + "\n" + twoColumns(rows))
		}
	}
	for _, g := range cmd.Groups() {
		write(g.Title, g.ID)
	}
	write(s.p.T("cli.help.commands"), "")
}

// inOrder brings the commands back into the order in which they were made,
// which is the order in which they are needed; cobra sorts them by name.
func inOrder(commands []*cobra.Command) []*cobra.Command {
	sorted := slices.Clone(commands)
	slices.SortStableFunc(sorted, func(a, b *cobra.Command) int {
		return strings.Compare(a.Annotations[orderNote], b.Annotations[orderNote])
	})
	return sorted
}

// orderNote is the annotation of a command that keeps its place.
const orderNote = "order"

// persistent are the flags that a command has from above or hands down.
func persistent(cmd *cobra.Command) *pflag.FlagSet {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	all.AddFlagSet(cmd.PersistentFlags())
	all.AddFlagSet(cmd.InheritedFlags())
	return all
}

func flagRows(flags *pflag.FlagSet) [][2]string {
	var rows [][2]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" && f.Value.Type() != "bool" {
			name += " " + value
		}
		rows = append(rows, [2]string{name, usage})
	})
	return rows
}

func twoColumns(rows [][2]string) string {
	width := 0
	for _, r := range rows {
		width = max(width, uniseg.StringWidth(r[0]))
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "  %s%s  %s\n", r[0], strings.Repeat(" ", width-uniseg.StringWidth(r[0])), r[1])
	}
	return b.String()
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}

func (s *session) helpCommand() *cobra.Command {
	return s.command("help", func(cmd *cobra.Command, args []string) error {
		target, rest, err := cmd.Root().Find(args)
		if err != nil || target == nil || len(rest) > 0 {
			return s.unknownCommand(cmd.Root(), strings.Join(args, " "))
		}
		return s.out.put(s.helpText(target))
	}, -1, -1)
}
