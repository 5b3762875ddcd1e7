package engine

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/route"
	"postbag/engine/schedule"
	"postbag/engine/source"
	"postbag/engine/store"
)

// Mailbox is one mailbox at a provider, ready to be collected.
type Mailbox struct {
	ID, Name string
	Host     string // the provider's server, for the trace header
	SignIn   string // what stands for how it is signed in to; kept with each result as the note NoteSignIn
	Rules    *route.Rules
	Policy   source.Policy
	Since    time.Time // first_collection as a date: what is older is not collected; zero: everything
	Schedule schedule.Rule
	Enabled  bool
	// Dial opens a signed-in session. It reads the secret anew each time, so
	// that a changed password works without a restart.
	Dial func(ctx context.Context) (source.Session, error)
}

// Settings is what the engine works by. It is never changed in place: Apply
// takes a new one.
type Settings struct {
	Mailboxes []Mailbox
	Targets   []deliver.Target
	// Route finds the recipients that a person's choice of an address means.
	Route func(address string) []mail.Recipient
	// Unknown are the unknown recipient's copies: one, unless the office made him
	// a list; none without one.
	Unknown []mail.Recipient
	// OwnSender is the envelope sender of copies that leave the accepted
	// domains (rule 33) when their target names none.
	OwnSender     string
	QueueLifetime time.Duration
	SpoolQuota    int64 // octets, 0: no limit
	JournalKeep   time.Duration
	Hostname      string // of this computer, for the trace header
	Location      *time.Location
}

// Deps is what the engine stands on.
type Deps struct {
	Store *store.Store
	Log   *slog.Logger
	Now   func() time.Time
	// Jitter returns a number in [0,1): back-off times are spread with it.
	Jitter func() float64
	// Watchdog is how long a fetch may go on without progress; 0: 10 minutes.
	Watchdog time.Duration
	// Secret reads the secret of a target by its name.
	Secret func(ctx context.Context, target string) (string, error)
	// Transcript, if not nil, keeps the masked lines of the sessions with a
	// server; it may return nil.
	Transcript func(protocol, name string) io.Writer
}

// Engine collects, routes and delivers.
type Engine struct {
	deps     Deps
	events   bus
	sessions sync.Map // mailbox id -> chan struct{} of one place: one session per mailbox (rule 9)

	stuck    stuck
	elbow    *elbow
	deferred chan struct{} // the queue has a new time to wait for

	mu       sync.Mutex
	settings Settings
	pools    map[string]*pool           // by target
	watches  map[string]map[*watch]bool // by mailbox
	runs     map[*run]bool
	planned  map[string]time.Time // next collection by mailbox
	renew    context.CancelFunc   // ends the generation of Run that works by old settings
}

// New returns an engine that does nothing yet.
func New(settings Settings, deps Deps) *Engine {
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Jitter == nil {
		deps.Jitter = func() float64 { return 0.5 }
	}
	if deps.Watchdog <= 0 {
		deps.Watchdog = watchdogSpan
	}
	return &Engine{
		deps: deps, settings: settings, elbow: &elbow{heap: goHeap{}}, deferred: make(chan struct{}, 1),
		pools: make(map[string]*pool), watches: make(map[string]map[*watch]bool),
		runs: make(map[*run]bool), planned: make(map[string]time.Time),
	}
}

// Apply makes the engine work by other settings: running sessions end, and
// what they had is found again by the next ones.
func (e *Engine) Apply(ctx context.Context, s Settings) error {
	e.mu.Lock()
	e.settings = s
	serving := len(e.pools) > 0
	e.mu.Unlock()
	if !serving {
		return nil
	}
	err := e.Stop(ctx)
	if serr := e.Start(); err == nil {
		err = serr
	}
	e.renewSchedule()
	return err
}

// renewSchedule makes Run plan anew.
func (e *Engine) renewSchedule() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.renew != nil {
		e.renew()
	}
}

// Subscribe calls f for each event until cancel is called. f must not block.
func (e *Engine) Subscribe(f func(Event)) (cancel func()) { return e.events.subscribe(f) }

func (e *Engine) publish(ev Event) {
	ev.Time = e.deps.Now()
	e.events.publish(ev)
}

func (e *Engine) transcript(protocol, name string) io.Writer {
	if e.deps.Transcript == nil {
		return nil
	}
	return e.deps.Transcript(protocol, name)
}

func (e *Engine) current() Settings {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.settings
}

// enter waits until nobody else has a session with the mailbox (rule 9).
func (e *Engine) enter(ctx context.Context, mailbox string) (leave func(), err error) {
	p, _ := e.sessions.LoadOrStore(mailbox, make(chan struct{}, 1))
	place := p.(chan struct{})
	select {
	case place <- struct{}{}:
		return func() { <-place }, nil
	case <-ctx.Done():
		return nil, &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: "collect", Err: ctx.Err()}
	}
}
