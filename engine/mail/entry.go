package mail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Codes of questions that cannot be answered.
const (
	CodeNotFound   Code = "not_found"   // no message has this id
	CodeWrongState Code = "wrong_state" // the message's state does not allow this
)

// EntryRecipient is one recipient of an Entry. Address, State and Reply are
// part of the JSON object, the rest is detail for the story of a message.
type EntryRecipient struct {
	Address string
	State   State
	Reply   string // the server's last words; "" none

	Person            string
	For               string // the address that the message carried
	Target            string
	Unknown           bool
	Code              Code // the last failure's; "" none
	Attempts          int
	Next              time.Time // next attempt; zero unless queued and not held
	Changed           time.Time // last change of State
	DuplicateOf       string    // id of the message that this recipient got instead
	Held              bool      // waits for another copy under way (rule 35)
	PossibleDuplicate bool      // rule 46
}

// Entry is one line of the journal or the queue: the JSON object of "log",
// "collect" and "queue". Fields without a value are null in JSON, never
// absent; times are RFC 3339 in UTC.
type Entry struct {
	Time        time.Time // last change of state
	ID          string
	Mailbox     string // the mailbox's name
	UID         string // "" without UIDL
	MessageID   string // with angle brackets; "" none
	From        string
	Subject     string
	Size        int64 // octets; -1 unknown
	State       State
	AtSource    AtSource
	Route       string // "" before routing
	Recipients  []EntryRecipient
	Attempts    int       // the highest of the recipients'
	NextAttempt time.Time // the earliest of the recipients'; zero: none is due
	Reason      string

	// Not part of the JSON object:

	Row        int64  // of the store
	MailboxID  string // the key of the mailbox
	Code       Code   // what Reason is about; "" none
	Evidence   string // the header line that decided
	Notes      []string
	Sender     string    // envelope sender
	Source     string    // host of the provider
	Seen       time.Time // first listed
	Received   time.Time // fetched and durable; zero: not yet
	Delivered  time.Time // first accepted delivery; zero: none
	SourceTime time.Time // when AtSource became deleted, kept or gone; zero: never
}

// Cursor is the place of a line in the journal: the store hands over the page
// that follows it. Row must be known.
func (e Entry) Cursor() string { return fmt.Sprintf("%d.%d", e.Time.UnixMilli(), e.Row) }

type entryJSON struct {
	Time        *string         `json:"time"`
	ID          string          `json:"id"`
	Mailbox     string          `json:"mailbox"`
	UID         string          `json:"uid"`
	MessageID   *string         `json:"message_id"`
	From        *string         `json:"from"`
	Subject     *string         `json:"subject"`
	Size        *int64          `json:"size"`
	State       State           `json:"state"`
	AtSource    AtSource        `json:"at_source"`
	Route       string          `json:"route"`
	Recipients  []recipientJSON `json:"recipients"`
	Attempts    int             `json:"attempts"`
	NextAttempt *string         `json:"next_attempt"`
	Reason      *string         `json:"reason"`
}

type recipientJSON struct {
	Address string  `json:"address"`
	State   State   `json:"state"`
	Reply   *string `json:"reply"`
}

// MarshalJSON writes the object of the contract.
func (e Entry) MarshalJSON() ([]byte, error) {
	j := entryJSON{
		Time: jsonTime(e.Time), ID: e.ID, Mailbox: e.Mailbox, UID: e.UID,
		MessageID: orNull(e.MessageID), From: orNull(e.From), Subject: orNull(e.Subject),
		State: e.State, AtSource: e.AtSource, Route: e.Route,
		Recipients: make([]recipientJSON, 0, len(e.Recipients)),
		Attempts:   e.Attempts, NextAttempt: jsonTime(e.NextAttempt), Reason: orNull(e.Reason),
	}
	if e.Size >= 0 {
		j.Size = &e.Size
	}
	for _, r := range e.Recipients {
		j.Recipients = append(j.Recipients, recipientJSON{Address: r.Address, State: r.State, Reply: orNull(r.Reply)})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // <> belong to Message-IDs; whoever embeds this in HTML escapes it
	err := enc.Encode(j)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// UnmarshalJSON reads the object of the contract; the details that are not
// part of it stay zero.
func (e *Entry) UnmarshalJSON(b []byte) error {
	var j entryJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*e = Entry{
		ID: j.ID, Mailbox: j.Mailbox, UID: j.UID, MessageID: deref(j.MessageID), From: deref(j.From),
		Subject: deref(j.Subject), Size: -1, State: j.State, AtSource: j.AtSource, Route: j.Route,
		Attempts: j.Attempts, Reason: deref(j.Reason),
	}
	if j.Size != nil {
		e.Size = *j.Size
	}
	for _, r := range j.Recipients {
		e.Recipients = append(e.Recipients, EntryRecipient{Address: r.Address, State: r.State, Reply: deref(r.Reply)})
	}
	var err error
	if e.Time, err = parseTime(j.Time); err != nil {
		return err
	}
	e.NextAttempt, err = parseTime(j.NextAttempt)
	return err
}

func jsonTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}

func parseTime(s *string) (time.Time, error) {
	if s == nil {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, *s)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
