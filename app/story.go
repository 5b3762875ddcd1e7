package app

import (
	"context"
	"strings"

	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// Story tells the way of one message.
func (l *Local) Story(ctx context.Context, id string) (facts.Story, error) {
	if l.store == nil {
		return facts.Story{}, unknownMessage(id, nil)
	}
	en, err := l.store.Get(ctx, id)
	if err != nil {
		return facts.Story{}, known(id, err)
	}
	steps, err := l.store.Story(ctx, id)
	if err != nil {
		return facts.Story{}, known(id, err)
	}
	out := facts.Story{Entry: l.named(en)}
	for _, st := range steps {
		out.Steps = append(out.Steps, l.step(en, st))
		if st.What == store.StepRouted {
			for _, note := range en.Notes {
				out.Steps = append(out.Steps, facts.Step{Time: st.Time, Kind: facts.StepNote, Detail: note})
			}
		}
	}
	return out, nil
}

// stepKinds gives the store's steps the kinds that people are shown.
var stepKinds = map[string]string{
	store.StepListed:            facts.StepListed,
	store.StepFetchFailed:       facts.StepFetchFailed,
	store.StepTooBig:            facts.StepTooBig,
	store.StepFetched:           facts.StepFetched,
	store.StepRouted:            facts.StepRouted,
	store.StepQuarantined:       facts.StepRefused,
	store.StepTranscript:        facts.StepTranscript,
	store.StepDeferred:          facts.StepAttempt,
	store.StepPossibleDuplicate: facts.StepPossibleDuplicate,
	store.StepRerouted:          facts.StepRerouted,
	store.StepDelivered:         facts.StepDelivered,
	store.StepDuplicate:         facts.StepDuplicate,
	store.StepRetry:             facts.StepRetry,
	store.StepSentTo:            facts.StepSentTo,
	store.StepDeleted:           facts.StepDeleted,
	store.StepVanished:          facts.StepVanished,
	store.StepSourceDeleted:     facts.StepRemoved,
	store.StepSourceKept:        facts.StepKept,
	store.StepSourceGone:        facts.StepGone,
}

// addressees lists for whom routing found a message to be.
func addressees(en mail.Entry) string {
	var out []string
	for _, r := range en.Recipients {
		out = append(out, r.Address)
	}
	return strings.Join(out, ", ")
}

func (l *Local) step(en mail.Entry, st store.Step) facts.Step {
	out := facts.Step{Time: st.Time, Kind: stepKinds[st.What], Address: st.Address, Detail: st.Detail}
	switch st.What {
	case store.StepFetched:
		out.Host, out.Size, out.Detail = en.Source, en.Size, ""
	case store.StepListed, store.StepTooBig:
		out.Size = en.Size
	case store.StepRouted:
		out.Route, out.Detail, out.Address = en.Route, en.Evidence, addressees(en)
	case store.StepSourceDeleted, store.StepSourceKept, store.StepSourceGone:
		out.Host = en.Source
	case store.StepDelivered, store.StepDeferred, store.StepQuarantined, store.StepRerouted, store.StepFetchFailed, store.StepPossibleDuplicate:
		out.Reply, out.Detail = st.Detail, string(st.Code)
	}
	return out
}
