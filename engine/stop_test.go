package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"postbag/engine/mailtest"
)

// soon is how fast a collection must end that is asked to stop, with a margin
// for a busy machine (rule 9: within a second).
const soon = 5 * time.Second

// rule 9: a collection can be stopped wherever it waits, and the next one goes on.
func TestRule9_Stop(t *testing.T) {
	for _, where := range []string{"GREETING", "PASS", "UIDL", "RETR", "MAIL", "RCPT"} {
		t.Run(where, func(t *testing.T) {
			reached, wait := make(chan struct{}, 100), make(chan struct{})
			free := sync.OnceFunc(func() { close(wait) })
			defer free()
			w := newWorld(t, worldOptions{
				pop3: mailtest.POP3Options{Fault: func(c mailtest.POP3Command) *mailtest.POP3Fault {
					if c.Verb == where {
						reached <- struct{}{}
						<-wait
					}
					return nil
				}},
				smtp: mailtest.SMTPOptions{Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
					if string(e.Step) != where {
						return mailtest.SMTPAction{}
					}
					reached <- struct{}{}
					return mailtest.SMTPAction{Wait: wait}
				}},
			})
			for i := range 5 {
				w.post(fmt.Sprint("m", i), anne)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				rep, err := w.e.CollectOnce(ctx, nil)
				if err != nil || !rep.Interrupted {
					t.Errorf("%+v %v", rep, err)
				}
			}()
			<-reached
			begin := time.Now()
			cancel()
			<-done
			if d := time.Since(begin); d > soon {
				t.Errorf("it took %v", d)
			}
			free()
			w.misbehave(nil)
			w.office.Script(nil)
			w.collect()
			w.collect()
			w.exactly()
			w.atISP(0)
			w.wantStates("delivered 5")
		})
	}
}

// Collections by several hands, changes of the settings, pauses: all at the
// same time, while both servers fail at random. Then everything is where it
// belongs.
func TestSoakTogether(t *testing.T) {
	c := &chaos{rnd: rand.New(rand.NewPCG(7, 7)), on: true}
	w := newWorld(t, worldOptions{boxes: []string{"anne"}, pop3: mailtest.POP3Options{Fault: c.provider}, smtp: mailtest.SMTPOptions{Script: c.target}})
	if err := w.e.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 6 {
				if _, err := w.e.Collect(ctx, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 12 {
			if err := w.e.Apply(ctx, w.set); err != nil {
				t.Error(err)
			}
			if err := w.e.Pause(ctx, "anne", "anne", i%2 == 0); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 60 {
		id := fmt.Sprint("m", i)
		if i%2 == 0 {
			w.post(id, anne, bob)
		} else {
			w.postRaw("anne", "", id, letter(id, bob), anne)
		}
	}
	wg.Wait()
	if ctx.Err() != nil {
		t.Fatal("it hangs")
	}
	if err := w.e.Stop(ctx); err != nil {
		t.Error(err)
	}
	c.behave()
	w.retryFailed()
	for i := 0; i < 20 && w.waits(); i++ {
		w.clock.add(2 * time.Hour)
		w.collect()
	}
	w.soaked()
}
