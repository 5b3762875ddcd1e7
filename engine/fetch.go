package engine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/source"
)

// fetcher takes the messages of one session into the store. Fetching goes on
// while earlier messages are routed and committed.
type fetcher struct {
	e       *Engine
	mb      *Mailbox
	run     *run
	watch   *watch
	log     *slog.Logger             // of this session and mailbox
	planned map[int]source.Planned   // by message number
	look    bool                     // what seems new may be known under another UIDL (rule 4)
	gone    map[int64]bool           // rows that are not listed any more
	skip    func(header.Header) bool // see session
	kick    func(target string)      // see Engine

	recording *recording // see session

	dog     watchdog
	arrived chan *arrival // for the keepers
	slots   chan struct{} // of what is under way
	under   sync.WaitGroup
	keeping bool // the keepers are there
	buf     []byte
	held    []*arrival // see arrival.go
	doubts  bool       // something was held in this session
	begun   bool       // a first few were fetched
	missed  bool       // a message was refused

	naming  sync.Mutex
	claimed map[int64]bool  // known messages that are one of this listing
	named   map[string]bool // idents given in this session

	mu    sync.Mutex
	alike map[string]*arrival   // the last one under way by fingerprint
	rows  map[int64]source.Item // what this session holds, by row
	fault error                 // the first failed commit
}

func newFetcher(s *session) *fetcher {
	f := &fetcher{
		e: s.e, mb: s.mb, run: s.run, watch: s.watch, skip: s.skip, kick: s.e.kick, recording: s.recording,
		log:     s.run.log.With("mailbox", s.mb.ID),
		planned: make(map[int]source.Planned),
		gone:    make(map[int64]bool, len(s.gone)),
		dog:     watchdog{span: s.e.deps.Watchdog},
		alike:   make(map[string]*arrival),
		arrived: make(chan *arrival, underWay),
		slots:   make(chan struct{}, underWay),
		buf:     make([]byte, 64<<10),
		claimed: make(map[int64]bool),
		named:   make(map[string]bool),
		rows:    make(map[int64]source.Item),
	}
	for _, row := range s.gone {
		f.gone[row] = true
	}
	// Where mail stays at the provider, what had vanished may come again under
	// another UIDL, long after the window for duplicates.
	f.look = len(s.gone) > 0 || s.keeps()
	return f
}

// fetch takes the planned messages. What arrived becomes durable in the
// background: see durable. An error means that the session is dead.
func (f *fetcher) fetch(ctx context.Context, s source.Session, items []source.Planned) error {
	list := make([]source.Item, len(items))
	for i, it := range items {
		list[i] = it.Item
		f.planned[it.Number] = it
	}
	err := f.dog.watch(ctx, func(watched context.Context) error {
		answered, ours := 0, false
		err := s.Fetch(watched, list, 0, func(it source.Item, body io.Reader, ferr error) error {
			answered++
			err := f.take(ctx, watched, f.planned[it.Number], body, ferr)
			ours = err != nil
			return err
		})
		if err == nil || ours || answered == len(items) {
			return err
		}
		// The server hung up, or spoke nonsense, when it was asked for this one.
		return f.broken(watched, f.culprit(items[answered], mail.AsFailure(err)), mail.AsFailure(err))
	})
	err = f.release(ctx, s, err)
	f.begun = true
	return err
}

// durable returns when everything that arrived is durable, or could not be made
// so; err is what else went wrong.
func (f *fetcher) durable(err error) error {
	f.under.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(err, f.fault) {
		return err
	}
	return errors.Join(f.fault, err)
}

// take reads one message. A refusal of this one message is counted and the
// session goes on (rule 16); an error returned ends it.
// What is complete is kept under ctx; watched ends with the fetch.
func (f *fetcher) take(ctx, watched context.Context, it source.Planned, body io.Reader, ferr error) error {
	if ferr != nil {
		f.refused(it, mail.AsFailure(ferr))
		return nil
	}
	f.mu.Lock()
	fault := f.fault
	f.mu.Unlock()
	if fault != nil {
		return fault
	}
	a := &arrival{it: it, draft: f.e.deps.Store.NewDraft(), col: header.NewCollector()}
	a.draft.Expect(it.Size)
	in := &marked{Reader: f.limited(it, body), count: &f.dog.octets}
	if _, err := io.CopyBuffer(a, in, f.buf); err != nil {
		a.draft.Discard()
		if in.err == nil {
			return err // our own disk, not the provider
		}
		return f.broken(watched, it, mail.AsFailure(err))
	}
	f.run.fetched(f.mb.ID, a.draft.Size())
	if a.doubtful() {
		f.held, f.doubts = append(f.held, a), true
		return nil
	}
	f.keep(ctx, a)
	return nil
}

// limited caps what is read of a message: LIST is only a hint (rule 10).
func (f *fetcher) limited(it source.Planned, body io.Reader) io.Reader {
	limit := f.mb.Policy.MaxMessageSize
	if limit <= 0 || it.Known.FetchAnyway {
		return body
	}
	// Sizes in LIST may count line ends differently; twice the limit is no
	// message that was near it.
	return &capped{Reader: body, left: f.cap()}
}

func (f *fetcher) cap() int64 { return 2*f.mb.Policy.MaxMessageSize + 1<<16 }

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
