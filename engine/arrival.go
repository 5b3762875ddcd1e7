package engine

import (
	"bytes"
	"context"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/source"
	"postbag/engine/store"
)

// few is how many messages are fetched at a time until a session has shown that
// its sizes can be trusted, and for ever where they cannot.
const few = 20

// arrival is a message on its way into the store.
type arrival struct {
	it    source.Planned
	draft *store.Draft
	col   *header.Collector
	fp    string     // its fingerprint, once it is complete
	kept  store.Kept // what the store is to keep, once it is routed

	before <-chan struct{} // closed when the one like it that came before is kept; nil: none is under way
	done   chan struct{}   // what one like it that came later waits for; nil: none has come

	lines int64 // line feeds
	dots  int64 // lines that begin with a dot
	last  byte  // octet before the next piece; 0 at the beginning
}

// Write takes the next octets. An error is one of our own disk.
func (a *arrival) Write(p []byte) (int, error) {
	if n, err := a.draft.Write(p); err != nil {
		return n, err
	}
	a.lines += int64(bytes.Count(p, []byte{'\n'}))
	a.dots += int64(bytes.Count(p, []byte("\n.")))
	if len(p) > 0 {
		if p[0] == '.' && (a.last == '\n' || a.last == 0) {
			a.dots++
		}
		a.last = p[len(p)-1]
	}
	return a.col.Write(p)
}

// doubtful tells whether the provider listed another size than it sent. Its
// count may leave out CRs, or take in stuffed dots; it may be an estimate, too
// (rule 10). But it may also have ended the message early, at a dot that it did
// not stuff, or have sent one answer too many, so that the text of one message
// stands under the number of another. What follows on the line tells.
func (a *arrival) doubtful() bool {
	got := a.draft.Size()
	for _, size := range [...]int64{got, got - a.lines, got + a.dots} {
		// A server adds a line end that was missing at the very end.
		if over := size - a.it.Size; over >= 0 && over <= 2 {
			return false
		}
	}
	return a.it.Size >= 0
}

// most is how many messages may be asked for at once.
func (f *fetcher) most() int {
	if f.doubts || !f.begun {
		return few
	}
	return checkpointMessages
}

// release keeps what was held once the session proves to be in step, and drops
// it when the session is dead: then it is fetched again.
func (f *fetcher) release(ctx context.Context, s source.Session, err error) error {
	held := f.held
	f.held = nil
	if len(held) == 0 {
		return err
	}
	if err == nil {
		// QUIRK: a server without NOOP is in step, too.
		if err = s.Noop(ctx); err != nil && onlyRefused(err) {
			err = nil
		}
		if err != nil {
			err = f.broken(ctx, held[len(held)-1].it, mail.AsFailure(err))
		}
	}
	if err == nil {
		for _, a := range held {
			f.keep(ctx, a)
		}
		return nil
	}
	for _, a := range held {
		a.draft.Discard()
	}
	return err
}

// culprit is the message during which the session died: the next one, unless
// the one before it was shorter than listed and what followed was no answer.
// Then its own text followed.
func (f *fetcher) culprit(next source.Planned, why *mail.Failure) source.Planned {
	if n := len(f.held); n > 0 && why.Code == mail.CodeProtocol {
		if last := f.held[n-1]; last.draft.Size() < last.it.Size {
			return last.it
		}
	}
	return next
}
