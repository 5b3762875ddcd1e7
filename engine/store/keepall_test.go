package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postbag/engine/mail"
)

// kept is a message for a group.
func (r *rig) kept(row int64, text string) Kept {
	return Kept{Row: row, Draft: r.draft(text), Fingerprint: fingerprint(text), Summary: mail.Summary{Subject: text}, Decision: decision("anne")}
}

// keepGroup keeps a group and tells what became of each.
func keepGroup(ctx context.Context, g *Group) (outs []KeepResult, errs []error) {
	g.Keep(ctx, func(_ int, out KeepResult, err error) {
		outs, errs = append(outs, out), append(errs, err)
	})
	return outs, errs
}

// One sync serves a group, and each of it has its own outcome: one is plain, one
// has a body of its own, one like the first waits for it, one is known already.
func TestGroup(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(5)
	_, err := r.Keep(r.ctx, r.kept(rows[4].Row, "known"))
	r.ok(err)
	g := r.NewGroup(5)
	for i, text := range []string{"a", strings.Repeat("b", 2*inline), "a", "d", "known"} {
		r.ok(g.Add(r.ctx, r.kept(rows[i].Row, text)))
	}
	before := r.commits.Load()
	outs, errs := keepGroup(r.ctx, g)
	if n := r.commits.Load() - before; n != 1 || g.Len() != 0 {
		t.Errorf("%d commits, %d left", n, g.Len())
	}
	for i, err := range errs {
		r.ok(err)
		if outs[i].Row != rows[i].Row || outs[i].ID != rows[i].ID {
			t.Errorf("%d: %+v", i, outs[i])
		}
		r.wantState(rows[i].Row, outs[i].State)
	}
	if len(outs) != 5 || outs[0].Targets[0] != "office" || len(outs[2].Targets) != 0 || r.DraftBytes() != 0 {
		t.Errorf("%+v, %d octets of drafts", outs, r.DraftBytes())
	}
	if jobs := r.claim(10); len(jobs) != 4 { // a, b, d, known
		t.Errorf("%d jobs", len(jobs))
	}
	r.audit()
}

// One of a group that fails in the middle of its changes, and one that cannot
// be made ready, fail alone.
func TestGroupOneFails(t *testing.T) {
	b := &brittle{}
	r := newRig(t, func(o *Options) { o.files = b })
	rows := r.listMany(4)
	b.set(func(b *brittle) { b.rename = syscall.EIO })
	g := r.NewGroup(4)
	for i, k := range rows {
		m := r.kept(k.Row, fmt.Sprint("text", i))
		switch i {
		case 1: // its copies cannot be written
			m.Decision = decision("anne", "bob", "bob")
			m.Decision.Recipients[2].Target = "elsewhere"
			m.Due = r.inAMinute(5)
			r.ok(r.write(r.ctx, "fault", 0, func(t *tx) error {
				return t.script("CREATE TEMP TRIGGER fault BEFORE INSERT ON copy WHEN NEW.target = 'elsewhere' BEGIN SELECT RAISE(ABORT, 'boom'); END")
			}))
		case 2:
			m.Draft.Discard()
			m.Draft = r.draft(strings.Repeat("x", 2*inline))
			if err := g.Add(r.ctx, m); err == nil {
				t.Error("its file could not be made, and nobody says so")
			}
			continue
		}
		r.ok(g.Add(r.ctx, m))
	}
	outs, errs := keepGroup(r.ctx, g)
	if len(outs) != 3 || errs[0] != nil || errs[1] == nil || errs[2] != nil || outs[1].Row != 0 {
		t.Errorf("%+v %v", outs, errs)
	}
	r.ok(r.write(r.ctx, "fault", 0, func(t *tx) error { return t.script("DROP TRIGGER temp.fault") }))
	if jobs := r.claim(10); len(jobs) != 2 || r.DraftBytes() != 0 {
		t.Errorf("%d jobs, %d octets of drafts", len(jobs), r.DraftBytes())
	}
	r.wantStates(rows, queued, waits, waits, queued)
	r.audit()
}

// A group that never reaches the writer leaves nothing behind: no draft, no file,
// no .eml.
func TestGroupCancelled(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(3)
	g := r.NewGroup(3)
	for i, text := range []string{"a", strings.Repeat("b", 2*inline), "loop"} {
		m := r.kept(rows[i].Row, text)
		if i == 2 {
			m.QuarantineCode = mail.CodeLoop
		}
		if m.Apart() != (i > 0) {
			t.Errorf("%d: apart %v", i, m.Apart())
		}
		r.ok(g.Add(r.ctx, m))
	}
	if !exists(r.emlPath(rows[2].ID)) {
		t.Error("no .eml before the message is kept")
	}
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	_, errs := keepGroup(ctx, g)
	for _, err := range errs {
		wantCode(t, err, mail.CodeCancelled)
	}
	names, err := listNames(filepath.Join(r.opt.Dir, dirSpool))
	r.ok(err)
	if len(errs) != 3 || len(names) != 0 || r.DraftBytes() != 0 || exists(r.emlPath(rows[2].ID)) {
		t.Errorf("%d errors, %v, %d octets of drafts", len(errs), names, r.DraftBytes())
	}
	r.wantStates(rows, waits, waits, waits)
	r.audit()
}

// A damaged store answers every one of a group.
func TestGroupInADamagedStore(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(fewPatient + 2)
	damage := errors.New("torn")
	r.damage.Store(&damage)
	g := r.NewGroup(len(rows))
	for i, k := range rows {
		r.ok(g.Add(r.ctx, r.kept(k.Row, fmt.Sprint("text", i))))
	}
	_, errs := keepGroup(r.ctx, g)
	for _, err := range errs {
		if !errors.Is(err, damage) {
			t.Error(err)
		}
	}
	if len(errs) != len(rows) || r.DraftBytes() != 0 {
		t.Errorf("%d errors, %d octets of drafts", len(errs), r.DraftBytes())
	}
	r.damage.Store(nil)
	r.audit()
}

// Beside outcomes only a few messages are kept in one transaction, in their
// order, however many are handed over at once; alone all of them.
func TestFewOfAGroupBesideOthers(t *testing.T) {
	r := newRig(t)
	r.still(func() {
		patient := func(n int) (ops []*operation) {
			for range n {
				ops = append(ops, &operation{patient: true})
			}
			return ops
		}
		first, second := patient(fewPatient+3), patient(2)
		all := append(append([]*operation{}, first...), second...)
		r.patient <- first
		r.patient <- second
		outcome := &operation{}
		r.ops <- outcome
		b := &batch{s: r.Store}
		b.more()
		if len(b.ops) != 1+fewPatient || b.ops[0] != outcome {
			t.Errorf("%d operations", len(b.ops))
		}
		got := append([]*operation{}, b.ops[1:]...)
		b = &batch{s: r.Store}
		b.more()
		if len(b.ops) != len(all)-fewPatient {
			t.Errorf("%d operations alone", len(b.ops))
		}
		for i, op := range append(got, b.ops...) {
			if op != all[i] {
				t.Errorf("operation %d is not in its place", i)
			}
		}
	})
}
