package engine

import (
	"context"
	"errors"
	"sync"

	"postbag/engine/mail"
	"postbag/engine/source"
	"postbag/engine/store"
)

// settle waits until an attempt was made at all that this run fetched here, but
// not so long that a slow target keeps the mailbox locked: what comes later is
// deleted in the next session.
func (s *session) settle(ctx context.Context) error {
	return s.await(ctx, func(wait context.Context) error { return s.watch.wait(wait, s.e.quiet(wait)) })
}

// settleLast is settle when deleting comes next. What has to be noted before the
// first DELE is noted while the target answers; without anything to delete, or
// when the session died, the note is taken back.
func (s *session) settleLast(ctx context.Context) error {
	if s.keeps() || s.watch.idle() {
		return s.settle(ctx)
	}
	keep := context.WithoutCancel(ctx) // also when asked to stop what is settled is deleted
	err := atOnce(
		func() error { return s.unsure(keep, true) },
		func() error { return s.settle(ctx) },
	)
	if err != nil {
		err = errors.Join(err, s.unsure(keep, false))
	}
	return err
}

// delivered returns when nothing more will be attempted now, of whatever session.
func (s *session) delivered(ctx context.Context) error {
	select {
	case <-s.e.quiet(ctx):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await keeps the session alive while until waits, but not for ever.
func (s *session) await(ctx context.Context, until func(context.Context) error) error {
	for range settleRounds {
		wait, cancel := context.WithTimeout(ctx, keepAlive)
		err := until(wait)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return nil // asked to stop: what is settled is still deleted
		case errors.Is(err, context.DeadlineExceeded):
			if err := s.conn.Noop(ctx); err != nil && !onlyRefused(err) {
				return err
			}
		}
	}
	return nil
}

// finish deletes what is settled, quits, and only then believes it (rule 12):
// what is returned has come true at the provider.
func (s *session) finish(ctx context.Context) (*confirmed, error) {
	if ctx.Err() != nil {
		// Asked to stop: deleting what the office has already is worth a moment.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), quitPatience)
		defer cancel()
	}
	dele, keep, row, err := s.choose(ctx)
	if err == nil && len(dele) > 0 {
		err = s.unsure(ctx, true)
	}
	if err != nil {
		return nil, s.nothingAsked(ctx, err)
	}
	marked, err := s.conn.Delete(ctx, dele)
	if err == nil {
		err = s.conn.Quit(ctx)
	}
	switch {
	case err != nil && len(dele) == 0:
		return nil, s.nothingAsked(ctx, err)
	case err != nil:
		return nil, err
	}
	gone := make([]int64, 0, len(marked))
	for _, it := range marked {
		gone = append(gone, row[it.Number])
	}
	s.run.touch(gone...)
	return s.confirm(gone, keep), nil
}

// nothingAsked takes back a note of this session, which ends with err before it has
// asked for a deletion.
func (s *session) nothingAsked(ctx context.Context, err error) error {
	if s.doubt {
		return err
	}
	return errors.Join(err, s.unsure(context.WithoutCancel(ctx), false))
}

// choose returns what is to be deleted now, with its rows by number, and the rows
// that are to be kept there.
func (s *session) choose(ctx context.Context) (dele []source.Item, keep []int64, row map[int]int64, err error) {
	if err := s.recordGone(ctx); err != nil {
		return nil, nil, nil, err
	}
	rows, err := s.settled(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	row = make(map[int]int64)
	now := s.e.deps.Now()
	for _, k := range rows {
		it := s.fetch.rows[k.Row]
		switch {
		case s.mb.Policy.After.May(k, now):
			dele = append(dele, it)
			row[it.Number] = k.Row
		case k.State.Settled() && k.AtSource != mail.SourceKept:
			keep = append(keep, k.Row)
		}
	}
	return dele, keep, row, nil
}

// confirm tells what has come true; nil: nothing has.
func (s *session) confirm(gone, keep []int64) *confirmed {
	sure := s.mayNote(false)
	if sure {
		s.noted = false
	}
	if len(gone)+len(keep) == 0 && !sure {
		return nil
	}
	return &confirmed{gone: gone, kept: keep, sure: sure}
}

// confirmed is what the provider has confirmed with its answer to QUIT and the
// store does not know yet.
type confirmed struct {
	gone, kept []int64 // rows
	sure       bool    // and the note of deletions without an end is to be taken back
}

// believe stores what the provider has confirmed, and with it how the mailbox is
// otherwise changed (nil: it is not).
func (e *Engine) believe(ctx context.Context, mailbox string, c *confirmed, change func(*store.MailboxState)) error {
	switch {
	case c == nil && change == nil:
		return nil
	case c == nil:
		c = &confirmed{}
	}
	return e.deps.Store.Confirm(context.WithoutCancel(ctx), mailbox, c.gone, c.kept, func(st *store.MailboxState) {
		if c.sure {
			setUnsure(st, false)
		}
		if change != nil {
			change(st)
		}
	})
}

// atOnce runs all and returns their errors.
func atOnce(all ...func() error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, f := range all {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// recordGone books what is listed no more. As long as something was not looked
// at, it may be one of those under a new UIDL (rule 4).
func (s *session) recordGone(ctx context.Context) error {
	gone := s.replaced()
	if !s.whole {
		return s.bookGone(ctx, gone)
	}
	for _, row := range s.gone {
		if !s.fetch.claimed[row] {
			gone = append(gone, row)
		}
	}
	if !s.listing.HasUIDL && len(s.listing.Faults) == 0 && !s.fetch.missed {
		rows, err := s.e.deps.Store.AtSource(ctx, s.mb.ID)
		if err != nil {
			return err
		}
		for _, k := range rows {
			if _, listed := s.fetch.rows[k.Row]; !listed && k.UID == "" {
				gone = append(gone, k.Row)
			}
		}
	}
	s.run.touch(s.lost...)
	return s.bookGone(ctx, gone)
}

func (s *session) bookGone(ctx context.Context, gone []int64) error {
	if len(gone) == 0 {
		return nil
	}
	_, err := s.e.deps.Store.RecordListing(ctx, s.mb.ID, nil, gone)
	return err
}

// settled asks the store, not memory, what became of the rows of this session.
func (s *session) settled(ctx context.Context) ([]source.Known, error) {
	rows := make([]int64, 0, len(s.fetch.rows))
	for row := range s.fetch.rows {
		rows = append(rows, row)
	}
	known, err := s.e.deps.Store.Rows(ctx, rows)
	return convert(known), err
}

func convert(rows []store.Known) []source.Known {
	out := make([]source.Known, len(rows))
	for i, k := range rows {
		out[i] = convertOne(k)
	}
	return out
}

func convertMap(m map[string][]store.Known) map[string][]source.Known {
	out := make(map[string][]source.Known, len(m))
	room := make([]source.Known, 0, len(m)) // most have one
	for uid, rows := range m {
		if len(rows) != 1 {
			out[uid] = convert(rows)
			continue
		}
		room = append(room, convertOne(rows[0]))
		n := len(room)
		out[uid] = room[n-1 : n : n]
	}
	return out
}

func convertOne(k store.Known) source.Known {
	return source.Known{
		Row: k.Row, UID: k.UID, State: k.State, AtSource: k.AtSource, Fingerprint: k.Fingerprint,
		ByFingerprint: k.Ident != k.UID, FirstDelivered: k.FirstDelivered, Size: k.Size, Fetches: k.Fetches,
		FetchAnyway: k.FetchAnyway, DeleteAsked: k.DeleteAsked,
	}
}
