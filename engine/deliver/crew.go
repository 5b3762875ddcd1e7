package deliver

import "sync"

// resting is how many goroutines of a crew wait for work at most.
const resting = 2 * maxAdaptive

// crew runs functions beside whoever gives them, all at the same time, and keeps
// some of the goroutines for the functions that follow: a fresh one would have
// to grow its stack anew for every message.
type crew struct {
	wg   sync.WaitGroup
	work chan func()   // unbuffered: who rests takes it
	rest chan struct{} // full: enough of them rest
}

func newCrew() *crew {
	return &crew{work: make(chan func()), rest: make(chan struct{}, resting)}
}

// do returns at once; f has a goroutine to itself until it ends.
func (c *crew) do(f func()) {
	select {
	case c.work <- f:
	default:
		c.wg.Go(func() { c.serve(f) })
	}
}

func (c *crew) serve(f func()) {
	for ok := true; ok; f, ok = c.next() {
		f()
	}
}

// next rests until there is more to do; not ok: it is to end.
func (c *crew) next() (f func(), ok bool) {
	select {
	case c.rest <- struct{}{}:
	default:
		return nil, false
	}
	f, ok = <-c.work
	<-c.rest
	return f, ok
}

// end returns when everything given is done. Nothing may be given any more.
func (c *crew) end() {
	close(c.work)
	c.wg.Wait()
}
