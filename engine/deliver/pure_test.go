package deliver

import (
	"testing"
	"time"

	"postbag/engine/mail"
)

// rule 44
func TestRule44_Backoff(t *testing.T) {
	zero, most := func() float64 { return 0 }, func() float64 { return 0.999 }
	want := []time.Duration{1, 1, 5, 15, 30, 60, 60, 60}
	for attempts, m := range want {
		if got := Backoff(attempts, zero); got != m*time.Minute {
			t.Errorf("%d: %v", attempts, got)
		}
		if got := Backoff(attempts, most); got < m*time.Minute || got > m*time.Minute*12/10 {
			t.Errorf("%d with jitter: %v", attempts, got)
		}
	}
	auth := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTargetAuth}
	if PauseFor(auth, 1, zero) != time.Hour || PauseFor(auth, 3, zero) != 24*time.Hour {
		t.Error("rule 8: a wrong password is hammered")
	}
	if PauseFor(&mail.Failure{Code: mail.CodeConnect}, 2, zero) != 5*time.Minute {
		t.Error("a target that is down follows rule 44")
	}
}

func TestTuner(t *testing.T) {
	now := time.Unix(0, 0)
	// run lets n messages pass where perConn of them a second go through one
	// connection, but never more than total.
	run := func(u *tuner, n int, perConn, total float64) {
		for range n {
			rate := min(perConn*float64(u.limit), total)
			now = now.Add(time.Duration(float64(time.Second) / rate))
			u.done(now, true)
		}
	}
	u := newTuner(0)
	run(u, 1000, 10, 1e9)
	if u.limit != 8 {
		t.Errorf("far server: %d connections", u.limit)
	}
	u = newTuner(0)
	often := 0
	for range 1000 {
		run(u, 1, 10, 20)
		if u.limit > 2 {
			often++
		}
	}
	if often > 250 {
		t.Errorf("a server that is no faster gets more connections for %d of 1000 messages", often)
	}
	u.refused(1)
	if u.limit != 1 {
		t.Errorf("refused: %d", u.limit)
	}
	u = newTuner(5)
	run(u, 1000, 10, 1e9)
	if u.limit != 5 {
		t.Errorf("fixed: %d", u.limit)
	}
	u.refused(1)
	run(u, 5, 10, 1e9)
	if u.limit != 1 {
		t.Errorf("just refused: %d", u.limit)
	}
	run(u, 1000, 10, 1e9)
	if u.limit < 2 {
		t.Errorf("never again: %d", u.limit)
	}
	u = newTuner(0)
	run(u, 4, 10, 1e9)
	if u.limit != 8 {
		t.Errorf("far: %d connections after a few messages", u.limit)
	}
	for away, want := range map[time.Duration]int{time.Millisecond: 2, 20 * time.Millisecond: 8} {
		u = newTuner(0)
		u.joined(away)
		if u.limit != want {
			t.Errorf("%v away: %d connections, want %d", away, u.limit, want)
		}
	}
	u = newTuner(3)
	u.joined(time.Second)
	if u.limit != 3 {
		t.Errorf("fixed and far: %d", u.limit)
	}
	u = newTuner(0)
	run(u, 200, 2000, 1e9)
	if u.limit != 8 {
		t.Errorf("near and able: %d connections", u.limit)
	}
	u = newTuner(0)
	for range 1000 {
		u.done(now, false)
	}
	if u.limit != 2 {
		t.Errorf("without a backlog: %d", u.limit)
	}
}
