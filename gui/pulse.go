package gui

import (
	"sync"
	"time"

	"postbag/app/facts"
)

// The rhythm in which the windows hear of the engine.
const (
	gather  = 100 * time.Millisecond // events of this long come together
	recount = 60 * time.Second       // the state is asked for without any news, too
	flicker = 600 * time.Millisecond // between the two pictures of collecting
)

// pulse brings the engine's news to the goroutine of the user interface: events
// in bundles, and the state of the whole after each bundle that changes it.
type pulse struct {
	d     *Desk
	heard func([]facts.Event)
	know  func(facts.Status, error)

	mu     sync.Mutex
	events []facts.Event
	wake   chan struct{}
	ask    chan struct{}
	done   chan struct{}
	ended  sync.Once
	calm   chan struct{} // closed to end the blinking; nil: none
}

func newPulse(d *Desk, heard func([]facts.Event), know func(facts.Status, error)) *pulse {
	return &pulse{
		d: d, heard: heard, know: know,
		wake: make(chan struct{}, 1), ask: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// start listens until stop.
func (p *pulse) start() {
	cancel := p.d.Backend.Watch(p.put)
	go func() {
		<-p.done
		cancel()
	}()
	go p.tell()
	go p.count()
	p.now()
}

// stop ends listening.
func (p *pulse) stop() {
	p.ended.Do(func() { close(p.done) })
	p.animate(false, nil)
}

// now asks for the state of the whole soon.
func (p *pulse) now() { signal(p.ask) }

// put takes an event from the engine, which must not wait.
func (p *pulse) put(ev facts.Event) {
	p.mu.Lock()
	p.events = append(p.events, ev)
	p.mu.Unlock()
	signal(p.wake)
}

func (p *pulse) take() []facts.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := p.events
	p.events = nil
	return events
}

// tell hands events on in bundles.
func (p *pulse) tell() {
	for {
		select {
		case <-p.done:
			return
		case <-p.wake:
		}
		events := p.take()
		if len(events) == 0 {
			continue
		}
		post(func() { p.heard(events) })
		for _, ev := range events {
			if ev.Kind != facts.EventFetched {
				p.now()
				break
			}
		}
		if !p.rest(gather) {
			return
		}
	}
}

// count asks for the state when there is news, and once in a while.
func (p *pulse) count() {
	again := time.NewTicker(recount)
	defer again.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-p.ask:
		case <-again.C:
		}
		st, err := p.d.Backend.Status(p.d.Context)
		post(func() { p.know(st, err) })
		if !p.rest(2 * gather) {
			return
		}
	}
}

// rest waits; false means that listening has ended.
func (p *pulse) rest(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.done:
		return false
	case <-t.C:
		return true
	}
}

// animate calls turn again and again, or stops doing so. It is called on the
// goroutine of the user interface only.
func (p *pulse) animate(on bool, turn func()) {
	if on == (p.calm != nil) {
		return
	}
	if !on {
		close(p.calm)
		p.calm = nil
		return
	}
	calm := make(chan struct{})
	p.calm = calm
	go func() {
		tick := time.NewTicker(flicker)
		defer tick.Stop()
		for {
			select {
			case <-calm:
				return
			case <-tick.C:
				post(turn)
			}
		}
	}()
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
