package engine

import (
	"context"
	"sync"
	"time"
)

// stuckAfter is how long a collection waits for a store that cannot keep what
// became of a message, because the disk is full, for example. The outcomes are
// tried again as long as the engine runs.
const stuckAfter = 5 * time.Second

// stuck tells when outcomes cannot be kept for a while.
type stuck struct {
	mu    sync.Mutex
	since time.Time // of the first failure in a row
	err   error
	ch    chan struct{} // closed while stuck
}

// failed notes that an outcome could not be kept.
func (s *stuck) failed(now time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since = now
	}
	if s.err == nil && now.Sub(s.since) >= stuckAfter {
		s.err = err
		close(s.channel())
	}
}

// worked notes that one could be kept.
func (s *stuck) worked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = time.Time{}
	if s.err != nil {
		s.err, s.ch = nil, nil
	}
}

func (s *stuck) channel() chan struct{} {
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *stuck) state() (<-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channel(), s.err
}

// untilStuck returns a context that ends when outcomes cannot be kept any more;
// its cause is why.
func (e *Engine) untilStuck(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancelCause(ctx)
	ch, _ := e.stuck.state()
	go func() {
		select {
		case <-ch:
			_, err := e.stuck.state()
			cancel(err)
		case <-work.Done():
		}
	}()
	return work, func() { cancel(nil) }
}
