package store

import (
	"fmt"
	"testing"

	"postbag/engine/mail"
)

// A listing that is recorded in parts is told of part by part, each when it is
// durable; the mailbox counts as listed with the last. A kill in between leaves
// a part, and the next listing does the rest.
func TestRecordedInParts(t *testing.T) {
	r := newRig(t)
	var items []NewItem
	var uids []string
	for i := range 3*firstPart + 1 {
		uids = append(uids, fmt.Sprint("u", i))
		items = append(items, NewItem{UID: uids[i], Size: 100})
	}
	var sizes []int
	var rows []Known
	var dir string
	r.ok(r.RecordNew(r.ctx, "box", items, func(part []Known) {
		rows = append(rows, part...)
		sizes = append(sizes, len(part))
		c, err := r.Compare(r.ctx, "box", uids)
		r.ok(err)
		if len(c.Known) != len(rows) || c.First != (len(rows) < len(items)) {
			t.Errorf("%d known of %d, first %v", len(c.Known), len(rows), c.First)
		}
		if dir == "" {
			dir = r.image()
		}
	}))
	if fmt.Sprint(sizes) != fmt.Sprint([]int{firstPart, 2 * firstPart, 1}) {
		t.Errorf("parts of %v", sizes)
	}
	for i, k := range rows {
		if k.UID != uids[i] || k.State != mail.Waiting {
			t.Errorf("%d is %+v", i, k)
		}
	}
	killed, _ := r.opened(dir)
	again := killed.list("box", uids...)
	for i, k := range again {
		if k.UID != uids[i] || k.State != mail.Waiting || i < firstPart && k.Row != rows[i].Row {
			t.Errorf("after a kill %d is %+v", i, k)
		}
	}
	balance, err := killed.Balance(killed.ctx)
	r.ok(err)
	if balance[mail.Waiting] != int64(len(items)) {
		t.Errorf("%v", balance)
	}
	killed.audit()
	r.audit()
}
