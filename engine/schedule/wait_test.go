package schedule

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// wallClock is a clock on the wall that can be set; it runs with the bubble's.
type wallClock struct{ shift atomic.Int64 }

func (c *wallClock) now() time.Time       { return time.Now().Add(time.Duration(c.shift.Load())) }
func (c *wallClock) set(by time.Duration) { c.shift.Add(int64(by)) }

func TestWaitUntilTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c wallClock
		begin := time.Now()
		if err := Wait(t.Context(), c.now, c.now().Add(90*time.Second)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 90*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestWaitForThePastReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c wallClock
		begin := time.Now()
		if err := Wait(t.Context(), c.now, c.now().Add(-time.Hour)); err != nil || time.Since(begin) != 0 {
			t.Errorf("err %v after %v", err, time.Since(begin))
		}
	})
}

// The computer sleeps: the clock on the wall goes on, timers do not.
func TestWaitSeesThatTheComputerSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c wallClock
		begin := time.Now()
		until := c.now().Add(8 * time.Hour)
		time.AfterFunc(10*time.Minute+time.Second, func() { c.set(9 * time.Hour) })
		if err := Wait(t.Context(), c.now, until); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > 11*time.Minute {
			t.Errorf("noticed after %v awake", took)
		}
	})
}

func TestWaitSeesAClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c wallClock
		begin := time.Now()
		time.AfterFunc(90*time.Second, func() { c.set(-2 * time.Hour) })
		if err := Wait(t.Context(), c.now, c.now().Add(time.Hour)); !errors.Is(err, ErrClockSetBack) {
			t.Fatalf("err = %v", err)
		}
		if took := time.Since(begin); took != 2*time.Minute {
			t.Errorf("noticed after %v", took)
		}
	})
}

func TestWaitToleratesSmallCorrections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c wallClock
		until := c.now().Add(10 * time.Minute)
		time.AfterFunc(90*time.Second, func() { c.set(-5 * time.Second) })
		if err := Wait(t.Context(), c.now, until); err != nil {
			t.Fatal(err)
		}
		if c.now().Before(until) {
			t.Errorf("returned %v early", until.Sub(c.now()))
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	for name, until := range map[string]time.Duration{"a time": time.Hour, "never": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c wallClock
				ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
				defer cancel()
				var when time.Time
				if until > 0 {
					when = c.now().Add(until)
				}
				begin := time.Now()
				if err := Wait(ctx, c.now, when); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("err = %v", err)
				}
				if took := time.Since(begin); took != 150*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}
