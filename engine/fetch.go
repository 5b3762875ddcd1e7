package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/source"
	"postbag/engine/store"
)

// underWay is how many fetched messages may wait for their durable commit at
// once: enough to fill a group commit, few enough to keep memory small.
const underWay = 48

// fetcher takes the messages of one session into the store. Fetching goes on
// while earlier messages are routed and committed.
type fetcher struct {
	e       *Engine
	mb      *Mailbox
	run     *run
	watch   *watch
	planned map[int]source.Planned // by message number
	rename  bool                   // known messages may have new UIDLs (rule 4)

	dog   watchdog
	slots chan struct{}
	wg    sync.WaitGroup
	buf   []byte
	seen  map[string]int // fingerprint -> how often in this listing (rule 3)

	mu    sync.Mutex
	rows  map[int64]source.Item // what this session holds, by row
	fault error                 // the first failed commit
}

func newFetcher(e *Engine, mb *Mailbox, r *run, w *watch) *fetcher {
	return &fetcher{
		e: e, mb: mb, run: r, watch: w,
		planned: make(map[int]source.Planned),
		dog:     watchdog{span: e.deps.Watchdog},
		slots:   make(chan struct{}, underWay),
		buf:     make([]byte, 64<<10),
		seen:    make(map[string]int),
		rows:    make(map[int64]source.Item),
	}
}

// fetch takes the planned messages and returns when all that arrived are
// durable. An error means that the session is dead.
func (f *fetcher) fetch(ctx context.Context, s source.Session, items []source.Planned) error {
	list := make([]source.Item, len(items))
	for i, it := range items {
		list[i] = it.Item
		f.planned[it.Number] = it
	}
	err := f.dog.watch(ctx, func(watched context.Context) error {
		return s.Fetch(watched, list, 0, func(it source.Item, body io.Reader, ferr error) error {
			return f.take(ctx, watched, f.planned[it.Number], body, ferr)
		})
	})
	f.wg.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.fault, err)
}

// take reads one message. A refusal of this one message is counted and the
// session goes on (rule 16); an error returned ends it.
// What is complete is kept under ctx; watched ends with the fetch.
func (f *fetcher) take(ctx, watched context.Context, it source.Planned, body io.Reader, ferr error) error {
	if ferr != nil {
		return f.refused(ctx, it, mail.AsFailure(ferr))
	}
	f.mu.Lock()
	fault := f.fault
	f.mu.Unlock()
	if fault != nil {
		return fault
	}
	draft := f.e.deps.Store.NewDraft()
	col := header.NewCollector()
	in := &marked{Reader: f.limited(it, body), count: &f.dog.octets}
	if _, err := io.CopyBuffer(both{draft, col}, in, f.buf); err != nil {
		draft.Discard()
		if in.err == nil {
			return err // our own disk, not the provider
		}
		return f.broken(watched, it, mail.AsFailure(err))
	}
	f.run.fetched(f.mb.ID, draft.Size())
	return f.keep(ctx, it, draft, col)
}

// keep decides for whom the message is and hands it to the store, all but the
// order of arrival in the background.
func (f *fetcher) keep(ctx context.Context, it source.Planned, draft *store.Draft, col *header.Collector) error {
	fp := col.Fingerprint()
	ident := it.UID
	if it.ByFingerprint {
		f.seen[fp]++
		ident = "fp:" + fp + "#" + strconv.Itoa(f.seen[fp])
	}
	f.slots <- struct{}{}
	f.wg.Add(1)
	go func() {
		defer func() { <-f.slots; f.wg.Done() }()
		if err := f.commit(ctx, it, ident, fp, draft, col); err != nil {
			f.mu.Lock()
			if f.fault == nil {
				f.fault = err
			}
			f.mu.Unlock()
		}
	}()
	return nil
}

// commit routes and stores one message. A fault of this program that one
// message provokes is counted as one of that message and harms no other (rule 16).
func (f *fetcher) commit(ctx context.Context, it source.Planned, ident, fp string, draft *store.Draft, col *header.Collector) (err error) {
	defer func() {
		if p := recover(); p != nil {
			f.e.deps.Log.Error("a message met a fault of this program", "mailbox", f.mb.ID, "uid", it.UID, "stack", string(debug.Stack()))
			draft.Discard()
			err = f.refused(ctx, it, &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: "route", Err: fmt.Errorf("panic: %v", p)})
		}
	}()
	st := f.e.deps.Store
	if f.rename || it.ByFingerprint {
		known, err := f.recognise(ctx, it, ident, fp)
		if err != nil || known {
			draft.Discard()
			return err
		}
	}
	h := col.Header()
	decision := f.mb.Rules.Decide(h)
	kept := store.Kept{
		Row: it.Known.Row, Mailbox: f.mb.ID, UID: it.UID, Ident: ident,
		Draft: draft, Size: draft.Size(), Fingerprint: fp, Summary: header.Summarize(h),
		Source: f.mb.Host, Decision: &decision,
	}
	if len(decision.Recipients) == 0 {
		kept.QuarantineCode = mail.CodeUnknownUser
	}
	if decision.Loop {
		kept.QuarantineCode = mail.CodeLoop // rule 36
	}
	res, err := st.Keep(ctx, kept)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.rows[res.Row] = it.Item
	f.mu.Unlock()
	f.run.touch(res.Row)
	f.run.tookIn(f.mb.ID)
	if kept.QuarantineCode != "" {
		f.run.quarantined(res.Row)
		f.e.attention(f.mb.ID, &mail.Failure{Class: mail.NeedsUser, Code: kept.QuarantineCode, Op: "route"})
	}
	f.watch.expect(res.Row, res.State)
	for _, t := range res.Targets {
		f.e.kick(t)
	}
	return nil
}

// recognise finds a message that is known under another UIDL, or that has no
// identity but its content (rules 3 and 4).
func (f *fetcher) recognise(ctx context.Context, it source.Planned, ident, fp string) (bool, error) {
	rows, err := f.e.deps.Store.ByFingerprint(ctx, f.mb.ID, fp)
	if err != nil {
		return false, err
	}
	for _, k := range rows {
		same := k.Ident == ident ||
			(it.ByFingerprint && k.UID == it.UID && k.Ident == k.UID && k.UID != "" && f.first(fp, ident))
		if same {
			f.mu.Lock()
			f.rows[k.Row] = it.Item
			f.mu.Unlock()
			return true, nil
		}
		if f.rename && !it.ByFingerprint && f.run.claimVanished(k.Row) {
			if err := f.e.deps.Store.Rekey(ctx, k.Row, it.UID, it.Known.Row); err != nil {
				return false, err
			}
			f.mu.Lock()
			f.rows[k.Row] = it.Item
			f.mu.Unlock()
			return true, nil
		}
	}
	return false, nil
}

// first tells whether ident is the first occurrence of its fingerprint.
func (f *fetcher) first(fp, ident string) bool { return ident == "fp:"+fp+"#1" }

// refused books a failed fetch; the third sets the message aside.
func (f *fetcher) refused(ctx context.Context, it source.Planned, why *mail.Failure) error {
	f.e.deps.Log.Warn("a message could not be fetched", "mailbox", f.mb.ID, "number", it.Number, "uid", it.UID, "error", why)
	if it.Known.Row == 0 {
		return nil // without an identity there is nothing to count for
	}
	state, err := f.e.deps.Store.FetchFailed(context.WithoutCancel(ctx), it.Known.Row, why)
	if err != nil {
		return err
	}
	f.run.touch(it.Known.Row)
	if state != mail.Failed {
		f.run.missed(f.mb.ID, why)
	} else { // nothing of the mailbox is left to be collected
		f.run.gaveUp(it.Known.Row)
		f.e.attention(f.mb.ID, &mail.Failure{Class: mail.NeedsUser, Code: why.Code, Op: "RETR", Reply: why.Reply})
	}
	return nil
}

// broken books a message during which the session died, and ends the session.
func (f *fetcher) broken(ctx context.Context, it source.Planned, why *mail.Failure) error {
	if ctx.Err() != nil && !stalled(ctx) {
		return why
	}
	if stalled(ctx) {
		ctx = context.WithoutCancel(ctx)
		why = &mail.Failure{Class: mail.Transient, Code: mail.CodeTimeout, Op: "RETR", Err: errStalled}
	}
	f.run.avoid(f.mb.ID, it)
	if why.Code == mail.CodeTooBig && it.Known.Row != 0 {
		if err := f.e.noteTooBig(ctx, f.mb, f.run, it, mail.Summary{}); err != nil {
			return err
		}
		return why
	}
	if err := f.refused(ctx, it, why); err != nil {
		return err
	}
	return why
}

// limited caps what is read of a message: LIST is only a hint (rule 10).
func (f *fetcher) limited(it source.Planned, body io.Reader) io.Reader {
	limit := f.mb.Policy.MaxMessageSize
	if limit <= 0 || it.Known.FetchAnyway {
		return body
	}
	// Sizes in LIST may count line ends differently; twice the limit is no
	// message that was near it.
	return &capped{Reader: body, left: 2*limit + 1<<16}
}

// marked remembers an error of the reader, so that it is told from one of the
// writer, and counts for the watchdog.
type marked struct {
	io.Reader
	count *atomic.Int64
	err   error
}

func (m *marked) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.count.Add(int64(n))
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

type capped struct {
	io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, &mail.Failure{Class: mail.Permanent, Code: mail.CodeTooBig, Op: "RETR"}
	}
	return n, err
}

// both writes to the draft and to the collector, which cannot fail.
type both struct {
	draft io.Writer
	col   io.Writer
}

func (b both) Write(p []byte) (int, error) {
	if n, err := b.draft.Write(p); err != nil {
		return n, err
	}
	return b.col.Write(p)
}
