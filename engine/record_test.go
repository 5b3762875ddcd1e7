package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/store"
)

// recorder is a session that has only a listing to record.
func recorder(t *testing.T, n int) (*session, []store.NewItem) {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	e := New(Settings{}, Deps{Store: st})
	items := make([]store.NewItem, n)
	for i := range items {
		items[i] = store.NewItem{UID: fmt.Sprint("u", i), Size: 100}
	}
	return &session{e: e, mb: &Mailbox{ID: "box"}, run: newRun(e)}, items
}

// A message waits for its row, and gets its own; the run hears of all of them
// in the order of the listing.
func TestRecordingBesideFetching(t *testing.T) {
	s, items := recorder(t, 300)
	r := newRecording(items)
	early := make(chan error)
	go func() {
		k, ok, err := r.known("u299")
		if err == nil && (!ok || k.UID != "u299" || k.Row == 0 || k.State != mail.Waiting) {
			err = fmt.Errorf("the last one is %+v", k)
		}
		early <- err
	}()
	go r.work(t.Context(), s, items, nil)
	if err := errors.Join(<-early, r.over(nil)); err != nil {
		t.Fatal(err)
	}
	rows := s.run.rows()
	if len(rows) != len(items) {
		t.Fatalf("the run heard of %d", len(rows))
	}
	for i, it := range items {
		if k, ok, err := r.known(it.UID); !ok || err != nil || k.UID != it.UID || k.Row != rows[i] {
			t.Errorf("%s is %+v %v %v, the run heard of %d", it.UID, k, ok, err, rows[i])
		}
	}
	if _, ok, err := r.known("another"); ok || err != nil {
		t.Errorf("one that is not of the listing: %v %v", ok, err)
	}
}

// rule 49: a stop in the middle leaves no UIDL without a state.
func TestRule49_StoppedWhileRecording(t *testing.T) {
	s, items := recorder(t, 300)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := newRecording(items)
	r.work(ctx, s, items, nil)
	if err := r.over(nil); err != nil {
		t.Error(err)
	}
	balance, err := s.e.deps.Store.Balance(t.Context())
	if err != nil || balance[mail.Waiting] != int64(len(items)) {
		t.Errorf("%v %v", balance, err)
	}
}

// What cannot be noted beside it ends the session as well: no DELE may follow.
func TestRule12_NotingFails(t *testing.T) {
	s, items := recorder(t, 3)
	r, full := newRecording(items), errors.New("the disk is full")
	r.work(t.Context(), s, items, func(context.Context) error { return full })
	if got := r.over(nil); !errors.Is(got, full) {
		t.Errorf("the session ends with %v", got)
	}
}

// When recording fails, nothing that waits for a row is kept, and the session
// ends because of that, which is told once.
func TestRecordingFails(t *testing.T) {
	s, items := recorder(t, 3)
	if err := s.e.deps.Store.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRecording(items)
	r.work(t.Context(), s, items, nil)
	_, ok, err := r.known("u1")
	if ok || err == nil {
		t.Errorf("it has a row: %v", err)
	}
	if got := r.over(nil); !errors.Is(got, err) {
		t.Errorf("the session ends with %v", got)
	}
	first := fmt.Errorf("keep: %w", err)
	if got := r.over(first); got != first {
		t.Errorf("told twice: %v", got)
	}
	other := errors.New("the line broke")
	if got := r.over(other); !errors.Is(got, other) || !errors.Is(got, err) {
		t.Errorf("only one of two: %v", got)
	}
}
