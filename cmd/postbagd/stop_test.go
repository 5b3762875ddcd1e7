//go:build linux

package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"postbag/engine/mailtest"
)

// subjects makes n of them.
func subjects(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("message %03d", i)
	}
	return all
}

// wantEachOnce demands each message exactly once; extra of them may have come
// twice.
func (s *site) wantEachOnce(n, extra int) {
	s.t.Helper()
	times := map[string]int{}
	for _, m := range s.office.Mails() {
		times[subjectOf(m.Data)]++
	}
	twice := 0
	for _, subject := range subjects(n) {
		if times[subject] == 0 {
			s.t.Errorf("%s is lost", subject)
		}
		twice += max(0, times[subject]-1)
	}
	if twice > extra {
		s.t.Errorf("%d came twice, at most %d may", twice, extra)
	}
}

// TestSignalDuringCollect: a collection that is asked to stop finishes what is
// in flight, deletes what is settled, and ends with 1; the next one does the rest.
func TestSignalDuringCollect(t *testing.T) {
	t.Parallel()
	const n = 120
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		hold := make(chan struct{})
		var taken atomic.Int64
		s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepDot && taken.Add(1) > 40 {
				return mailtest.SMTPAction{Wait: hold}
			}
			return mailtest.SMTPAction{}
		}})
		s.add("anne@office.test", subjects(n)...)
		b := s.start("collect", "--json")
		eventually(t, "the office server to hold a message back", func() bool { return taken.Load() > 40 })
		b.signal(sig)
		eventually(t, "the sentence about stopping", func() bool { return strings.Contains(b.err.String(), "Stopping in order") })
		close(hold)
		r := b.wait()
		if r.code != 1 {
			t.Fatalf("%v: exit code %d\n%s", sig, r.code, r.err)
		}
		if got := r.results()[boxName]; got == nil {
			t.Errorf("no line for the mailbox:\n%s", r.out)
		}
		delivered := s.office.Taken()
		if delivered >= n || delivered < 40 {
			t.Errorf("%d were delivered although it was stopped", delivered)
		}
		balance := object(s.status()["balance"].(map[string]any))
		if balance.number("delivered") != delivered || balance.number("seen") != n {
			t.Errorf("%d taken by the office server, the balance is %v", delivered, balance)
		}
		s.want(0, "collect")
		s.wantEachOnce(n, 0)
		s.wantBalance(map[string]int{"delivered": n})
		if s.left() != 0 {
			t.Errorf("%d left", s.left())
		}
	}
}

// TestSecondSignalAborts although a server never answers; nothing is lost.
func TestSecondSignalAborts(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	silent.Store(true)
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		return mailtest.SMTPAction{Silent: e.Step == mailtest.StepDot && silent.Load()}
	}})
	s.add("anne@office.test", subjects(20)...)
	b := s.start("collect")
	eventually(t, "a message to be sent", func() bool { return s.office.Count("DATA") > 0 })
	b.signal(syscall.SIGTERM)
	eventually(t, "the sentence about stopping", func() bool { return strings.Contains(b.err.String(), "Stopping in order") })
	b.signal(syscall.SIGTERM)
	if r := b.wait(); r.code != 1 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	silent.Store(false)
	s.want(0, "collect")
	s.wantEachOnce(20, 0)
	if s.left() != 0 {
		t.Errorf("%d left", s.left())
	}
}

// TestRule50_Killed kills the program at moments that a seed chooses, counted
// in commands of both sides, not in time: nothing is lost, and at most one
// message per connection comes twice.
func TestRule50_Killed(t *testing.T) {
	t.Parallel()
	const n, kills, connections = 200, 6, 8
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", subjects(n)...)
	rnd := rand.New(rand.NewPCG(7, 11))
	killed := 0
	for range kills {
		steps := int64(20 + rnd.IntN(500))
		var seen atomic.Int64
		s.isp.Script(func(mailtest.POP3Command) *mailtest.POP3Fault { seen.Add(1); return nil })
		s.office.Script(func(mailtest.SMTPEvent) mailtest.SMTPAction { seen.Add(1); return mailtest.SMTPAction{} })
		b := s.start("collect")
		eventually(t, "the moment of the kill", func() bool { return seen.Load() >= steps || !b.running() })
		if b.running() {
			killed++
		}
		b.kill()
		s.safe(n)
	}
	s.isp.Script(nil)
	s.office.Script(nil)
	s.want(0, "collect")
	s.wantEachOnce(n, killed*connections)
	s.wantBalance(map[string]int{"delivered": n})
	if s.left() != 0 || killed < 3 {
		t.Errorf("%d left, %d kills", s.left(), killed)
	}
}

// safe demands that each message lies at the provider or at the office server. rule 12
func (s *site) safe(n int) {
	s.t.Helper()
	there := map[string]bool{}
	for _, m := range s.isp.Messages(login) {
		there[subjectOf(m.Bytes)] = true
	}
	for _, m := range s.office.Mails() {
		there[subjectOf(m.Data)] = true
	}
	for _, subject := range subjects(n) {
		if !there[subject] {
			s.t.Errorf("%s is neither at the provider nor at the office server", subject)
		}
	}
}

// TestRunStops: the engine in the foreground collects by schedule and ends with
// 0 when it is asked to.
func TestRunStops(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.head = strings.Replace(s.head, "[[target]]", "[schedule]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n[[target]]", 1)
	s.configure("")
	s.add("anne@office.test", "first")
	b := s.start("run")
	eventually(t, "the first collection", func() bool { return s.office.Taken() == 1 && s.left() == 0 })
	b.signal(syscall.SIGTERM)
	if r := b.wait(); r.code != 0 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	s.wantBalance(map[string]int{"delivered": 1})
}
