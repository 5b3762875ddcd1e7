package engine

import (
	"errors"
	"testing"
	"testing/synctest"
)

// A session that has signed in waits until what must come first is done, and
// learns when that failed.
func TestSessionsWaitForTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, gate, want := newRun(New(Settings{}, Deps{})), make(chan struct{}), errors.New("no")
		r.begin(func() error {
			<-gate
			return want
		})
		got := make(chan error, 1)
		go func() { got <- r.begun() }()
		synctest.Wait()
		select {
		case <-got:
			t.Fatal("went on before the beginning was over")
		default:
		}
		close(gate)
		if err := <-got; !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	})
	if err := newRun(New(Settings{}, Deps{})).begun(); err != nil {
		t.Errorf("a run without a beginning: %v", err)
	}
}
