package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postbag/app/facts"
	"postbag/app/i18n"
)

// The groups of the help.
const (
	groupMail  = "mail"
	groupLook  = "look"
	groupSetup = "setup"
	groupOther = "misc"
)

// tree builds the commands without their texts: see describe.
func (s *session) tree() *cobra.Command {
	root := s.command("", s.group, -1, -1)
	root.Use = Name
	root.SilenceErrors, root.SilenceUsage = true, true
	root.DisableSuggestions = true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(s.env.Stdout)
	root.SetErr(s.env.Stderr)
	root.SetFlagErrorFunc(s.flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = s.out.put(s.helpText(cmd)) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { s.say(s.helpText(cmd)); return nil })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return s.checkFlags(cmd) }
	for _, g := range []string{groupMail, groupLook, groupSetup, groupOther} {
		root.AddGroup(&cobra.Group{ID: g})
	}
	s.globalFlags(root.PersistentFlags())

	if len(s.env.Args) > 0 && s.env.Args[0] == collectName {
		// A schedule runs it every few minutes; it need not know of the others.
		root.AddCommand(inGroup(groupMail, s.collectCommand()))
		return root
	}
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			root.AddCommand(inGroup(group, c))
		}
	}
	add(groupMail, s.demoCommand(), s.runCommand(), s.collectCommand(), s.checkCommand(), s.previewCommand())
	add(groupLook, s.statusCommand(), s.logCommand(), s.queueCommand(), s.mailboxCommand())
	add(groupSetup, s.configCommand(), s.secretCommand(), s.backupCommand(), s.repairCommand())
	add(groupOther, s.versionCommand(), s.completionCommand())
	root.AddCommand(s.manCommand())
	root.SetHelpCommand(inGroup(groupOther, s.helpCommand()))
	return root
}

func inGroup(group string, c *cobra.Command) *cobra.Command {
	c.GroupID = group
	return c
}

// command makes a command whose texts stand under "cmd.<path>".
func (s *session) command(path string, run func(*cobra.Command, []string) error, least, most int) *cobra.Command {
	s.made++
	words := strings.Split(path, ".")
	key := "cmd." + path
	if path == "" {
		key = "cmd.root"
	}
	begin := run
	if path != collectName { // which is in a hurry, and waits by itself
		begin = func(c *cobra.Command, args []string) error {
			s.env.untilTaken()
			return run(c, args)
		}
	}
	c := &cobra.Command{
		Use: words[len(words)-1], RunE: begin, DisableFlagsInUseLine: true,
		Annotations: map[string]string{orderNote: fmt.Sprintf("%03d", s.made), textNote: key},
	}
	c.Args = cobra.ArbitraryArgs
	if least >= 0 {
		c.Args = s.between(least, most)
	}
	return c
}

// textNote is the annotation of a command that names its texts.
const textNote = "text"

// describe gives the commands their texts in the language of the session:
// short, long, args and example (the last three are optional). It is called
// where they are shown: no collection has to wait for the help.
func (s *session) describe(cmd *cobra.Command) {
	if s.described {
		return
	}
	s.described = true
	for _, g := range cmd.Root().Groups() {
		g.Title = s.p.T("cli.help.group." + g.ID)
	}
	s.describeAll(cmd.Root())
}

func (s *session) describeAll(c *cobra.Command) {
	if key := c.Annotations[textNote]; key != "" {
		c.Short, c.Long, c.Example = s.p.T(key+".short"), s.optional(key+".long"), s.optional(key+".example")
		if args := s.optional(key + ".args"); args != "" {
			c.Use += " " + args
		}
	}
	flag := func(f *pflag.Flag) {
		if strings.HasPrefix(f.Usage, "flag.") {
			f.Usage = s.p.T(f.Usage, i18n.Args{"Default": f.DefValue})
		}
	}
	c.Flags().VisitAll(flag)
	c.PersistentFlags().VisitAll(flag)
	for _, sub := range c.Commands() {
		s.describeAll(sub)
	}
}

func (s *session) optional(key string) string {
	if !s.p.Has(key) {
		return ""
	}
	return strings.TrimRight(s.p.T(key, i18n.Args{"Program": Name}), "\n")
}

// globalFlags are understood before and after the command. The usage of a flag
// is the key of its text until describe.
func (s *session) globalFlags(flags *pflag.FlagSet) {
	config, data := defaultConfig(s.env.Getenv), defaultData(s.env.Getenv)
	flags.StringVar(&s.config, "config", config, "flag.config")
	flags.StringVar(&s.data, "data", data, "flag.data")
	flags.StringVar(&s.lang, "lang", "", "flag.lang")
	flags.BoolP("help", "h", false, "flag.help")
}

func (s *session) jsonFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&s.json, "json", false, "flag.json")
}

func (s *session) checkFlags(cmd *cobra.Command) error {
	if cmd.Flags().Changed("lang") && !i18n.Supported(s.lang) {
		return s.usage(cmd, "cli.usage.lang", i18n.Args{"Value": s.lang, "Languages": strings.Join(i18n.Languages(), ", ")})
	}
	for name, value := range map[string]string{"config": s.config, "data": s.data} {
		if value == "" {
			return s.usage(cmd, "cli.usage.flag_value_missing", i18n.Args{"Flag": "--" + name})
		}
	}
	return nil
}

func (s *session) options(access facts.Access) facts.Options {
	return facts.Options{Config: absolute(s.config), Data: absolute(s.data), Lang: s.p.Lang(), Access: access}
}

// absolute makes a path that means the same to a running engine, which was
// started in another folder.
func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

// with opens the application, runs f and closes it again; an error of closing
// counts, because the last changes may be in it.
func (s *session) with(cmd *cobra.Command, access facts.Access, f func(Backend) error) error {
	return s.withOptions(cmd, s.options(access), f)
}

// withOptions is with for a command that says more than what it wants to do.
func (s *session) withOptions(cmd *cobra.Command, o facts.Options, f func(Backend) error) error {
	b, err := s.app.Open(cmd.Context(), o)
	if err != nil {
		return err
	}
	err = f(b)
	if closeErr := b.Close(); err == nil {
		err = closeErr
	}
	return err
}
