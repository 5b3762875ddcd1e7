package store

import (
	"slices"
	"testing"

	"postbag/engine/mail"
)

func TestSpans(t *testing.T) {
	for _, c := range []struct {
		rows []int64
		want []span
	}{
		{nil, nil},
		{[]int64{7}, []span{{7, 7}}},
		{[]int64{3, 1, 2, 2, 9, 10, 5}, []span{{1, 3}, {5, 5}, {9, 10}}},
	} {
		if got := spans(c.rows); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.rows, got, c.want)
		}
	}
}

// Rows keep the order of the question, leave out what is not there and never
// bring what was not asked for.
func TestRowsAndCount(t *testing.T) {
	r := newRig(t)
	var rows []int64
	for _, k := range r.list("box", "a", "b", "c", "d", "e") {
		rows = append(rows, k.Row)
	}
	ask := []int64{rows[4], rows[0], rows[1], 4711}
	known, err := r.Rows(r.ctx, ask)
	r.ok(err)
	var uids []string
	for _, k := range known {
		uids = append(uids, k.UID)
	}
	if want := []string{"e", "a", "b"}; !slices.Equal(uids, want) {
		t.Errorf("%v, want %v", uids, want)
	}
	for state, want := range map[mail.State]int{mail.Waiting: 3, mail.Delivered: 0} {
		if n, err := r.CountRows(r.ctx, ask, state); err != nil || n != want {
			t.Errorf("%s: %d %v, want %d", state, n, err, want)
		}
	}
}
