package store

import (
	"fmt"
	"testing"

	"postbag/engine/mail"
)

// What is known of the fingerprints in memory never hides one: not those that
// were there before, nor those that came since. rule 35
func TestHeardOfAll(t *testing.T) {
	r := newRig(t)
	many := func(mailbox string, n int) []Known {
		var uids []string
		for i := range n {
			uids = append(uids, fmt.Sprint("u", i))
		}
		return r.list(mailbox, uids...)
	}
	r.keep("old", "u", "before", "anne")
	r.reopen()
	if many("few", manyNew-1); r.heard.keys != nil {
		t.Error("for a few new messages all fingerprints were read")
	}
	rows := many("box", 2*manyNew)
	if len(r.heard.keys) != 1 {
		t.Fatalf("%d heard of, want the one that was there", len(r.heard.keys))
	}
	keep := func(row int64, text string) mail.State {
		t.Helper()
		out, err := r.Keep(r.ctx, Kept{Row: row, Draft: r.draft(text), Fingerprint: fingerprint(text), Decision: decision("anne")})
		r.ok(err)
		return out.State
	}
	if got := keep(rows[0].Row, "before"); got != mail.Queued { // held behind the other
		t.Errorf("the same message again is %s", got)
	}
	if got := keep(rows[1].Row, "new"); got != mail.Queued {
		t.Errorf("a new one is %s", got)
	}
	for _, j := range r.claim(10) {
		r.settle(j, mail.Delivered, "")
	}
	for i, text := range []string{"before", "new"} {
		if got := keep(rows[2+i].Row, text); got != mail.Duplicate {
			t.Errorf("%s, which anne has, is %s", text, got)
		}
	}
	r.audit()
	if many("more", 8); r.heard.keys == nil {
		t.Error("forgotten")
	}
}

// Where there are many it is not kept in memory, and the tables are asked.
func TestHeardOfTooMany(t *testing.T) {
	h := heard{keys: make(map[[keyOctets]byte]struct{})}
	key := func(n int) []byte { return fmt.Appendf(nil, "%06x", n) }
	for n := range maxHeard {
		h.add(key(n))
	}
	if h.maybe(key(maxHeard)) || !h.maybe(key(7)) || !h.maybe(nil) {
		t.Error("wrong")
	}
	h.add(key(maxHeard))
	if h.keys != nil || !h.maybe(key(maxHeard+1)) {
		t.Error("more than that are kept in memory")
	}
}
