package engine

import (
	"context"
	"fmt"
	"runtime/debug"

	"postbag/engine/mail"
)

// beginning is what has to be done before a message of a run moves. It goes on
// while the providers are dialled: they take their time to greet.
type beginning struct {
	done chan struct{} // closed in the end
	err  error         // why no message may move; set before done is closed
}

// begin starts it. Each session waits for its end with begun.
func (r *run) begin(do func() error) {
	b := &beginning{done: make(chan struct{})}
	r.beginning = b
	go func() {
		defer close(b.done)
		defer func() {
			if p := recover(); p != nil {
				r.log.Error("a collection met a fault of this program", "stack", string(debug.Stack()))
				b.err = &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: "collect", Err: fmt.Errorf("panic: %v", p)}
			}
		}()
		b.err = do()
	}()
}

// begun returns nil once messages may move, at once in a run that has no
// beginning. What a stop broke off is no fault of the store: the error is
// CodeCancelled then.
func (r *run) begun(ctx context.Context) error {
	if r.beginning == nil {
		return nil
	}
	select {
	case <-r.beginning.done:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: "collect", Err: context.Cause(ctx)}
	}
	return r.beginning.err
}

// over waits for the end of the beginning, also when ctx has ended, and returns
// what went wrong unless that was the stop.
func (r *run) over(ctx context.Context) error {
	<-r.beginning.done
	if ctx.Err() != nil {
		return nil
	}
	return r.beginning.err
}
