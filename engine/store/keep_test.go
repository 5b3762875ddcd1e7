package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

// What was kept by its UID is known by its row, too, also once it stands in the
// tables and the listing was a moment ago.
func TestKeptByUIDIsKnownByRow(t *testing.T) {
	r := newRig(t)
	row := r.list("box", "u1")[0].Row
	first := r.keep("box", "u1", "text", "anne")
	r.ok(r.writeBeside(r.ctx, "fold", func(t *tx) error { return t.foldAll() }))
	again, err := r.Keep(r.ctx, Kept{Row: row, Draft: r.draft("text"), Fingerprint: fingerprint("text"), Decision: decision("anne")})
	if err != nil || first.Row != row || again.Row != row || again.State != mail.Queued {
		t.Errorf("%+v, then %+v, %v", first, again, err)
	}
	r.audit()
}

func TestKeepTwiceKeepsOnce(t *testing.T) {
	for _, size := range []int{10, 2 * inline} {
		r := newRig(t)
		r.list("box", "u1")
		text := strings.Repeat("x", size)
		a := r.keep("box", "u1", text, "anne")
		b := r.keep("box", "u1", text, "anne", "bob")
		if a.Row != b.Row || a.ID != b.ID || b.State != mail.Queued {
			t.Errorf("first %+v, second %+v", a, b)
		}
		if n := len(r.entry(a.Row).Recipients); n != 1 {
			t.Errorf("%d recipients", n)
		}
		if r.SpoolBytes() != int64(size) {
			t.Errorf("%d octets held", r.SpoolBytes())
		}
		names, err := listNames(filepath.Join(r.opt.Dir, dirSpool))
		r.ok(err)
		if want := size / inline / 2; len(names) != want {
			t.Errorf("spool: %v", names)
		}
		r.audit()
	}
}

// twice keeps the same message from two mailboxes for the same person.
func twice(t *testing.T) (r *rig, a, b KeepResult) {
	r = newRig(t)
	a = r.keep("box-a", "u1", "the same", "anne")
	b = r.keep("box-b", "u9", "the same", "anne")
	return r, a, b
}

func TestRule35_TwoCopiesUnderWayAreInSequence(t *testing.T) {
	r, a, b := twice(t)
	if len(a.Targets) != 1 || len(b.Targets) != 0 {
		t.Errorf("targets: %v, %v", a.Targets, b.Targets)
	}
	jobs := r.claim(10)
	if len(jobs) != 1 || jobs[0].Message != a.Row {
		t.Fatalf("jobs = %+v", jobs)
	}
	if e := r.entry(b.Row); e.State != mail.Queued || !e.Recipients[0].Held || !e.NextAttempt.IsZero() {
		t.Errorf("held: %+v", e)
	}
	r.settle(jobs[0], mail.Delivered, "")
	e := r.entry(b.Row)
	if e.State != mail.Duplicate || e.Recipients[0].DuplicateOf != a.ID || e.Delivered.IsZero() {
		t.Errorf("second = %+v", e)
	}
	r.audit()
	if r.SpoolBytes() != 0 {
		t.Error("octets left")
	}
	// A third one comes later: delivered already.
	c := r.keep("box-a", "u2", "the same", "anne")
	if c.State != mail.Duplicate || len(r.claim(10)) != 0 {
		t.Errorf("third = %+v", c)
	}
	r.audit()
}

func TestRule35_HeldCopyTakesOverWhenTheFirstFails(t *testing.T) {
	ends := map[string]func(r *rig, j mail.Job){
		"quarantined": func(r *rig, j mail.Job) { r.settle(j, mail.Quarantined, mail.CodePolicy) },
		"deleted":     func(r *rig, j mail.Job) { _, err := r.Delete(r.ctx, j.ID); r.ok(err) },
		"sent on":     func(r *rig, j mail.Job) { _, err := r.SendTo(r.ctx, j.ID, person("bob")); r.ok(err) },
		"rerouted": func(r *rig, j mail.Job) {
			to := person("postmaster")
			to.Unknown = true
			_, err := r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Queued, Reroute: []mail.Recipient{to}, Code: mail.CodeUnknownUser}})
			r.ok(err)
		},
		"expired": func(r *rig, j mail.Job) {
			r.ok(r.Release(r.ctx, []mail.Job{j}))
			_, err := r.Expire(r.ctx, r.clock.Now().Add(time.Second))
			r.ok(err)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			r, a, b := twice(t)
			c := r.keep("box-c", "u5", "the same", "anne")
			j := r.claim(10)[0]
			end(r, j)
			var next []mail.Job
			for _, j := range r.claim(10) {
				if j.Message != a.Row {
					next = append(next, j)
				}
			}
			if len(next) != 1 || next[0].Message != b.Row {
				t.Fatalf("due now: %+v, want only the second copy %d", next, b.Row)
			}
			r.audit()
			r.settle(next[0], mail.Delivered, "")
			r.wantState(b.Row, mail.Delivered)
			r.wantState(c.Row, mail.Duplicate)
			r.audit()
		})
	}
}

func TestRule35_OnlyWithinTheWindowAndPerPerson(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DuplicateWindow = 24 * time.Hour })
	r.keep("box", "u1", "text", "anne")
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.clock.Advance(23 * time.Hour)
	b := r.keep("box", "u2", "text", "anne", "bob")
	e := r.entry(b.Row)
	if e.State != mail.Queued || e.Recipients[0].State != mail.Duplicate || e.Recipients[1].State != mail.Queued {
		t.Errorf("second = %+v", e)
	}
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.wantState(b.Row, mail.Delivered) // the worst of duplicate and delivered
	r.clock.Advance(25 * time.Hour)
	if c := r.keep("box", "u3", "text", "anne"); c.State != mail.Queued {
		t.Errorf("after the window: %+v", c)
	}
	if d, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u4", Draft: r.draft("text"), Decision: decision("bob")}); err != nil || d.State != mail.Queued {
		t.Errorf("without a fingerprint: %+v %v", d, err)
	}
	r.audit()
}

func TestRule35_QuarantinedCopiesDoNotCount(t *testing.T) {
	r := newRig(t)
	r.keep("box", "u1", "text", "anne")
	r.settle(r.claim(1)[0], mail.Quarantined, mail.CodeMailboxFull)
	if b := r.keep("box", "u2", "text", "anne"); b.State != mail.Queued || len(r.claim(1)) != 1 {
		t.Errorf("second = %+v", b)
	}
	r.audit()
}

func TestRule36_LoopGoesToQuarantineWithItsFile(t *testing.T) {
	for _, size := range []int{50, 3 * inline} {
		r := newRig(t)
		r.list("box", "u1")
		text := "Subject: loop\r\n\r\n" + strings.Repeat("y", size)
		d := decision("anne")
		d.Loop = true
		k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u1", Draft: r.draft(text), Decision: d, Fingerprint: fingerprint(text)})
		r.ok(err)
		if k.State != mail.Quarantined || len(k.Targets) != 0 {
			t.Errorf("kept = %+v", k)
		}
		e := r.entry(k.Row)
		if e.Route != mail.RouteLoop || e.Code != mail.CodeLoop || e.Recipients[0].State != mail.Quarantined {
			t.Errorf("entry = %+v", e)
		}
		eml := filepath.Join(r.opt.Dir, dirQuarantine, k.ID+".eml")
		got, err := os.ReadFile(eml)
		r.ok(err)
		if string(got) != text {
			t.Error("the .eml differs")
		}
		r.reopen()
		if !exists(eml) {
			t.Error("the .eml is gone after a restart")
		}
		_, err = r.Retry(r.ctx, k.ID) // a person says: send it all the same
		r.ok(err)
		if exists(eml) {
			t.Error("the .eml stays behind")
		}
		j := r.claim(1)
		if len(j) != 1 || j[0].Copies[0].Attempts != 1 {
			t.Fatalf("jobs = %+v", j)
		}
		r.settle(j[0], mail.Delivered, "")
		r.audit()
	}
}

func TestNoRecipientIsQuarantineNotLoss(t *testing.T) {
	r := newRig(t)
	k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u1", Draft: r.draft("text"), Decision: &mail.Decision{Route: mail.RouteToCc}})
	r.ok(err)
	if k.State != mail.Quarantined {
		t.Errorf("kept = %+v", k)
	}
	_, err = r.SendTo(r.ctx, k.ID, person("anne"))
	r.ok(err)
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.wantState(k.Row, mail.Delivered)
	r.audit()
}

func TestCollectedIsRoutedLater(t *testing.T) {
	r := newRig(t)
	r.list("box", "u1")
	k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u1", Draft: r.draft("text"), Source: "pop.isp.test",
		Summary: mail.Summary{Subject: "Budget"}, Fingerprint: fingerprint("text")})
	r.ok(err)
	if k.State != mail.Collected {
		t.Fatalf("kept = %+v", k)
	}
	r.reopen()
	list, err := r.Unrouted(r.ctx)
	r.ok(err)
	if len(list) != 1 || list[0].Row != k.Row || list[0].Mailbox != "box" || list[0].Source != "pop.isp.test" {
		t.Fatalf("unrouted = %+v", list)
	}
	out, err := r.Route(r.ctx, k.Row, *decision("anne"))
	r.ok(err)
	if out.State != mail.Queued || len(out.Targets) != 1 || out.ID != k.ID {
		t.Errorf("routed = %+v", out)
	}
	_, err = r.Route(r.ctx, k.Row, *decision("bob"))
	wantCode(t, err, mail.CodeWrongState)
	j := r.claim(1)[0]
	if j.Sender != "sender@isp.test" || j.Source != "pop.isp.test" || j.Mailbox != "box" {
		t.Errorf("job = %+v", j)
	}
	if len(r.find("anne")) != 1 {
		t.Error("not found by its recipient")
	}
	r.audit()
}

func TestRouteToQuarantine(t *testing.T) {
	r := newRig(t)
	k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "u1", Draft: r.draft("text")})
	r.ok(err)
	d := decision("anne")
	d.Loop = true
	out, err := r.Route(r.ctx, k.Row, *d)
	r.ok(err)
	if out.State != mail.Quarantined || !exists(r.emlPath(k.ID)) {
		t.Errorf("routed = %+v", out)
	}
	_, err = r.Delete(r.ctx, k.ID)
	r.ok(err)
	if exists(r.emlPath(k.ID)) || r.SpoolBytes() != 0 {
		t.Error("deleted, and still there")
	}
	r.audit()
}

func TestDraftsOfACrashAreDropped(t *testing.T) {
	r := newRig(t)
	d := r.draft(strings.Repeat("x", 2*inline))
	k := r.keep("box", "u1", strings.Repeat("y", 2*inline), "anne")
	stray := filepath.Join(r.opt.Dir, dirSpool, "stray"+bodySuffix)
	r.ok(os.WriteFile(stray, []byte("placed, never told"), 0o600))
	r.reopen()
	names, err := listNames(filepath.Join(r.opt.Dir, dirSpool))
	r.ok(err)
	if len(names) != 1 {
		t.Errorf("spool after the restart: %v", names)
	}
	m, _, err := r.OpenMessage(r.ctx, k.Row)
	r.ok(err)
	r.ok(m.Close())
	d.Discard()
	d.Discard()
}

func TestQuotaStopsCollection(t *testing.T) {
	r := newRig(t, func(o *Options) { o.QuotaBytes = 1000 })
	r.keep("box", "big", strings.Repeat("x", 5000), "anne") // an empty spool takes anything
	d := r.NewDraft()
	_, err := d.Write(make([]byte, 10))
	wantCode(t, err, mail.CodeSpoolFull)
	d.Discard()
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.keep("box", "u2", strings.Repeat("y", 900), "anne")
	d = r.NewDraft()
	if _, err := d.Write(make([]byte, 100)); err != nil {
		t.Error(err)
	}
	_, err = d.Write(make([]byte, 1))
	wantCode(t, err, mail.CodeSpoolFull)
	d.Discard()
	if r.drafted.Load() != 0 {
		t.Errorf("%d octets of drafts left over", r.drafted.Load())
	}
}
