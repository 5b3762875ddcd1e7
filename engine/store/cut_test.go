package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postbag/engine/mail"
)

// cutRig is a store in whose ledger stand two messages a group and, behind them,
// what became of the first of all: one group of each.
func cutRig(t *testing.T) (r *rig, rows []Known, ends []int64, dir string) {
	r = newRig(t)
	rows = r.listMany(6)
	r.still(func() {
		for i := 0; i < len(rows); i++ {
			text := fmt.Sprint("text", i, strings.Repeat("x", 300*i))
			if i == 3 {
				text += strings.Repeat("y", 2000)
			}
			_, err := r.keepInner(rows[i].Row, text, "anne", "bob")
			r.ok(err)
			ends = append(ends, r.ledger.at)
		}
		jobs, err := r.claimInner(1)
		r.ok(err)
		ends = append(ends, r.ledger.at)
		r.ok(r.settleInner(jobs[0]))
		ends = append(ends, r.ledger.at)
		dir = copyDir(t, r.opt.Dir)
	})
	return r, rows, ends, dir
}

// whole is how many groups lie before an offset.
func whole(ends []int64, at int64) int {
	n := 0
	for n < len(ends) && ends[n] <= at {
		n++
	}
	return n
}

// checkCut tells whether a store has what the first groups say.
func checkCut(r *rig, what string, rows []Known, groups int) {
	r.t.Helper()
	for i, k := range rows {
		want := mail.Waiting
		if i < groups {
			want = mail.Queued
		}
		if i == 0 && groups == len(rows)+2 {
			want = mail.Delivered
		}
		if e := r.entry(k.Row); e.State != want {
			r.t.Errorf("%s: message %d is %s, not %s", what, i, e.State, want)
		}
		if octets := (&monkey{rig: r}).octets(k.Row); want == mail.Queued && !strings.HasPrefix(octets, fmt.Sprint("text", i)) {
			r.t.Errorf("%s: message %d is %q", what, i, octets)
		}
	}
	jobs := r.claim(10)
	want := min(groups, len(rows))
	if groups > len(rows) {
		want-- // the first is claimed already
	}
	if len(jobs) != want {
		r.t.Errorf("%s: %d jobs, not %d", what, len(jobs), want)
	}
}

// A ledger that ends anywhere opens: what stands in it whole is there, and what
// does not was never acknowledged.
func TestLedgerCutAnywhere(t *testing.T) {
	r, rows, ends, dir := cutRig(t)
	end := ends[len(ends)-1]
	image := copyDir(t, dir)
	step := int64(groupAlign / 4)
	if testing.Short() {
		step = groupAlign - 1 // before, at and behind the bounds
	}
	for cut := int64(0); cut <= end; cut += step {
		for _, zeros := range []bool{true, false} {
			what := fmt.Sprint("cut at ", cut, " ", zeros)
			to := copyDir(t, image)
			path := filepath.Join(to, fileLedger)
			r.ok(os.Truncate(path, cut))
			if zeros { // as if the rest had never been written
				r.ok(os.Truncate(path, ledgerStep))
			}
			o := &rig{t: t, ctx: r.ctx, clock: r.clock, opt: Options{Dir: to, Now: r.opt.Now}}
			o.open()
			o.audit()
			checkCut(o, what, rows, wholeOf(ends, cut, path))
			r.ok(o.Store.Close())
		}
	}
}

// wholeOf is whole, with a group whose last octets are padding counted in.
func wholeOf(ends []int64, cut int64, path string) int {
	n := whole(ends, cut)
	if n == len(ends) {
		return n
	}
	begin := int64(0)
	if n > 0 {
		begin = ends[n-1]
	}
	if l, err := openLedger(path, false); err == nil {
		_, ok, _ := readGroup(l, begin, func(uint64) bool { return true })
		if l.Close() == nil && ok {
			return n + 1
		}
	}
	return n
}

// A hole with groups behind it is damage: the store stays closed, and a repair
// takes everything else.
func TestHoleInTheLedger(t *testing.T) {
	r, rows, ends, dir := cutRig(t)
	begin := int64(0)
	for n, end := range ends[:len(ends)-1] {
		for at := begin; at < end; at += groupAlign {
			to := copyDir(t, dir)
			overwrite(t, filepath.Join(to, fileLedger), at, make([]byte, 31))
			o := &rig{t: t, ctx: r.ctx, clock: r.clock, opt: Options{Dir: to, Now: r.opt.Now}}
			_, err := Open(r.ctx, o.opt)
			wantCode(t, err, mail.CodeStoreDamaged)
			rep, err := Repair(r.ctx, o.opt)
			r.ok(err)
			if rep.Healthy || rep.Gaps != 1 {
				t.Errorf("hole in group %d: %+v", n, rep)
			}
			o.open()
			o.audit()
			for i, k := range rows {
				want := mail.Queued
				switch {
				case i == n:
					want = mail.Waiting // the provider has it still
				case i == 0:
					want = mail.Delivered
				}
				if e := o.entry(k.Row); e.State != want {
					t.Errorf("hole in group %d: message %d is %s, not %s", n, i, e.State, want)
				}
			}
			o.searchable("anne", rows[(n+1)%len(rows)].Row)
			r.ok(o.Store.Close())
		}
		begin = end
	}
}

// searchable checks that the words' index finds each message once, also after
// one of them was forgotten.
func (r *rig) searchable(word string, row int64) {
	r.t.Helper()
	check := func() (n int) {
		seen := make(map[int64]int)
		r.ok(r.read(r.ctx, "check", func(c *conn) error {
			return c.each(r.ctx, "SELECT rowid FROM search WHERE search MATCH ?", func(rec record) error {
				seen[rec.int(0)]++
				return nil
			}, word)
		}))
		for row, n := range seen {
			if n != 1 {
				r.t.Errorf("row %d is found %d times", row, n)
			}
		}
		return len(seen)
	}
	before := check()
	r.ok(r.write(r.ctx, "check", 0, func(t *tx) error {
		if _, err := t.exec("INSERT INTO search (search) VALUES ('integrity-check')"); err != nil {
			return err
		}
		return t.unindex(row)
	}))
	if after := check(); before == 0 || after != before-1 {
		r.t.Errorf("%d are found, and %d after one of them was forgotten", before, after)
	}
}
