package engine

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// A server that drips an octet a minute keeps every deadline and never ends.
// The watchdog ends a fetch that brings less than so much in so long (rule 9):
// seven octets a second, a thousandth of the slowest modem.
const (
	watchdogSpan  = 10 * time.Minute
	watchdogLeast = 4 << 10 // octets
)

var errStalled = errors.New("the session made no progress")

// watchdog counts the octets of one session.
type watchdog struct {
	octets atomic.Int64
	span   time.Duration
}

// watch runs do with a context that ends when nothing moves any more.
func (d *watchdog) watch(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		tick := time.NewTicker(d.span)
		defer tick.Stop()
		for before := d.octets.Load(); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now := d.octets.Load()
			if now-before < watchdogLeast {
				cancel(errStalled)
				return
			}
			before = now
		}
	}()
	return do(ctx)
}

// stalled tells whether the watchdog ended ctx.
func stalled(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errStalled) }
