package engine

import (
	"context"
	"time"

	"postbag/engine/mail"
)

// strikes is how many wrong passwords suspend a mailbox (rule 8).
const strikes = 3

// mayCollect tells why a mailbox is left out of this run: paused by hand,
// suspended after wrong passwords, or asked too soon (LOGIN-DELAY, rule 9).
func (e *Engine) mayCollect(ctx context.Context, mb *Mailbox) *mail.Failure {
	st, err := e.deps.Store.Mailbox(ctx, mb.ID)
	switch {
	case err != nil:
		return mail.AsFailure(err)
	case st.Paused:
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodePaused}
	case st.Suspended:
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSuspended}
	}
	return nil
}

// book records what became of a mailbox, counts wrong passwords and tells the
// administrator what needs him.
func (e *Engine) book(ctx context.Context, mb *Mailbox, start time.Time, res Result) error {
	ctx = context.WithoutCancel(ctx)
	st, err := e.deps.Store.Mailbox(ctx, mb.ID)
	if err != nil {
		return err
	}
	st.ID, st.Name = mb.ID, mb.Name
	st.LastStart, st.LastEnd = start, e.deps.Now()
	st.Result, st.Collected = string(res.Kind), res.Fetched
	st.ErrorCode, st.ErrorReply = "", ""
	if f := res.Failure; f != nil {
		st.ErrorCode, st.ErrorReply = string(f.Code), f.Reply
	}
	switch {
	case res.Failure != nil && res.Failure.Code == mail.CodeAuth:
		st.Strikes++
		st.Suspended = st.Strikes >= strikes
	case res.Failure == nil || res.Fetched > 0:
		st.Strikes = 0
	}
	if err := e.deps.Store.SaveMailbox(ctx, st); err != nil {
		return err
	}
	if f := res.Failure; f != nil && f.Class == mail.NeedsUser {
		if st.Suspended {
			f = &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSuspended, Op: f.Op, Reply: f.Reply}
		}
		e.attention(mb.ID, f)
	}
	return nil
}

// Lift ends a suspension after wrong passwords.
func (e *Engine) Lift(ctx context.Context, mailbox string) error {
	st, err := e.deps.Store.Mailbox(ctx, mailbox)
	if err != nil || (!st.Suspended && st.Strikes == 0) {
		return err
	}
	st.ID, st.Suspended, st.Strikes = mailbox, false, 0
	return e.deps.Store.SaveMailbox(ctx, st)
}

// attention publishes something that needs a person.
func (e *Engine) attention(mailbox string, f *mail.Failure) {
	e.deps.Log.Warn("needs attention", "mailbox", mailbox, "code", f.Code, "error", f)
	e.publish(Event{Kind: EventAttention, Mailbox: mailbox, Failure: f})
}
