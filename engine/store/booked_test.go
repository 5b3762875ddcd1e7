package store

import (
	"testing"
	"time"

	"postbag/engine/mail"
)

// keepBooked keeps a message and has the attempt booked with it.
func (r *rig) keepBooked(mailbox, uid, text string, d *mail.Decision) KeepResult {
	r.t.Helper()
	out, err := r.Keep(r.ctx, Kept{Mailbox: mailbox, UID: uid, Draft: r.draft(text), Fingerprint: fingerprint(text),
		Summary: mail.Summary{Subject: text}, Decision: d, Claim: r.inAMinute})
	r.ok(err)
	return out
}

// rule 44: an attempt that was booked together with its message counts once,
// whatever happens then.
func TestRule44_BookedWithTheMessage(t *testing.T) {
	r := newRig(t)
	r.list("box", "u1")
	before := r.commits.Load()
	k := r.keepBooked("box", "u1", "text", decision("anne", "bob"))
	if n := r.commits.Load() - before; n != 1 {
		t.Errorf("%d commits", n)
	}
	j := k.Job
	if j.Message != k.Row || len(j.Copies) != 2 || j.Copies[0].Attempts != 1 {
		t.Fatalf("the job is %+v", j)
	}
	if jobs := r.claim(1); len(jobs) != 0 {
		t.Errorf("it is claimed twice: %+v", jobs)
	}
	killed, _ := r.opened(r.image())
	if jobs := killed.claim(1); len(jobs) != 0 {
		t.Errorf("after a kill it is due at once: %+v", jobs)
	}
	r.clock.Advance(time.Minute) // the clock of both
	if jobs := killed.claim(1); len(jobs) != 1 || jobs[0].Copies[0].Attempts != 2 {
		t.Errorf("after a kill, at its time: %+v", jobs)
	}
	if jobs := r.claim(1); len(jobs) != 0 {
		t.Errorf("it is on its way and claimed: %+v", jobs)
	}
	r.settle(j, mail.Delivered, "")
	r.wantState(k.Row, mail.Delivered)
	r.audit()
}

// rule 44: what was booked and never begun is given back.
func TestRule44_BookedAndGivenBack(t *testing.T) {
	r := newRig(t)
	r.list("box", "u1")
	k := r.keepBooked("box", "u1", "text", decision("anne"))
	r.ok(r.Release(r.ctx, []mail.Job{k.Job}))
	if jobs := r.claim(1); len(jobs) != 1 || jobs[0].Copies[0].Attempts != 1 {
		t.Errorf("given back: %+v", jobs)
	}
	r.audit()
}

// What does not go the plain way is claimed as ever.
func TestOnlyThePlainWayIsBooked(t *testing.T) {
	r := newRig(t)
	r.list("box", "u1", "u2", "u3")
	r.keep("box", "u1", "text", "anne")
	for uid, text := range map[string]string{"u2": "text", "u3": string(make([]byte, maxPlainBody+1))} {
		if k := r.keepBooked("box", uid, text, decision("anne", "bob")); len(k.Job.Copies) != 0 {
			t.Errorf("%s: a job nobody may do yet: %+v", uid, k.Job)
		}
	}
	if k := r.keepBooked("box", "u3", "once more", decision("anne")); len(k.Job.Copies) != 0 {
		t.Errorf("kept before: %+v", k.Job)
	}
	attempts := 0
	for _, j := range r.claim(10) {
		attempts += len(j.Copies)
	}
	if attempts != 4 { // anne's; bob's of the same text; both of the long one
		t.Errorf("%d copies are due", attempts)
	}
	r.audit()
}
