package store

import (
	"fmt"
	"path/filepath"
	"testing"

	"postbag/engine/mail"
)

// settledInner takes messages the whole plain way, inside still, until all of
// them have settled and stand in the ledger only.
func (r *rig) settledInner(rows []Known) {
	for i, k := range rows {
		_, err := r.keepInner(k.Row, fmt.Sprint("text", i), "anne")
		r.ok(err)
	}
	jobs, err := r.claimInner(len(rows))
	r.ok(err)
	if len(jobs) != len(rows) {
		r.t.Fatalf("%d jobs for %d messages", len(jobs), len(rows))
	}
	for _, j := range jobs {
		r.ok(r.settleInner(j))
	}
}

func (r *rig) listMany(n int) []Known {
	var uids []string
	for i := range n {
		uids = append(uids, fmt.Sprint("u", i))
	}
	return r.list("box", uids...)
}

// rule 35: the message like the one that comes is delivered, and the folder is
// just putting it into the tables: they do not tell it yet when they are asked,
// and it is pending no more a moment later.
func TestRule35_TheOtherOneIsInTheFoldersHand(t *testing.T) {
	r := newRig(t)
	rows := r.listMany(foldAtOnce + 1)
	other, err := openConn(filepath.Join(r.opt.Dir, fileDB), "busy_timeout = 10000")
	r.ok(err)
	var out KeepResult
	r.still(func() {
		r.settledInner(rows[:foldAtOnce])
		r.ok(other.script("BEGIN IMMEDIATE")) // the folder has to wait
		r.startFolding()
		if len(r.folder.busy) != foldAtOnce {
			t.Fatalf("the folder has %d in hand", len(r.folder.busy))
		}
		freed := make(chan error)
		go func() { freed <- other.script("ROLLBACK") }()
		out, err = r.keepInner(rows[foldAtOnce].Row, "text7", "anne")
		r.ok(err)
		r.ok(<-freed)
	})
	r.ok(other.close())
	if out.State != mail.Duplicate {
		t.Errorf("it is %s: anne gets it twice", out.State)
	}
	if jobs := r.claim(10); len(jobs) != 0 {
		t.Errorf("claimed %+v", jobs)
	}
	r.audit()
}
