package engine

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// fakeHeap notes what it is told.
type fakeHeap struct {
	now  int
	live uint64
	told chan int
}

func (h *fakeHeap) percent() int { return h.now }

func (h *fakeHeap) setPercent(p int) {
	h.now = p
	h.told <- p
}

func (h *fakeHeap) inUse() (live, scanned uint64) { return h.live, 1 << 20 }

func (h *fakeHeap) next(t *testing.T) int {
	t.Helper()
	select {
	case p := <-h.told:
		return p
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was set")
		return 0
	}
}

func TestHeapHasRoomWhileSomebodyWorks(t *testing.T) {
	h := &fakeHeap{now: 100, told: make(chan int, 9)}
	b := &elbow{heap: h}
	first := b.room()
	if got := h.next(t); got != 500 {
		t.Errorf("before the first search: %d %%", got)
	}
	second := b.room()
	first()
	b.mu.Lock()
	h.live = 9 << 20
	b.mu.Unlock()
	runtime.GC()
	if got := h.next(t); got != 110 {
		t.Errorf("after a search: %d %%", got)
	}
	second()
	if got := h.next(t); got != 100 {
		t.Errorf("at rest: %d %%", got)
	}
	b.room()()
	if up, down := h.next(t), h.next(t); up != 110 || down != 100 {
		t.Errorf("again: %d %%, %d %%", up, down)
	}
}

// What somebody set himself is no less than he set.
func TestHeapThatNeedsNoRoom(t *testing.T) {
	for _, h := range []*fakeHeap{
		{now: 100, live: heapRoom},
		{now: 40, live: 200 << 20},
		{now: 900},
		{now: -1},
	} {
		h.told = make(chan int, 9)
		(&elbow{heap: h}).room()()
		if len(h.told) > 0 && h.now >= 0 {
			t.Errorf("%d octets in use: set to %d %%", h.live, <-h.told)
		}
		if h.now < 0 && len(h.told) > 0 {
			t.Error("a search that nobody wanted")
		}
	}
}

func TestHeapOfThisProcess(t *testing.T) {
	runtime.GC()
	h := goHeap{}
	if live, scanned := h.inUse(); live == 0 || scanned == 0 || live > 1<<40 {
		t.Errorf("%d octets in use, %d scanned besides", live, scanned)
	}
	for said, want := range map[string]int{"": 100, "off": -1, "40": 40, "-1": -1, "many": 100} {
		t.Setenv("GOGC", said)
		if got := h.percent(); got != want {
			t.Errorf("GOGC=%s: %d %%, want %d", said, got, want)
		}
	}
	before := debug.SetGCPercent(100)
	h.setPercent(123)
	if got := debug.SetGCPercent(before); got != 123 {
		t.Errorf("%d %% instead of 123", got)
	}
}
