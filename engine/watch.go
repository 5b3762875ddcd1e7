package engine

import (
	"context"
	"sync"

	"postbag/engine/mail"
)

// watch tells a session when an attempt has been made at everything that it
// fetched, so that it can delete what is settled before it quits.
type watch struct {
	mu      sync.Mutex
	open    map[int64]bool // kept as queued, no attempt finished yet
	done    map[int64]bool // an attempt finished before the session knew the row
	changed chan struct{}
}

func newWatch() *watch {
	return &watch{open: make(map[int64]bool), done: make(map[int64]bool), changed: make(chan struct{}, 1)}
}

// expect adds a row that the store holds as queued.
func (w *watch) expect(row int64, s mail.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s == mail.Queued && !w.done[row] {
		w.open[row] = true
	}
}

// attempted notes that an attempt at the row has ended, whatever it brought.
func (w *watch) attempted(row int64) {
	w.mu.Lock()
	if w.open[row] {
		delete(w.open, row)
	} else {
		w.done[row] = true
	}
	empty := len(w.open) == 0
	w.mu.Unlock()
	if empty {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// idle tells that no row is open.
func (w *watch) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open) == 0
}

// wait returns when no row is open, when quiet is closed (nothing more will be
// attempted now), or when ctx ends.
func (w *watch) wait(ctx context.Context, quiet <-chan struct{}) error {
	for {
		w.mu.Lock()
		n := len(w.open)
		w.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-w.changed:
		case <-quiet:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
