package gui

import (
	"slices"
	"sync"
	"testing"
)

func TestGathererLosesNothingAndKeepsTheOrder(t *testing.T) {
	newTestApp(t)
	var mu sync.Mutex
	var got []int
	g := &gatherer[int]{show: func(heap []int) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, heap...)
	}}
	for i := range 1000 {
		g.add(i)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 1000 || !slices.IsSorted(got) {
		t.Errorf("%d of 1000, sorted %v", len(got), slices.IsSorted(got))
	}
}
