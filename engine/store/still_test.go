package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

// still runs f while the writer and the folder stand still: nothing is put into
// the tables meanwhile unless f does. What belongs to the writer is f's.
func (r *rig) still(f func()) {
	r.t.Helper()
	entered, leave, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- r.writeBeside(r.ctx, "still", func(*tx) error {
			r.join()
			close(entered)
			<-leave
			return nil
		})
	}()
	<-entered
	defer func() {
		close(leave)
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	}()
	f()
}

// inner runs an operation in a transaction of its own, inside still.
func (r *rig) inner(run func(*tx) error) error {
	op := &operation{beside: true, run: run, done: make(chan struct{})}
	(&batch{s: r.Store, ops: []*operation{op}}).commit()
	return op.err
}

// keepInner keeps a listed message inside still.
func (r *rig) keepInner(row int64, text string, names ...string) (out KeepResult, err error) {
	op := keepOp{id: r.ids.next(r.clock.Now()), key: fingerprintKey(fingerprint(text)), Kept: Kept{Row: row, Draft: r.draft(text),
		Size: int64(len(text)), Fingerprint: fingerprint(text), Summary: mail.Summary{Subject: text}, Decision: decision(names...)}}
	err = r.inner(func(t *tx) (err error) {
		out, err = op.run(t)
		return err
	})
	op.Draft.buf = nil // the store's now
	op.Draft.release()
	return out, err
}

func (r *rig) claimInner(max int) (jobs []mail.Job, err error) {
	err = r.inner(func(t *tx) error {
		jobs = t.claimPlain("office", max, func(int) time.Time { return r.clock.Now().Add(time.Minute) })
		return nil
	})
	return jobs, err
}

func (r *rig) settleInner(j mail.Job) error {
	return r.inner(func(t *tx) error {
		var list []Settlement
		for _, c := range j.Copies {
			list = append(list, Settlement{Copy: c, State: mail.Delivered, Reply: "250 Ok"})
		}
		plain, err := t.settlePlain(j.Message, list)
		if err == nil && !plain {
			_, err = t.settle(j.Message, list)
		}
		return err
	})
}

// image is a copy of the store's folder as a kill at this moment would leave it.
func (r *rig) image() string {
	r.t.Helper()
	var dir string
	r.still(func() { dir = copyDir(r.t, r.opt.Dir) })
	return dir
}

// opened opens a copy, audits it and returns it with what its tables hold.
func (r *rig) opened(dir string) (*rig, dump) {
	r.t.Helper()
	o := &rig{t: r.t, ctx: r.ctx, clock: r.clock, opt: Options{Dir: dir, Now: r.opt.Now, DuplicateWindow: r.opt.DuplicateWindow}}
	o.open()
	o.audit()
	return o, o.dump(true)
}

// dump is what the tables hold, by table.
type dump map[string][]string

// dump reads the tables; without the ids, which are drawn, unless they are asked for.
func (r *rig) dump(ids bool) dump {
	r.t.Helper()
	out := make(dump)
	r.ok(r.snapshot(r.ctx, "dump", func(c *conn) error {
		for _, table := range []string{"counter", "identity", "message", "body", "copy", "event", "mailbox", "target", "search_docsize"} {
			cols, err := columnsOf(r.ctx, c, table, ids)
			if err != nil {
				return err
			}
			err = c.each(r.ctx, "SELECT "+cols+" FROM "+table+" ORDER BY 1", func(rec record) error {
				if table == "counter" && rec.int(0) == 0 && rec.int(1) == 0 {
					return nil // never counted, and counted to nothing again
				}
				out[table] = append(out[table], fmt.Sprintf("%q", []any{[]any(slices.Collect(values(rec)))}))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return out
}

func values(rec record) func(func(any) bool) {
	return func(yield func(any) bool) {
		for _, v := range rec {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			if !yield(v) {
				return
			}
		}
	}
}

func columnsOf(ctx context.Context, c *conn, table string, ids bool) (string, error) {
	if table == "search_docsize" {
		return "id", nil // which messages can be found
	}
	var names []string
	err := c.each(ctx, "SELECT name FROM pragma_table_info('"+table+"')", func(rec record) error {
		name := rec.str(0)
		if ids || name != "id" || table != "identity" {
			if name != "file" { // drawn as well
				names = append(names, name)
			}
		}
		return nil
	})
	return strings.Join(names, ", "), err
}

// same compares what two stores hold.
func (d dump) same(t testing.TB, what string, want dump) {
	t.Helper()
	for _, table := range slices.Sorted(maps.Keys(want)) {
		if slices.Equal(d[table], want[table]) {
			continue
		}
		for _, l := range want[table] {
			if !slices.Contains(d[table], l) {
				t.Errorf("%s: %s misses %s", what, table, l)
			}
		}
		for _, l := range d[table] {
			if !slices.Contains(want[table], l) {
				t.Errorf("%s: %s has also %s", what, table, l)
			}
		}
	}
}
