package store

import (
	"context"
	"errors"
	"sync"
)

// Group is a few messages that are handed to the writer together: one way there
// and one back serve all. Each is an operation of its own all the same, so that
// what fails fails alone and the bounds of a transaction count messages. They
// are kept in the order in which they were added.
type Group struct {
	s    *Store
	list []*keeping
}

// keeping is one message of a group.
type keeping struct {
	keepOp
	op  operation
	out KeepResult
}

// NewGroup begins a group for so many messages.
func (s *Store) NewGroup(size int) *Group { return &Group{s: s, list: make([]*keeping, 0, size)} }

// Len is the number of messages added.
func (g *Group) Len() int { return len(g.list) }

// Add makes a message ready: its file, if it has one, and its .eml, if it goes
// into quarantine, are durable then. The draft belongs to the group from the
// call on; after an error it is discarded and the message is not of the group.
func (g *Group) Add(ctx context.Context, k Kept) error {
	m, err := g.s.ready(ctx, k)
	if err == nil {
		g.list = append(g.list, m)
	}
	return err
}

// Keep is Store.Keep for all that were added; each is told what became of every
// one, in that order. The group is empty then.
func (g *Group) Keep(ctx context.Context, each func(n int, out KeepResult, err error)) {
	list := g.list
	err := g.s.handOver(ctx, list)
	g.list = g.list[:0]
	for n, m := range list {
		err := m.finish(err)
		each(n, m.out, err)
	}
}

// Apart tells that keeping a message writes files: then others had better not
// wait for it.
func (k Kept) Apart() bool {
	return k.Draft != nil && k.Draft.path != "" || (&keepOp{Kept: k}).quarantined()
}

// ready does what comes before the transaction.
func (s *Store) ready(ctx context.Context, k Kept) (*keeping, error) {
	if k.Draft == nil {
		return nil, internal("keep", "no draft")
	}
	if k.Size == 0 {
		k.Size = k.Draft.size
	}
	m := &keeping{keepOp: keepOp{Kept: k, key: fingerprintKey(k.Fingerprint)}}
	if k.Row == 0 || m.quarantined() {
		m.id = s.ids.next(s.now())
	}
	err := k.Draft.place()
	if err == nil && m.quarantined() {
		err = s.emlBeforeKeep(ctx, &m.keepOp)
	}
	if err != nil {
		k.Draft.Discard()
		return nil, err
	}
	m.op = operation{beside: true, patient: true, bytes: int64(len(k.Draft.buf)), run: m.enterAll}
	return m, nil
}

// handOver has the writer run them; the error is one of all.
func (s *Store) handOver(ctx context.Context, list []*keeping) error {
	if err := s.enter("keep"); err != nil {
		return err
	}
	defer s.calls.Done()
	if s.readOnly {
		return internal("keep", "the store is open for reading only")
	}
	ops := make([]*operation, len(list))
	for n, m := range list {
		ops[n] = &m.op
	}
	return s.submitAll(ctx, ops)
}

// submitAll is submit for patient operations. The writer may take them in
// several transactions, in their order.
func (s *Store) submitAll(ctx context.Context, ops []*operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var all sync.WaitGroup
	all.Add(len(ops))
	for _, op := range ops {
		op.with = &all
	}
	select {
	case s.patient <- ops:
	case <-ctx.Done():
		return ctx.Err()
	}
	all.Wait()
	return nil
}

// room tells whether another patient operation may join: beside others only a
// few, so that these need not wait for the octets of many messages.
func (b *batch) room() bool { return b.patient < fewPatient || b.patient == len(b.ops) }

// patientOne returns a patient operation that waits, or nil.
func (s *Store) patientOne() *operation {
	if len(s.waiting) == 0 {
		select {
		case s.waiting = <-s.patient:
		default:
		}
	}
	if len(s.waiting) == 0 {
		return nil
	}
	return s.nextWaiting()
}

func (s *Store) nextWaiting() *operation {
	op := s.waiting[0]
	s.waiting = s.waiting[1:]
	return op
}

// enterAll is the operation.
func (m *keeping) enterAll(t *tx) error {
	var err error
	if m.out, err = m.run(t); err != nil || !m.stored || m.Draft.name != "" {
		return err
	}
	t.after = append(t.after, func() { // before anybody can settle it
		if t.s.recent.put(m.out.Row, m.Draft.buf) || m.pending {
			m.Draft.buf = nil
		}
	})
	return nil
}

// finish ends the draft, with what became of all or else of this one.
func (m *keeping) finish(err error) error {
	s := m.Draft.s
	if err == nil {
		err = m.op.err
	}
	if err == nil {
		m.Draft.release()
		return nil
	}
	m.out = KeepResult{}
	if _, ok := errors.AsType[doubtful](err); ok {
		m.Draft.release() // without its file: the next start tells whether it is needed
		return fail("keep", err)
	}
	if m.eml != "" {
		s.dropEml(m.eml) // the provider still has the message
	}
	m.Draft.Discard()
	return fail("keep", err)
}
