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
	dialed   bool          // a worker has its connection
	gone     *worker       // a worker ended
	failure  *mail.Failure // ... because of this; nil: idle, drained
	back     []mail.Job    // jobs of which nothing was said
	done     bool          // a worker finished a transaction
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
	wg    sync.WaitGroup
	saver saver

	ready    []mail.Job     // claimed, with no worker
	mine     map[int64]bool // copies of ready and open jobs, by their ID
	claiming bool
	open     int // jobs at workers or held, not durable
	saving   int // writes by helpers
	workers  int
	dialing  int
	linked   int // workers with a connection
	busy     int // workers with a job
	drain    chan struct{}
	stopping bool

	paused   bool
	until    time.Time
	failure  *mail.Failure
	attempts int
	booked   bool // attempts counts an attempt whose result is open
	err      error
}

func newRun(p *Pool) *run {
	return &run{p: p, tune: newTuner(p.t.Connections), drain: make(chan struct{}), mine: make(map[int64]bool)}
}

func (r *run) loop(ctx context.Context) error {
	r.ctx, r.keep = ctx, context.WithoutCancel(ctx)
	if err := r.load(); err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := ctx.Done()
	for {
		r.turn()
		if r.stopping && r.idle() {
			break
		}
		timer.Stop()
		if r.paused && !r.stopping {
			timer.Reset(max(r.until.Sub(r.p.d.Now()), 0))
		}
		var jobs chan mail.Job
		var next mail.Job
		if len(r.ready) > 0 && !r.paused && !r.stopping && r.busy < r.linked {
			jobs, next = r.p.jobs, r.ready[0]
		}
		select {
		case jobs <- next:
			r.ready = r.ready[1:]
			r.busy++
			r.open++
		case e := <-r.p.event:
			r.handle(e)
		case <-r.p.wake:
		case <-timer.C:
		case <-stop:
			stop = nil
			r.stopping = true
			close(r.drain)
		}
	}
	r.wg.Wait()
	r.publish(false)
	return r.err
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
	if (r.paused || r.stopping) && len(r.ready) > 0 {
		r.release()
	}
	if !r.paused && !r.stopping {
		r.claim()
		r.hire()
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

// hire opens connections one at a time; the first one alone.
func (r *run) hire() {
	idle := r.linked - r.busy
	if r.dialing > 0 || r.workers >= r.tune.limit || len(r.ready) <= idle {
		return
	}
	w := &worker{r: r, drain: r.drain}
	if r.linked == 0 && !r.booked {
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

func (r *run) handle(e event) {
	if e.claimEnd {
		r.claiming = false
		r.ready = append(r.ready, r.take(e.claimed)...)
	}
	if e.more || e.dirty {
		r.p.mu.Lock()
		r.p.dirty = true
		r.p.mu.Unlock()
	}
	if e.dialed {
		r.dialing--
		r.linked++
	}
	if e.done {
		r.busy--
		r.tune.done(r.p.d.Now(), len(r.ready) > 0)
	}
	if e.accepted && (r.booked || r.failure != nil || r.attempts > 0) {
		r.up()
	}
	r.ready = append(e.back, r.ready...)
	r.open -= len(e.settled) + len(e.back)
	r.forget(e.settled)
	if e.saved {
		r.saving--
	}
	if e.lost != nil {
		r.err = e.lost
	}
	if e.gone != nil {
		r.left(e)
	}
	if e.pause != nil {
		r.pause(e.pause)
	}
}

// take keeps what is not here already: a transaction may last longer than the
// time after which its copies are due again.
func (r *run) take(jobs []mail.Job) []mail.Job {
	fresh := jobs[:0]
	for _, j := range jobs {
		j.Copies = slices.DeleteFunc(slices.Clone(j.Copies), func(c mail.Copy) bool { return r.mine[c.ID] })
		if len(j.Copies) == 0 {
			continue
		}
		for _, c := range j.Copies {
			r.mine[c.ID] = true
		}
		fresh = append(fresh, j)
	}
	return fresh
}

func (r *run) forget(jobs []mail.Job) {
	for _, j := range jobs {
		for _, c := range j.Copies {
			delete(r.mine, c.ID)
		}
	}
}

// left handles the end of a worker.
func (r *run) left(e event) {
	r.workers--
	if !e.gone.linked {
		r.dialing--
	} else {
		r.linked--
	}
	f := e.failure
	if f == nil || f.Code == mail.CodeCancelled {
		return
	}
	r.p.d.Log.Warn("connection lost", "target", r.p.t.Name, "error", f)
	others := r.linked
	switch {
	case !e.gone.linked && others > 0:
		r.tune.refused(others) // it takes those that are there and no more
	case !e.gone.linked:
		r.pause(f) // no message loses an attempt
	default:
		if f.Code == mail.CodeTargetBusy && others > 0 {
			r.tune.refused(others)
		}
		if f := r.p.judge.strike(f); f != nil {
			r.pause(f)
		}
	}
}

// pause lets the target rest; what was claimed is given back by turn.
func (r *run) pause(f *mail.Failure) {
	if r.paused || r.stopping {
		return
	}
	if !r.booked {
		r.attempts++
	}
	r.booked = false
	r.paused, r.failure = true, f
	r.until = r.p.d.Now().Add(PauseFor(f, r.attempts, r.p.d.Random))
	r.p.d.Log.Warn("target paused", "target", r.p.t.Name, "until", r.until, "error", f)
	r.save(TargetState{Attempts: r.attempts, Until: r.until, Failure: f})
	close(r.drain)
	r.drain = make(chan struct{})
}

// up forgets what was held against the target.
func (r *run) up() {
	r.attempts, r.booked, r.failure, r.until = 0, false, nil, time.Time{}
	if !r.paused {
		r.save(TargetState{})
	}
}

func (r *run) release() {
	jobs := r.ready
	r.ready = nil
	r.forget(jobs)
	r.saving++
	r.help(func() event {
		if err := r.p.d.Queue.Release(r.keep, jobs); err != nil {
			// They stay booked and come back when their time has come.
			r.p.d.Log.Error("release", "target", r.p.t.Name, "error", err)
		}
		return event{saved: true}
	})
}

// settleHeld decides what the judge holds when nothing else is under way.
func (r *run) settleHeld() {
	held := r.p.judge.waiting()
	if held == 0 || r.open != held || r.busy > 0 {
		return
	}
	var now []settlement
	var pause *mail.Failure
	switch {
	case r.stopping || r.paused:
		now = r.p.judge.abandon()
	case r.exhausted():
		now, pause = r.p.judge.flush()
	default:
		return
	}
	if pause != nil {
		r.pause(pause)
	}
	r.help(func() event { return r.p.settleAll(r.ctx, now) })
}

// exhausted tells that nothing is due any more.
func (r *run) exhausted() bool {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	return !r.p.dirty && !r.claiming && len(r.ready) == 0
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
		Connections: r.linked, Waiting: len(r.ready), InFlight: r.open,
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
	r.wg.Go(func() { r.p.event <- do() })
}

func (r *run) save(s TargetState) {
	save := r.saver.next(s)
	r.saving++
	r.help(func() event {
		if err := save(r.keep, r.p.d.Queue); err != nil {
			r.p.d.Log.Error("keep state of target", "target", r.p.t.Name, "error", err)
		}
		return event{saved: true}
	})
}

// saver keeps the states of the target in their order, whoever writes them.
type saver struct {
	mu     sync.Mutex
	made   int
	latest int
}

// next is called by the dispatcher; what it returns, by anybody.
func (s *saver) next(state TargetState) func(context.Context, Queue) error {
	s.made++
	number := s.made
	return func(ctx context.Context, q Queue) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if number < s.latest {
			return nil
		}
		s.latest = number
		return q.SetTarget(ctx, state)
	}
}
