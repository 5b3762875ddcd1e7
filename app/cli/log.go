package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

type logFlags struct {
	since, search, state, mailbox string
	limit                         int
	csv                           bool
}

func (s *session) logCommand() *cobra.Command {
	var f logFlags
	c := s.command("log", func(cmd *cobra.Command, _ []string) error { return s.log(cmd, f) }, 0, 0)
	flags := c.Flags()
	flags.StringVar(&f.since, "since", "", "flag.since")
	flags.StringVar(&f.search, "search", "", "flag.search")
	flags.StringVar(&f.state, "state", "", "flag.state")
	flags.StringVar(&f.mailbox, "mailbox", "", "flag.mailbox")
	flags.IntVar(&f.limit, "limit", 0, "flag.limit")
	flags.BoolVar(&f.csv, "csv", false, "flag.csv")
	s.jsonFlag(flags)
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(stateWords(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("mailbox", s.completeMailboxes)
	return c
}

func (s *session) log(cmd *cobra.Command, f logFlags) error {
	filter, err := s.logFilter(cmd, f)
	if err != nil {
		return err
	}
	return s.with(cmd, facts.AccessRead, func(b Backend) error {
		switch {
		case s.json:
			return b.Log(cmd.Context(), filter, func(e mail.Entry) error { return s.out.object(e) })
		case f.csv:
			rows := tell.NewCSV(s.env.Stdout)
			if err := b.Log(cmd.Context(), filter, rows.Entry); err != nil {
				return err
			}
			return rows.Close()
		}
		return s.logTable(cmd, b, filter)
	})
}

func (s *session) logFilter(cmd *cobra.Command, f logFlags) (facts.LogFilter, error) {
	filter := facts.LogFilter{Search: f.search, Mailbox: f.mailbox, State: mail.State(f.state), Limit: f.limit}
	if f.csv && s.json {
		return filter, s.usage(cmd, "cli.usage.together", i18n.Args{"A": "--csv", "B": "--json"})
	}
	if f.limit < 0 {
		return filter, s.usage(cmd, "cli.usage.flag_value", i18n.Args{"Flag": "--limit", "Value": strconv.Itoa(f.limit)})
	}
	if cmd.Flags().Changed("state") && !isState(f.state) {
		return filter, s.usage(cmd, "cli.usage.state", i18n.Args{"Value": f.state, "States": strings.Join(stateWords(), ", ")})
	}
	if cmd.Flags().Changed("since") {
		since, ok := parseSince(f.since, s.env.Now(), s.env.Zone)
		if !ok {
			return filter, s.usage(cmd, "cli.usage.since", i18n.Args{"Value": f.since})
		}
		filter.Since = since
	}
	return filter, nil
}

func (s *session) logTable(cmd *cobra.Command, b Backend, filter facts.LogFilter) error {
	t := s.newTable(
		column{title: s.p.T("col.time")},
		column{title: s.p.T("col.state")},
		column{title: s.p.T("col.from"), min: 10},
		column{title: s.p.T("col.subject"), min: 10},
		column{title: s.p.T("col.for"), min: 12},
		column{title: s.p.T("col.size"), right: true},
		column{title: s.p.T("col.number")},
	)
	count := 0
	err := b.Log(cmd.Context(), filter, func(e mail.Entry) error {
		count++
		return t.row(s.p.Stamp(e.Time), s.p.T("state."+string(e.State)), e.From, e.Subject, addresses(e.Recipients), s.p.Size(e.Size), e.ID)
	})
	if err != nil {
		return err
	}
	if count == 0 {
		return s.out.put(s.p.T("log.empty"))
	}
	return t.close()
}

func addresses(recipients []mail.EntryRecipient) string {
	words := make([]string, len(recipients))
	for i, r := range recipients {
		words[i] = r.Address
	}
	return strings.Join(words, ", ")
}

func stateWords() []string {
	var words []string
	for _, s := range mail.States() {
		words = append(words, string(s))
	}
	return words
}

func isState(word string) bool {
	for _, s := range mail.States() {
		if string(s) == word {
			return true
		}
	}
	return false
}

// parseSince reads a moment: RFC 3339, a local date or date and time, or a
// span back from now such as 90m, 24h, 7d, 2w or 1d12h.
func parseSince(text string, now time.Time, zone *time.Location) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, true
		}
	}
	span, ok := parseSpan(text)
	if !ok {
		return time.Time{}, false
	}
	return now.Add(-span), true
}

// parseSpan reads a sum of whole numbers with the units s, m, h, d and w, the
// greatest span being a hundred years.
func parseSpan(text string) (time.Duration, bool) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	const most = 100 * 366 * 24 * time.Hour
	var sum time.Duration
	for rest := text; rest != ""; {
		i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if i < 1 {
			return 0, false
		}
		n, err := strconv.ParseInt(rest[:i], 10, 64)
		unit, ok := units[rest[i]]
		if err != nil || !ok || n > int64(most/unit) {
			return 0, false
		}
		sum += time.Duration(n) * unit
		rest = rest[i+1:]
		if sum > most {
			return 0, false
		}
	}
	return sum, text != ""
}
