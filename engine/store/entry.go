package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"postbag/engine/mail"
)

const (
	sqlEntry = `SELECT i.row, i.id, i.mailbox, i.uid, i.state, i.at_source, i.size, i.seen, i.changed, i.delivered, i.source_changed,
		b.name, m.message_id, m.author, m.subject, m.source, m.sender, m.route, m.evidence, m.notes, m.code, m.reason, m.unknown_reason, m.received
		FROM identity i`
	joinEntry = ` LEFT JOIN message m ON m.row = i.row LEFT JOIN mailbox b ON b.id = i.mailbox`

	sqlEntryCopies = `SELECT c.address, c.state, c.reply, c.person, c.for_address, c.target, c.unknown, c.code, c.attempts, c.next, c.changed,
		(SELECT d.id FROM identity d WHERE d.row = c.duplicate_of), c.held_by IS NOT NULL, c.doubtful
		FROM copy c WHERE c.id >= ? AND c.id < ? ORDER BY c.id`
)

// readEntries runs a query that begins with sqlEntry.
func readEntries(ctx context.Context, c *conn, sql string, args ...any) ([]mail.Entry, error) {
	var out []mail.Entry
	err := c.each(ctx, sql, func(r record) error {
		e := scanEntry(r)
		err := c.each(ctx, sqlEntryCopies, func(r record) error {
			e.Recipients = append(e.Recipients, scanRecipient(r))
			return nil
		}, copyID(e.Row, 0), copyID(e.Row+1, 0))
		complete(&e, r.str(22))
		out = append(out, e)
		return err
	}, args...)
	return out, err
}

func scanEntry(r record) mail.Entry {
	e := mail.Entry{
		Row: r.int(0), ID: r.str(1), MailboxID: r.str(2), UID: r.str(3), State: mail.State(r.str(4)), AtSource: mail.AtSource(r.str(5)),
		Size: r.int(6), Seen: r.time(7), Time: r.time(8), Delivered: r.time(9), SourceTime: r.time(10),
		Mailbox: r.str(11), MessageID: r.str(12), From: r.str(13), Subject: r.str(14), Source: r.str(15), Sender: r.str(16),
		Route: r.str(17), Evidence: r.str(18), Code: mail.Code(r.str(20)), Reason: r.str(21), Received: r.time(23),
	}
	if e.Mailbox == "" {
		e.Mailbox = e.MailboxID
	}
	if notes := r.str(19); notes != "" {
		_ = json.Unmarshal([]byte(notes), &e.Notes) // notes are for reading only
	}
	return e
}

func scanRecipient(r record) mail.EntryRecipient {
	to := mail.EntryRecipient{
		Address: r.str(0), State: mail.State(r.str(1)), Reply: r.str(2), Person: r.str(3), For: r.str(4), Target: r.str(5),
		Unknown: r.bool(6), Code: mail.Code(r.str(7)), Attempts: int(r.int(8)), Next: r.time(9), Changed: r.time(10),
		DuplicateOf: r.str(11), Held: r.bool(12), PossibleDuplicate: r.bool(13),
	}
	if to.State != mail.Queued || to.Held {
		to.Next = time.Time{}
	}
	return to
}

// complete fills in what follows from the recipients: attempts, the next one
// and the reason, which is that of the worst recipient.
func complete(e *mail.Entry, unknownReason string) {
	for _, r := range e.Recipients {
		e.Attempts = max(e.Attempts, r.Attempts)
		if !r.Next.IsZero() && (e.NextAttempt.IsZero() || r.Next.Before(e.NextAttempt)) {
			e.NextAttempt = r.Next
		}
		if e.Reason == "" && r.State == e.State && (r.State == mail.Queued || r.State == mail.Quarantined) && r.Code != "" {
			e.Code, e.Reason = r.Code, r.Reply
			if e.Reason == "" {
				e.Reason = string(r.Code)
			}
		}
	}
	if e.Reason == "" {
		e.Reason = string(e.Code)
	}
	if e.Reason == "" {
		e.Reason = unknownReason
	}
}

// What can happen to a message, the values of Step.What.
const (
	StepListed            = "listed"             // first seen at the provider
	StepFetchFailed       = "fetch_failed"       // Code, Detail: the server's words
	StepTooBig            = "too_big"            //
	StepFetched           = "fetched"            // durable here; Detail: host of the provider
	StepRouted            = "routed"             // Detail: the step that decided
	StepQuarantined       = "quarantined"        // Address, Code, Detail
	StepTranscript        = "transcript"         // Address; Detail: what was said in the session (rule 48)
	StepDeferred          = "deferred"           // Address, Code, Detail
	StepPossibleDuplicate = "possible_duplicate" // Address, Code, Detail
	StepRerouted          = "rerouted"           // Address refused; Code, Detail
	StepDelivered         = "delivered"          // Address; Detail: the server's words
	StepDuplicate         = "duplicate"          // Address; Detail: id of the message it got instead
	StepRetry             = "retry"              // by a person
	StepSentTo            = "sent_to"            // by a person; Address
	StepDeleted           = "deleted"            // by a person
	StepVanished          = "vanished"           // before it was collected
	StepSourceDeleted     = "source_deleted"     // at the provider
	StepSourceKept        = "source_kept"        //
	StepSourceGone        = "source_gone"        //
)

// Step is one line of the story of a message.
type Step struct {
	Time    time.Time `json:"time"`
	What    string    `json:"what"`
	Address string    `json:"address,omitempty"`
	Code    mail.Code `json:"code,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

// Story tells what happened to a message, in order of time. CodeNotFound when
// there is none.
func (s *Store) Story(ctx context.Context, id string) ([]Step, error) {
	e, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	steps := storyOf(e)
	err = s.read(ctx, "story", func(c *conn) error {
		return c.each(ctx, "SELECT at, what, address, code, detail FROM event WHERE row = ? ORDER BY n", func(r record) error {
			steps = append(steps, Step{Time: r.time(0), What: r.str(1), Address: r.str(2), Code: mail.Code(r.str(3)), Detail: r.str(4)})
			return nil
		}, e.Row)
	})
	slices.SortStableFunc(steps, func(a, b Step) int { return a.Time.Compare(b.Time) })
	return steps, err
}

// storyOf tells what the entry itself knows.
func storyOf(e mail.Entry) []Step {
	steps := []Step{{Time: e.Seen, What: StepListed}}
	if !e.Received.IsZero() {
		steps = append(steps, Step{Time: e.Received, What: StepFetched, Detail: e.Source})
	}
	if e.Route != "" {
		steps = append(steps, Step{Time: e.Received, What: StepRouted, Detail: e.Route})
	}
	switch {
	case e.State == mail.TooBig:
		steps = append(steps, Step{Time: e.Time, What: StepTooBig})
	case e.State == mail.Deleted && e.Reason == reasonVanished:
		steps = append(steps, Step{Time: e.Time, What: StepVanished})
	}
	for _, r := range e.Recipients {
		switch r.State {
		case mail.Delivered:
			steps = append(steps, Step{Time: r.Changed, What: StepDelivered, Address: r.Address, Detail: r.Reply})
		case mail.Duplicate:
			steps = append(steps, Step{Time: r.Changed, What: StepDuplicate, Address: r.Address, Detail: r.DuplicateOf})
		case mail.Quarantined:
			if r.Attempts == 0 { // at once; a later one has its own line
				steps = append(steps, Step{Time: r.Changed, What: StepQuarantined, Address: r.Address, Code: r.Code})
			}
		}
	}
	switch e.AtSource {
	case mail.SourceDeleted:
		steps = append(steps, Step{Time: e.SourceTime, What: StepSourceDeleted})
	case mail.SourceKept:
		steps = append(steps, Step{Time: e.SourceTime, What: StepSourceKept})
	case mail.SourceGone:
		steps = append(steps, Step{Time: e.SourceTime, What: StepSourceGone})
	}
	return steps
}
