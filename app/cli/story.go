package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// storyLine is one step in the "story" that `queue show --json` adds to the
// object of the message.
type storyLine struct {
	Time *string `json:"time"`
	Kind string  `json:"kind"`
	Text string  `json:"text"`
}

// showStory shows one message and its way.
func (s *session) showStory(story facts.Story) error {
	if s.json {
		return s.storyObject(story)
	}
	e := story.Entry
	rows := [][2]string{
		{s.p.T("col.number"), e.ID},
		{s.p.T("col.mailbox"), e.Mailbox},
		{s.p.T("col.from"), e.From},
		{s.p.T("col.subject"), e.Subject},
		{s.p.T("col.size"), s.p.Size(e.Size)},
		{s.p.T("col.state"), s.stateLine(e)},
		{s.p.T("col.message_id"), e.MessageID},
		{s.p.T("col.because"), s.route(e.Route)},
		{s.p.T("col.reason"), e.Reason},
	}
	if !e.NextAttempt.IsZero() {
		rows = append(rows, [2]string{s.p.T("col.next"), s.p.StampSecond(e.NextAttempt)})
	}
	var shown [][2]string
	for _, r := range rows {
		if value := cell(r[1]); value != "" {
			shown = append(shown, [2]string{r[0], value})
		}
	}
	text := strings.TrimRight(unindented(shown), "\n")
	for _, r := range e.Recipients {
		text += fmt.Sprintf("\n  %s  %s  %s", pad(cell(r.Address), 30), pad(s.p.T("state."+string(r.State)), 12), cell(r.Reply))
		text = strings.TrimRight(text, " ")
	}
	for i, step := range story.Steps {
		if i == 0 {
			text += "\n"
		}
		text += "\n" + pad(s.p.StampSecond(step.Time), 19) + "  " + s.stepText(step)
	}
	return s.out.put(text)
}

func (s *session) stateLine(e mail.Entry) string {
	line := s.p.T("state." + string(e.State))
	if key := "at_source." + string(e.AtSource); s.p.Has(key) {
		line += ", " + s.p.T(key)
	}
	return line
}

func (s *session) storyObject(story facts.Story) error {
	lines := make([]storyLine, 0, len(story.Steps))
	for _, step := range story.Steps {
		lines = append(lines, storyLine{Time: stamp(step.Time), Kind: step.Kind, Text: s.stepText(step)})
	}
	return s.out.object(entryWith{story.Entry, "story", lines})
}

// entryWith is the object of a message with one field more.
type entryWith struct {
	entry mail.Entry
	name  string
	value any
}

// MarshalJSON appends the field to the promised ones.
func (e entryWith) MarshalJSON() ([]byte, error) {
	head, err := json.Marshal(e.entry)
	if err != nil {
		return nil, err
	}
	tail, err := json.Marshal(map[string]any{e.name: e.value})
	if err != nil {
		return nil, err
	}
	return append(append(head[:len(head)-1], ','), tail[1:]...), nil
}

// stepText is one step in words.
func (s *session) stepText(step facts.Step) string {
	args := i18n.Args{
		"Address": cell(step.Address), "Host": cell(step.Host), "Detail": cell(step.Detail),
		"Reply": cell(step.Reply), "Size": s.p.Size(step.Size),
	}
	key := "story." + step.Kind
	if step.Kind == facts.StepRouted {
		route, _, _ := strings.Cut(step.Route, ":")
		key = "story.routed." + route
		if !s.p.Has(key) || step.Detail == "" && quotes(route) {
			key = "story.routed.plain"
		}
	}
	if !s.p.Has(key) {
		return cell(step.Kind + " " + step.Detail)
	}
	if step.Host == "" {
		args["Host"] = s.p.T("story.provider")
	}
	text := s.p.T(key, args)
	if step.Reply != "" || !strings.HasSuffix(text, ", ") {
		return text
	}
	// The server said nothing: then the kind of fault does.
	text = strings.TrimSuffix(text, ", ")
	if s.p.Has("fault." + step.Detail) {
		text += ". " + s.p.Fault(&mail.Failure{Code: mail.Code(step.Detail)}, i18n.Context{Side: sideOf(step.Kind)}).What
	}
	return text
}

// sideOf says whose words a step is about.
func sideOf(kind string) string {
	if kind == facts.StepFetchFailed {
		return i18n.SideSource
	}
	return i18n.SideTarget
}

// quotes tells whether the sentence of a route quotes the header line that
// decided.
func quotes(route string) bool {
	switch route {
	case mail.RouteIndividual, mail.RouteUnknown, mail.RouteLoop:
		return false
	}
	return true
}
