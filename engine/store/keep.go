package store

import (
	"context"
	"encoding/json"
	"time"

	"postbag/engine/mail"
)

// Kept is a message that was collected whole.
type Kept struct {
	Row            int64  // of the identity; 0: find it by Mailbox, UID and Ident, or make one
	Mailbox        string // id
	UID            string // "" without UIDL
	Ident          string // "": the UID
	Draft          *Draft
	Size           int64  // octets; 0: the draft's
	Fingerprint    string // rule 34, hex; "": it is never a duplicate
	Summary        mail.Summary
	Source         string         // host of the provider, for the trace header
	Decision       *mail.Decision // nil: state collected, to be routed later
	QuarantineCode mail.Code      // not "": into quarantine at once, with this reason
	Due            time.Time      // first attempt; zero: now

	// Claim, if not nil, has the attempt booked together with the message, as Claim
	// does it, when the message goes the plain way. Then the caller has the job.
	Claim func(attempts int) time.Time
}

// KeepResult tells what became of a Kept.
type KeepResult struct {
	Row     int64
	ID      string
	State   mail.State
	Targets []string // that have something to do now
	Job     mail.Job // claimed already; without copies: none
}

// Keep makes a message durable: octets, the fact that it was collected, its
// envelopes and its duplicates, in one transaction; an .eml file before that
// when it goes into quarantine. After it the provider's copy is not needed.
//
// A message that was kept before is returned as it is and the draft dropped:
// nothing is kept twice. The draft belongs to Keep from the call on; after an
// error it is discarded, and the provider still has the message.
//
// Recipients that already got the same message (rule 35: same fingerprint, same
// Person, within the window) become duplicates; those for whom it is under way
// are queued behind that copy.
func (s *Store) Keep(ctx context.Context, k Kept) (KeepResult, error) {
	m, err := s.ready(ctx, k)
	if err != nil {
		return KeepResult{}, err
	}
	err = m.finish(s.handOver(ctx, []*keeping{m}))
	return m.out, err
}

// keepOp is one Keep on its way through the writer.
type keepOp struct {
	Kept
	id  string // for a new identity or its .eml; "": neither is needed
	key []byte // fingerprint
	eml string // id whose .eml was written for this

	stored  bool // its octets went into the database
	pending bool // on its plain way
}

// quarantined tells whether the message goes aside instead of to its recipients.
func (k *keepOp) quarantined() bool {
	return k.QuarantineCode != "" || k.Decision != nil && (k.Decision.Loop || len(k.Decision.Recipients) == 0)
}

func (k *keepOp) code() mail.Code {
	switch {
	case k.QuarantineCode != "":
		return k.QuarantineCode
	case k.Decision != nil && k.Decision.Loop:
		return mail.CodeLoop
	}
	return mail.CodeInternal // no recipient: a fault of ours, the mail is safe
}

func (k *keepOp) run(t *tx) (KeepResult, error) {
	k.stored, k.pending = false, false
	f, ok, err := k.find(t)
	if err == nil && ok && (t.busy(f.Row) || t.busyLike(k.key)) {
		t.s.join()
		f, ok, err = k.find(t)
	}
	if err != nil {
		return KeepResult{}, err
	}
	known := t.pending(f.Row).or(f.Known)
	switch {
	case !ok:
		known, err = k.identity(t)
	case !uncollected(known.State): // rule 13: kept before; only its octets here are too many
		if k.Draft.name != "" {
			t.after = append(t.after, func() { t.s.trash.remove(k.Draft.path) })
		}
		return KeepResult{Row: known.Row, ID: known.ID, State: known.State}, nil
	case k.plain(t, f):
		return k.keepPlain(t, f)
	}
	if err == nil {
		err = t.foldLike(k.key)
	}
	if err != nil {
		return KeepResult{}, err
	}
	return k.enter(t, known, f.indexed)
}

// identity makes one for a message that no listing told of.
func (k *keepOp) identity(t *tx) (Known, error) {
	known, err := t.newIdentity(newIdentity{mailbox: k.Mailbox, uid: k.UID, ident: k.Ident, id: k.id,
		state: mail.Collected, size: k.Size, fingerprint: k.key})
	if err == nil && known.Row == 0 {
		err = internal("keep", "an id was used twice") // the next try draws another
	}
	return known, err
}

// enter writes the message into the tables.
func (k *keepOp) enter(t *tx, known Known, indexed bool) (KeepResult, error) {
	facts := journalFacts{summary: k.Summary, source: k.Source, decision: k.Decision, received: t.now}
	if k.quarantined() {
		facts.code = k.code()
	}
	if err := t.writeMessage(known.Row, facts, indexed); err != nil {
		return KeepResult{}, err
	}
	out := KeepResult{Row: known.Row, ID: known.ID, State: mail.Collected}
	var err error
	if k.Decision != nil || k.quarantined() {
		if out.State, out.Targets, err = k.route(t, known.Row); err != nil {
			return out, err
		}
	}
	if err := k.body(t, known.Row, out.State); err != nil {
		return out, err
	}
	_, err = t.exec("UPDATE identity SET state = ?, changed = ?, size = ?, fingerprint = ?, fetch_anyway = 0 WHERE row = ?",
		out.State, t.now, k.Size, orNone(k.key), known.Row)
	t.keyed(known.Row, k.key)
	t.moved(known.State, out.State)
	return out, err
}

// found is what the tables tell of a message that is to be kept.
type found struct {
	Known
	mailbox string
	indexed bool // it can be searched for already
	twice   bool // they may know another one with the same fingerprint
}

// find looks for the message.
func (k *keepOp) find(t *tx) (f found, ok bool, err error) {
	if f, ok := t.s.news[k.Row]; ok && k.Row != 0 {
		delete(t.s.news, k.Row)
		f.twice, err = t.twice(k.key, k.Row)
		return f, true, err
	}
	key := orNone(short(k.key))
	sql, args := sqlKeepByRow, []any{key, k.Row}
	switch {
	case k.Row != 0:
	case k.Ident != "" && k.Ident != k.UID:
		sql, args = sqlKeepByIdent, []any{key, k.Mailbox, k.Ident}
	case k.UID != "":
		sql, args = sqlKeepByUID, []any{key, k.Mailbox, k.UID}
	default:
		return f, false, internal("keep", "neither UID nor Ident")
	}
	err = t.query(sql, func(r record) error {
		f, ok = found{Known: scanKnown(r), mailbox: r.str(12), indexed: r.bool(13), twice: r.bool(14)}, true
		return nil
	}, args...)
	delete(t.s.news, f.Row) // what it tells is old from now on
	if err == nil && !ok && k.Row != 0 {
		err = notFound("keep")
	}
	return f, ok, err
}

const (
	sqlKeep = `SELECT ` + columnsKnown + `, mailbox, (SELECT indexed FROM message m WHERE m.row = identity.row),
		EXISTS (SELECT 1 FROM fingerprint_new o WHERE o.key = ?1 AND o.row <> identity.row)
		OR EXISTS (SELECT 1 FROM fingerprint_old o WHERE o.key = ?1 AND o.row <> identity.row) FROM identity `
	sqlKeepByRow   = sqlKeep + `WHERE row = ?2`
	sqlKeepByIdent = sqlKeep + `WHERE mailbox = ?2 AND ident = ?3 AND ident <> ''`
	sqlKeepByUID   = sqlKeep + `WHERE mailbox = ?2 AND uid = ?3 AND ident = ''`
)

// journalFacts is what the journal tells of a message beside its recipients.
type journalFacts struct {
	summary  mail.Summary
	source   string
	decision *mail.Decision // nil: not routed yet
	code     mail.Code      // of the message as a whole
	received time.Time
}

// writeMessage writes the journal's line of a message and makes it findable;
// indexed tells that it was before.
func (t *tx) writeMessage(row int64, f journalFacts, indexed bool) error {
	d := f.decision
	if d == nil {
		d = &mail.Decision{}
	}
	route := d.Route
	if d.Loop {
		route = mail.RouteLoop
	}
	if indexed {
		if _, err := t.exec("DELETE FROM search WHERE rowid = ?", row); err != nil {
			return err
		}
	}
	_, err := t.exec(sqlJournal,
		row, f.summary.MessageID, f.summary.From, f.summary.Subject, f.source, d.Sender, route,
		d.Evidence, d.Reason, notesJSON(d.Notes), f.code, f.received)
	if err != nil {
		return err
	}
	_, err = t.exec(sqlWords, row, searchText(f.summary, d.Recipients))
	return err
}

func notesJSON(notes []string) any {
	if len(notes) == 0 {
		return nil
	}
	b, err := json.Marshal(notes)
	if err != nil {
		return nil // strings always marshal
	}
	return string(b)
}

// body stores the octets, unless every recipient has them already.
func (k *keepOp) body(t *tx, row int64, state mail.State) error {
	if state == mail.Duplicate {
		if k.Draft.name != "" {
			t.after = append(t.after, func() { t.s.trash.remove(k.Draft.path) })
		}
		return nil
	}
	var file, data any
	if k.Draft.name != "" {
		file = k.Draft.name
	} else {
		data = k.Draft.buf
		if k.Draft.buf == nil {
			data = []byte{} // a message of no octets has a body all the same
		}
	}
	t.spool += k.Size
	k.stored = true
	_, err := t.exec(sqlBody, row, k.Size, file, k.quarantined(), data)
	return err
}

const sqlBody = "INSERT INTO body (row, size, file, eml, data) VALUES (?, ?, ?, ?, ?)"

// route writes the copies and returns the message's state.
func (k *keepOp) route(t *tx, row int64) (mail.State, []string, error) {
	var recipients []mail.Recipient
	if k.Decision != nil {
		recipients = k.Decision.Recipients
	}
	if k.quarantined() {
		for n, r := range recipients {
			if err := t.newCopy(copyID(row, n), r, mail.Quarantined, k.code(), time.Time{}, 0, 0); err != nil {
				return "", nil, err
			}
		}
		return mail.Quarantined, nil, nil
	}
	due := k.Due
	if due.IsZero() {
		due = t.now
	}
	return t.envelopes(row, k.key, recipients, due)
}

const (
	sqlJournal = `INSERT OR REPLACE INTO message
		(row, message_id, author, subject, source, sender, route, evidence, unknown_reason, notes, code, received, indexed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`
	sqlWords = "INSERT INTO search (rowid, text) VALUES (?, ?)"
)
