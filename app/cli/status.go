package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

type statusLine struct {
	Engine    string           `json:"engine"`
	Mailboxes []mailboxLine    `json:"mailboxes"`
	Targets   []targetLine     `json:"targets"`
	Balance   map[string]int64 `json:"balance"`
}

type mailboxLine struct {
	Name      string     `json:"name"`
	Last      *string    `json:"last"`
	Next      *string    `json:"next"`
	Result    *string    `json:"result"`
	Error     *string    `json:"error"`
	Code      *mail.Code `json:"code"`
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Protocol  string     `json:"protocol"`
	Enabled   bool       `json:"enabled"`
	Paused    bool       `json:"paused"`
	Suspended bool       `json:"suspended"`
	Collected int        `json:"collected"`
}

type targetLine struct {
	Name        string     `json:"name"`
	PausedUntil *string    `json:"paused_until"`
	Error       *string    `json:"error"`
	Code        *mail.Code `json:"code"`
}

func (s *session) statusCommand() *cobra.Command {
	c := s.command("status", s.status, 0, 0)
	s.jsonFlag(c.Flags())
	return c
}

func (s *session) status(cmd *cobra.Command, _ []string) error {
	return s.with(cmd, facts.AccessRead, func(b Backend) error {
		status, err := b.Status(cmd.Context())
		if err != nil {
			return err
		}
		if s.json {
			return s.out.object(s.statusObject(status))
		}
		if err := s.out.put(s.headline(status)); err != nil {
			return err
		}
		if err := s.mailboxTable(status.Mailboxes); err != nil {
			return err
		}
		for _, t := range status.Targets {
			if t.Fault == nil {
				continue
			}
			if err := s.out.put(s.targetTrouble(t)); err != nil {
				return err
			}
		}
		line := s.balance(status.Balance)
		if setAside(status) {
			line += "\n" + s.p.T("collect.see_queue", i18n.Args{"Program": Name})
		}
		return s.out.put(line)
	})
}

// setAside tells whether mail lies here that moves on only when a person says so.
func setAside(status facts.Status) bool {
	return status.Balance[mail.Quarantined]+status.Balance[mail.Failed] > 0
}

// headline answers "is my mail all right?".
func (s *session) headline(status facts.Status) string {
	var troubled int64
	for _, m := range status.Mailboxes {
		if m.Fault != nil || m.Suspended {
			troubled++
		}
	}
	for _, t := range status.Targets {
		if t.Fault != nil {
			troubled++
		}
	}
	if setAside(status) {
		troubled++ // nothing is lost, but somebody waits for it
	}
	line := s.p.T("status.well")
	if troubled > 0 {
		line = s.p.N("status.trouble", troubled)
	}
	return line + " " + s.p.T("status.engine."+status.Engine)
}

func (s *session) mailboxTable(mailboxes []facts.MailboxStatus) error {
	t := s.newTable(
		column{title: s.p.T("col.mailbox"), min: 12},
		column{title: s.p.T("col.last")},
		column{title: s.p.T("col.new"), right: true},
		column{title: s.p.T("col.next_time")},
		column{title: s.p.T("col.result")},
	)
	now := s.env.Now()
	for _, m := range mailboxes {
		collected := ""
		if !m.Last.IsZero() {
			collected = s.p.Number(int64(m.Collected))
		}
		if err := t.row(m.Name, s.p.When(m.Last, now), collected, s.nextTime(m, now), s.mailboxResult(m)); err != nil {
			return err
		}
	}
	if err := t.close(); err != nil {
		return err
	}
	for _, m := range mailboxes {
		if m.Fault == nil {
			continue
		}
		advice := s.p.Fault(m.Fault.Failure(), i18n.Context{Side: i18n.SideSource, Name: m.Name, Host: m.Host}).Advice
		if err := s.out.put(cell(m.Name) + s.p.T("cli.colon") + s.mailboxSentence(m) + " " + tell.Sentence(advice)); err != nil {
			return err
		}
	}
	return nil
}

// targetTrouble says what is wrong with an office server, until when it is
// left alone, and what to do.
func (s *session) targetTrouble(t facts.TargetStatus) string {
	line := s.p.T("status.target", i18n.Args{"Name": cell(t.Name), "What": s.targetSentence(t)})
	if !t.PausedUntil.IsZero() {
		line += " " + s.p.T("status.target_until", i18n.Args{"Until": s.p.When(t.PausedUntil, s.env.Now())})
	}
	return line + " " + tell.Sentence(s.p.Fault(t.Fault.Failure(), i18n.Context{Side: i18n.SideTarget, Name: t.Name, Host: t.Host}).Advice)
}

func (s *session) nextTime(m facts.MailboxStatus, now time.Time) string {
	switch {
	case !m.Enabled:
		return s.p.T("status.off")
	case m.Paused:
		return s.p.T("status.paused")
	case m.Suspended:
		return s.p.T("status.suspended")
	}
	return s.p.When(m.Next, now)
}

func (s *session) mailboxResult(m facts.MailboxStatus) string {
	if m.Result == "" {
		return s.p.T("result.none")
	}
	return s.p.T("result." + m.Result)
}

func (s *session) mailboxSentence(m facts.MailboxStatus) string {
	return s.sentence(m.Fault, i18n.Context{Side: i18n.SideSource, Name: m.Name, Host: m.Host})
}

func (s *session) targetSentence(t facts.TargetStatus) string {
	return s.sentence(t.Fault, i18n.Context{Side: i18n.SideTarget, Name: t.Name, Host: t.Host})
}

// balance writes the balance sheet as the equation that it is (rule 49); states
// that nothing is in are left out.
func (s *session) balance(b facts.Balance) string {
	var parts []string
	for _, state := range mail.States() {
		if n := b[state]; n != 0 || state == mail.Delivered || state == mail.Queued {
			parts = append(parts, s.p.T("state."+string(state))+" "+s.p.Number(n))
		}
	}
	return s.p.T("status.balance", i18n.Args{"Seen": s.p.Number(b.Seen()), "Parts": strings.Join(parts, " + ")})
}

func (s *session) statusObject(status facts.Status) statusLine {
	line := statusLine{
		Engine: status.Engine, Mailboxes: []mailboxLine{}, Targets: []targetLine{},
		Balance: map[string]int64{"seen": status.Balance.Seen()},
	}
	for _, m := range status.Mailboxes {
		line.Mailboxes = append(line.Mailboxes, s.mailboxObject(m))
	}
	for _, t := range status.Targets {
		out := targetLine{Name: t.Name, PausedUntil: stamp(t.PausedUntil), Error: orNull(s.targetSentence(t))}
		if t.Fault != nil {
			out.Code = &t.Fault.Code
		}
		line.Targets = append(line.Targets, out)
	}
	for _, state := range mail.States() {
		line.Balance[string(state)] = status.Balance[state]
	}
	return line
}

func (s *session) mailboxObject(m facts.MailboxStatus) mailboxLine {
	line := mailboxLine{
		Name: m.Name, Last: stamp(m.Last), Next: stamp(m.Next), Result: orNull(m.Result), Error: orNull(s.mailboxSentence(m)),
		ID: m.ID, Kind: m.Kind, Protocol: m.Protocol, Enabled: m.Enabled, Paused: m.Paused, Suspended: m.Suspended, Collected: m.Collected,
	}
	if m.Fault != nil {
		line.Code = &m.Fault.Code
	}
	return line
}

// stamp is a time for JSON, null when there is none.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &text
}
