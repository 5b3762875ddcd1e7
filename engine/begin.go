package engine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"postbag/engine/mail"
)

// beginning is what has to be done before a message of a run moves. It goes on
// while the providers are dialled: they take their time to greet.
type beginning struct {
	do   func() error
	once sync.Once
	done chan struct{} // closed in the end
	err  error         // why no message may move; set before done is closed
}

func newBeginning(do func() error) *beginning {
	return &beginning{do: do, done: make(chan struct{})}
}

// work does it; a fault of this program is an error like any other.
func (b *beginning) work(log *slog.Logger) {
	defer close(b.done)
	defer func() {
		if p := recover(); p != nil {
			log.Error("a collection met a fault of this program", "stack", string(debug.Stack()))
			b.err = &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: "collect", Err: fmt.Errorf("panic: %v", p)}
		}
	}()
	b.err = b.do()
}

// begin starts the beginning of the run, if it has one and nobody did. Each
// session waits for its end with begun.
func (r *run) begin() {
	if b := r.beginning; b != nil {
		b.once.Do(func() { go b.work(r.log) })
	}
}

// begun returns nil once messages may move, at once in a run that has no
// beginning. What a stop broke off is no fault of the store: the error is
// CodeCancelled then.
func (r *run) begun(ctx context.Context) error {
	b := r.beginning
	if b == nil {
		return nil
	}
	select {
	case <-b.done:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: "collect", Err: context.Cause(ctx)}
	}
	return b.err
}

// over begins what no mailbox began and waits for the end, also when ctx has
// ended. It returns what went wrong unless that was the stop.
func (r *run) over(ctx context.Context) error {
	r.begin()
	<-r.beginning.done
	if ctx.Err() != nil {
		return nil
	}
	return r.beginning.err
}

// rehearse makes ready what the first message will need of the store, and has the
// database read what the first listing will ask it. Nothing depends on it.
func (e *Engine) rehearse(ctx context.Context) {
	err := e.deps.Store.Prepare(ctx)
	if err == nil {
		_, err = e.deps.Store.Compare(ctx, "", []string{"-"})
	}
	if err == nil {
		_, err = e.deps.Store.Rows(ctx, []int64{0})
	}
	if err != nil && ctx.Err() == nil {
		e.deps.Log.Warn("the store is slower with the first message than it could be", "error", err)
	}
}

// checkpoint begins closing the store while the run is still told of. Nothing
// depends on it.
func (e *Engine) checkpoint(ctx context.Context) {
	if err := e.deps.Store.Checkpoint(ctx); err != nil && ctx.Err() == nil {
		e.deps.Log.Warn("closing the store takes longer than it could", "error", err)
	}
}
