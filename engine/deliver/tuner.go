package deliver

import "time"

const (
	minAdaptive = 2
	maxAdaptive = 8
	probeEach   = 6    // messages per connection before the rate is judged
	worthwhile  = 1.10 // another connection must raise the rate by so much
	holdWindows = 8    // windows without a further try
)

// tuner chooses the number of connections: it adds one as long as that makes
// the whole faster, and obeys a server that wants fewer. Pure; now comes from
// outside.
type tuner struct {
	max    int
	limit  int
	grown  bool // the last window began with one connection more
	rate   float64
	count  int
	since  time.Time
	hold   int // windows
	before int // limit before it grew
}

func newTuner(connections int) *tuner {
	if connections > 0 {
		return &tuner{max: connections, limit: connections}
	}
	return &tuner{max: maxAdaptive, limit: minAdaptive}
}

// done counts a finished message. backlog tells whether others wait: without
// one the rate says nothing about the server.
func (t *tuner) done(now time.Time, backlog bool) {
	if !backlog || t.since.IsZero() {
		t.since, t.count = now, 0
		return
	}
	t.count++
	if t.count < probeEach*t.limit {
		return
	}
	elapsed := now.Sub(t.since).Seconds()
	if elapsed <= 0 {
		return
	}
	rate := float64(t.count) / elapsed
	t.since, t.count = now, 0
	t.judge(rate)
}

func (t *tuner) judge(rate float64) {
	worse := t.grown && t.limit > minAdaptive && rate < t.rate*worthwhile
	t.grown = false
	switch {
	case worse:
		t.limit, t.hold = max(t.before, 1), holdWindows
	case t.hold > 0:
		t.hold--
	case t.limit < t.max:
		t.before, t.grown = t.limit, true
		t.limit++
	}
	t.rate = rate
}

// refused obeys a server that took live connections and no more.
func (t *tuner) refused(live int) {
	t.limit, t.hold, t.grown = max(live, 1), 4*holdWindows, false
	t.since = time.Time{}
}
