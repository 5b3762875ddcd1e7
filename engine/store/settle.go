package store

import (
	"context"
	"slices"
	"time"

	"postbag/engine/mail"
)

// Settlement is what to record for one copy after an attempt.
type Settlement struct {
	Copy  mail.Copy
	State mail.State // delivered, queued or quarantined
	Code  mail.Code  // of the failure; "" when delivered
	Reply string     // the server's words
	Next  time.Time  // for queued: when to try again; zero: the time booked by Claim stays

	Uncount           bool             // for queued: the attempt does not count
	Reroute           []mail.Recipient // not empty: the copy goes to the unknown recipient, to all of his list, instead (rule 45)
	RerouteReason     string           // becomes X-Postbag-Reason
	PossibleDuplicate bool             // no reply after the final dot (rule 46)
	Transcript        string           // for quarantined: what was said, masked (rule 48)
}

// SettleResult tells what became of a message.
type SettleResult struct {
	Row     int64
	State   mail.State
	Targets []string // that have something to do now: a reroute, or a copy that was held
}

// Settle records the outcome of a claimed job, one Settlement per copy, in one
// transaction; before it the .eml of what goes into quarantine. The octets of
// the message go when nothing is queued or in quarantine any more.
//
// A copy that a person deleted meanwhile stays deleted, unless it was delivered:
// then the journal tells the truth. When Settle fails, the copies count as
// claimed still: settle again.
func (s *Store) Settle(ctx context.Context, job mail.Job, list []Settlement) (SettleResult, error) {
	for _, st := range list {
		if st.State == mail.Quarantined && len(st.Reroute) == 0 {
			if err := s.emlOfRow(ctx, job.Message); err != nil {
				return SettleResult{}, err
			}
			break
		}
	}
	var out SettleResult
	err := s.writeStep(ctx, "settle", func(t *tx) error {
		plain, err := t.settlePlain(job.Message, list)
		if plain || err != nil {
			out = SettleResult{Row: job.Message, State: mail.Delivered}
			return err
		}
		out, err = t.settle(job.Message, list)
		return err
	})
	return out, err
}

// settling is one message while its outcomes are recorded.
type settling struct {
	*tx
	m        *message
	targets  []string
	rerouted bool
	last     int64 // the highest number of a copy
}

func (t *tx) settle(row int64, list []Settlement) (SettleResult, error) {
	m, err := t.message("settle", row)
	if err != nil {
		return SettleResult{}, err
	}
	op := &settling{tx: t, m: m}
	if n := len(m.copies); n > 0 {
		op.last = m.copies[n-1].id
	}
	landed := make([]int64, 0, len(list))
	for _, st := range list {
		landed = append(landed, st.Copy.ID)
		i := slices.IndexFunc(op.m.copies, func(c copyRow) bool { return c.id == st.Copy.ID })
		if i < 0 {
			continue
		}
		if err := op.record(i, st); err != nil {
			return SettleResult{}, err
		}
	}
	if op.rerouted {
		if err := op.afterReroute(); err != nil {
			return SettleResult{}, err
		}
	}
	state, err := t.conclude(m)
	t.after = append(t.after, func() { t.s.land(landed) })
	return SettleResult{Row: row, State: state, Targets: op.targets}, err
}

// record writes the outcome of one copy.
func (op *settling) record(i int, st Settlement) error {
	c := &op.m.copies[i]
	if st.State == mail.Delivered && len(st.Reroute) == 0 {
		return op.delivered(c, st)
	}
	if c.state != mail.Queued {
		return nil
	}
	switch {
	case len(st.Reroute) > 0:
		return op.reroute(i, st)
	case st.State == mail.Quarantined:
		return op.quarantine(c, st)
	}
	return op.again(c, st)
}

func (op *settling) delivered(c *copyRow, st Settlement) error {
	if c.state == mail.Delivered {
		return nil
	}
	_, err := op.exec("UPDATE copy SET state = 'delivered', code = '', reply = ?, next = NULL, held_by = NULL, changed = ?, doubtful = doubtful OR ? WHERE id = ?",
		st.Reply, op.now, st.PossibleDuplicate, c.id)
	if err != nil {
		return err
	}
	c.state, op.m.first = mail.Delivered, op.now
	return op.released(c.id, true)
}

func (op *settling) quarantine(c *copyRow, st Settlement) error {
	_, err := op.exec("UPDATE copy SET state = 'quarantined', code = ?, reply = ?, next = NULL, changed = ?, doubtful = doubtful OR ? WHERE id = ?",
		st.Code, st.Reply, op.now, st.PossibleDuplicate, c.id)
	if err != nil {
		return err
	}
	c.state = mail.Quarantined
	if err := op.note(op.m.row, StepQuarantined, c.address, st.Code, st.Reply); err != nil {
		return err
	}
	if st.Transcript != "" {
		if err := op.note(op.m.row, StepTranscript, c.address, st.Code, st.Transcript); err != nil {
			return err
		}
	}
	if err := op.markEml(op.m); err != nil {
		return err
	}
	return op.released(c.id, false)
}

// again leaves a copy queued for a later attempt.
func (op *settling) again(c *copyRow, st Settlement) error {
	less := 0
	if st.Uncount {
		less = 1
	}
	_, err := op.exec(`UPDATE copy SET code = ?, reply = ?, attempts = max(attempts - ?, 0), next = coalesce(?, next), doubtful = doubtful OR ? WHERE id = ?`,
		st.Code, st.Reply, less, st.Next, st.PossibleDuplicate, c.id)
	if err != nil || st.Code == c.code && !st.PossibleDuplicate {
		return err
	}
	// One line in the story per change of cause, not one per attempt: a target
	// may be away for days.
	what := StepDeferred
	if st.PossibleDuplicate {
		what = StepPossibleDuplicate
	}
	return op.note(op.m.row, what, c.address, st.Code, st.Reply)
}

// released lets go of the copies that were held behind this one.
func (op *settling) released(id int64, delivered bool) error {
	targets, err := op.ended(id, delivered)
	for _, name := range targets {
		op.targets = addTarget(op.targets, name)
	}
	return err
}

// reroute makes a copy the unknown recipient's, or drops it when the message
// has one for that person already: the unknown recipient gets one copy of a
// message, however many of its addresses were unknown. Where he is a list, each
// of its members does.
func (op *settling) reroute(i int, st Settlement) error {
	c := op.m.copies[i]
	if err := op.note(op.m.row, StepRerouted, c.address, st.Code, st.Reply); err != nil {
		return err
	}
	if err := op.released(c.id, false); err != nil {
		return err
	}
	op.rerouted = true
	var to []mail.Recipient
	for _, r := range st.Reroute {
		if !slices.ContainsFunc(op.m.copies, func(o copyRow) bool { return o.id != c.id && o.person == r.Person }) {
			if r.For == "" {
				r.For = c.address
			}
			to = append(to, r)
		}
	}
	if len(to) == 0 {
		op.m.copies = slices.Delete(op.m.copies, i, i+1)
		_, err := op.exec("DELETE FROM copy WHERE id = ?", c.id)
		return err
	}
	if err := op.readdress(&op.m.copies[i], to[0], st.RerouteReason); err != nil {
		return err
	}
	return op.readdressMore(to[1:], st.RerouteReason)
}

// readdressMore is readdress for members of a list for whom there is no copy yet.
func (op *settling) readdressMore(to []mail.Recipient, reason string) error {
	for _, r := range to {
		op.last++ // never the number of a copy that was dropped: it may be on its way still
		if err := op.newCopy(op.last, r, mail.Queued, "", op.now, 0, 0); err != nil {
			return err
		}
		op.m.copies = append(op.m.copies, copyRow{id: op.last})
		if err := op.readdress(&op.m.copies[len(op.m.copies)-1], r, reason); err != nil {
			return err
		}
	}
	return nil
}

// readdress gives a copy to another person, under rule 35.
func (op *settling) readdress(c *copyRow, to mail.Recipient, reason string) error {
	others, err := op.others(op.m.row, op.m.fingerprint)
	if err != nil {
		return err
	}
	state, held, dup, next := mail.Queued, int64(0), int64(0), op.now
	if o, ok := others[to.Person]; ok {
		if o.state == mail.Delivered {
			state, dup, next, op.m.first = mail.Duplicate, rowOf(o.id), time.Time{}, o.changed
		} else {
			held, next = o.id, time.Time{}
		}
	}
	_, err = op.exec(`UPDATE copy SET person = ?, address = ?, for_address = ?, target = ?, unknown = ?, outside = ?, state = ?, code = '', reply = '',
		reason = ?, attempts = 0, next = ?, changed = ?, held_by = ?, duplicate_of = ? WHERE id = ?`,
		to.Person, to.Address, to.For, to.Target, to.Unknown, to.Outside, state,
		reason, next, op.now, orNil(held), orNil(dup), c.id)
	c.person, c.address, c.target, c.unknown, c.state, c.heldBy = to.Person, to.Address, to.Target, to.Unknown, state, held
	if err == nil && state == mail.Queued && held == 0 {
		op.targets = addTarget(op.targets, to.Target)
	}
	return err
}

// afterReroute notes the route and makes the new address findable.
func (op *settling) afterReroute() error {
	only := !slices.ContainsFunc(op.m.copies, func(c copyRow) bool { return !c.unknown })
	if only {
		if _, err := op.exec("UPDATE message SET route = 'unknown' WHERE row = ?", op.m.row); err != nil {
			return err
		}
	}
	return op.reindex(op.m.row)
}

// reindex makes a message findable by its present recipients too.
func (t *tx) reindex(row int64) error {
	r, ok, err := t.first("SELECT message_id, author, subject FROM message WHERE row = ?", row)
	if err != nil || !ok {
		return err
	}
	var recipients []mail.Recipient
	err = t.query("SELECT address, for_address FROM copy WHERE id >= ? AND id < ?", func(r record) error {
		recipients = append(recipients, mail.Recipient{Address: r.str(0), For: r.str(1)})
		return nil
	}, copyID(row, 0), copyID(row+1, 0))
	if err != nil {
		return err
	}
	return t.index(row, mail.Summary{MessageID: r.str(0), From: r.str(1), Subject: r.str(2)}, recipients)
}
