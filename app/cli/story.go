package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"postbag/app/facts"
	"postbag/app/tell"
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
		{s.p.T("col.because"), tell.Route(s.p, e.Route)},
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
		text += "\n" + pad(s.p.StampSecond(step.Time), 19) + "  " + tell.Step(s.p, step)
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
		lines = append(lines, storyLine{Time: stamp(step.Time), Kind: step.Kind, Text: tell.Step(s.p, step)})
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
