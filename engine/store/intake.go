package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"postbag/engine/mail"
)

// Most messages go a plain way: collected, for people of one target, nothing
// like them known, taken at the first attempt. In the tables that way would be
// a dozen and a half changes. Such a message is a pending instead: each of its
// steps is one short record in a file, the ledger, durable when the step returns
// like anything else, and it goes into the tables once: when it has settled, or
// when somebody asks for something that they are to tell. Whatever is not plain
// goes into the tables at once, and what was pending of it before.
//
// Only the writer changes pendings, and only after the sync that makes the change
// durable. Records of messages that stand in the tables already are left where
// they are until none is pending: such a message is not "waiting" any more, by
// which the next start knows them.
const (
	maxPlainBody  = 64 << 10 // octets
	maxPending    = 2048     // messages
	maxLedger     = 32 << 20 // octets; then all go into the tables
	maxNews       = 4096     // messages just listed that are kept in mind
	groupsToCome  = 2        // of each message at most: claimed, settled
	maxRoom       = 1 << 20  // octets that stay in memory for the next records
	foldAtOnce    = 128      // settled ones from which on the folder begins; twice as many go at a time
	manySettled   = 768      // the same while messages are kept
	keepingFor    = 16       // transactions after one in which some were
	foldSettledIn = 2 * time.Millisecond
	foldAllIn     = 250 * time.Millisecond // for other processes that only read
	foldAgainIn   = 5 * time.Second        // after a failure
)

// pending is a message on its plain way. It never changes: a step makes a new one.
type pending struct {
	known   Known // as the tables will tell it; AtSource as they do tell it, unless sourceAt
	mailbox string
	from    mail.State // in the tables: not collected
	key     []byte     // of the fingerprint

	summary  mail.Summary
	source   string // host of the provider
	decision *mail.Decision
	body     []byte // nil once settled

	collected time.Time
	attempts  int       // 1 once claimed
	next      time.Time // after the attempt; zero: due since collected
	landed    []landing // one for each recipient once settled
	settled   time.Time
	sourceAt  time.Time // when known.AtSource changed; zero: it did not
}

// landing is what became of one copy that was delivered.
type landing struct {
	reply    string
	doubtful bool
}

func (p *pending) recipients() []mail.Recipient { return p.decision.Recipients }

// uncollected tells that the tables know nothing of the octets of a message.
func uncollected(s mail.State) bool {
	return s == mail.Waiting || s == mail.TooBig || s == mail.Failed
}

// or is what is known of a message of which the tables tell k.
func (p *pending) or(k Known) Known {
	if p != nil && uncollected(k.State) {
		return p.known
	}
	return k
}

// pending returns a message on its plain way as this transaction sees it, or nil.
func (t *tx) pending(row int64) *pending {
	if t.busy(row) {
		t.s.join()
	}
	if p, ok := t.changed[row]; ok {
		return p
	}
	return t.base[row]
}

// busy tells whether the folder has a row in hand. After pending it has not, but
// what was read of the row before is old.
func (t *tx) busy(row int64) bool {
	if t.s == nil {
		return false
	}
	_, busy := t.s.folder.busy[row]
	return busy
}

// put makes p the message's state from the commit on; nil: it is pending no more.
func (t *tx) put(row int64, p *pending) {
	if t.changed == nil {
		t.changed = make(map[int64]*pending)
	}
	t.changed[row] = p
}

// pendings are all that this transaction sees, in the order of their rows.
func (t *tx) pendings(which func(*pending) bool) []*pending {
	if t.s != nil {
		t.s.join()
	}
	var out []*pending
	for row, p := range t.base {
		if _, newer := t.changed[row]; !newer && which(p) {
			out = append(out, p)
		}
	}
	for _, p := range t.changed {
		if p != nil && which(p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, byRow)
	return out
}

func byRow(a, b *pending) int { return cmp.Compare(a.known.Row, b.known.Row) }

func anyPending(*pending) bool  { return true }
func settled(p *pending) bool   { return p.landed != nil }
func unsettled(p *pending) bool { return !settled(p) }

// steps tells whether the transaction has something for the ledger.
func (t *tx) steps() bool { return len(t.records) > groupHeader }

// toCome is about how much is still to be written of the messages that this
// transaction keeps and of all others on their way, in octets. What comes of an
// attempt must find room: it cannot be known again.
func (t *tx) toCome() int64 {
	if t.fresh == 0 {
		return 0
	}
	unsettled := len(t.base) - t.s.settled + len(t.changed)
	return int64(unsettled) * groupsToCome * groupAlign
}

// apply takes over what a transaction did to pendings, after its commit.
func (s *Store) apply(t *tx) {
	s.held.Add(t.held)
	if t.epoch != 0 {
		s.ledger.begin(t.epoch)
	}
	if s.records = t.records; cap(s.records) > maxRoom {
		s.records = nil
	}
	s.take(t)
}

// take takes over what became of pendings.
func (s *Store) take(t *tx) {
	if len(t.changed) == 0 {
		return
	}
	s.pendMu.Lock()
	defer s.pendMu.Unlock()
	for row, p := range t.changed {
		before := s.pend[row]
		if before != nil {
			delete(s.pend, row)
			delete(s.alike, string(before.key))
			if settled(before) {
				s.settled--
			}
		}
		if p != nil {
			s.pend[row] = p
			s.alike[string(p.key)] = row
			if p.attempts == 0 {
				s.unclaimed = append(s.unclaimed, row)
			}
			if settled(p) {
				s.settled++
				if before == nil || !settled(before) {
					s.landed = append(s.landed, row)
				}
			}
		}
	}
	for len(s.unclaimed) > 0 && s.isClaimed(s.unclaimed[0]) {
		s.unclaimed = s.unclaimed[1:]
	}
}

// remember keeps in mind what the tables tell of a message that was just listed:
// most are collected within the minute. Whatever changes it there forgets it.
func (t *tx) remember(f found) {
	t.after = append(t.after, func() {
		if len(t.s.news) < maxNews {
			t.s.news[f.Row] = f
		}
	})
}

// isClaimed tells that a row is not pending, or not to be claimed any more.
func (s *Store) isClaimed(row int64) bool {
	p := s.pend[row]
	return p == nil || p.attempts > 0
}

// view returns the pendings of a kind as they are now.
func (s *Store) view(which func(*pending) bool) map[int64]*pending {
	s.pendMu.RLock()
	defer s.pendMu.RUnlock()
	out := make(map[int64]*pending)
	for row, p := range s.pend {
		if which(p) {
			out[row] = p
		}
	}
	return out
}

func (s *Store) viewMailbox(mailbox string) map[int64]*pending {
	return s.view(func(p *pending) bool { return p.mailbox == mailbox })
}

// viewRows returns those of the rows that are pending now.
func (s *Store) viewRows(rows []int64) map[int64]*pending {
	s.pendMu.RLock()
	defer s.pendMu.RUnlock()
	out := make(map[int64]*pending, min(len(rows), len(s.pend)))
	for _, row := range rows {
		if p := s.pend[row]; p != nil {
			out[row] = p
		}
	}
	return out
}

// isPending tells whether anything stands in the intake only.
func (s *Store) isPending() bool {
	s.pendMu.RLock()
	defer s.pendMu.RUnlock()
	return len(s.pend) > 0
}

// unfold has everything go into the tables, so that a query sees it. On a full
// disk the query sees what was there before.
func (s *Store) unfold(ctx context.Context) error {
	if !s.isPending() {
		return nil
	}
	err := s.submit(ctx, &operation{tables: true, run: func(*tx) error { return nil }})
	if isFull(err) {
		s.log.Warn("what came last could not be put into the tables", "error", err)
		return nil
	}
	return err
}
