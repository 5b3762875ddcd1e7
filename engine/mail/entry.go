package mail

import (
	"bytes"
	"encoding/json"
	"time"
)

// Entry is one message as the journal and the queue show it. Its JSON form is
// a promise to scripts: no field is ever absent, a missing value is null, save
// uid ("" without UIDL) and route ("" before routing); times are RFC 3339 in
// UTC with whole seconds.
type Entry struct {
	Time        time.Time        // the last change of state
	ID          string           // opaque, without spaces, stable
	Mailbox     string           // the name of the mailbox
	UID         string           // "" when the server has no UIDL
	MessageID   string           // with its angle brackets
	From        string           // decoded
	Subject     string           // decoded
	Size        int64            // octets as received; before that as listed, below zero unknown
	State       State            // the worst of the recipients'
	AtSource    AtSource         // the provider's copy
	Route       string           // one of the Route constants, RouteEnvelope with the header's name
	Recipients  []EntryRecipient // empty before routing
	Attempts    int              // the most attempts made for one of the recipients
	NextAttempt time.Time        // zero when none is due
	Reason      string           // why it is in this state, for example the server's words

	Detail EntryDetail // for the story of the message, no part of the JSON form
}

// EntryRecipient is what became of one copy of a message.
type EntryRecipient struct {
	Address string
	State   State
	Reply   string // the office server's last words for this copy
}

// EntryDetail is what the story of one message tells beyond its Entry.
type EntryDetail struct {
	Source    string    // host of the provider
	Evidence  string    // the header line that decided for whom the message is
	Notes     []string  // what routing noted, one sentence each
	Fetched   time.Time // durable here; zero when not collected
	Delivered time.Time // first accepted delivery; zero when there was none
	Removed   time.Time // deleted at the provider; zero when it was not
}

type entryJSON struct {
	Time        *string              `json:"time"`
	ID          string               `json:"id"`
	Mailbox     *string              `json:"mailbox"`
	UID         string               `json:"uid"`
	MessageID   *string              `json:"message_id"`
	From        *string              `json:"from"`
	Subject     *string              `json:"subject"`
	Size        *int64               `json:"size"`
	State       State                `json:"state"`
	AtSource    *AtSource            `json:"at_source"`
	Route       string               `json:"route"`
	Recipients  []entryRecipientJSON `json:"recipients"`
	Attempts    int                  `json:"attempts"`
	NextAttempt *string              `json:"next_attempt"`
	Reason      *string              `json:"reason"`
}

type entryRecipientJSON struct {
	Address string  `json:"address"`
	State   State   `json:"state"`
	Reply   *string `json:"reply"`
}

// MarshalJSON writes the promised object.
func (e Entry) MarshalJSON() ([]byte, error) {
	j := entryJSON{
		Time: stampOrNull(e.Time), ID: e.ID, Mailbox: orNull(e.Mailbox), UID: e.UID,
		MessageID: orNull(e.MessageID), From: orNull(e.From), Subject: orNull(e.Subject),
		State: e.State, AtSource: orNull(e.AtSource), Route: e.Route,
		Recipients: make([]entryRecipientJSON, 0, len(e.Recipients)),
		Attempts:   e.Attempts, NextAttempt: stampOrNull(e.NextAttempt), Reason: orNull(e.Reason),
	}
	if e.Size >= 0 {
		j.Size = &e.Size
	}
	for _, r := range e.Recipients {
		j.Recipients = append(j.Recipients, entryRecipientJSON{Address: r.Address, State: r.State, Reply: orNull(r.Reply)})
	}
	// The outer encoder decides whether < and > are escaped: a person who looks
	// for <id@host> with grep should find it.
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(j); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, for a second program that asks
// the running engine.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var j entryJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*e = Entry{
		ID: j.ID, Mailbox: orZero(j.Mailbox), UID: j.UID, MessageID: orZero(j.MessageID),
		From: orZero(j.From), Subject: orZero(j.Subject), Size: -1, State: j.State,
		AtSource: orZero(j.AtSource), Route: j.Route, Attempts: j.Attempts, Reason: orZero(j.Reason),
	}
	if j.Size != nil {
		e.Size = *j.Size
	}
	for _, r := range j.Recipients {
		e.Recipients = append(e.Recipients, EntryRecipient{Address: r.Address, State: r.State, Reply: orZero(r.Reply)})
	}
	var err error
	if e.Time, err = parseStamp(j.Time); err != nil {
		return err
	}
	e.NextAttempt, err = parseStamp(j.NextAttempt)
	return err
}

func orNull[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func stampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}

func parseStamp(s *string) (time.Time, error) {
	if s == nil {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, *s)
}
