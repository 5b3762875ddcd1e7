package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/source"
	"postbag/engine/store"
)

// Deletions become real only when QUIT is answered (rule 12), so a long run
// quits and signs in again after so many messages or so much time.
const (
	checkpointMessages = 500
	checkpointTime     = 5 * time.Minute
	chunkBytes         = 32 << 20 // about how much is fetched before the clock is looked at
	keepAlive          = 30 * time.Second
	settleRounds       = 10               // of keepAlive
	quitPatience       = 20 * time.Second // for a last DELE and QUIT when asked to stop
)

// session is one POP3 session of a run.
type session struct {
	e     *Engine
	mb    *Mailbox
	run   *run
	watch *watch
	conn  source.Session

	listing source.Listing
	plan    source.Plan
	byUID   map[string]source.Item   // nil until it is needed
	meant   map[string][]int64       // see byContent
	gone    []int64                  // rows that are not listed any more
	lost    []int64                  // those of them that never were here
	doubt   bool                     // an earlier session asked for deletions and heard no end
	noted   bool                     // the store has a note of that
	whole   bool                     // everything that the listing has was looked at
	short   error                    // why fetching ended before that, although the session lives
	skip    func(header.Header) bool // what first_collection leaves out and only its content identifies; nil: nothing
	fetch   *fetcher
	began   time.Time

	fetches   bool       // the session does more than deleting
	recording *recording // of its listing, while it fetches; nil: that is done
}

// runSession does one session and tells whether another one is to follow at
// once: after a checkpoint, or when one bad message ended it (rule 16).
func (e *Engine) runSession(ctx context.Context, mb *Mailbox, r *run, w *watch) (again bool, err error) {
	s, err := e.signIn(ctx, mb, r, w)
	if err != nil {
		return false, err
	}
	conn := s.conn
	defer conn.Close()
	r.signedIn(mb.ID)
	r.delays(mb.ID, conn.Capabilities().LoginDelay) // as far as it is known before the listing
	if err := r.begun(ctx); err != nil {
		if ctx.Err() == nil {
			_ = conn.Quit(ctx) // whatever it answers: nothing was asked for, nothing is changed
		}
		return false, err
	}
	more, err := s.bring(ctx)
	if err != nil {
		return conn.Capabilities().LoginDelay == 0 && ctx.Err() == nil && r.mayGoOn(mb.ID), err
	}
	if !more {
		r.fetchedAll(mb.ID, s.whole)
		if err := s.settleLast(ctx); err != nil {
			return false, err
		}
	}
	confirmed, err := s.finish(ctx)
	if err != nil {
		return false, err
	}
	r.later(mb.ID, confirmed)
	return more, s.short
}

// signIn begins a session. What the store tells of the mailbox is read before; when
// it still has to take in what the session before is owed, it does so meanwhile.
func (e *Engine) signIn(ctx context.Context, mb *Mailbox, r *run, w *watch) (*session, error) {
	s := &session{e: e, mb: mb, run: r, watch: w}
	known := make(chan error, 1)
	if owed := r.owed(mb.ID); owed == nil {
		if err := s.wasUnsure(ctx); err != nil {
			return nil, err
		}
		known <- nil
	} else {
		go func() {
			err := e.believe(ctx, mb.ID, owed, nil)
			if err == nil {
				err = s.wasUnsure(ctx)
			}
			known <- err
		}()
	}
	conn, err := e.dial(ctx, mb, r)
	if unknown := <-known; unknown != nil {
		if err == nil {
			_ = errors.Join(conn.Quit(ctx), conn.Close()) // whatever it answers: nothing was asked for
		}
		err = errors.Join(unknown, err)
	}
	if err != nil {
		return nil, err
	}
	s.conn, s.began = conn, e.deps.Now()
	return s, nil
}

// A server may need a moment to notice that the session before has ended; until
// then the mailbox is locked (RFC 1939 section 4).
var unlockPauses = [...]time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second}

// dial signs in. In a further session of the same run it waits for the lock of
// the one before.
func (e *Engine) dial(ctx context.Context, mb *Mailbox, r *run) (source.Session, error) {
	ctx = context.WithValue(ctx, sessionKey{}, r.id)
	conn, err := mb.Dial(ctx)
	for _, pause := range unlockPauses {
		if err == nil || mail.AsFailure(err).Code != mail.CodeInUse || !r.hasSignedIn(mb.ID) {
			break
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
		conn, err = mb.Dial(ctx)
	}
	return conn, err
}

// bring lists and fetches.
func (s *session) bring(ctx context.Context) (more bool, err error) {
	s.fetches = true
	defer func() {
		if err = s.recording.over(err); err != nil {
			err = s.nothingAsked(ctx, err)
		}
	}()
	if err := s.look(ctx); err != nil {
		return false, err
	}
	s.fetch = newFetcher(s)
	defer s.fetch.end()
	if err := s.adopt(ctx, s.plan.Delete, s.plan.Keep, s.plan.Pending); err != nil {
		return false, err
	}
	more, err = s.collect(ctx)
	err = s.fetch.durable(err)
	s.e.expect(false)
	return more, err
}

// look lists the maildrop, compares it with what is known and records it.
func (s *session) look(ctx context.Context) error {
	uids, err := s.list(ctx)
	if err != nil {
		return err
	}
	cmp, err := s.e.deps.Store.Compare(ctx, s.mb.ID, uids)
	if err != nil {
		return err
	}
	known := convertMap(cmp.Known)
	if err := s.welcomeBack(ctx, known); err != nil {
		return err
	}
	var vanished []source.Known
	if s.listing.HasUIDL && len(s.listing.Faults) == 0 { // else one of them may be a line that could not be read
		vanished = convert(cmp.Vanished)
	}
	for _, k := range vanished {
		s.gone = append(s.gone, k.Row)
		if k.Fingerprint == "" {
			s.lost = append(s.lost, k.Row)
		}
	}
	if err := s.makePlan(ctx, known, vanished, s.run.isFirst(s.mb.ID, cmp.First)); err != nil {
		return err
	}
	s.meant = make(map[string][]int64)
	for _, it := range s.plan.Fetch {
		if it.ByFingerprint && len(s.meant[it.UID]) == 0 {
			s.byContent(it.UID, known[it.UID]...)
		}
	}
	if s.plan.Renamed {
		s.e.attention(s.mb.ID, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeRenumbered, Op: "UIDL"})
	}
	return s.record(ctx)
}

// makePlan decides what to do; the first time, what first_collection says.
func (s *session) makePlan(ctx context.Context, known map[string][]source.Known, vanished []source.Known, first bool) error {
	policy := s.mb.Policy
	policy.SkipFirst = policy.SkipFirst && first
	s.plan = source.Make(s.listing, known, vanished, policy, s.e.deps.Now())
	switch since := s.mb.Since; {
	case policy.SkipFirst:
		s.skip = func(header.Header) bool { return true }
	case first && !since.IsZero():
		s.skip = func(h header.Header) bool { return isOld(h, since) }
		return s.skipOld(ctx)
	}
	return nil
}

// list asks for the listing and returns its UIDs.
func (s *session) list(ctx context.Context) (uids []string, err error) {
	s.listing, err = s.conn.List(ctx)
	s.run.delays(s.mb.ID, s.conn.Capabilities().LoginDelay)
	if err != nil {
		return nil, err
	}
	for _, fault := range s.listing.Faults { // rule 2
		s.run.log.Warn("the provider's list has a line that cannot be read; that message is left alone",
			"mailbox", s.mb.ID, "line", fault)
	}
	s.run.faults(s.mb.ID, len(s.listing.Faults))
	if s.keeps() && !s.listing.HasUIDL && len(s.listing.Items) > 0 {
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeNoUIDL, Op: "UIDL"}
	}
	uids = make([]string, 0, len(s.listing.Items))
	for _, it := range s.listing.Items {
		if it.UID != "" {
			uids = append(uids, it.UID)
		}
	}
	return uids, nil
}

// welcomeBack sets right what is listed again although it had vanished: one
// session in which the provider listed nothing must not make mail that was
// never collected look settled.
func (s *session) welcomeBack(ctx context.Context, known map[string][]source.Known) error {
	var back []store.NewItem
	for uid, rows := range known {
		if len(rows) != 1 || rows[0].ByFingerprint || rows[0].AtSource == mail.SourcePresent || rows[0].AtSource == mail.SourceKept {
			continue
		}
		same, err := s.same(ctx, source.Planned{Item: s.item(uid), Known: rows[0]}, true)
		if err != nil {
			return err
		}
		if !same { // QUIRK: the provider uses the UIDL of what was deleted again
			rows[0].ByFingerprint = true
			continue
		}
		back = append(back, store.NewItem{UID: uid, Size: s.item(uid).Size})
	}
	if len(back) == 0 {
		return nil
	}
	rows, err := s.e.deps.Store.RecordListing(ctx, s.mb.ID, back, nil)
	for _, k := range rows {
		known[k.UID] = []source.Known{convertOne(k)}
		if k.State == mail.Waiting {
			s.run.touch(k.Row)
		}
	}
	return err
}

// item is the one of the listing with a UID. Most sessions ask for none.
func (s *session) item(uid string) source.Item {
	if s.byUID == nil {
		s.byUID = make(map[string]source.Item, len(s.listing.Items))
		for _, it := range s.listing.Items {
			s.byUID[it.UID] = it
		}
	}
	return s.byUID[uid]
}

// skipOld leaves out what was sent before the day that the user chose for the
// first collection. What has no date that can be read is collected.
func (s *session) skipOld(ctx context.Context) error {
	old := make(map[int]bool)
	for _, it := range s.plan.New {
		top, err := s.top(ctx, source.Planned{Item: it})
		if err != nil {
			return err
		}
		if top != nil && isOld(header.Parse(top), s.mb.Since) {
			old[it.Number] = true
			s.plan.Skip = append(s.plan.Skip, it)
		}
	}
	s.plan.New = slices.DeleteFunc(s.plan.New, func(it source.Item) bool { return old[it.Number] })
	skipped := func(it source.Planned) bool { return old[it.Number] }
	s.plan.Fetch = slices.DeleteFunc(s.plan.Fetch, skipped)
	s.plan.TooBig = slices.DeleteFunc(s.plan.TooBig, skipped)
	return nil
}

func isOld(h header.Header, since time.Time) bool {
	when, ok := h.Date()
	return ok && when.Before(since)
}

// tooBig notes a message over the limit, with what its header tells (rule 15).
func (s *session) tooBig(ctx context.Context, it source.Planned) error {
	if it.Known.State == mail.TooBig {
		return nil
	}
	var sum mail.Summary
	top, err := s.top(ctx, it)
	if err != nil {
		return err
	}
	if top != nil {
		sum = header.Summarize(header.Parse(top))
	}
	return s.e.noteTooBig(ctx, s.mb, s.run, it, it.Size, sum)
}

func (e *Engine) noteTooBig(ctx context.Context, mb *Mailbox, r *run, it source.Planned, size int64, sum mail.Summary) error {
	first, err := e.deps.Store.SetTooBig(ctx, it.Known.Row, size, sum)
	if err != nil {
		return err
	}
	r.touch(it.Known.Row)
	if first {
		r.tooBig(it.Known.Row)
		e.attention(mb.ID, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTooBig, Op: "LIST"})
	}
	return nil
}

// adopt makes rows of earlier sessions candidates for deletion. What is not the
// message that its UIDL meant is fetched and known by its content.
func (s *session) adopt(ctx context.Context, plans ...[]source.Planned) error {
	for _, it := range slices.Concat(plans...) {
		if !s.mb.Policy.After.Keep || it.Known.DeleteAsked {
			same, err := s.same(ctx, it, s.doubt)
			if err != nil {
				return err
			}
			if !same {
				s.byContent(it.UID, it.Known)
				s.plan.Fetch = append(s.plan.Fetch, source.Planned{Item: it.Item, ByFingerprint: true})
				continue
			}
		}
		s.fetch.rows[it.Known.Row] = it.Item
	}
	return nil
}

// collect fetches up to the next checkpoint.
func (s *session) collect(ctx context.Context) (more bool, err error) {
	todo := s.run.budget(s.mb, s.plan.Fetch)
	var bytes int64
	for _, it := range todo {
		bytes += max(it.Size, 0)
	}
	s.run.listed(s.mb.ID, len(todo), bytes)
	s.whole = len(todo) == len(s.plan.Fetch)
	if slices.ContainsFunc(todo, func(it source.Planned) bool { return !it.ByFingerprint }) {
		s.e.expect(true)
	}
	// Without UIDL a second session would have to read everything again.
	checkpoints := s.conn.Capabilities().LoginDelay == 0 && s.listing.HasUIDL
	got := 0
	for len(todo) > 0 {
		if checkpoints && (got >= checkpointMessages || s.e.deps.Now().Sub(s.began) > checkpointTime) {
			s.whole = false
			return true, nil
		}
		n, err := s.room(ctx, todo)
		if err != nil {
			return false, err
		}
		if n == 0 { // what cannot be kept safely stays at the provider (rule 44)
			s.whole, s.short = false, &mail.Failure{Class: mail.Transient, Code: mail.CodeSpoolFull, Op: "collect"}
			return false, nil
		}
		if err := s.fetch.fetch(ctx, s.conn, todo[:n]); err != nil {
			return false, err
		}
		todo, got = todo[n:], got+n
	}
	return false, nil
}
