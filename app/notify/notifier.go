package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Sink is a way to a person.
type Sink interface {
	// Name is a fixed word: what was told is remembered under it.
	Name() string
	// Tell passes the alert on and returns when it has arrived there.
	Tell(ctx context.Context, a Alert) error
}

// Deps are what a Notifier works with. All but Sinks are obligatory.
type Deps struct {
	Ledger Ledger
	Sinks  []Sink
	Now    func() time.Time
	Log    *slog.Logger
}

// lastWords is how long alerts may still be told when the program stops.
const lastWords = 10 * time.Second

// retryEvery is how often a sink that failed, or a cause that was held back, is
// looked at again.
const retryEvery = time.Minute

// Notifier tells each cause once, and once more when it is over.
type Notifier struct {
	d Deps

	telling sync.Mutex // held while sinks are told: one alert after the other

	mu      sync.Mutex
	records map[string]*Record
	pending []Alert
	wake    chan struct{}
}

// New loads what was told before. When that fails the Notifier works all the
// same and the error says why: a damaged store is just what it must tell.
func New(ctx context.Context, d Deps) (*Notifier, error) {
	n := &Notifier{d: d, records: make(map[string]*Record), wake: make(chan struct{}, 1)}
	states, err := d.Ledger.LoadAlerts(ctx)
	if err != nil {
		return n, fmt.Errorf("load the alerts: %w", err)
	}
	var errs []error
	for cause, state := range states {
		r, err := decodeRecord(cause, state)
		if err != nil {
			errs = append(errs, fmt.Errorf("alert %q: %w", cause, err))
			continue
		}
		n.records[cause] = r
	}
	return n, errors.Join(errs...)
}

// Post hands an alert to Run and returns at once. Of several about one cause
// that wait, the last counts.
func (n *Notifier) Post(a Alert) {
	n.mu.Lock()
	n.pending = slices.DeleteFunc(n.pending, func(p Alert) bool { return p.Cause == a.Cause })
	n.pending = append(n.pending, a)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run tells what is posted until ctx ends; what is posted by then is still
// told, within ten seconds. It sleeps when there is nothing to tell.
func (n *Notifier) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n.drain(ctx)
		var again <-chan time.Time
		if n.untold() {
			timer.Reset(retryEvery)
			again = timer.C
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			n.drain(last)
			return
		case <-n.wake:
		case <-again:
			n.retry(ctx)
		}
	}
}

func (n *Notifier) drain(ctx context.Context) {
	for ctx.Err() == nil {
		n.mu.Lock()
		if len(n.pending) == 0 {
			n.mu.Unlock()
			return
		}
		a := n.pending[0]
		n.pending = n.pending[1:]
		n.mu.Unlock()
		if err := n.Handle(ctx, a); err != nil {
			n.d.Log.Warn("an alert did not get through", "kind", string(a.Kind), "err", err)
		}
	}
}

// Handle tells an alert now, unless it was told already, and returns the faults
// of the sinks and the ledger. Called again with the same cause it keeps the
// newest Count and Code for the digest.
func (n *Notifier) Handle(ctx context.Context, a Alert) error {
	n.telling.Lock()
	defer n.telling.Unlock()
	now := n.d.Now()
	n.mu.Lock()
	r, known := n.records[a.Cause]
	switch {
	case a.Over && (!known || !r.open()):
		n.mu.Unlock()
		return nil
	case a.Over:
		r.Over, r.Ended = true, now
		n.mu.Unlock()
		return errors.Join(n.tellOver(ctx, r), n.save(ctx, r))
	case !known:
		r = new(Record)
		n.records[a.Cause] = r
		r.begin(a, now)
	case !r.open() || r.Kind != a.Kind:
		r.begin(a, now)
	case r.Code == a.Code && r.Count == a.Count:
		n.mu.Unlock()
		return nil // nothing new; sinks that failed are Run's business
	default:
		r.Code, r.Count = a.Code, a.Count
		r.DigestedCount = min(r.DigestedCount, r.Count) // somebody cleared up
		n.mu.Unlock()
		return n.save(ctx, r)
	}
	n.mu.Unlock()
	return errors.Join(n.tellBegin(ctx, r, now), n.save(ctx, r))
}

// tellBegin tells the sinks that do not know yet.
func (n *Notifier) tellBegin(ctx context.Context, r *Record, now time.Time) error {
	if r.quiet(now) {
		return nil
	}
	n.mu.Lock()
	r.Tries++
	n.mu.Unlock()
	var errs []error
	for _, s := range n.d.Sinks {
		if slices.Contains(r.Told, s.Name()) {
			continue
		}
		if err := s.Tell(ctx, r.Alert); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name(), err))
			continue
		}
		n.mu.Lock()
		r.Told = append(r.Told, s.Name())
		n.mu.Unlock()
	}
	return errors.Join(errs...)
}

// tellOver tells those that were told of the beginning.
func (n *Notifier) tellOver(ctx context.Context, r *Record) error {
	var errs []error
	for _, s := range n.d.Sinks {
		if !slices.Contains(r.Told, s.Name()) {
			continue
		}
		if err := s.Tell(ctx, r.Alert); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// needs tells that a sink does not know of r yet and may be tried.
func (n *Notifier) needs(r *Record) bool {
	if !r.open() || r.Tries >= mostTries {
		return false
	}
	return slices.ContainsFunc(n.d.Sinks, func(s Sink) bool { return !slices.Contains(r.Told, s.Name()) })
}

func (n *Notifier) untold() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.records {
		if n.needs(r) {
			return true
		}
	}
	return false
}

func (n *Notifier) retry(ctx context.Context) {
	n.telling.Lock()
	defer n.telling.Unlock()
	now := n.d.Now()
	n.mu.Lock()
	var again []*Record
	for _, r := range n.records {
		if n.needs(r) && !r.quiet(now) {
			again = append(again, r)
		}
	}
	n.mu.Unlock()
	for _, r := range again {
		if err := errors.Join(n.tellBegin(ctx, r, now), n.save(ctx, r)); err != nil {
			n.d.Log.Warn("an alert did not get through again", "kind", string(r.Kind), "err", err)
		}
	}
}

// save keeps r. The context's end does not stop it: what was told must not be
// told again after the next start.
func (n *Notifier) save(ctx context.Context, r *Record) error {
	n.mu.Lock()
	state, err := r.encode()
	cause := r.Cause
	n.mu.Unlock()
	if err == nil {
		err = n.d.Ledger.SaveAlert(context.WithoutCancel(ctx), cause, state)
	}
	if err != nil {
		return fmt.Errorf("keep the alert: %w", err)
	}
	return nil
}

// Open returns the causes that are not over, the oldest first.
func (n *Notifier) Open() []Record {
	return n.collect(func(r *Record) bool { return r.open() })
}

// DigestDue returns the causes that the next digest tells of, the oldest first:
// each at most once in 24 hours (rule 47). Until Digested is called they stay
// due.
func (n *Notifier) DigestDue() []Record {
	now := n.d.Now()
	return n.collect(func(r *Record) bool { return r.digestDue(now) })
}

// Digested books the causes as told by a digest. Call it before the digest is
// handed over: one too few is better than one a minute.
func (n *Notifier) Digested(ctx context.Context, told []Record) error {
	now := n.d.Now()
	var errs []error
	for _, t := range told {
		n.mu.Lock()
		r, known := n.records[t.Cause]
		if known {
			r.Digested, r.DigestedCount = now, t.Count
		}
		n.mu.Unlock()
		if known {
			errs = append(errs, n.save(ctx, r))
		}
	}
	return errors.Join(errs...)
}

// Forget drops causes that were over a day ago; call it once in a while.
func (n *Notifier) Forget(ctx context.Context) error {
	now := n.d.Now()
	var errs []error
	for _, r := range n.collect(func(r *Record) bool { return r.done(now) }) {
		if err := n.d.Ledger.SaveAlert(ctx, r.Cause, ""); err != nil {
			errs = append(errs, fmt.Errorf("forget an alert: %w", err))
			continue
		}
		n.mu.Lock()
		delete(n.records, r.Cause)
		n.mu.Unlock()
	}
	return errors.Join(errs...)
}

func (n *Notifier) collect(want func(*Record) bool) []Record {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []Record
	for _, r := range n.records {
		if want(r) {
			list = append(list, r.copy())
		}
	}
	slices.SortFunc(list, func(a, b Record) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		if a.Cause < b.Cause {
			return -1
		}
		return 1
	})
	return list
}
