package store

import (
	"slices"
	"time"

	"postbag/engine/mail"
)

// The copies of a message have numbers next to each other, so that a range of
// the primary key finds them without an index of its own.
const copyShift = 20

// maxCopies is far above any distribution list.
const maxCopies = 1 << copyShift

func copyID(row int64, n int) int64 { return row<<copyShift | int64(n) }
func rowOf(copyID int64) int64      { return copyID >> copyShift }

// copyRow is one recipient as the database has it.
type copyRow struct {
	id       int64
	person   string
	address  string
	target   string
	unknown  bool
	state    mail.State
	code     mail.Code
	attempts int
	heldBy   int64
	changed  time.Time
}

const columnsCopy = `id, person, address, target, unknown, state, code, attempts, held_by, changed`

func scanCopy(r record) copyRow {
	return copyRow{id: r.int(0), person: r.str(1), address: r.str(2), target: r.str(3), unknown: r.bool(4),
		state: mail.State(r.str(5)), code: mail.Code(r.str(6)), attempts: int(r.int(7)), heldBy: r.int(8), changed: r.time(9)}
}

const sqlCopies = `SELECT ` + columnsCopy + ` FROM copy WHERE id >= ? AND id < ? ORDER BY id`

// copies returns the recipients of a message.
func (t *tx) copies(row int64) ([]copyRow, error) {
	var out []copyRow
	err := t.query(sqlCopies, func(r record) error {
		out = append(out, scanCopy(r))
		return nil
	}, copyID(row, 0), copyID(row+1, 0))
	return out, err
}

func statesOf(copies []copyRow) []mail.State {
	out := make([]mail.State, len(copies))
	for i, c := range copies {
		out[i] = c.state
	}
	return out
}

func (t *tx) newCopy(id int64, r mail.Recipient, state mail.State, code mail.Code, next time.Time, heldBy, duplicateOf int64) error {
	_, err := t.exec(`INSERT INTO copy (id, person, address, for_address, target, unknown, outside, state, code, next, queued, changed, held_by, duplicate_of)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, r.Person, r.Address, r.For, r.Target, r.Unknown, r.Outside, state, code, next, t.now, t.now, orNil(heldBy), orNil(duplicateOf))
	return err
}

func orNil(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// envelopes writes the copies of a message and returns its state and the
// targets that have something to do.
func (t *tx) envelopes(row int64, id string, key []byte, recipients []mail.Recipient, due time.Time) (mail.State, []string, error) {
	if len(recipients) >= maxCopies {
		return "", nil, internal("keep", "too many recipients")
	}
	others, err := t.others(row, key)
	if err != nil {
		return "", nil, err
	}
	var states []mail.State
	var targets []string
	for n, r := range recipients {
		state, held, dup := mail.Queued, int64(0), int64(0)
		if o, ok := others[r.Person]; ok { // rule 35
			if o.state == mail.Delivered {
				state, dup = mail.Duplicate, rowOf(o.id)
				if err := t.firstDelivered(row, o.changed); err != nil {
					return "", nil, err
				}
			} else {
				held = o.id
			}
		}
		next := due
		if state == mail.Duplicate {
			next = time.Time{}
		}
		if err := t.newCopy(copyID(row, n), r, state, "", next, held, dup); err != nil {
			return "", nil, err
		}
		states = append(states, state)
		if state == mail.Queued && held == 0 && !due.After(t.now) {
			targets = addTarget(targets, r.Target)
		}
	}
	state := mail.Worst(states)
	if state != mail.Queued {
		if err := t.dropBody(row, id); err != nil {
			return "", nil, err
		}
	}
	return state, targets, nil
}

func addTarget(targets []string, name string) []string {
	if slices.Contains(targets, name) {
		return targets
	}
	return append(targets, name)
}

const sqlOthers = `SELECT c.id, c.person, c.address, c.target, c.unknown, c.state, c.code, c.attempts, c.held_by, c.changed
	FROM identity i JOIN copy c ON c.id >= i.row << 20 AND c.id < (i.row + 1) << 20
	WHERE i.fingerprint = ? AND +i.row <> ? AND c.state IN ('delivered', 'queued') ORDER BY c.id`

// others returns, per person, the copy of the same message that counts for
// rule 35: an accepted delivery within the window, else the copy under way that
// is not itself held. Quarantined copies do not count.
func (t *tx) others(row int64, key []byte) (map[string]copyRow, error) {
	if key == nil {
		return nil, nil
	}
	var out map[string]copyRow
	since := t.now.Add(-t.s.window)
	err := t.query(sqlOthers, func(r record) error {
		c := scanCopy(r)
		switch {
		case c.state == mail.Delivered && c.changed.Before(since):
			return nil
		case c.state == mail.Queued && c.heldBy != 0:
			return nil
		}
		if out == nil {
			out = make(map[string]copyRow)
		}
		if before, ok := out[c.person]; !ok || before.state == mail.Queued {
			out[c.person] = c
		}
		return nil
	}, key, row)
	return out, err
}

// firstDelivered records the first accepted delivery (rule 14).
func (t *tx) firstDelivered(row int64, at time.Time) error {
	_, err := t.exec("UPDATE identity SET delivered = ? WHERE row = ? AND (delivered IS NULL OR delivered > ?)", at, row, at)
	return err
}

// ended lets go of the copies that were held behind one that is no longer
// queued for its person: after a delivery they are duplicates, else the first
// of them takes its place. It returns the targets that have something to do.
func (t *tx) ended(id int64, delivered bool) ([]string, error) {
	var held []copyRow
	err := t.query("SELECT "+columnsCopy+" FROM copy WHERE held_by = ? ORDER BY id", func(r record) error {
		held = append(held, scanCopy(r))
		return nil
	}, id)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	if !delivered {
		return t.promote(held)
	}
	for _, h := range held {
		_, err := t.exec("UPDATE copy SET state = 'duplicate', held_by = NULL, next = NULL, duplicate_of = ?, changed = ? WHERE id = ?", rowOf(id), t.now, h.id)
		if err != nil {
			return nil, err
		}
		if err := t.firstDelivered(rowOf(h.id), t.now); err != nil {
			return nil, err
		}
		if _, err := t.settled(rowOf(h.id)); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (t *tx) promote(held []copyRow) ([]string, error) {
	leader := held[0]
	if _, err := t.exec("UPDATE copy SET held_by = NULL, next = ? WHERE id = ?", t.now, leader.id); err != nil {
		return nil, err
	}
	for _, h := range held[1:] {
		if _, err := t.exec("UPDATE copy SET held_by = ? WHERE id = ?", leader.id, h.id); err != nil {
			return nil, err
		}
	}
	return []string{leader.target}, nil
}

// settled brings a message's state in line with its copies and drops its
// octets and its .eml when nobody needs them any more.
func (t *tx) settled(row int64) (mail.State, error) {
	copies, err := t.copies(row)
	if err != nil {
		return "", err
	}
	k, err := t.must("settle", row)
	if err != nil {
		return "", err
	}
	return t.conclude(k, copies)
}

func (t *tx) conclude(k Known, copies []copyRow) (mail.State, error) {
	state := mail.Worst(statesOf(copies))
	if state != k.State {
		if err := t.become(k.Row, k.State, state); err != nil {
			return state, err
		}
	}
	for _, c := range copies {
		if c.state == mail.Queued || c.state == mail.Quarantined {
			return state, nil
		}
	}
	return state, t.dropBody(k.Row, k.ID)
}

// dropBody removes the octets of a message; files go after the commit.
func (t *tx) dropBody(row int64, id string) error {
	return t.returning("DELETE FROM body WHERE row = ? RETURNING size, file, eml", func(r record) error {
		t.spool -= r.int(0)
		if name := r.str(1); name != "" {
			t.after = append(t.after, func() { t.s.dropFile(name) })
		}
		if r.bool(2) {
			t.after = append(t.after, func() { t.s.dropEml(id) })
		}
		return nil
	}, row)
}

// leftQuarantine removes the .eml of a message that has nothing in quarantine
// any more but still has its octets here.
func (t *tx) leftQuarantine(row int64, id string) error {
	t.after = append(t.after, func() { t.s.dropEml(id) })
	_, err := t.exec("UPDATE body SET eml = 0 WHERE row = ?", row)
	return err
}
