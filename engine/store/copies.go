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
	id      int64
	person  string
	address string
	target  string
	unknown bool
	state   mail.State
	code    mail.Code
	heldBy  int64
	changed time.Time
}

const columnsCopy = `c.id, c.person, c.address, c.target, c.unknown, c.state, c.code, c.held_by, c.changed`

func scanCopy(r record) copyRow {
	return copyRow{id: r.int(0), person: r.str(1), address: r.str(2), target: r.str(3), unknown: r.bool(4),
		state: mail.State(r.str(5)), code: mail.Code(r.str(6)), heldBy: r.int(7), changed: r.time(8)}
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
func (t *tx) envelopes(row int64, key []byte, recipients []mail.Recipient, due time.Time) (mail.State, []string, error) {
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
		if state == mail.Duplicate || held != 0 {
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
	return mail.Worst(states), targets, nil
}

func addTarget(targets []string, name string) []string {
	if slices.Contains(targets, name) {
		return targets
	}
	return append(targets, name)
}

const sqlOthers = `SELECT ` + columnsCopy + `
	FROM identity CROSS JOIN copy c ON c.id >= row << 20 AND c.id < (row + 1) << 20
	WHERE ` + sqlAlike + ` AND +row <> ?3 AND c.state IN ('delivered', 'queued') ORDER BY c.id`

// DuplicateWindow is how long an accepted delivery counts for rule 35.
func (s *Store) DuplicateWindow() time.Duration { return s.window }

// others returns, per person, the copy of the same message that counts for
// rule 35: an accepted delivery within the window, else the copy under way that
// is not itself held. Quarantined copies do not count.
func (t *tx) others(row int64, key []byte) (map[string]copyRow, error) {
	if key == nil {
		return nil, nil
	}
	// Hardly any message comes twice: the short question first.
	if twice, err := t.twice(key, row); err != nil || !twice {
		return nil, err
	}
	if err := t.enterKeys(); err != nil {
		return nil, err
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
	}, key, short(key), row)
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
	err := t.query("SELECT "+columnsCopy+" FROM copy c WHERE c.held_by = ? ORDER BY c.id", func(r record) error {
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
		_, err := t.exec("UPDATE copy SET state = 'duplicate', held_by = NULL, duplicate_of = ?, changed = ? WHERE id = ?", rowOf(id), t.now, h.id)
		if err != nil {
			return nil, err
		}
		if err := t.settled(rowOf(h.id), t.now); err != nil {
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

// message is a message with its copies.
type message struct {
	row         int64
	id          string
	state       mail.State
	fingerprint []byte
	delivered   time.Time // first accepted delivery
	body        *bodyRow  // nil: its octets are not here
	copies      []copyRow
	first       time.Time // a delivery that may be the first
}

// bodyRow is what is known of stored octets.
type bodyRow struct {
	size int64
	file string
	eml  bool
}

const sqlMessage = `SELECT i.id, i.state, i.fingerprint, i.delivered, b.size, b.file, b.eml, ` + columnsCopy + `
	FROM identity i LEFT JOIN body b ON b.row = ?1 LEFT JOIN copy c ON c.id >= ?1 << 20 AND c.id < (?1 + 1) << 20
	WHERE i.row = ?1 ORDER BY c.id`

// message reads a message with its copies.
func (t *tx) message(op string, row int64) (*message, error) {
	var m *message
	err := t.query(sqlMessage, func(r record) error {
		if m == nil {
			m = &message{row: row, id: r.str(0), state: mail.State(r.str(1)), fingerprint: r.blob(2), delivered: r.time(3)}
			if r[4] != nil {
				m.body = &bodyRow{size: r.int(4), file: r.str(5), eml: r.bool(6)}
			}
		}
		if c := scanCopy(r[7:]); c.id != 0 {
			m.copies = append(m.copies, c)
		}
		return nil
	}, row)
	if err == nil && m == nil {
		err = notFound(op)
	}
	return m, err
}

// settled brings a message's state in line with its copies.
func (t *tx) settled(row int64, delivered time.Time) error {
	m, err := t.message("settle", row)
	if err != nil {
		return err
	}
	m.first = delivered
	_, err = t.conclude(m)
	return err
}

// conclude brings a message's state in line with its copies and drops its
// octets and its .eml when nobody needs them any more.
func (t *tx) conclude(m *message) (mail.State, error) {
	state := mail.Worst(statesOf(m.copies))
	first := m.delivered
	if first.IsZero() {
		first = m.first // rule 14: the first accepted delivery
	}
	if state != m.state || first != m.delivered {
		_, err := t.exec("UPDATE identity SET state = ?, changed = ?, delivered = ? WHERE row = ?", state, t.now, first, m.row)
		if err != nil {
			return state, err
		}
		t.moved(m.state, state)
		m.state, m.delivered = state, first
	}
	for _, c := range m.copies {
		if c.state == mail.Queued || c.state == mail.Quarantined {
			return state, nil
		}
	}
	return state, t.dropBody(m)
}

// dropBody removes the octets of a message; files go after the commit.
func (t *tx) dropBody(m *message) error {
	if m.body == nil {
		return nil
	}
	b, id := m.body, m.id
	m.body = nil
	t.spool -= b.size
	if b.file != "" {
		t.after = append(t.after, func() { t.s.dropFile(b.file) })
	}
	if b.eml {
		t.after = append(t.after, func() { t.s.dropEml(id) })
	}
	row := m.row
	t.after = append(t.after, func() { t.s.recent.drop(row) })
	_, err := t.exec("DELETE FROM body WHERE row = ?", row)
	return err
}

// leftQuarantine removes the .eml of a message that has nothing in quarantine
// any more but still has its octets here.
func (t *tx) leftQuarantine(m *message) error {
	if m.body == nil || !m.body.eml {
		return nil
	}
	id := m.id
	m.body.eml = false
	t.after = append(t.after, func() { t.s.dropEml(id) })
	_, err := t.exec("UPDATE body SET eml = 0 WHERE row = ?", m.row)
	return err
}

// markEml records that the .eml was written.
func (t *tx) markEml(m *message) error {
	if m.body == nil || m.body.eml {
		return nil
	}
	m.body.eml = true
	_, err := t.exec("UPDATE body SET eml = 1 WHERE row = ?", m.row)
	return err
}
