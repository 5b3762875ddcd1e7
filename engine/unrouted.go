package engine

import (
	"context"
	"errors"
	"io"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/store"
)

// routeAgain routes what is durable and has no envelopes: what a repair saved
// without its recipients. The same rules give the same answer.
func (e *Engine) routeAgain(ctx context.Context) error {
	list, err := e.deps.Store.Unrouted(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range list {
		if err := e.routeOne(ctx, u); err != nil {
			errs = append(errs, err)
			e.deps.Log.Error("a message could not be routed", "id", u.ID, "error", err)
		}
	}
	return errors.Join(errs...)
}

func (e *Engine) routeOne(ctx context.Context, u store.Unrouted) error {
	d := mail.Decision{Recipients: nil}
	for _, mb := range e.current().Mailboxes {
		if mb.ID != u.Mailbox {
			continue
		}
		h, err := e.headerOf(ctx, u.Row)
		if err != nil {
			return err
		}
		d = mb.Rules.Decide(h)
	}
	if len(d.Recipients) == 0 { // its mailbox is no longer configured
		to := e.current().unknown("")
		if len(to) == 0 {
			return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTargetMissing, Op: "route"}
		}
		d = mail.Decision{Route: mail.RouteUnknown, Recipients: to, Reason: "its mailbox is no longer configured"}
	}
	res, err := e.deps.Store.Route(ctx, u.Row, d)
	if err != nil {
		return err
	}
	e.Wake(res.Targets...)
	return nil
}

// headerOf reads the header of a stored message.
func (e *Engine) headerOf(ctx context.Context, row int64) (header.Header, error) {
	body, _, err := e.open(ctx, row)
	if err != nil {
		return header.Header{}, err
	}
	defer body.Close()
	col := header.NewCollector()
	if _, err := io.Copy(col, body); err != nil {
		return header.Header{}, err
	}
	return col.Header(), nil
}
