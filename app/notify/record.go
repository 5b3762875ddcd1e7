package notify

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Ledger keeps what was told, across a restart. The state is a text of this
// package, one for each cause; "" removes the cause. Save is durable when it
// returns.
type Ledger interface {
	LoadAlerts(ctx context.Context) (map[string]string, error)
	SaveAlert(ctx context.Context, cause, state string) error
}

// Record is what is known about a cause.
type Record struct {
	Alert
	Ended         time.Time `json:"ended,omitzero"`           // when it was over; zero: it is not
	Told          []string  `json:"told,omitempty"`           // sinks that know of the beginning
	Tries         int       `json:"tries,omitempty"`          // rounds of telling the others
	Begins        int       `json:"begins,omitempty"`         // beginnings since BeginsSince
	BeginsSince   time.Time `json:"begins_since,omitzero"`    //
	Digested      time.Time `json:"digested,omitzero"`        // when a digest told of it last
	DigestedCount int       `json:"digested_count,omitempty"` // the Count it told of
}

// The limits of what a person is told.
const (
	// digestEvery is the least time between two digests of one cause (rule 47).
	digestEvery = 24 * time.Hour
	// shortTrouble is how long something must have lasted for a digest to tell
	// of it when it is over already.
	shortTrouble = time.Hour
	// mostBegins is how often a cause that comes and goes is told within
	// beginsWithin. After that it must last until the time is over.
	mostBegins   = 3
	beginsWithin = time.Hour
	// mostTries is how often a sink that fails is tried.
	mostTries = 5
)

func (r *Record) open() bool { return !r.Over }

// begin makes r a new occurrence of the cause.
func (r *Record) begin(a Alert, now time.Time) {
	r.Alert, r.Ended, r.Told, r.Tries = a, time.Time{}, nil, 0
	if r.Since.IsZero() {
		r.Since = now
	}
	r.DigestedCount = 0
	if now.Sub(r.BeginsSince) >= beginsWithin || now.Before(r.BeginsSince) {
		r.Begins, r.BeginsSince = 0, now
	}
	r.Begins++
}

// quiet tells that the cause came and went too often to be told now.
func (r *Record) quiet(now time.Time) bool {
	return r.Begins > mostBegins && now.Sub(r.BeginsSince) < beginsWithin && !now.Before(r.BeginsSince)
}

// digestDue tells whether a digest may and should tell of the cause: what lasts
// once a day, what counts when there is more, what is over once if it was not
// short.
func (r *Record) digestDue(now time.Time) bool {
	// A clock that was set back must not silence a cause for years.
	if !r.Digested.IsZero() && now.Sub(r.Digested) < digestEvery && !now.Before(r.Digested) {
		return false // rule 47
	}
	switch {
	case r.Kind.Counted():
		return r.open() && r.Count > r.DigestedCount
	case r.open():
		return true
	}
	return r.Digested.Before(r.Since) && r.Ended.Sub(r.Since) >= shortTrouble
}

// done tells that nothing of r is needed any more.
func (r *Record) done(now time.Time) bool {
	return !r.open() && !r.digestDue(now) && now.Sub(r.Ended) >= digestEvery && now.Sub(r.Digested) >= digestEvery
}

func (r *Record) encode() (string, error) {
	b, err := json.Marshal(r)
	return string(b), err
}

func decodeRecord(cause, state string) (*Record, error) {
	r := new(Record)
	if err := json.Unmarshal([]byte(state), r); err != nil {
		return nil, err
	}
	r.Cause = cause
	return r, nil
}

func (r *Record) copy() Record {
	c := *r
	c.Told = slices.Clone(r.Told)
	return c
}

// Memory is a Ledger for tests and the demo.
type Memory struct {
	mu    sync.Mutex
	state map[string]string
}

var _ Ledger = (*Memory)(nil)

// LoadAlerts returns all causes.
func (m *Memory) LoadAlerts(context.Context) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]string, len(m.state))
	for cause, state := range m.state {
		all[cause] = state
	}
	return all, nil
}

// SaveAlert keeps one cause.
func (m *Memory) SaveAlert(_ context.Context, cause, state string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state == nil {
		m.state = make(map[string]string)
	}
	m.state[cause] = state
	if state == "" {
		delete(m.state, cause)
	}
	return nil
}
