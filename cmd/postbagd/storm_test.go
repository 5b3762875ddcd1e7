//go:build linux

package main_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"postbag/engine/mailtest"
)

// storm decides, from a seed, what goes wrong at either side.
type storm struct {
	mu    sync.Mutex
	rnd   *rand.Rand
	calm  bool
	steps atomic.Int64
}

// chance is true once in n times.
func (w *storm) chance(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.calm && w.rnd.IntN(n) == 0
}

func (w *storm) pick(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}

func (w *storm) setCalm(calm bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = calm
}

func (w *storm) provider(c mailtest.POP3Command) *mailtest.POP3Fault {
	w.steps.Add(1)
	if !w.chance(60) {
		return nil
	}
	switch w.pick(5) {
	case 0:
		return mailtest.POP3Drop()
	case 1:
		return mailtest.POP3Cut(int64(w.pick(300)))
	case 2:
		if c.Verb == "RETR" || c.Verb == "DELE" || c.Verb == "QUIT" {
			return mailtest.POP3Reply("-ERR not now")
		}
	}
	return nil
}

func (w *storm) office(e mailtest.SMTPEvent) mailtest.SMTPAction {
	w.steps.Add(1)
	if !w.chance(40) {
		return mailtest.SMTPAction{}
	}
	switch w.pick(4) {
	case 0:
		return mailtest.SMTPAction{Drop: true}
	case 1:
		return mailtest.SMTPAction{Reply: "451 4.3.0 not now"}
	case 2:
		return mailtest.SMTPAction{Reply: "421 4.3.2 closing", Drop: true}
	}
	if e.Step == mailtest.StepDATA {
		return mailtest.SMTPAction{DropAfter: 30}
	}
	return mailtest.SMTPAction{}
}

// TestRule50_Storm kills the program while both servers fail at random, again
// and again: after each kill every message is at the provider or at the office
// server, and in the end each arrived, at most once more for each kill and
// connection.
func TestRule50_Storm(t *testing.T) {
	t.Parallel()
	const n, rounds, connections = 150, 12, 8
	seed := uint64(5)
	if s, err := strconv.ParseUint(os.Getenv("POSTBAG_STORM_SEED"), 10, 64); err == nil {
		seed = s // to look for more than the usual run finds
	}
	w := &storm{rnd: rand.New(rand.NewPCG(seed, 1))}
	s := newSite(t, mailtest.POP3Options{Fault: w.provider, NoPipelining: seed%2 == 0}, mailtest.SMTPOptions{Script: w.office})
	s.add("anne@office.test", subjects(n)...)
	kills := 0
	for range rounds {
		until := w.steps.Load() + int64(10+w.pick(600))
		b := s.start("collect")
		eventually(t, "the moment of the kill", func() bool { return w.steps.Load() >= until || !b.running() })
		if b.running() {
			kills++
		}
		b.kill()
		s.safe(n)
	}
	t.Logf("%d kills", kills)
	w.setCalm(true)
	s.run("collect")
	s.run("queue", "retry", "--all") // what could not be fetched three times
	s.want(0, "collect")
	s.wantEachOnce(n, kills*connections)
	s.wantBalance(map[string]int{"delivered": n})
	if s.left() != 0 {
		t.Errorf("%d left", s.left())
	}
}
