package store

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

func TestRule44_AttemptIsBookedBeforeTheDial(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne")
	j := r.claim(1)[0]
	if j.Copies[0].Attempts != 1 {
		t.Errorf("job = %+v", j)
	}
	// A crash now: the attempt stays booked, and waits for its time.
	r.reopen()
	if len(r.claim(1)) != 0 {
		t.Error("hammered after a crash")
	}
	if e := r.entry(k.Row); e.Attempts != 1 || !e.NextAttempt.Equal(r.clock.Now().Add(time.Minute)) {
		t.Errorf("entry = %+v", e)
	}
	r.clock.Advance(2 * time.Minute)
	if jobs := r.claim(1); len(jobs) != 1 || jobs[0].Copies[0].Attempts != 2 {
		t.Errorf("jobs = %+v", jobs)
	}
}

func TestClaimedIsNotClaimedAgain(t *testing.T) {
	r := newRig(t)
	r.keep("box", "u1", "text", "anne")
	j := r.claim(1)[0]
	r.clock.Advance(time.Hour) // a transaction longer than the back-off
	r.ok(r.MakeDue(r.ctx))
	if len(r.claim(1)) != 0 {
		t.Fatal("one copy on two connections")
	}
	due, err := r.NextDue(r.ctx)
	r.ok(err)
	if len(due) != 0 {
		t.Errorf("due = %v: a claimed copy must not wake anybody", due)
	}
	r.ok(r.Release(r.ctx, []mail.Job{j}))
	again := r.claim(1)
	if len(again) != 1 || again[0].Copies[0].Attempts != 1 {
		t.Errorf("after release: %+v", again)
	}
}

func TestRule44_UncountedAttempt(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne")
	j := r.claim(1)[0]
	next := r.clock.Now().Add(7 * time.Minute)
	_, err := r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Queued, Code: mail.CodeConnect, Reply: "refused", Next: next, Uncount: true}})
	r.ok(err)
	if e := r.entry(k.Row); e.Attempts != 0 || !e.NextAttempt.Equal(next) || e.Reason != "refused" || e.Code != mail.CodeConnect {
		t.Errorf("entry = %+v", e)
	}
	due, err := r.NextDue(r.ctx)
	r.ok(err)
	if !due["office"].Equal(next) {
		t.Errorf("due = %v", due)
	}
	r.ok(r.MakeDue(r.ctx, "other"))
	if len(r.claim(1)) != 0 {
		t.Error("another target's call made it due")
	}
	r.ok(r.MakeDue(r.ctx, "office"))
	if len(r.claim(1)) != 1 {
		t.Error("not due")
	}
}

func TestRule42_HundredRecipientsInOneTransaction(t *testing.T) {
	r := newRig(t)
	var names []string
	for i := range 250 {
		names = append(names, fmt.Sprintf("p%03d", i))
	}
	d := decision(names...)
	d.Recipients[0].Unknown = true
	d.Recipients[1].Outside = true
	d.Recipients[2].Target = "branch"
	d.Reason = "nobody by that name"
	_, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u1", Draft: r.draft("text"), Decision: d})
	r.ok(err)
	jobs := r.claim(100)
	seen := make(map[int64]bool)
	var sizes []int
	for _, j := range jobs {
		sizes = append(sizes, len(j.Copies))
		for _, c := range j.Copies {
			if seen[c.ID] {
				t.Errorf("copy %d twice", c.ID)
			}
			seen[c.ID] = true
		}
		if j.Unknown != (j.Reason != "") {
			t.Errorf("job = %+v: the reason belongs to the unknown recipient", j)
		}
	}
	if fmt.Sprint(sizes) != "[1 1 100 100 47]" {
		t.Errorf("sizes = %v", sizes)
	}
	due, err := r.NextDue(r.ctx)
	r.ok(err)
	if _, ok := due["branch"]; !ok || len(due) != 1 {
		t.Errorf("due = %v", due)
	}
}

func TestClaimTakesTheOldestFirstAndNoMoreThanAsked(t *testing.T) {
	r := newRig(t)
	var rows []int64
	for i := range 5 {
		rows = append(rows, r.keep("box", fmt.Sprint("u", i), fmt.Sprint("text", i), "anne", "bob").Row)
		r.clock.Advance(time.Second)
	}
	jobs := r.claim(2)
	if len(jobs) != 2 || jobs[0].Message != rows[0] || jobs[1].Message != rows[1] || len(jobs[1].Copies) != 2 {
		t.Errorf("jobs = %+v", jobs)
	}
}

func TestRule43_StatusIsPerRecipient(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne", "bob", "claire")
	j := r.claim(1)[0]
	next := r.clock.Now().Add(time.Minute)
	out, err := r.Settle(r.ctx, j, []Settlement{
		{Copy: j.Copies[0], State: mail.Delivered, Reply: "250 Ok queued as 1"},
		{Copy: j.Copies[1], State: mail.Queued, Code: mail.CodeDeferred, Reply: "450 later", Next: next},
		{Copy: j.Copies[2], State: mail.Quarantined, Code: mail.CodeMailboxFull, Reply: "552 full"},
	})
	r.ok(err)
	if out.State != mail.Queued {
		t.Errorf("settled = %+v", out)
	}
	r.clock.Advance(time.Hour)
	jobs := r.claim(9)
	if len(jobs) != 1 || len(jobs[0].Copies) != 1 || jobs[0].Copies[0].Address != "bob@office.test" {
		t.Fatalf("delivered ones are never resent: %+v", jobs)
	}
	if out := r.settle(jobs[0], mail.Delivered, ""); out.State != mail.Quarantined {
		t.Errorf("settled = %+v", out)
	}
	if r.SpoolBytes() == 0 || !exists(r.emlPath(k.ID)) {
		t.Error("the quarantined one lost its octets")
	}
	_, err = r.Delete(r.ctx, k.ID)
	r.ok(err)
	r.wantState(k.Row, mail.Delivered) // deleted ones count only when nothing else is left
	r.audit()
}

func unknown() []mail.Recipient {
	to := person("postmaster")
	to.Unknown = true
	return []mail.Recipient{to}
}

// rule 30, rule 45: the unknown recipient gets one copy of a message.
func TestRule45_UnknownUserGoesToTheUnknownRecipientOnce(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne", "nobody", "nemo")
	j := r.claim(1)[0]
	out, err := r.Settle(r.ctx, j, []Settlement{
		{Copy: j.Copies[0], State: mail.Delivered},
		{Copy: j.Copies[1], State: mail.Queued, Reroute: unknown(), Code: mail.CodeUnknownUser, Reply: "550 5.1.1 nobody", RerouteReason: "no such user"},
		{Copy: j.Copies[2], State: mail.Queued, Reroute: unknown(), Code: mail.CodeUnknownUser, Reply: "550 5.1.1 nemo", RerouteReason: "no such user"},
	})
	r.ok(err)
	if len(out.Targets) != 1 || out.State != mail.Queued {
		t.Errorf("settled = %+v", out)
	}
	jobs := r.claim(9)
	if len(jobs) != 1 || len(jobs[0].Copies) != 1 || !jobs[0].Unknown || jobs[0].Reason != "no such user" || jobs[0].Copies[0].Attempts != 1 {
		t.Fatalf("jobs = %+v", jobs)
	}
	e := r.entry(k.Row)
	if len(e.Recipients) != 2 || e.Route != mail.RouteToCc || e.Recipients[1].For != "nobody@office.test" && e.Recipients[1].For != "postmaster@office.test" {
		t.Errorf("entry = %+v", e)
	}
	r.settle(jobs[0], mail.Delivered, "")
	r.audit()
	if len(r.find("postmaster")) != 1 {
		t.Error("not found by the unknown recipient")
	}
	steps, err := r.Story(r.ctx, k.ID)
	r.ok(err)
	n := 0
	for _, s := range steps {
		if s.What == StepRerouted {
			n++
		}
	}
	if n != 2 {
		t.Errorf("story = %+v", steps)
	}
}

// rule 45: each member of a list gets a copy of his own; one who has one already
// gets no second.
func TestRule45_UnknownUserGoesToEachMemberOfTheList(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne", "nobody", "nemo")
	j := r.claim(1)[0]
	list := []mail.Recipient{person("anne"), person("bob"), person("claire")}
	for i := range list {
		list[i].Unknown, list[i].For = true, "nobody@office.test"
	}
	_, err := r.Settle(r.ctx, j, []Settlement{
		{Copy: j.Copies[0], State: mail.Delivered},
		{Copy: j.Copies[1], State: mail.Queued, Reroute: list, Code: mail.CodeUnknownUser, RerouteReason: "no such user"},
		{Copy: j.Copies[2], State: mail.Queued, Reroute: list, Code: mail.CodeUnknownUser, RerouteReason: "no such user"},
	})
	r.ok(err)
	jobs := r.claim(9)
	if len(jobs) != 1 || len(jobs[0].Copies) != 2 || !jobs[0].Unknown || jobs[0].Reason != "no such user" {
		t.Fatalf("jobs = %+v", jobs)
	}
	for i, name := range []string{"bob", "claire"} {
		if c := jobs[0].Copies[i]; c.Address != name+"@office.test" || c.Attempts != 1 {
			t.Errorf("copy = %+v", c)
		}
		if len(r.find(name)) != 1 {
			t.Errorf("not found by %s", name)
		}
	}
	for _, c := range r.entry(k.Row).Recipients[1:] {
		if c.For != "nobody@office.test" {
			t.Errorf("recipient = %+v", c)
		}
	}
	r.settle(jobs[0], mail.Delivered, "")
	r.wantState(k.Row, mail.Delivered)
	r.audit()
}

func TestRerouteOfTheOnlyRecipientIsRouteUnknown(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "nobody")
	j := r.claim(1)[0]
	_, err := r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Queued, Reroute: unknown()}})
	r.ok(err)
	if e := r.entry(k.Row); e.Route != mail.RouteUnknown {
		t.Errorf("route = %s", e.Route)
	}
	// The same message again, from another mailbox: under way to the unknown
	// recipient, so this one waits for it, and is a duplicate then.
	b := r.keep("box-b", "u1", "text", "nobody")
	jobs := r.claim(9)
	if len(jobs) != 2 {
		t.Fatalf("jobs = %+v", jobs)
	}
	_, err = r.Settle(r.ctx, jobs[1], []Settlement{{Copy: jobs[1].Copies[0], State: mail.Queued, Reroute: unknown()}})
	r.ok(err)
	r.audit()
	if len(r.claim(9)) != 0 {
		t.Error("the unknown recipient would get it twice")
	}
	r.settle(jobs[0], mail.Delivered, "")
	r.wantState(b.Row, mail.Duplicate)
	r.audit()
}

func TestRule46_PossibleDuplicateIsMarked(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne")
	j := r.claim(1)[0]
	_, err := r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Queued, Code: mail.CodeNoReply, PossibleDuplicate: true}})
	r.ok(err)
	r.clock.Advance(time.Hour)
	r.settle(r.claim(1)[0], mail.Delivered, "")
	if e := r.entry(k.Row); !e.Recipients[0].PossibleDuplicate {
		t.Error("the mark is lost")
	}
}

func TestRule44_QueueLifetimeEndsInQuarantine(t *testing.T) {
	r := newRig(t)
	old := r.keep("box", "old", "old", "anne", "bob")
	r.clock.Advance(time.Hour)
	limit := r.clock.Now()
	fresh := r.keep("box", "new", "new", "anne")
	ids, err := r.Expire(r.ctx, limit)
	r.ok(err)
	if len(ids) != 1 || ids[0] != old.ID {
		t.Fatalf("expired = %v", ids)
	}
	e := r.entry(old.Row)
	if e.State != mail.Quarantined || e.Code != mail.CodeLifetime || !exists(r.emlPath(old.ID)) {
		t.Errorf("entry = %+v", e)
	}
	r.wantState(fresh.Row, mail.Queued)
	// Sent again by a person, its lifetime begins anew.
	targets, err := r.Retry(r.ctx, strings.ToUpper(old.ID))
	r.ok(err)
	if len(targets) != 1 {
		t.Errorf("targets = %v", targets)
	}
	if ids, err := r.Expire(r.ctx, limit); err != nil || len(ids) != 0 {
		t.Errorf("expired again: %v %v", ids, err)
	}
	r.audit()
}

func TestPeoplesOrders(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne")
	_, err := r.Retry(r.ctx, "0000000000000")
	wantCode(t, err, mail.CodeNotFound)
	r.settle(r.claim(1)[0], mail.Delivered, "")
	for name, order := range map[string]func(string) error{
		"retry":  func(id string) error { _, err := r.Retry(r.ctx, id); return err },
		"delete": func(id string) error { _, err := r.Delete(r.ctx, id); return err },
		"send":   func(id string) error { _, err := r.SendTo(r.ctx, id, person("bob")); return err },
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, order(k.ID), mail.CodeWrongState) })
	}
	q := r.keep("box", "u2", "other", "anne")
	r.settle(r.claim(1)[0], mail.Quarantined, mail.CodeContent)
	_, err = r.SendTo(r.ctx, q.ID, person("bob"))
	r.ok(err)
	if exists(r.emlPath(q.ID)) {
		t.Error("the .eml stays behind")
	}
	j := r.claim(9)
	if len(j) != 1 || len(j[0].Copies) != 1 || j[0].Copies[0].Address != "bob@office.test" {
		t.Fatalf("jobs = %+v", j)
	}
	r.settle(j[0], mail.Delivered, "")
	r.wantState(q.Row, mail.Delivered)
	w := r.list("box", "u3")[0]
	_, err = r.Delete(r.ctx, w.ID)
	r.ok(err)
	c, err := r.Compare(r.ctx, "box", []string{"u3"})
	r.ok(err)
	if got := c.Known["u3"][0]; got.State != mail.Deleted || !got.DeleteAsked {
		t.Errorf("known = %+v", got)
	}
	r.audit()
}

// A person's order and a delivery that cannot be recalled meet: the journal
// tells what was.
func TestDeleteWhileOnItsWay(t *testing.T) {
	for state, want := range map[mail.State]mail.State{mail.Delivered: mail.Delivered, mail.Queued: mail.Deleted, mail.Quarantined: mail.Deleted} {
		r := newRig(t)
		k := r.keep("box", "u1", "text", "anne")
		j := r.claim(1)[0]
		_, err := r.Delete(r.ctx, k.ID)
		r.ok(err)
		r.settle(j, state, "")
		r.wantState(k.Row, want)
		r.audit()
		if exists(r.emlPath(k.ID)) {
			t.Error("an .eml of a deleted message")
		}
	}
}

func TestRule48_SaveEml(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "the raw message", "anne")
	r.settle(r.claim(1)[0], mail.Quarantined, mail.CodePolicy)
	var b strings.Builder
	r.ok(r.SaveMessage(r.ctx, k.ID, &b))
	if b.String() != "the raw message" {
		t.Errorf("saved %q", b.String())
	}
	wantCode(t, r.SaveMessage(r.ctx, "nothing", &b), mail.CodeNotFound)
	waiting, err := r.RecordListing(r.ctx, "box", []NewItem{{UID: "u2", Size: 10, State: mail.Waiting}}, nil)
	r.ok(err)
	wantCode(t, r.SaveMessage(r.ctx, waiting[0].ID, &b), mail.CodeWrongState) // there is one, but not here
	info, err := os.Stat(r.emlPath(k.ID))
	r.ok(err)
	if info.Size() != int64(b.Len()) {
		t.Error("the .eml differs")
	}
	if n, err := r.Purge(r.ctx, r.clock.Now().Add(1000*time.Hour), 10); err != nil || n != 0 {
		t.Errorf("quarantine purged: %d %v", n, err)
	}
}
