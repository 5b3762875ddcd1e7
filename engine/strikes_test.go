package engine

import (
	"testing"
	"time"

	"postbag/engine/store"
)

// What nobody is owed is no failure of the mailbox when it cannot be stored.
func TestNothingOwedThatCannotBeStored(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	e := New(Settings{}, Deps{Store: st, Now: time.Now})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	mb, r := &Mailbox{ID: "anne"}, newRun(e)
	s := &session{e: e, mb: mb, run: r}
	r.later(mb.ID, s.confirm(nil, nil))
	if res := e.conclude(t.Context(), mb, r, time.Now(), nil); res.Kind != ResultOK {
		t.Errorf("%+v", res)
	}
	r.later(mb.ID, s.confirm([]int64{1}, nil))
	if res := e.conclude(t.Context(), mb, r, time.Now(), nil); res.Kind == ResultOK {
		t.Error("a deletion that was not stored is told as one that was")
	}
}

// rule 8: the store remembers with each result how a mailbox was signed in to, so
// that other settings give a suspended one another chance.
func TestRule8_BookedWithTheSignIn(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	e := New(Settings{}, Deps{Store: st, Now: time.Now})
	for _, signIn := range []string{"one", "other"} {
		if err := e.book(t.Context(), &Mailbox{ID: "anne", SignIn: signIn}, time.Now(), Result{}, nil); err != nil {
			t.Fatal(err)
		}
		if m, err := st.GetMailbox(t.Context(), "anne"); err != nil || m.Notes[NoteSignIn] != signIn {
			t.Errorf("%+v %v, want %q", m, err, signIn)
		}
	}
}
