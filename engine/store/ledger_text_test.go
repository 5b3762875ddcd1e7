package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

// A clock that stands at its beginning is a time like any other.
func TestLedgerAtTheBeginningOfTime(t *testing.T) {
	for _, at := range []time.Time{time.Unix(0, 0), time.UnixMilli(-1), time.Unix(-1e9, 5), time.UnixMilli(1), time.Unix(0, 999999), time.UnixMilli(-60_000)} {
		r := newRig(t)
		r.clock.t = at
		rows := r.listMany(3)
		var dir string
		r.still(func() {
			for i, k := range rows {
				_, err := r.keepInner(k.Row, fmt.Sprint("text", i), "anne")
				r.ok(err)
			}
			jobs, err := r.claimInner(2)
			r.ok(err)
			r.ok(r.settleInner(jobs[0]))
			dir = copyDir(t, r.opt.Dir)
		})
		o, tables := r.opened(dir)
		tables.same(t, at.String(), r.dump(true))
		r.ok(o.Store.Close())
	}
}

// Texts that are no UTF-8, or nothing, and messages of no octets come back as
// they were.
func TestLedgerKeepsEveryText(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(4)
	odd := []string{"", "\xff\xfe", "a\x00b", strings.Repeat("\xc3", 5000)}
	var dir string
	r.still(func() {
		for i, k := range rows {
			text := odd[i]
			d := decision("anne", "bob")
			d.Sender, d.Evidence, d.Reason, d.Notes, d.Recipients[0].For = text, text, text, []string{text, ""}, text
			op := keepOp{id: r.ids.next(r.clock.Now()), key: fingerprintKey(text), Kept: Kept{Row: k.Row, Draft: r.draft(text), Size: int64(len(text)),
				Fingerprint: text, Summary: mail.Summary{MessageID: text, From: text, Subject: text}, Source: text, Decision: d}}
			r.ok(r.inner(func(t *tx) error { _, err := op.run(t); return err }))
			op.Draft.buf = nil
			op.Draft.release()
			if r.pend[k.Row] == nil {
				t.Errorf("%q did not go the plain way", text)
			}
		}
		jobs, err := r.claimInner(2)
		r.ok(err)
		r.ok(r.settleInner(jobs[0]))
		dir = copyDir(t, r.opt.Dir)
	})
	o, tables := r.opened(dir)
	tables.same(t, "odd texts", r.dump(true))
	for _, k := range rows {
		if x, y := (&monkey{rig: o}).octets(k.Row), (&monkey{rig: r}).octets(k.Row); x != y {
			t.Errorf("%q, not %q", x, y)
		}
	}
	r.ok(o.Store.Close())
}
