package control

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// Collect asks the engine for a collection. When ctx ends, the engine is told
// to stop it in order and still reports what was done; an engine that does not
// take the order within a second is left alone (CodeCancelled). progress is
// called by one goroutine. When changed fails the collection is stopped, too,
// and its error returned beside the report.
func (c *client) Collect(ctx context.Context, names []string, progress func(facts.Event), changed func(mail.Entry) error) (r facts.CollectReport, err error) {
	// The line must outlive ctx to carry the report.
	line, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	args := collectArgs{Request: rand.Text(), Names: names, Progress: progress != nil, Changed: changed != nil}
	order := &order{c: c, request: args.Request, line: line, abandon: abandon, taken: make(chan struct{}), done: make(chan struct{})}
	stop := context.AfterFunc(ctx, order.give)
	defer func() {
		if !stop() {
			<-order.done
		}
	}()
	defer abandon() // before waiting for the order: it is of no use now

	resp, err := c.begin(line, "collect", args)
	if err != nil {
		return r, c.unanswered(ctx, err)
	}
	close(order.taken)
	in := readAhead(resp.Body)
	defer in.close()
	defer resp.Body.Close()
	defer abandon() // before the body is closed

	var failed error
	last, _, err := in.each(line, func(f frame) error {
		switch {
		case f.Event != nil && progress != nil:
			progress(*f.Event)
		case f.Entry != nil && changed != nil && failed == nil:
			if failed = changed(mail.Entry(*f.Entry)); failed != nil {
				order.send()
			}
		}
		return nil
	})
	if err != nil {
		err = c.unanswered(ctx, err)
	} else {
		err = c.result(last, &r)
	}
	if failed != nil && err != nil {
		return r, errors.Join(failed, err)
	}
	return r, cmp.Or(failed, err)
}

// order tells the engine to stop one collection.
type order struct {
	c       *client
	request string
	line    context.Context // of the collection's answer
	abandon func()
	taken   chan struct{} // closed when the engine knows the collection
	done    chan struct{} // closed when the order was given
}

// give waits until the engine knows the collection. An engine that does not
// answer gets no second chance: the caller wants to go.
func (o *order) give() {
	defer close(o.done)
	limit := time.NewTimer(o.c.t.Order)
	defer limit.Stop()
	select {
	case <-o.taken:
	case <-o.line.Done():
		return
	case <-limit.C:
		o.abandon()
		return
	}
	if !o.send() {
		o.abandon()
	}
}

// send gives the order and tells whether the engine took it. The engine stops
// the collection once, however often it is told.
func (o *order) send() bool {
	ctx, cancel := context.WithTimeout(o.line, o.c.t.Order)
	defer cancel()
	resp, err := o.c.send(ctx, http.MethodPost, prefix+"cancel", cancelArgs{o.request})
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}
