package engine

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"sync"
)

const (
	// heapRoom is how far the heap may fill while mail is collected before
	// garbage is looked for. Go alone lets it double: with the few megabytes that
	// are in use then that would be a search every hundred messages.
	heapRoom = 20 << 20 // octets
	// heapFirst is how far Go lets it fill before the first search, at 100 %.
	heapFirst = 4 << 20
)

// elbow gives the heap room while somebody works, and takes it back in the end:
// at rest the program is small.
type elbow struct {
	heap interface {
		percent() int // of garbage at which the heap is searched at rest; negative: never
		setPercent(p int)
		inUse() (live, scanned uint64) // octets, at the last search
	}

	mu      sync.Mutex
	workers int
	rest    int  // percent when nobody works
	now     int  // percent
	waits   bool // for the next search
}

// room counts a worker in until done is called.
func (b *elbow) room() (done func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.workers++; b.workers == 1 {
		b.rest = b.heap.percent()
		b.now = b.rest
		if b.rest > 0 { // else who runs the program wants no search
			b.fit()
		}
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.workers--; b.workers == 0 {
			b.set(b.rest)
		}
	}
}

// fit sets the room by what is in use now, and again after each search.
func (b *elbow) fit() {
	b.set(max(b.rest, percentFor(b.heap.inUse())))
	if !b.waits {
		type mark struct{ *elbow } // the next search finds that nobody has it
		runtime.AddCleanup(&mark{b}, (*elbow).searched, b)
		b.waits = true
	}
}

func (b *elbow) searched() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waits = false
	if b.workers > 0 && b.rest > 0 {
		b.fit()
	}
}

func (b *elbow) set(percent int) {
	if percent != b.now {
		b.now = percent
		b.heap.setPercent(percent)
	}
}

// percentFor is the percentage at which a heap of heapRoom is searched. What is
// scanned besides the heap counts for Go too.
func percentFor(live, scanned uint64) int {
	switch {
	case live == 0: // there was no search yet
		return heapRoom * 100 / heapFirst
	case live >= heapRoom:
		return 0
	}
	return int((heapRoom - live) * 100 / (live + scanned))
}

// goHeap is the heap of this process.
type goHeap struct{}

// percent is what the environment says, as nobody else sets it. To ask Go for it
// would take longer than a short collection has.
func (goHeap) percent() int {
	switch said := os.Getenv("GOGC"); said {
	case "":
		return 100
	case "off":
		return -1
	default:
		if p, err := strconv.Atoi(said); err == nil {
			return p
		}
		return 100
	}
}

func (goHeap) setPercent(p int) { debug.SetGCPercent(p) }

func (goHeap) inUse() (live, scanned uint64) {
	var past debug.GCStats
	if debug.ReadGCStats(&past); past.NumGC == 0 {
		return 0, 0
	}
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64() + s[2].Value.Uint64()
}
