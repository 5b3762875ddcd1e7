package gui

import "sync"

// gatherer takes what a worker tells, one by one, and hands it to the user
// interface in heaps: however fast it comes, only one call waits there.
type gatherer[T any] struct {
	show func([]T) // on the goroutine of the user interface

	mu      sync.Mutex
	heap    []T
	waiting bool
}

// add may be called by any goroutine and does not block.
func (g *gatherer[T]) add(x T) {
	g.mu.Lock()
	g.heap = append(g.heap, x)
	first := !g.waiting
	g.waiting = true
	g.mu.Unlock()
	if first {
		post(g.flush)
	}
}

func (g *gatherer[T]) flush() {
	g.mu.Lock()
	heap := g.heap
	g.heap, g.waiting = nil, false
	g.mu.Unlock()
	if len(heap) > 0 {
		g.show(heap)
	}
}
