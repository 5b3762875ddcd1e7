package store

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"postbag/engine/mail"
)

func newMonkey(t testing.TB, seed uint64, change ...func(*Options)) *monkey {
	r := newRig(t, append(change, func(o *Options) { o.DuplicateWindow = 20 * time.Hour })...)
	m := &monkey{rig: r, rnd: rand.New(rand.NewPCG(seed, 7)), seen: make(map[int64]bool), names: []string{"anne", "bob", "claire"}, calm: true}
	m.rows = m.list("box0", "first")
	m.seen[m.rows[0].Row] = true
	return m
}

// seeds is how many courses a test takes.
func seeds(n uint64) uint64 {
	if testing.Short() {
		return min(n, 2)
	}
	return n
}

// steps is how long each of them is.
func steps(n int) int {
	if testing.Short() {
		return n / 3
	}
	return n
}

// told is what the store tells without putting anything into the tables.
func (m *monkey) told() string {
	m.t.Helper()
	var out []any
	add := func(list []Known, err error) {
		m.ok(err)
		list = slices.Clone(list)
		for i := range list {
			list[i].ID = ""
		}
		out = append(out, list)
	}
	var rows []int64
	for row := range m.seen {
		rows = append(rows, row)
	}
	slices.Sort(rows)
	add(m.Rows(m.ctx, rows))
	for _, box := range []string{"box0", "box1"} {
		var uids []string
		for i := range 200 {
			uids = append(uids, fmt.Sprint("u", 2*i))
		}
		c, err := m.Compare(m.ctx, box, uids)
		for _, uid := range uids {
			add(c.Known[uid], err)
		}
		add(c.Vanished, err)
		add(m.AtSource(m.ctx, box))
		add(m.Unconfirmed(m.ctx, box))
	}
	for _, row := range rows {
		out = append(out, m.octets(row))
	}
	for _, j := range m.last {
		j.ID = ""
		out = append(out, fmt.Sprintf("%+v", j))
	}
	return fmt.Sprintf("%+v", append(out, m.SpoolBytes()))
}

// octets are those of a message, or why there are none.
func (m *monkey) octets(row int64) string {
	m.t.Helper()
	r, size, err := m.OpenMessage(m.ctx, row)
	if err != nil {
		return string(mail.AsFailure(err).Code)
	}
	b, err := io.ReadAll(r)
	m.ok(err)
	m.ok(r.Close())
	if int64(len(b)) != size {
		m.t.Errorf("%d of %d octets", len(b), size)
	}
	return string(b[:min(len(b), 20)]) + fmt.Sprint(size)
}

// TestPlainWayMakesNoDifference takes the same course with the ledger and
// without: the store tells the same, and its tables hold the same.
func TestPlainWayMakesNoDifference(t *testing.T) {
	for seed := range seeds(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			a, b := newMonkey(t, seed), newMonkey(t, seed, func(o *Options) { o.noPlain = true })
			for i := range steps(600) {
				a.step()
				b.step()
				if x, y := a.told(), b.told(); x != y {
					t.Errorf("step %d: tells\n%s\nnot\n%s", i, x, y)
				}
				if i%9 == 0 || t.Failed() {
					a.dump(false).same(t, fmt.Sprint("step ", i), b.dump(false))
				}
				if t.Failed() {
					t.FailNow()
				}
			}
			a.end()
			b.end()
			a.dump(false).same(t, "the end", b.dump(false))
		})
	}
}

// TestCrashImages kills a store at any step: what is opened again holds what the
// living one does, once that has put all into its tables.
func TestCrashImages(t *testing.T) {
	for seed := range seeds(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			m := newMonkey(t, 100+seed)
			full := 0
			for i := range steps(400) {
				m.step()
				if m.rnd.IntN(12) != 0 {
					continue
				}
				full += len(m.viewMailbox("box0")) + len(m.viewMailbox("box1"))
				o, after := m.opened(m.image())
				after.same(t, fmt.Sprint("step ", i), m.dump(true))
				if o.SpoolBytes() != m.SpoolBytes() {
					t.Errorf("%d octets, not %d", o.SpoolBytes(), m.SpoolBytes())
				}
				for row := range m.seen {
					if x, y := (&monkey{rig: o}).octets(row), m.octets(row); x != y {
						t.Errorf("row %d: %s, not %s", row, x, y)
					}
				}
				m.ok(o.Store.Close())
				if t.Failed() {
					t.FailNow()
				}
			}
			m.end()
			if full == 0 {
				t.Error("nothing was ever pending")
			}
		})
	}
}
