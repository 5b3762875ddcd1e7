package store

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"time"

	"postbag/engine/mail"
)

// The steps of a message, and what a record begins with. The numbers stay.
const (
	stepKept    = 1
	stepClaimed = 2
	stepSettled = 3
	stepSource  = 4
)

// errRecord is a record that cannot be read: the database is damaged.
var errRecord = damagedContent{"a record of the intake cannot be read"}

// pack writes down that a message was kept.
func (p *pending) pack(r *packer) {
	d := p.decision
	r.number(stepKept)
	r.number(p.known.Row)
	r.text(p.known.ID)
	r.text(p.mailbox)
	r.text(p.known.UID)
	r.text(p.known.Ident)
	r.octets(p.key)
	r.time(p.collected)
	r.text(p.summary.MessageID)
	r.text(p.summary.From)
	r.text(p.summary.Subject)
	r.text(p.source)
	r.text(d.Route)
	r.text(d.Sender)
	r.text(d.Evidence)
	r.text(d.Reason)
	r.number(int64(len(d.Notes)))
	for _, n := range d.Notes {
		r.text(n)
	}
	r.number(int64(len(d.Recipients)))
	for _, to := range d.Recipients {
		r.text(to.Address)
		r.text(to.Person)
		r.text(to.For)
		r.text(to.Target)
		r.flag(to.Unknown)
		r.flag(to.Outside)
	}
	r.octets(p.body)
}

// unpackKept reads what pack wrote.
func unpackKept(u *unpacker) *pending {
	p := &pending{decision: &mail.Decision{}}
	p.known.Row = u.number()
	p.known.ID = u.text()
	p.mailbox = u.text()
	p.known.UID = u.text()
	p.known.Ident = u.text()
	if key := u.octets(); len(key) > 0 {
		p.key = slices.Clone(key)
	}
	p.collected = u.time()
	p.summary = mail.Summary{MessageID: u.text(), From: u.text(), Subject: u.text()}
	p.source = u.text()
	d := p.decision
	d.Route, d.Sender, d.Evidence, d.Reason = u.text(), u.text(), u.text(), u.text()
	for range u.length() {
		d.Notes = append(d.Notes, u.text())
	}
	for range u.length() {
		d.Recipients = append(d.Recipients, mail.Recipient{Address: u.text(), Person: u.text(), For: u.text(), Target: u.text(),
			Unknown: u.flag(), Outside: u.flag()})
	}
	p.body = append([]byte{}, u.octets()...) // never nil
	if len(d.Recipients) == 0 {
		u.rest, u.err = nil, errRecord
	}
	return p
}

// replay does steps again. What they say of messages that stand in the tables is
// there already.
func (t *tx) replay(data []byte) error {
	u := &unpacker{rest: data}
	for len(u.rest) > 0 {
		if err := t.replayStep(u); err != nil {
			return err
		}
		if u.err != nil {
			return errRecord
		}
	}
	return nil
}

func (t *tx) replayStep(u *unpacker) error {
	switch u.number() {
	case stepKept:
		if p := unpackKept(u); u.err == nil {
			return t.replayKept(p)
		}
	case stepClaimed:
		for range u.length() {
			if p, next := t.pending(u.number()), u.time(); p != nil && u.err == nil {
				t.put(p.known.Row, p.claim(next))
			}
		}
	case stepSettled:
		return t.replaySettled(u)
	case stepSource:
		state, at := mail.AtSource(u.text()), u.time()
		for range u.length() {
			if p := t.pending(u.number()); p != nil && u.err == nil {
				t.put(p.known.Row, p.atSource(state, at))
			}
		}
	default:
		return errRecord
	}
	return nil
}

func (t *tx) replaySettled(u *unpacker) error {
	p, at := t.pending(u.number()), u.time()
	var landed []landing
	for range u.length() {
		landed = append(landed, landing{u.text(), u.flag()})
	}
	if p == nil || u.err != nil {
		return nil
	}
	if len(landed) != len(p.recipients()) {
		return errRecord
	}
	t.land(p, landed, at)
	return nil
}

// replayKept takes a message up that the tables do not have yet.
func (t *tx) replayKept(p *pending) error {
	k, ok, err := t.known(p.known.Row)
	if err != nil {
		return err
	}
	if !ok { // only after a repair: its identity was lost, not its octets
		if err := t.lostIdentity(p); err != nil {
			return err
		}
		if k, ok, err = t.known(p.known.Row); err != nil || !ok {
			return err
		}
	}
	if k.ID != p.known.ID || !uncollected(k.State) {
		if t.spare != nil && k.ID == p.known.ID {
			t.spare[k.Row] = p
		}
		return nil
	}
	// Said twice when the first time was not answered: the commit had failed.
	if before := t.pending(k.Row); before != nil {
		if settled(before) {
			return nil
		}
		t.held -= before.known.Size
	}
	t.take(p, k, int64(len(p.body)))
	return nil
}

func (t *tx) lostIdentity(p *pending) error {
	ident := p.known.Ident
	if ident == p.known.UID {
		ident = ""
	}
	n, err := t.exec(`INSERT INTO identity (row, id, mailbox, uid, ident, state, at_source, seen, changed)
		VALUES (?, ?, ?, ?, ?, 'waiting', 'present', ?, ?) ON CONFLICT DO NOTHING`,
		p.known.Row, p.known.ID, p.mailbox, p.known.UID, ident, p.collected, p.collected)
	if n > 0 {
		t.moved("", mail.Waiting)
	}
	return err
}

// loadIntake brings what stands in the ledger only into the tables, when the
// store is opened. On a full disk that is left for later.
func (s *Store) loadIntake() error {
	content, err := s.readIntake()
	if err != nil || len(content.steps) == 0 {
		return err
	}
	t := s.begin()
	t.unclear = true
	for _, steps := range content.steps {
		if err == nil {
			err = t.replay(steps)
		}
	}
	loaded := &tx{changed: maps.Clone(t.changed), held: t.held, records: t.records}
	if err == nil {
		err = t.foldAll()
	}
	if err == nil {
		err = t.count()
	}
	if err = t.commit(err); err == nil {
		s.apply(t)
		s.spool.Add(t.spool)
		return nil
	}
	if isFull(err) {
		s.log.Warn("what came last could not be put into the tables", "error", err)
		s.apply(loaded)
		s.ledger.broken = true // nothing is added before it could be
		return nil
	}
	return err
}

// readIntake reads the database's epoch and what the ledger has of it.
func (s *Store) readIntake() (c ledgerContent, err error) {
	epoch, known, err := readEpoch(s.w)
	if err != nil {
		return c, err
	}
	s.ledger.begin(epoch)
	f, err := s.ledger.open(s.ledger.path, false)
	if errors.Is(err, fs.ErrNotExist) && !known {
		return c, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return c, damagedContent{"the intake has vanished"}
	}
	if err != nil {
		return c, err
	}
	c, err = readLedger(f, epoch)
	err = errors.Join(err, f.Close())
	switch {
	case err != nil:
	case c.newer != 0:
		err = damagedContent{"the database is older than the intake"}
	case c.gaps > 0:
		err = damagedContent{"the intake is damaged in the middle"}
	}
	return c, err
}

// firstEpoch is that of a database that tells none. One that does had a ledger.
const firstEpoch uint64 = 1

func readEpoch(c *conn) (epoch uint64, known bool, err error) {
	r, known, err := c.one(context.Background(), "SELECT value FROM meta WHERE key = 'intake'")
	if err != nil || !known {
		return firstEpoch, false, err
	}
	if epoch, err = strconv.ParseUint(r.str(0), 16, 64); err != nil {
		return 0, false, damagedContent{"the epoch of the intake cannot be read"}
	}
	return epoch, true, nil
}

// Behind tells of a store that is open for reading only whether it may not show
// what happened last: its process goes on, or was killed. Opening it for writing
// sets that right.
func (s *Store) Behind(ctx context.Context) (bool, error) {
	var epoch uint64
	err := s.readBeside(ctx, "behind", func(c *conn) (err error) {
		epoch, _, err = readEpoch(c)
		return err
	})
	if err != nil {
		return false, err
	}
	f, err := s.ledger.open(s.ledger.path, false)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fail("behind", err)
	}
	g, ok, err := readGroup(f, 0, func(e uint64) bool { return e == epoch })
	return ok && g.epoch == epoch && g.number != 0, fail("behind", errors.Join(err, f.Close()))
}

// The steps, as changes of what is known.

// take makes a message pending: its octets and its routes are recorded.
func (t *tx) take(p *pending, k Known, size int64) {
	p.from, p.known = k.State, k
	p.known.State, p.known.Size, p.known.FetchAnyway = mail.Queued, size, false
	p.known.Fingerprint = fingerprintText(p.key)
	t.held += size
	t.put(k.Row, p)
}

func (p *pending) claim(next time.Time) *pending {
	q := *p
	q.attempts, q.next = 1, next
	return &q
}

// land makes a message one that everybody got.
func (t *tx) land(p *pending, landed []landing, at time.Time) {
	if settled(p) {
		return
	}
	q := *p
	q.landed, q.settled, q.body = landed, at, nil
	q.attempts = max(q.attempts, 1)
	q.known.State, q.known.FirstDelivered = mail.Delivered, at
	t.held -= p.known.Size
	t.put(p.known.Row, &q)
}

func (p *pending) atSource(state mail.AtSource, at time.Time) *pending {
	q := *p
	q.known.AtSource, q.sourceAt = state, at
	return &q
}
