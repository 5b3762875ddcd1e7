package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"postbag/engine/mail"
)

// everywhere is what many goroutines do at once to one store.
type everywhere struct {
	*rig
	mu   sync.Mutex
	got  map[int64]int
	kept map[int64]bool
	stop chan struct{}
}

func (e *everywhere) collect(box string, n int) error {
	for i := range n {
		uid := fmt.Sprint(box, "-", i)
		rows, err := e.RecordListing(e.ctx, box, []NewItem{{UID: uid, Size: 5}}, nil)
		if err != nil {
			return err
		}
		d := e.NewDraft()
		if _, err := fmt.Fprint(d, uid); err != nil {
			return err
		}
		text := uid
		if i%4 == 0 {
			text = fmt.Sprint("alike ", i) // in each box: one of them is delivered
		}
		out, err := e.Keep(e.ctx, Kept{Row: rows[0].Row, Draft: d, Fingerprint: fingerprint(text), Decision: decision("anne")})
		if err != nil {
			return err
		}
		e.mu.Lock()
		e.kept[out.Row] = true
		e.mu.Unlock()
		if i%7 == 0 {
			if _, err := e.AtSource(e.ctx, box); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *everywhere) send() error {
	for {
		last := e.quiet() // all has come
		jobs, err := e.Claim(e.ctx, "office", 8, e.inAMinute)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			m, size, err := e.OpenMessage(e.ctx, j.Message)
			if err != nil || size != j.Size {
				return fmt.Errorf("%d of %d octets: %w", size, j.Size, err)
			}
			e.mu.Lock()
			e.got[j.Message]++
			e.mu.Unlock()
			_, err = e.Settle(e.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Delivered}})
			if err = errors.Join(err, m.Close(), e.SetAtSource(e.ctx, []int64{j.Message}, mail.SourceDeleted)); err != nil {
				return err
			}
		}
		if last && len(jobs) == 0 {
			return nil
		}
	}
}

// look asks for what only the tables tell, again and again: no message is seen
// less far than before.
func (e *everywhere) look() error {
	for {
		before, err := e.Balance(e.ctx)
		if err != nil {
			return err
		}
		if err := e.Queue(e.ctx, func(mail.Entry) error { return nil }); err != nil {
			return err
		}
		after, err := e.Balance(e.ctx)
		if err != nil || after[mail.Delivered] < before[mail.Delivered] {
			return fmt.Errorf("%d were delivered, and then %d: %w", before[mail.Delivered], after[mail.Delivered], err)
		}
		if e.quiet() {
			return nil
		}
	}
}

func (e *everywhere) quiet() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// TestEverythingAtOnce: collecting, sending and looking beside each other;
// everybody gets everything once, and all of it is closed in order.
func TestEverythingAtOnce(t *testing.T) {
	e := &everywhere{rig: newRig(t), got: make(map[int64]int), kept: make(map[int64]bool), stop: make(chan struct{})}
	n := 150
	var in, out sync.WaitGroup
	report := func(wg *sync.WaitGroup, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 4 {
		report(&in, func() error { return e.collect(fmt.Sprint("box", i), n) })
	}
	for range 3 {
		report(&out, e.send)
	}
	report(&out, e.look)
	in.Wait()
	close(e.stop)
	out.Wait()
	e.audit()
	alike := make(map[bool]int)
	for row := range e.kept {
		en := e.entry(row)
		if en.State == mail.Delivered && e.got[row] != 1 || en.State == mail.Duplicate && e.got[row] != 0 || en.State != mail.Delivered && en.State != mail.Duplicate {
			t.Errorf("row %d is %s and came %d times", row, en.State, e.got[row])
		}
		alike[en.State == mail.Duplicate]++
	}
	if want := 3 * ((n + 3) / 4); alike[true] != want {
		t.Errorf("%d duplicates, not %d", alike[true], want)
	}
	e.reopen()
	e.audit()
}

// Closed in the middle of it: what was acknowledged is there.
func TestCloseInTheMiddle(t *testing.T) {
	e := &everywhere{rig: newRig(t), got: make(map[int64]int), kept: make(map[int64]bool), stop: make(chan struct{})}
	var wg sync.WaitGroup
	enough := make(chan struct{})
	for i := range 4 {
		wg.Go(func() {
			err := e.collect(fmt.Sprint("box", i), 40)
			if i == 0 {
				close(enough)
			}
			if err == nil {
				err = e.collect(fmt.Sprint("more", i), 1000)
			}
			wantCode(t, err, mail.CodeCancelled)
		})
		wg.Go(func() { wantCode(t, e.send(), mail.CodeCancelled) })
	}
	<-enough
	e.ok(e.Store.Close())
	wg.Wait()
	e.open()
	e.clock.Advance(2 * time.Minute)
	e.audit()
	for row := range e.kept {
		if en := e.entry(row); en.State == mail.Waiting || en.State == mail.Delivered && e.got[row] == 0 && e.kept[row] {
			t.Errorf("row %d is %s", row, en.State)
		}
	}
}
