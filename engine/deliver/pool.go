package deliver

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"postbag/engine/mail"
)

// TargetState is what outlives a restart about a target.
type TargetState struct {
	Attempts int           // at the target in a row, without a message accepted
	Until    time.Time     // nothing is tried before; zero = up
	Failure  *mail.Failure // why it rests; nil while an attempt is only booked, or up
}

// Queue is what the Pool needs of the store. Every method that writes returns
// after its durable commit; the errors are *mail.Failure. The methods are
// called by several goroutines at a time.
type Queue interface {
	// Claim books an attempt for at most max jobs that are due at this target
	// and returns them; fewer than max means that no more are due. A copy is
	// given to one caller until Settle or Release has it back.
	Claim(ctx context.Context, max int) ([]mail.Job, error)
	// Settle records the outcomes of a claimed job. Deferred copies are due
	// again after Backoff, NotAttempted ones at once and without the attempt.
	Settle(ctx context.Context, job mail.Job, outcomes []mail.Outcome) error
	// Release gives claimed jobs back of which nothing was said.
	Release(ctx context.Context, jobs []mail.Job) error
	// Target and SetTarget load and keep the state of the target.
	Target(ctx context.Context) (TargetState, error)
	SetTarget(ctx context.Context, s TargetState) error
}

// Deps are the dependencies of a Pool. Queue and Open are obligatory.
type Deps struct {
	Queue Queue
	// Open yields the stored message of a row.
	Open func(ctx context.Context, message int64) (io.ReadCloser, int64, error)
	// Trace makes the header lines that are prepended (rule 36); nil: none.
	Trace func(mail.Job) []byte
	// Secret, if not nil, yields the password or token anew before each dial.
	Secret func(ctx context.Context) (string, error)

	Options Options // of the connections
	Now     func() time.Time
	Random  func() float64 // in [0,1)
	Log     *slog.Logger
	Batch   int           // jobs per claim; 64
	Idle    time.Duration // a connection without work is closed after it; 10 s
}

func (d Deps) withDefaults() Deps {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Random == nil {
		d.Random = rand.Float64
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Options.Log == nil {
		d.Options.Log = d.Log
	}
	if d.Trace == nil {
		d.Trace = func(mail.Job) []byte { return nil }
	}
	if d.Batch <= 0 {
		d.Batch = 64
	}
	if d.Idle <= 0 {
		d.Idle = 10 * time.Second
	}
	return d
}

// State is a snapshot of a Pool.
type State struct {
	Running     bool
	Paused      bool // the target rests until Until, because of Failure
	Until       time.Time
	Failure     *mail.Failure
	Attempts    int
	Connections int // open ones
	Waiting     int // claimed, not begun
	InFlight    int // begun, outcome not durable yet
}

// Pool delivers everything that is due at one target, through several
// connections. Its methods may be called by any goroutine.
type Pool struct {
	t      Target
	d      Deps
	judge  judge
	event  chan event
	wake   chan struct{}
	ended  chan struct{}
	group  grouping
	behind grouping
	hard   context.Context // done: nothing is awaited any more
	kill   context.CancelFunc

	mu      sync.Mutex
	moved   map[string]int // jobs that went on to another connection, how often
	dirty   bool           // something may be due
	coming  coming
	resume  bool
	waiters []chan struct{}
	state   State
}

// NewPool makes a Pool; nothing happens before Run.
func NewPool(t Target, d Deps) *Pool {
	hard, kill := context.WithCancel(context.Background())
	return &Pool{
		t: t, d: d.withDefaults(), event: make(chan event),
		wake: make(chan struct{}, 1), ended: make(chan struct{}), hard: hard, kill: kill, dirty: true, moved: make(map[string]int),
	}
}

// Run works until ctx ends. Then it begins nothing new: messages whose final
// dot was not sent are given back, replies to final dots are awaited for
// Timeouts.StopDot, every outcome is settled. Run is called once. The error is
// nil unless an outcome could not be kept.
func (p *Pool) Run(ctx context.Context) error {
	defer close(p.ended)
	return newRun(p).loop(ctx)
}

// Kick says that something may be due now.
func (p *Pool) Kick() {
	p.mu.Lock()
	p.dirty = true
	p.mu.Unlock()
	p.signal()
}

// Resume lets a target that rests be tried now.
func (p *Pool) Resume() {
	p.mu.Lock()
	p.resume, p.dirty = true, true
	p.mu.Unlock()
	p.signal()
}

// Abort is the second stage of stopping: connections are cut, a reply that is
// awaited counts as unknown (rule 46).
func (p *Pool) Abort() { p.kill() }

// WaitQuiet returns nil when nothing that is due is left and every outcome is
// durable, or when the target rests; what was kicked before the call counts.
// It fails when ctx ends or Run has returned.
func (p *Pool) WaitQuiet(ctx context.Context) error {
	c := make(chan struct{})
	p.mu.Lock()
	p.waiters = append(p.waiters, c)
	p.mu.Unlock()
	p.signal()
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.ended:
		return &mail.Failure{Code: mail.CodeCancelled, Op: "deliver"}
	}
}

// State returns a snapshot.
func (p *Pool) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *Pool) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
