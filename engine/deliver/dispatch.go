package deliver

import (
	"context"
	"slices"
	"sync"
	"time"

	"postbag/engine/mail"
)

// event is what workers and helpers tell the dispatcher.
type event struct {
	claimed  []mail.Job    // of a claim
	claimEnd bool          // the claim is over
	more     bool          // ... and perhaps more is due
	dialed   *worker       // has its connection
	away     time.Duration // ... to a target that is so far away
	gone     *worker       // a worker ended
	failure  *mail.Failure // ... because of this; nil: idle, drained
	back     []mail.Job    // jobs of which nothing was said
	done     *worker       // finished a transaction
	accepted bool          // ... and a recipient was accepted
	settled  []mail.Job    // their outcomes are durable now
	pause    *mail.Failure // the judge blames the target
	dirty    bool          // a settled job has copies that are due at once
	saved    bool          // a helper finished its write
	lost     error         // an outcome could not be kept
}

// run is the state of the dispatcher: one goroutine owns all of it.
type run struct {
	p     *Pool
	ctx   context.Context // ends with the first stage of stopping
	keep  context.Context // the store is written to the end
	tune  *tuner
	wg    sync.WaitGroup // of the workers
	crew  *crew          // writes beside the dispatcher
	saver saver

	ready    []mail.Job // claimed, with no worker
	claiming bool
	open     int // jobs at workers or held, not durable
	saving   int // writes by helpers
	hired    int // workers ever
	workers  int
	dialing  int
	hands    []*worker // those with a connection
	drain    chan struct{}
	stopping bool

	paused   bool
	until    time.Time
	failure  *mail.Failure
	attempts int
	booked   bool // attempts counts an attempt whose result is open
	taken    bool // the target took a message since it was last called up
	err      error
}

func newRun(p *Pool) *run {
	return &run{p: p, tune: newTuner(p.t.Connections), drain: make(chan struct{}), crew: newCrew()}
}

func (r *run) loop(ctx context.Context) error {
	r.ctx, r.keep = ctx, context.WithoutCancel(ctx)
	if err := r.load(); err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for r.turn(); !r.stopping || !r.idle(); r.turn() {
		timer.Stop()
		if r.paused && !r.stopping {
			timer.Reset(max(r.until.Sub(r.p.d.Now()), 0))
		}
		r.wait(timer.C)
	}
	r.wg.Wait() // they give the crew work
	r.crew.end()
	r.publish(false)
	return r.err
}

// wait takes what comes first.
func (r *run) wait(timer <-chan time.Time) {
	var stop <-chan struct{}
	if !r.stopping {
		stop = r.ctx.Done()
	}
	select {
	case e := <-r.p.event:
		r.handle(e)
	case <-r.p.wake:
	case <-timer:
	case <-stop:
		r.stopping = true
		close(r.drain)
	}
}

func (r *run) load() error {
	s, err := r.p.d.Queue.Target(r.keep)
	if err != nil {
		return err
	}
	r.attempts, r.until, r.failure = s.Attempts, s.Until, s.Failure
	r.paused = r.until.After(r.p.d.Now())
	return nil
}

// turn does everything that can be done now.
func (r *run) turn() {
	p := r.p
	p.mu.Lock()
	resume := p.resume
	p.resume = false
	p.mu.Unlock()
	if r.paused && !r.stopping && (resume || !r.until.After(p.d.Now())) {
		r.paused = false
		p.mu.Lock()
		p.dirty = true
		p.mu.Unlock()
	}
	if r.paused || r.stopping {
		r.release()
	} else {
		r.claim()
		r.assign(1)
		r.hire()
		r.assign(handsFull)
	}
	r.settleHeld()
	r.publish(true)
}

// claim takes the next batch while the last one is still being delivered.
func (r *run) claim() {
	if r.claiming || len(r.ready) > 2*r.tune.limit {
		return
	}
	r.p.mu.Lock()
	dirty := r.p.dirty
	r.p.dirty = false
	r.p.mu.Unlock()
	if !dirty {
		return
	}
	r.claiming = true
	r.help(func() event {
		jobs, err := r.p.d.Queue.Claim(r.keep, r.p.d.Batch)
		if err != nil {
			r.p.d.Log.Error("claim", "target", r.p.t.Name, "error", err)
		}
		return event{claimEnd: true, claimed: jobs, more: len(jobs) >= r.p.d.Batch}
	})
}

// hire opens connections for what waits, the first one alone.
func (r *run) hire() {
	for r.workers < r.tune.limit && len(r.ready) > r.dialing && (len(r.hands) > 0 || r.dialing == 0) {
		r.hireOne()
	}
}

func (r *run) hireOne() {
	r.hired++
	w := &worker{r: r, number: r.hired, drain: r.drain, jobs: make(chan mail.Job, handsFull)}
	if len(r.hands) == 0 && !r.booked {
		// rule 44: the attempt at the target is booked before the dial.
		r.attempts++
		r.booked = true
		until := r.p.d.Now().Add(Backoff(r.attempts, r.p.d.Random))
		w.book = r.saver.next(TargetState{Attempts: r.attempts, Until: until, Failure: r.failure})
	}
	r.workers++
	r.dialing++
	r.wg.Go(w.work)
}

// handle takes in what workers and helpers tell.
func (r *run) handle(e event) {
	r.heard(e)
	if e.dialed != nil {
		r.dialing--
		e.dialed.linked = true
		r.hands = append(r.hands, e.dialed)
		r.tune.joined(e.away)
	}
	if e.done != nil {
		e.done.has--
		r.tune.done(r.p.d.Now(), len(r.ready) > 0)
	}
	r.taken = r.taken || e.accepted
	if r.taken && len(e.settled) > 0 { // what came of the message is written first
		r.taken = false
		if r.booked || r.failure != nil || r.attempts > 0 {
			r.up()
		}
	}
	if e.gone != nil {
		r.left(e)
	}
	if e.pause != nil {
		r.pause(e.pause)
	}
}

// heard keeps account of jobs and writes.
func (r *run) heard(e event) {
	if e.claimEnd {
		r.claiming = false
		r.ready = append(r.ready, e.claimed...) // the store gives no copy twice
		r.ready = interleave(r.ready)
	}
	if e.more || e.dirty {
		r.p.mu.Lock()
		r.p.dirty = true
		r.p.mu.Unlock()
	}
	if len(e.back) > 0 {
		r.ready = append(e.back, r.ready...)
	}
	r.open -= len(e.settled) + len(e.back)
	if e.saved {
		r.saving--
	}
	if e.lost != nil {
		r.err = e.lost
	}
}

// interleave puts jobs that failed before behind fresh ones, one by one: what
// fails again has a success beside it that tells whose fault it is, and three
// messages that are always refused do not stand in the way of the rest.
func interleave(jobs []mail.Job) []mail.Job {
	if !slices.ContainsFunc(jobs, failedBefore) {
		return jobs
	}
	var fresh, again []mail.Job
	for _, j := range jobs {
		if failedBefore(j) {
			again = append(again, j)
		} else {
			fresh = append(fresh, j)
		}
	}
	mixed := make([]mail.Job, 0, len(jobs))
	for len(fresh) > 0 && len(again) > 0 {
		mixed = append(mixed, fresh[0], again[0])
		fresh, again = fresh[1:], again[1:]
	}
	return append(append(mixed, fresh...), again...)
}

func failedBefore(j mail.Job) bool {
	return slices.ContainsFunc(j.Copies, func(c mail.Copy) bool { return c.Attempts > 1 })
}

// idle tells that nothing is under way.
func (r *run) idle() bool {
	return !r.claiming && len(r.ready) == 0 && r.open == 0 && r.saving == 0 && (r.workers == 0 || !r.stopping)
}

// publish updates the snapshot and answers those who wait for quiet.
func (r *run) publish(running bool) {
	p := r.p
	quiet := r.idle() && (r.paused || r.exhausted())
	if quiet && r.booked && !r.paused && running {
		r.up() // the target answers, whatever it says to single messages
		quiet = false
	}
	if quiet {
		r.p.judge.flush() // a new count begins; nothing is held
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = State{
		Running: running, Paused: r.paused, Until: r.until, Failure: r.failure, Attempts: r.attempts,
		Connections: len(r.hands), Waiting: len(r.ready), InFlight: r.open,
	}
	if !quiet || p.dirty && !r.paused || p.resume {
		return
	}
	for _, w := range p.waiters {
		close(w)
	}
	p.waiters = nil
}

// help runs a write of the store beside the dispatcher.
func (r *run) help(do func() event) {
	r.crew.do(func() { r.p.event <- do() })
}
