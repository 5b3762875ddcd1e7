package engine

import (
	"context"

	"postbag/engine/mail"
	"postbag/engine/source"
)

// suspect is a message that could not be fetched in this run.
type suspect struct {
	it  source.Planned
	why *mail.Failure
}

// lineAtFault is how many messages must fail, and none succeed, before the
// fault is the provider's and counts for none of them.
const lineAtFault = 4

// refused notes a message that the provider did not give out; the session goes
// on (rule 16).
func (f *fetcher) refused(it source.Planned, why *mail.Failure) {
	f.run.log.Warn("a message could not be fetched", "mailbox", f.mb.ID, "number", it.Number, "uid", it.UID, "error", why)
	f.mu.Lock()
	f.missed = true
	f.mu.Unlock()
	it, _ = f.recorded(it) // when it has no row, the session ends because of that
	f.run.suspect(f.mb.ID, it, why)
}

// broken notes a message during which the session died, and ends the session.
func (f *fetcher) broken(ctx context.Context, it source.Planned, why *mail.Failure) error {
	if ctx.Err() != nil && !stalled(ctx) {
		return why
	}
	if stalled(ctx) {
		ctx = context.WithoutCancel(ctx)
		why = &mail.Failure{Class: mail.Transient, Code: mail.CodeTimeout, Op: "RETR", Err: errStalled}
	}
	f.run.avoid(f.mb.ID, it)
	it, _ = f.recorded(it)
	if why.Code == mail.CodeTooBig && it.Known.Row != 0 {
		size := max(it.Size, f.cap())
		if err := f.e.noteTooBig(ctx, f.mb, f.run, it, size, mail.Summary{}); err != nil {
			return err
		}
		return why
	}
	f.refused(it, why)
	return why
}

// bookSuspects counts the failed fetches of a run, one for each message; the
// third sets a message aside (rule 16). A provider that gives out nothing at
// all, or asks to come again later, has no bad messages: it has a bad day.
func (e *Engine) bookSuspects(ctx context.Context, mb *Mailbox, r *run) error {
	list, fetched := r.suspects(mb.ID)
	for _, s := range list {
		switch {
		case s.it.Known.Row == 0, // without an identity there is nothing to count for
			s.why.Code == mail.CodeSysTemp, s.why.Code == mail.CodeInUse, s.why.Code == mail.CodeLoginDelay,
			fetched == 0 && len(list) >= lineAtFault:
			r.missed(mb.ID, s.why)
			continue
		}
		state, err := e.deps.Store.FetchFailed(context.WithoutCancel(ctx), s.it.Known.Row, s.why)
		if err != nil {
			return err
		}
		r.touch(s.it.Known.Row)
		switch state {
		case mail.Waiting, mail.TooBig:
			r.missed(mb.ID, s.why)
		case mail.Failed: // nothing of the mailbox is left to be collected
			r.gaveUp(s.it.Known.Row)
			e.attention(mb.ID, &mail.Failure{Class: mail.NeedsUser, Code: s.why.Code, Op: "RETR", Reply: s.why.Reply})
		}
	}
	return nil
}

// suspect notes a message once; one that could be fetched in a later session of
// the run is none any more.
func (r *run) suspect(mailbox string, it source.Planned, why *mail.Failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	if _, known := t.suspects[avoidKey(it)]; !known {
		t.suspected = append(t.suspected, avoidKey(it))
	}
	t.suspects[avoidKey(it)] = suspect{it, why}
}

// cleared notes that a message is here.
func (r *run) cleared(mailbox string, it source.Planned) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.box(mailbox).clear(it)
}

func (t *tally) clear(it source.Planned) {
	if len(t.suspects) > 0 {
		delete(t.suspects, avoidKey(it))
	}
}

// suspects returns the messages that could not be fetched, in their order, and
// how many could.
func (r *run) suspects(mailbox string) (list []suspect, fetched int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	for _, key := range t.suspected {
		if s, ok := t.suspects[key]; ok {
			list = append(list, s)
		}
	}
	return list, t.done
}
