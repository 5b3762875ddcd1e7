package deliver

import "time"

const (
	minAdaptive = 2
	maxAdaptive = 8
	probeEach   = 2    // messages per connection before the rate is judged
	worthwhile  = 0.25 // of what a connection more could bring at best
	patience    = 2    // windows in which more connections must show their worth
	holdWindows = 4    // windows without a further try; twice as many after each that failed

	// far is how long a message, or one answer, takes through one connection when
	// the way there costs more than the work.
	far = 10 * time.Millisecond
)

// tuner chooses the number of connections: it doubles it as long as that makes
// the whole faster, and obeys a server that wants fewer. The farther a server,
// the more it helps: more messages are on their way, and more outcomes share a
// durable commit. Pure; now comes from outside.
type tuner struct {
	max    int
	limit  int
	trial  int // windows that are left for the connections added last
	rate   float64
	count  int
	since  time.Time
	hold   int // windows
	failed int // trials since the last that succeeded
	before int // limit before it grew
}

func newTuner(connections int) *tuner {
	if connections > 0 {
		return &tuner{max: connections, limit: connections}
	}
	return &tuner{max: maxAdaptive, limit: minAdaptive}
}

// joined begins a new window: a connection is there that was not before. The
// first one tells the distance.
func (t *tuner) joined(away time.Duration) {
	t.since = time.Time{}
	if t.limit == minAdaptive && t.rate == 0 && t.max == maxAdaptive && away > far {
		t.limit = t.max
	}
}

// done counts a finished message. backlog tells whether others wait: without
// one the rate says nothing about the server.
func (t *tuner) done(now time.Time, backlog bool) {
	if !backlog || t.since.IsZero() {
		t.since, t.count = now, 0
		return
	}
	t.count++
	elapsed := now.Sub(t.since)
	isFar := elapsed*time.Duration(t.limit) > far*time.Duration(t.count)
	if t.count < t.limit || t.count < probeEach*t.limit && !isFar || elapsed <= 0 {
		return
	}
	rate := float64(t.count) / elapsed.Seconds()
	t.since, t.count = now, 0
	t.judge(rate, isFar)
}

// judge looks at the rate of a window. A far target gets all connections at
// once: that they help is nearly certain.
func (t *tuner) judge(rate float64, isFar bool) {
	if t.trial > 0 {
		t.trial--
		// From n to m connections the rate grows to m/n at best.
		best := float64(t.limit) / float64(t.before)
		better := rate >= t.rate*(1+worthwhile*(best-1))
		switch {
		case better:
			t.trial, t.failed = 0, 0
		case t.trial > 0: // something else may have been slow
			return
		default:
			t.limit, t.hold = t.before, holdWindows<<min(t.failed, 5)
			t.failed++
		}
	}
	t.rate = rate
	switch {
	case t.hold > 0:
		t.hold--
	case t.limit < t.max:
		t.before, t.trial = t.limit, patience
		if t.limit = min(2*t.limit, t.max); isFar {
			t.limit = t.max
		}
	}
}

// refused obeys a server that took live connections and no more.
func (t *tuner) refused(live int) {
	t.limit, t.hold, t.trial = max(live, 1), 8*holdWindows, 0
	t.since = time.Time{}
}
