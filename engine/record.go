package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"postbag/engine/mail"
	"postbag/engine/source"
	"postbag/engine/store"
)

// recordGrace is how long recording goes on when asked to stop: every UIDL that
// was seen is to have a state (rule 49).
const recordGrace = 500 * time.Millisecond

// recording writes a listing down while its first messages are fetched. A message
// is kept only when its row is durable.
type recording struct {
	mu    sync.Mutex
	more  *sync.Cond
	place map[string]int // in the listing, by UID
	rows  []store.Known  // so far, in its order
	ended bool
	err   error
}

func newRecording(items []store.NewItem) *recording {
	r := &recording{place: make(map[string]int, len(items))}
	r.more = sync.NewCond(&r.mu)
	for i, it := range items {
		r.place[it.UID] = i
	}
	return r
}

// work records everything, and beside it does what note is (nil: nothing). It ends
// a moment after ctx at the latest.
func (r *recording) work(ctx context.Context, s *session, items []store.NewItem, note func(context.Context) error) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(recordGrace, cancel) })()
	noted := make(chan error, 1)
	if note == nil {
		noted <- nil
	} else {
		go func() { noted <- note(work) }()
	}
	err := s.e.deps.Store.RecordNew(work, s.mb.ID, items, func(part []store.Known) {
		for _, k := range part {
			s.run.touch(k.Row)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.rows = append(r.rows, part...)
		r.more.Broadcast()
	})
	err = errors.Join(err, <-noted)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.err = true, err
	r.more.Broadcast()
}

// known waits until a message of the listing is recorded; ok is false when it
// need not be.
func (r *recording) known(uid string) (k source.Known, ok bool, err error) {
	if r == nil {
		return k, false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.place[uid]
	if !ok {
		return k, false, nil
	}
	for len(r.rows) <= i && !r.ended {
		r.more.Wait()
	}
	if len(r.rows) <= i {
		return k, false, r.err
	}
	return convertOne(r.rows[i]), true, nil
}

// over waits for the end and adds its error to err.
func (r *recording) over(err error) error {
	if r == nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.ended {
		r.more.Wait()
	}
	if r.err == nil || errors.Is(err, r.err) {
		return err
	}
	return errors.Join(r.err, err)
}

// record writes down what was not known yet, so that every UIDL seen has a
// state from now on (rule 49).
func (s *session) record(ctx context.Context) error {
	fresh := make([]store.NewItem, 0, len(s.plan.New)+len(s.plan.Skip))
	for _, it := range s.plan.New {
		fresh = append(fresh, store.NewItem{UID: it.UID, Size: it.Size, State: mail.Waiting})
	}
	if s.recordsBeside() && len(fresh) > 0 {
		s.recording = newRecording(fresh)
		go s.recording.work(ctx, s, fresh, s.noteEarly())
		return nil
	}
	for _, it := range s.plan.Skip {
		fresh = append(fresh, store.NewItem{UID: it.UID, Size: it.Size, State: mail.Filtered, Reason: "first_collection"})
	}
	known, err := s.e.deps.Store.RecordListing(ctx, s.mb.ID, fresh, nil)
	if err != nil {
		return err
	}
	byUID := make(map[string]source.Known, len(known))
	for _, k := range known {
		byUID[k.UID] = convertOne(k)
		s.run.touch(k.Row)
	}
	attach := func(items []source.Planned) {
		for i := range items {
			if k, ok := byUID[items[i].UID]; ok && items[i].Known.Row == 0 && !items[i].ByFingerprint {
				items[i].Known = k
			}
		}
	}
	attach(s.plan.Fetch)
	attach(s.plan.TooBig)
	for _, it := range s.plan.TooBig {
		if err := s.tooBig(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// recordsBeside tells whether fetching may begin meanwhile: not when a row is
// needed for more than to keep its message. What may be known under another UIDL
// (rule 4) is told by when its row was made.
func (s *session) recordsBeside() bool {
	return s.fetches && len(s.plan.Skip) == 0 && len(s.plan.TooBig) == 0 && len(s.gone) == 0 && !s.keeps()
}

// keeps tells whether mail stays at the provider, for ever or for a time.
func (s *session) keeps() bool { return s.mb.Policy.After.Keep || s.mb.Policy.After.Delay > 0 }

// recorded returns a planned message with its row, once it has one.
func (f *fetcher) recorded(it source.Planned) (source.Planned, error) {
	if it.Known.Row != 0 || it.ByFingerprint {
		return it, nil
	}
	k, ok, err := f.recording.known(it.UID)
	if ok {
		it.Known = k
	}
	return it, err
}
