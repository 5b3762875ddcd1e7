package cli

import (
	"context"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// signals is an Env that is asked to stop as soon as the work has begun.
func signals(ch chan os.Signal) setting { return func(e *Env) { e.Signals = ch } }

func TestSignalStopsACollectionInOrder(t *testing.T) {
	ch := make(chan os.Signal, 2)
	f := &fake{
		report: facts.CollectReport{Interrupted: true, Mailboxes: []facts.MailboxResult{{Mailbox: "Bob", Result: facts.ResultTemporary}}},
		collect: func(ctx context.Context, _ func(facts.Event)) error {
			ch <- os.Interrupt
			<-ctx.Done()
			return nil
		},
	}
	r := run(t, f, "collect --json", signals(ch))
	if r.code != 1 || !strings.Contains(r.out, `"mailbox":"Bob"`) || !strings.Contains(r.err, "Stopping") {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
	}
}

// Until signals are taken over one of them ends the program at once: no command
// has begun by then, and no provider was dialled.
func TestNothingBeginsBeforeSignalsAreTaken(t *testing.T) {
	for _, line := range []string{"collect", "run"} {
		taken, opened := make(chan struct{}), make(chan struct{})
		var done atomic.Bool
		work := func(context.Context, func(facts.Event)) error {
			if !done.Load() {
				t.Errorf("%s: it began before", line)
			}
			return nil
		}
		f := &fake{collect: work, run: work, opening: func(o facts.Options) {
			if line == "run" {
				_ = work(t.Context(), nil)
			} else if o.Ready != taken {
				t.Error("collect: its providers may be dialled before")
			}
			close(opened)
		}}
		go func() {
			if line == "collect" { // alone is opened before
				<-opened
			}
			for range 100 { // whoever does not wait is ahead
				runtime.Gosched()
			}
			done.Store(true)
			close(taken)
		}()
		run(t, f, line, func(e *Env) { e.Taken = taken })
	}
}

func TestSignalEndsRunWithZero(t *testing.T) {
	for name, err := range map[string]error{"nil": nil, "context": context.Canceled, "failure": failure(mail.CodeCancelled)} {
		ch := make(chan os.Signal, 2)
		f := &fake{run: func(ctx context.Context, progress func(facts.Event)) error {
			progress(facts.Event{Kind: facts.EventStarted})
			ch <- os.Interrupt
			<-ctx.Done()
			return err
		}}
		if r := run(t, f, "run", signals(ch)); r.code != 0 || !strings.Contains(r.err, "at work") {
			t.Errorf("%s: exit %d, %q", name, r.code, r.err)
		}
	}
}

func TestRunThatFailsWhileStoppingSaysSo(t *testing.T) {
	ch := make(chan os.Signal, 2)
	f := &fake{run: func(ctx context.Context, _ func(facts.Event)) error {
		ch <- os.Interrupt
		<-ctx.Done()
		return failure(mail.CodeDiskFull)
	}}
	if r := run(t, f, "run", signals(ch)); r.code != 1 || !strings.Contains(r.err, "disk") {
		t.Errorf("exit %d, %q", r.code, r.err)
	}
}

func TestRunThatEndsByItselfIsAFailure(t *testing.T) {
	if r := run(t, &fake{err: failure(mail.CodeCancelled)}, "run"); r.code != 1 {
		t.Errorf("exit %d", r.code)
	}
}

func TestSecondSignalAborts(t *testing.T) {
	ch := make(chan os.Signal, 2)
	never := make(chan struct{})
	defer close(never)
	f := &fake{run: func(ctx context.Context, _ func(facts.Event)) error {
		ch <- os.Interrupt
		<-ctx.Done()
		ch <- os.Interrupt
		<-never
		return nil
	}}
	if r := run(t, f, "run", signals(ch)); r.code != 1 || !strings.Contains(r.err, "Stopped at once") {
		t.Errorf("exit %d, %q", r.code, r.err)
	}
}

func TestSignalWhileAskedForASecret(t *testing.T) {
	ch := make(chan os.Signal, 2)
	f := &fake{}
	r := run(t, f, "secret set x", signals(ch), func(e *Env) {
		e.StdinTerminal = true
		e.ReadSecret = func(ctx context.Context, _ string) (string, error) {
			ch <- os.Interrupt
			<-ctx.Done()
			return "", ctx.Err()
		}
	})
	if r.code != 1 || len(f.asked) > 0 {
		t.Errorf("exit %d, asked %q", r.code, f.asked)
	}
}
