package store

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

// monkey does anything at any time; the audit must hold throughout (rule 49).
type monkey struct {
	*rig
	rnd   *rand.Rand
	rows  []Known
	jobs  []mail.Job
	seen  map[int64]bool
	names []string
	calm  bool       // most messages go the plain way; all that is due is claimed
	last  []mail.Job // claimed last
}

func (m *monkey) pick() Known { return m.rows[m.rnd.IntN(len(m.rows))] }

func (m *monkey) people() []string {
	var out []string
	for _, n := range m.names {
		if m.rnd.IntN(2) == 0 {
			out = append(out, n)
		}
	}
	return out
}

func (m *monkey) step() {
	n, uids := m.rnd.IntN(16), 60
	if m.calm {
		uids = 400
		if n > 8 && n != 12 && m.rnd.IntN(5) > 0 {
			n %= 9
		}
	}
	switch n {
	case 0, 1:
		for _, k := range m.list(fmt.Sprint("box", m.rnd.IntN(2)), fmt.Sprint("u", m.rnd.IntN(uids))) {
			m.rows, m.seen[k.Row] = append(m.rows, k), true
		}
	case 2, 3, 4:
		m.keepOne()
	case 5, 6:
		m.claimSome(1 + m.rnd.IntN(4))
	case 7, 8:
		m.settleOne()
	case 9:
		if len(m.jobs) > 0 {
			m.ok(m.Release(m.ctx, m.jobs[:1]))
			m.jobs = m.jobs[1:]
		}
	case 10:
		m.clock.Advance(time.Duration(m.rnd.IntN(200)) * time.Minute)
	case 11:
		m.order()
	case 12:
		if m.calm && m.rnd.IntN(2) == 0 {
			one, other := []int64{m.pick().Row}, []int64{m.pick().Row}
			if m.rnd.IntN(2) == 0 {
				one = nil
			}
			m.ok(m.Confirm(m.ctx, "box0", one, other, func(*MailboxState) {}))
			break
		}
		_, err := m.RecordListing(m.ctx, "box0", nil, []int64{m.pick().Row})
		m.ok(err)
	case 13:
		_, err := m.Expire(m.ctx, m.clock.Now().Add(-10*time.Hour))
		m.ok(err)
		_, err = m.Purge(m.ctx, m.clock.Now().Add(-30*time.Hour), 5)
		m.ok(err)
	case 14:
		_, err := m.FetchFailed(m.ctx, m.pick().Row, &mail.Failure{Code: mail.CodeSysTemp})
		m.ok(err)
		m.ok(m.SetAtSource(m.ctx, []int64{m.pick().Row}, []mail.AtSource{mail.SourceKept, mail.SourceDeleted, mail.SourcePresent}[m.rnd.IntN(3)]))
	case 15:
		m.allowed(m.SetTooBig(m.ctx, m.pick().Row, 1e6, mail.Summary{Subject: "big"}))
	}
}

// claimSome claims n jobs, or all: of several that are due, the tables hand theirs
// out before those that stand in the ledger only.
func (m *monkey) claimSome(n int) {
	if m.calm {
		n = 1000
	}
	m.last = m.claim(n)
	if m.calm {
		slices.SortFunc(m.last, func(a, b mail.Job) int { return cmp.Compare(a.Copies[0].ID, b.Copies[0].ID) })
	}
	m.jobs = append(m.jobs, m.last...)
}

// allowed passes what the state of a message does not allow.
func (m *monkey) allowed(_ any, err error) {
	m.t.Helper()
	if f := mail.AsFailure(err); f != nil && f.Code != mail.CodeWrongState {
		m.t.Fatal(err)
	}
}

func (m *monkey) keepOne() {
	k := m.pick()
	texts := 12
	if m.calm {
		texts = 300
	}
	text := fmt.Sprint("text", m.rnd.IntN(texts))
	if m.rnd.IntN(10) == 0 {
		text += strings.Repeat("z", inline)
	}
	kept := Kept{Row: k.Row, Draft: m.draft(text), Fingerprint: fingerprint(text), Decision: decision(m.people()...)}
	switch m.rnd.IntN(8) {
	case 0:
		kept.Decision = nil
	case 1:
		kept.Decision.Loop = true
	}
	out, err := m.Keep(m.ctx, kept)
	m.ok(err)
	if out.State == mail.Collected {
		m.allowed(m.Route(m.ctx, out.Row, *decision(m.people()...)))
	}
}

func (m *monkey) settleOne() {
	if len(m.jobs) == 0 {
		return
	}
	j := m.jobs[0]
	m.jobs = m.jobs[1:]
	var list []Settlement
	fine := m.calm && m.rnd.IntN(4) > 0
	for _, c := range j.Copies {
		if fine {
			list = append(list, Settlement{Copy: c, State: mail.Delivered, Reply: "250 Ok", PossibleDuplicate: m.rnd.IntN(8) == 0})
			continue
		}
		st := Settlement{Copy: c, State: []mail.State{mail.Delivered, mail.Delivered, mail.Queued, mail.Quarantined}[m.rnd.IntN(4)], Uncount: m.rnd.IntN(2) == 0}
		if st.State != mail.Delivered {
			st.Code = mail.CodeDeferred
			if m.rnd.IntN(2) == 0 {
				to := person("postmaster")
				to.Unknown = true
				st.Reroute = []mail.Recipient{to}
			}
		}
		list = append(list, st)
	}
	_, err := m.Settle(m.ctx, j, list)
	m.ok(err)
}

func (m *monkey) order() {
	id := m.pick().ID
	switch m.rnd.IntN(3) {
	case 0:
		m.allowed(m.Retry(m.ctx, id))
	case 1:
		m.allowed(m.Delete(m.ctx, id))
	case 2:
		m.allowed(m.SendTo(m.ctx, id, person(m.names[m.rnd.IntN(len(m.names))])))
	}
}

func TestRule49_EveryMessageIsInExactlyOneState(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.DuplicateWindow = 20 * time.Hour })
			m := &monkey{rig: r, rnd: rand.New(rand.NewPCG(seed, 7)), seen: make(map[int64]bool), names: []string{"anne", "bob", "claire"}}
			m.rows = m.list("box0", "first")
			m.seen[m.rows[0].Row] = true
			for i := range 400 {
				m.step()
				if i%8 == 0 || t.Failed() {
					m.audit()
				}
				if t.Failed() {
					t.Fatalf("at step %d", i)
				}
				if i%97 == 96 {
					m.reopen()
					m.jobs = nil
				}
			}
			m.end()
		})
	}
}

// end delivers whatever is left: everybody gets each message exactly once.
func (m *monkey) end() {
	for range 50 {
		m.clock.Advance(1000 * time.Minute)
		m.ok(m.MakeDue(m.ctx))
		m.jobs = append(m.jobs, m.claim(100)...)
		if len(m.jobs) == 0 {
			break
		}
		for _, j := range m.jobs {
			m.settle(j, mail.Delivered, "")
		}
		m.jobs = nil
	}
	m.audit()
	b, err := m.Balance(m.ctx)
	m.ok(err)
	sum := int64(0)
	for _, n := range b {
		sum += n
	}
	if sum != int64(len(m.seen)) || b[mail.Queued] != 0 || b[mail.Collected] != 0 {
		m.t.Errorf("seen %d, balance %v", len(m.seen), b)
	}
}
