package present

import (
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

// Story is one message and its way, as the panel beside the log shows it.
type Story struct {
	ID      string
	Subject string
	Lines   [][2]string // label and value
	Steps   []StoryStep
	People  []StoryPerson
	Mark    Mark
	Fault   i18n.Explanation // why it is where it is; What is "" when all is well
	Actions QueueActions
}

// StoryStep is one line of the way.
type StoryStep struct {
	Time string
	Text string
	Mark Mark
}

// StoryPerson is what became of the copy for one recipient.
type StoryPerson struct {
	Address, State, Reply string
	Mark                  Mark
}

// stateInWords is the state here and at the provider.
func stateInWords(p *i18n.Printer, e mail.Entry) string {
	state := p.T("state." + string(e.State))
	if key := "at_source." + string(e.AtSource); p.Has(key) {
		state += ", " + p.T(key)
	}
	return state
}

// NewStory writes the way of a message in words.
func NewStory(p *i18n.Printer, s facts.Story, now time.Time) Story {
	e := s.Entry
	out := Story{ID: e.ID, Subject: tell.Line(e.Subject), Mark: markOfState(e.State), Actions: ActionsFor(e)}
	if out.Subject == "" {
		out.Subject = p.T("digest.no_subject")
	}
	state := stateInWords(p, e)
	for _, line := range [][2]string{
		{p.T("col.from"), tell.Line(e.From)},
		{p.T("col.for"), Recipients(e.Recipients)},
		{p.T("col.state"), state},
		{p.T("main.queue.attempts"), attempts(p, e)},
		{p.T("col.next"), p.StampSecond(e.NextAttempt)},
		{p.T("col.size"), p.Size(e.Size)},
		{p.T("col.mailbox"), tell.Line(e.Mailbox)},
		{p.T("col.because"), tell.Route(p, e.Route)},
		{p.T("col.number"), e.ID},
		{p.T("col.message_id"), tell.Line(e.MessageID)},
	} {
		if line[1] != "" {
			out.Lines = append(out.Lines, line)
		}
	}
	day := ""
	for _, step := range s.Steps {
		line := StoryStep{Time: p.Clock(step.Time), Text: tell.Step(p, step), Mark: markOf(step.Kind)}
		if d := p.Day(step.Time); d != day && (day != "" || d != p.Day(now)) && d != "" {
			out.Steps = append(out.Steps, StoryStep{Time: d})
		}
		if d := p.Day(step.Time); d != "" {
			day = d
		}
		out.Steps = append(out.Steps, line)
	}
	for _, r := range e.Recipients {
		out.People = append(out.People, StoryPerson{
			Address: tell.Line(r.Address), State: p.T("state." + string(r.State)), Reply: tell.Line(r.Reply), Mark: markOfState(r.State),
		})
	}
	if out.Mark != MarkNone && e.Code != "" {
		out.Fault = p.Fault(&mail.Failure{Code: e.Code, Op: e.ID}, i18n.Context{Side: sideOf(e.State)})
		if out.Fault.Detail = tell.Line(e.Reason); out.Fault.Detail == string(e.Code) {
			out.Fault.Detail = "" // the server said nothing
		}
	}
	return out
}

// sideOf says whose fault a state is about.
func sideOf(s mail.State) string {
	switch s {
	case mail.Waiting, mail.TooBig, mail.Failed:
		return i18n.SideSource
	}
	return i18n.SideTarget
}

func markOfState(s mail.State) Mark {
	switch s {
	case mail.Quarantined, mail.Failed, mail.TooBig:
		return MarkTrouble
	case mail.Queued, mail.Waiting:
		return MarkWaits
	}
	return MarkNone
}

func markOf(kind string) Mark {
	switch kind {
	case facts.StepRefused, facts.StepFetchFailed, facts.StepTooBig, facts.StepVanished:
		return MarkTrouble
	case facts.StepAttempt, facts.StepPossibleDuplicate, facts.StepRerouted:
		return MarkWaits
	}
	return MarkNone
}
