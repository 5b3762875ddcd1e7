package deliver

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Whatever is given runs at the same time as all the rest: outcomes that wait
// for each other, and commits that are to be shared, must not queue up.
func TestCrewRunsEverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		for range 3 {
			const many = 5 * resting
			var all sync.WaitGroup
			all.Add(many)
			var done atomic.Int64
			for range many {
				c.do(func() {
					all.Done()
					all.Wait()
					done.Add(1)
				})
			}
			synctest.Wait()
			if n := done.Load(); n != many {
				t.Fatalf("%d of %d are done", n, many)
			}
			if n := len(c.rest); n != resting {
				t.Errorf("%d rest, want %d", n, resting)
			}
		}
		c.end() // the bubble fails when one is left
	})
}

func TestCrewKeepsItsGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		for range 10 {
			c.do(func() {})
			synctest.Wait()
		}
		if n := len(c.rest); n != 1 {
			t.Errorf("%d goroutines for what came one after the other", n)
		}
		c.end()
	})
}

func TestCrewEndsAfterItsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		hold := make(chan struct{})
		var done atomic.Bool
		c.do(func() {
			<-hold
			done.Store(true)
		})
		ended := make(chan struct{})
		go func() { c.end(); close(ended) }()
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("it ended before its work")
		default:
		}
		close(hold)
		<-ended
		if !done.Load() {
			t.Error("the work was not done")
		}
	})
}
