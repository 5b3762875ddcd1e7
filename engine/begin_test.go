package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"postbag/engine/mail"
	"postbag/engine/source"
	"postbag/engine/store"
)

// A session that has signed in waits until what must come first is done.
func TestSessionsWaitForTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		r := newRun(New(Settings{}, Deps{}))
		r.beginning = newBeginning(func() error { <-gate; return nil })
		r.begin()
		r.begin() // each mailbox does
		got := make(chan error, 1)
		go func() { got <- r.begun(t.Context()) }()
		synctest.Wait()
		select {
		case <-got:
			t.Fatal("went on before the beginning was over")
		default:
		}
		close(gate)
		if err := errors.Join(<-got, r.over(t.Context())); err != nil {
			t.Error(err)
		}
	})
	if err := newRun(New(Settings{}, Deps{})).begun(t.Context()); err != nil {
		t.Errorf("a run without a beginning: %v", err)
	}
}

// rule 9: a stop does not wait for the beginning, and is no fault of the store.
func TestRule9_StopInTheBeginning(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newRun(New(Settings{}, Deps{}))
	gate := make(chan struct{})
	r.beginning = newBeginning(func() error { <-gate; return ctx.Err() })
	r.begin()
	cancel()
	if f := mail.AsFailure(r.begun(ctx)); f.Code != mail.CodeCancelled {
		t.Errorf("%v", f)
	}
	close(gate)
	if err := r.over(ctx); err != nil {
		t.Errorf("the run: %v", err)
	}
}

// rule 12: when the beginning fails the session that was signed in ends with
// QUIT, and nothing was asked for.
func TestRule12_BeginningFails(t *testing.T) {
	for name, do := range map[string]func() error{
		"error": func() error { return errors.New("the disk is gone") },
		"panic": func() error { panic("a fault of this program") },
	} {
		t.Run(name, func(t *testing.T) {
			st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			e := New(Settings{}, Deps{Store: st})
			r := newRun(e)
			r.beginning = newBeginning(do)
			r.begin()
			conn := &silent{}
			mb := &Mailbox{ID: "anne", Dial: func(context.Context) (source.Session, error) { return conn, nil }}
			if again, err := e.runSession(t.Context(), mb, r, newWatch()); err == nil || again {
				t.Errorf("%v %v", again, err)
			}
			if conn.quits != 1 || !conn.closed {
				t.Errorf("%+v", conn)
			}
			if res := r.outcome(mb.ID, nil); res.LoginDelay != time.Minute { // rule 9
				t.Errorf("the server wants to be left alone for %v", res.LoginDelay)
			}
			if r.over(t.Context()) == nil {
				t.Error("the run heard nothing of it")
			}
		})
	}
}

// silent is a session that may only be ended: everything else panics.
type silent struct {
	source.Session
	quits  int
	closed bool
}

func (s *silent) Capabilities() source.Capabilities {
	return source.Capabilities{LoginDelay: time.Minute}
}

func (s *silent) Quit(context.Context) error { s.quits++; return nil }
func (s *silent) Close() error               { s.closed = true; return nil }
