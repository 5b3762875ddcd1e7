package notify

import (
	"testing"
	"time"

	"postbag/engine/store"
)

// What was told outlives the store being closed and opened.
func TestStoreLedger(t *testing.T) {
	dir := t.TempDir()
	open := func() *store.Store {
		t.Helper()
		s, err := store.Open(t.Context(), store.Options{Dir: dir, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	l := NewStoreLedger(s, time.Now)
	for cause, state := range map[string]string{"a": `{"kind":"disk"}`, "b": "{}"} {
		if err := l.SaveAlert(t.Context(), cause, state); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SaveAlert(t.Context(), "b", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	d := &desk{now: time.Now(), person: &person{name: "person"}}
	n, err := New(t.Context(), Deps{Ledger: NewStoreLedger(s, time.Now), Sinks: []Sink{d.person}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if open := n.Open(); len(open) != 1 || open[0].Cause != "a" || open[0].Kind != Disk {
		t.Errorf("open: %+v", open)
	}
}
