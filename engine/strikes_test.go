package engine

import (
	"testing"
	"time"

	"postbag/engine/store"
)

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
