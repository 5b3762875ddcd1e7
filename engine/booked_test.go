package engine

import (
	"context"
	"io"
	"testing"
	"time"

	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// rule 44: an attempt that was booked when the message was kept is taken back
// when there is nobody to make it: the target has gone down, delivering has
// stopped, or it stops before the job is begun.
func TestRule44_BookedAttemptsAreGivenBack(t *testing.T) {
	for name, giveBack := range map[string]func(*Engine, *queue, mail.Job) error{
		"nobody delivers": func(e *Engine, _ *queue, j mail.Job) error {
			return e.hand(context.Background(), j)
		},
		"the target goes down": func(e *Engine, q *queue, j mail.Job) error {
			e.pools["office"] = &pool{queue: q}
			if err := e.hand(t.Context(), j); err != nil {
				return err
			}
			return q.SetTarget(t.Context(), deliver.TargetState{Attempts: 1, Until: time.Now().Add(time.Minute), Failure: &mail.Failure{Code: mail.CodeRefused}})
		},
		"delivering stops": func(e *Engine, q *queue, j mail.Job) error {
			ended := make(chan struct{})
			close(ended)
			e.pools["office"] = &pool{queue: q, stop: func() {}, done: ended, Pool: deliver.NewPool(deliver.Target{}, deliver.Deps{Queue: q})}
			if err := e.hand(t.Context(), j); err != nil {
				return err
			}
			return e.Stop(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			e := New(Settings{}, Deps{Store: st})
			q := &queue{e: e, target: "office"}
			j := keptFor(t, e, "office")
			if err := giveBack(e, q, j); err != nil {
				t.Error(err)
			}
			jobs, err := st.Claim(t.Context(), "office", 10, e.nextAttempt)
			if err != nil || len(jobs) != 1 || jobs[0].Copies[0].Attempts != 1 {
				t.Errorf("it is not due as if nothing had been tried: %+v %v", jobs, err)
			}
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What was booked is handed out first and once, and the pool asks again for the rest.
func TestBookedJobsComeFirst(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	e := New(Settings{}, Deps{Store: st})
	q := &queue{e: e, target: "office"}
	e.pools["office"] = &pool{queue: q, Pool: deliver.NewPool(deliver.Target{}, deliver.Deps{Queue: q})}
	j := keptFor(t, e, "office")
	if err := e.hand(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 0} {
		jobs, err := q.Claim(t.Context(), 10)
		if err != nil || len(jobs) != want {
			t.Errorf("call %d: %+v %v", i, jobs, err)
		}
	}
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

// keptFor keeps a message for a target and returns its booked job.
func keptFor(t *testing.T, e *Engine, target string) mail.Job {
	t.Helper()
	st := e.deps.Store
	d := st.NewDraft()
	if _, err := io.WriteString(d, "text"); err != nil {
		t.Fatal(err)
	}
	rows, err := st.RecordListing(t.Context(), "box", []store.NewItem{{UID: "u"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := st.Keep(t.Context(), store.Kept{Row: rows[0].Row, Mailbox: "box", UID: "u", Draft: d, Fingerprint: "f", Claim: e.nextAttempt,
		Decision: &mail.Decision{Recipients: []mail.Recipient{{Address: "anne@office.test", Person: "anne", Target: target}}}})
	if err != nil || len(k.Job.Copies) != 1 {
		t.Fatalf("%+v %v", k, err)
	}
	return k.Job
}
