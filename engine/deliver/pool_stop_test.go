package deliver

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postbag/engine/mailtest"
)

// rule 50: on one connection the outcome of a message is durable before the
// final dot of the next one is sent, while MAIL, RCPT and DATA go ahead.
func TestRule50_SettledBeforeTheNextDot(t *testing.T) {
	q := newFakeQueue()
	q.gate = make(chan struct{})
	data := make(chan int, 10)
	s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDATA {
			data <- e.Message
		}
		return mailtest.SMTPAction{}
	}})
	target.Connections = 1
	q.add(3, "anne@office.test")
	r := startPool(t, target, q)
	for want := 1; want <= 3; want++ {
		if got := <-data; got != want {
			t.Fatalf("DATA of %d, want %d", got, want)
		}
		if want > 1 {
			// DATA of this one was said, the one before is not durable: no dot.
			if taken := s.Taken(); taken != want-1 {
				t.Fatalf("%d taken", taken)
			}
			q.gate <- struct{}{}
		}
	}
	q.gate <- struct{}{}
	r.quiet()
	if s.Taken() != 3 {
		t.Errorf("%d taken", s.Taken())
	}
}

// rule 50: the store fails for a while: nothing is sent twice, nothing forgotten.
func TestRule50_StoreFails(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{})
	target.Connections = 1
	q := newFakeQueue()
	q.failing = 2
	q.add(3, "anne@office.test")
	r := startPool(t, target, q)
	r.quiet()
	if _, settled, _ := q.counts(); settled != 3 || s.Taken() != 3 {
		t.Errorf("%d settled, %d taken", settled, s.Taken())
	}
}

// stopAtDot stops a pool of one connection with so many messages when the server
// has the final dot of one of them and is about to answer.
func stopAtDot(t *testing.T, extensions []string, message, of int) (*mailtest.SMTP, *fakeQueue) {
	t.Helper()
	reached, reply := make(chan struct{}), make(chan struct{})
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: extensions, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDot && e.Message == message {
			close(reached)
			return mailtest.SMTPAction{Wait: reply}
		}
		return mailtest.SMTPAction{}
	}})
	target.Connections = 1
	q := newFakeQueue()
	q.add(of, "anne@office.test")
	r := startPool(t, target, q)
	<-reached
	r.cancel()
	close(reply)
	if err := <-r.ended; err != nil {
		t.Fatal(err)
	}
	return s, q
}

// rules 9 and 46: stopping gives back what was not sent, awaits the reply to a
// final dot, and records what is unknown.
func TestRule46_Stop(t *testing.T) {
	t.Run("before the dot", func(t *testing.T) {
		reached := make(chan struct{})
		var once sync.Once
		s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
			if e.Step == mailtest.StepRCPT {
				once.Do(func() { close(reached) })
				return mailtest.SMTPAction{Silent: true}
			}
			return mailtest.SMTPAction{}
		}})
		q := newFakeQueue()
		q.add(5, "anne@office.test")
		r := startPool(t, target, q)
		<-reached
		began := time.Now()
		r.cancel()
		if err := <-r.ended; err != nil {
			t.Fatal(err)
		}
		if due, settled, _ := q.counts(); due != 5 || settled != 0 || s.Taken() != 0 {
			t.Errorf("%d due, %d settled", due, settled)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
		if err := r.p.WaitQuiet(t.Context()); err == nil {
			t.Error("WaitQuiet after the end must fail")
		}
	})
	t.Run("reply comes", func(t *testing.T) {
		_, q := stopAtDot(t, nil, 1, 2)
		if due, _, _ := q.counts(); q.verdict("M1") != "accepted" || due != 1 {
			t.Errorf("%s, %d due", q.verdict("M1"), due)
		}
	})
	for _, how := range []string{"no reply in time", "second signal"} {
		t.Run(how, func(t *testing.T) {
			reached := make(chan struct{})
			_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
				if e.Step == mailtest.StepDot {
					close(reached)
					return mailtest.SMTPAction{Silent: true, Keep: true}
				}
				return mailtest.SMTPAction{}
			}})
			target.Connections = 1
			q := newFakeQueue()
			q.add(1, "anne@office.test")
			r := startPool(t, target, q, func(d *Deps) {
				if how == "no reply in time" {
					d.Options.Timeouts.StopDot = 50 * time.Millisecond
				}
			})
			<-reached
			r.cancel()
			if how == "second signal" {
				r.p.Abort()
			}
			if err := <-r.ended; err != nil {
				t.Fatal(err)
			}
			if got := q.verdict("M1"); got != "deferred:no_reply" {
				t.Errorf("%s", got)
			}
		})
	}
}

// A copy that is due at once when its outcome is recorded may be claimed again
// before the pool hears of the record: it is tried again, not forgotten.
func TestPoolTakesBackWhatIsDueAtOnce(t *testing.T) {
	refused := false
	s, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT && !refused {
			refused = true
			return mailtest.SMTPAction{Reply: "450 4.2.1 later"}
		}
		return mailtest.SMTPAction{}
	}})
	target.Connections = 1
	q := newFakeQueue()
	q.add(1, "anne@office.test")
	again := q.due[0]
	again.Copies = slices.Clone(again.Copies)
	var r *poolRig
	started := make(chan struct{})
	q.onSettle = func() {
		<-started
		q.mu.Lock()
		q.due = append(q.due, again)
		q.mu.Unlock()
		for range 2 { // the second one is made when the first has been heard
			claimed := make(chan struct{})
			q.mu.Lock()
			q.onClaim = func() { close(claimed) }
			q.mu.Unlock()
			r.p.Kick()
			<-claimed
		}
	}
	r = startPool(t, target, q)
	close(started)
	r.quiet()
	if s.Taken() != 1 {
		t.Errorf("%d taken", s.Taken())
	}
}

func TestPoolIdleClosesConnections(t *testing.T) {
	quit := make(chan struct{})
	_, target := startSMTP(t, mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepQUIT {
			close(quit)
		}
		return mailtest.SMTPAction{}
	}})
	q := newFakeQueue()
	q.add(1, "anne@office.test")
	r := startPool(t, target, q, func(d *Deps) { d.Idle = 20 * time.Millisecond })
	r.quiet()
	<-quit
}

func BenchmarkPool(b *testing.B) {
	_, target := startSMTP(b, mailtest.SMTPOptions{Discard: true})
	message := sample + strings.Repeat(strings.Repeat("x", 78)+"\r\n", 60)
	q := newFakeQueue()
	q.add(b.N, "anne@office.test")
	b.ResetTimer()
	r := startPool(b, target, q, func(d *Deps) {
		d.Open = func(context.Context, int64) (io.ReadCloser, int64, error) {
			return io.NopCloser(strings.NewReader(message)), int64(len(message)), nil
		}
	})
	r.quiet()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
