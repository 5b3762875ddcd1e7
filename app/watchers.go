package app

import (
	"sync"

	"postbag/app/facts"
)

// watchers are those who hear of starting and stopping, wherever it comes from.
type watchers struct {
	mu   sync.Mutex
	next int
	all  map[int]func(facts.Event)
}

func (w *watchers) add(f func(facts.Event)) (remove func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = make(map[int]func(facts.Event))
	}
	n := w.next
	w.next++
	w.all[n] = f
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, n)
	}
}

func (w *watchers) tell(ev facts.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.all {
		f(ev)
	}
}
