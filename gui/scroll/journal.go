//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// journal is a delivery log of a million messages, each made up when it is
// asked for.
type journal struct {
	present.Backend // what is not asked for here panics
}

// messages is how many there are.
const messages = 1_000_000

func (journal) Running() bool                                { return true }
func (journal) Attached() bool                               { return false }
func (journal) Watch(func(facts.Event)) func()               { return func() {} }
func (journal) Place() facts.Options                         { return facts.Options{} }
func (journal) Status(context.Context) (facts.Status, error) { return facts.Status{}, nil }

func (journal) Config(context.Context) (*config.Config, error) { return config.Defaults(), nil }

// Page goes on below the line that the filter names.
func (journal) Page(_ context.Context, f facts.LogFilter) ([]mail.Entry, error) {
	next := int64(messages)
	if f.Before != "" {
		var changed int64
		if _, err := fmt.Sscanf(f.Before, "%d.%d", &changed, &next); err != nil {
			return nil, fmt.Errorf("cursor: %w", err)
		}
		next--
	}
	var out []mail.Entry
	for ; next > 0 && len(out) < f.Limit; next-- {
		out = append(out, message(next))
	}
	return out, nil
}

// Story is a way that is as long as they are.
func (journal) Story(_ context.Context, id string) (facts.Story, error) {
	var row int64
	if _, err := fmt.Sscanf(id, "K%d", &row); err != nil {
		return facts.Story{}, &mail.Failure{Code: facts.CodeUnknownMessage, Op: id}
	}
	e := message(row)
	return facts.Story{Entry: e, Steps: []facts.Step{
		{Time: e.Time, Kind: facts.StepFetched, Host: "pop.isp.test", Size: e.Size},
		{Time: e.Time, Kind: facts.StepRouted, Route: e.Route, Address: "anne@office.test", Detail: "Envelope-To: anne@office.test"},
		{Time: e.Time, Kind: facts.StepDelivered, Address: "anne@office.test", Reply: e.Recipients[0].Reply},
		{Time: e.Time, Kind: facts.StepRemoved},
	}}, nil
}

// message is one of them; each tenth was set aside.
func message(row int64) mail.Entry {
	state, reply := mail.Delivered, fmt.Sprintf("250 2.0.0 Ok: queued as 4X%dy1", row)
	if row%10 == 0 {
		state, reply = mail.Quarantined, "554 5.7.1 Recipient address rejected: Access denied"
	}
	return mail.Entry{
		Row: row, ID: fmt.Sprintf("K%d", row), Time: time.Now().Add(time.Duration(row-messages) * time.Minute), Mailbox: "Whole office",
		MessageID: fmt.Sprintf("<%d@mail.shop%d.test>", row, row%300), From: fmt.Sprintf("Person %d <p%d@shop%d.test>", row%5000, row%5000, row%300),
		Subject: fmt.Sprintf("The subject of message %d, about the budget of the year %d", row, row%90), Size: 2000 + row%90_000, State: state,
		AtSource: mail.SourceDeleted, Route: "envelope:Envelope-To", Attempts: 1,
		Recipients: []mail.EntryRecipient{{Address: fmt.Sprintf("anne%d@office.test", row%40), State: state, Reply: reply}},
	}
}
