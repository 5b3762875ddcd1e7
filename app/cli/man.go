package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"postbag/app/i18n"
)

// manCommand is for those who build packages: hidden from the help.
func (s *session) manCommand() *cobra.Command {
	c := s.command("man", func(cmd *cobra.Command, _ []string) error {
		return s.out.put(strings.TrimRight(s.manPage(cmd.Root()), "\n"))
	}, 0, 0)
	c.Hidden = true
	return c
}

// manPage is the manual page of the program in the language of the session, in
// the macros of man(7). It has no date, so that two builds give the same page.
func (s *session) manPage(root *cobra.Command) string {
	s.describe(root)
	m := &roff{}
	m.macro("TH", strings.ToUpper(Name), "1", "", Name+" "+s.app.Build().Version)
	m.section(s.p.T("man.name"))
	m.text(Name + ` \- ` + roffText(root.Short))
	m.section(s.p.T("man.synopsis"))
	m.line(`.B ` + Name)
	m.text(roffText(s.p.T("cli.help.command_word")))
	m.section(s.p.T("man.about"))
	m.paragraphs(root.Long)
	m.section(s.p.T("man.commands"))
	s.manCommands(m, root)
	m.section(s.p.T("man.options"))
	m.flags(s.manFlags(root))
	m.section(s.p.T("man.exit"))
	m.paragraphs(s.p.T("man.exit_codes"))
	m.section(s.p.T("man.files"))
	m.paragraphs(s.p.T("man.files_text"))
	return m.b.String()
}

// manFlags are the global options without the folders of this computer.
func (s *session) manFlags(root *cobra.Command) [][2]string {
	root.PersistentFlags().Lookup("config").Usage = s.p.T("flag.config", i18n.Args{"Default": "~/.config/postbag/postbag.toml"})
	root.PersistentFlags().Lookup("data").Usage = s.p.T("flag.data", i18n.Args{"Default": "~/.local/share/postbag"})
	return flagRows(persistent(root))
}

func (s *session) manCommands(m *roff, cmd *cobra.Command) {
	for _, c := range inOrder(cmd.Commands()) {
		if !c.IsAvailableCommand() {
			continue
		}
		if c.Runnable() {
			m.line(".TP")
			m.line(`.B ` + roffText(strings.TrimPrefix(c.UseLine(), Name+" ")))
			about := c.Long
			if about == "" {
				about = c.Short
			}
			m.text(roffText(strings.ReplaceAll(about, "\n", " ")))
			if rows := flagRows(c.LocalNonPersistentFlags()); len(rows) > 0 {
				m.line(".RS")
				m.flags(rows)
				m.line(".RE")
			}
		}
		s.manCommands(m, c)
	}
}

// roff writes the requests of man(7).
type roff struct{ b strings.Builder }

func (m *roff) line(text string) { m.b.WriteString(text + "\n") }

// text writes a line that is no request even when it begins like one.
func (m *roff) text(text string) {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	m.line(text)
}

func (m *roff) macro(name string, args ...string) {
	line := "." + name
	for _, a := range args {
		line += ` "` + strings.ReplaceAll(roffText(a), `"`, `""`) + `"`
	}
	m.line(line)
}

func (m *roff) section(title string) { m.macro("SH", strings.ToUpper(title)) }

func (m *roff) paragraphs(text string) {
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			m.line(".PP")
		}
		for _, l := range strings.Split(p, "\n") {
			m.text(roffText(l))
			if strings.HasPrefix(l, " ") || isTableLine(l) {
				m.line(".br")
			}
		}
	}
}

// isTableLine tells a line that begins with a number: the exit codes stand one
// a line.
func isTableLine(l string) bool { return l != "" && l[0] >= '0' && l[0] <= '9' }

func (m *roff) flags(rows [][2]string) {
	for _, r := range rows {
		m.line(".TP")
		m.line(`.B ` + roffText(strings.TrimSpace(r[0])))
		m.text(roffText(r[1]))
	}
}

// roffText escapes what roff would take for its own (groff_char(7)).
func roffText(text string) string {
	return strings.NewReplacer(`\`, `\e`, `-`, `\-`, "\u00a0", `\ `, "\u202f", `\ `).Replace(text)
}
