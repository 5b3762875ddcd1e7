package schedule

import (
	"context"
	"errors"
	"time"
)

// lookEvery is how often a Wait looks at the clock on the wall. Timers count
// the time that the computer was awake: after an hour of sleep a timer of one
// hour still runs for an hour.
const lookEvery = time.Minute

// setBack is how far the clock on the wall must have fallen behind before a
// Wait says so; smaller steps are the daily work of time synchronisation.
const setBack = time.Minute

// ErrClockSetBack is returned by Wait when the clock was set back meanwhile:
// the time waited for may be far away now, ask Next again.
var ErrClockSetBack = errors.New("the clock was set back")

// Wait returns nil once the clock on the wall has reached until, also when it
// jumped there or the computer slept past it; it notices within a minute of
// being awake. A zero until is never reached. It returns the context's error
// when that ends first, and ErrClockSetBack. now is time.Now outside of tests.
func Wait(ctx context.Context, now func() time.Time, until time.Time) error {
	until = until.Round(0)
	awake := time.Now()
	begin := now().Round(0)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		t := now().Round(0)
		if !until.IsZero() && !t.Before(until) {
			return nil
		}
		if time.Since(awake)-t.Sub(begin) > setBack {
			return ErrClockSetBack
		}
		pause := lookEvery
		if !until.IsZero() {
			pause = min(pause, until.Sub(t))
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
}
