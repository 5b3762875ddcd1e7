package engine

import (
	"context"
	"time"

	"postbag/engine/mail"
	"postbag/engine/store"
)

// NoteSignIn is the key of a mailbox's note of what it was signed in to with last.
const NoteSignIn = "sign_in"

// strikes is how many wrong passwords suspend a mailbox (rule 8).
const strikes = 3

// mayCollect tells why a mailbox is left out of this run: paused by hand,
// suspended after wrong passwords, or asked too soon (LOGIN-DELAY, rule 9).
func (e *Engine) mayCollect(ctx context.Context, mb *Mailbox) *mail.Failure {
	st, err := e.deps.Store.GetMailbox(ctx, mb.ID)
	switch {
	case err != nil:
		return mail.AsFailure(err)
	case st.Paused:
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodePaused}
	case st.Suspended:
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSuspended, Reply: st.ErrorReply}
	case e.deps.Now().Before(st.NextAllowed) && !e.deps.Now().Before(st.LastStart): // else the clock was set back
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeLoginDelay}
	}
	return nil
}

// book records what became of a mailbox, with what its last session is owed,
// counts wrong passwords and tells the administrator what needs him.
func (e *Engine) book(ctx context.Context, mb *Mailbox, start time.Time, res Result, owed *confirmed) error {
	var suspended bool
	err := e.believe(ctx, mb.ID, owed, func(st *store.MailboxState) {
		st.ID, st.Name = mb.ID, mb.Name
		if mb.SignIn != "" {
			setNote(st, NoteSignIn, mb.SignIn)
		}
		if st.LastEnd = e.deps.Now(); res.Failure == nil || res.Failure.Code != mail.CodeCancelled {
			st.LastStart = start // one that we ended ourselves is made good as soon as may be
		}
		st.Result, st.Collected = string(res.Kind), res.New
		st.ErrorCode, st.ErrorReply = "", ""
		if f := res.Failure; f != nil {
			st.ErrorCode, st.ErrorReply = f.Code, f.Reply
		}
		if res.LoginDelay > 0 {
			st.NextAllowed = res.login.Add(res.LoginDelay) // rule 9
		}
		switch {
		case res.Failure != nil && res.Failure.Code == mail.CodeAuth:
			st.Strikes++
			st.Suspended = st.Strikes >= strikes // rule 8
		case res.Failure == nil || res.Fetched > 0:
			st.Strikes = 0
		}
		suspended = st.Suspended
	})
	if f := res.Failure; f != nil && f.Class == mail.NeedsUser {
		if suspended {
			f = &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSuspended, Op: f.Op, Reply: f.Reply}
		}
		e.attention(mb.ID, f)
	}
	return err
}

// Lift ends a suspension after wrong passwords.
func (e *Engine) Lift(ctx context.Context, mailbox string) error {
	return e.deps.Store.UpdateMailbox(ctx, mailbox, func(st *store.MailboxState) { st.Suspended, st.Strikes = false, 0 })
}

// Pause stops or resumes the collection of a mailbox; resuming lifts a
// suspension too.
func (e *Engine) Pause(ctx context.Context, mailbox, name string, paused bool) error {
	err := e.deps.Store.UpdateMailbox(ctx, mailbox, func(st *store.MailboxState) {
		st.Name, st.Paused = name, paused
		if !paused {
			st.Suspended, st.Strikes = false, 0
		}
	})
	e.renewSchedule()
	return err
}

// attention publishes something that needs a person.
func (e *Engine) attention(mailbox string, f *mail.Failure) {
	e.deps.Log.Warn("needs attention", "mailbox", mailbox, "code", f.Code, "error", f)
	e.publish(Event{Kind: EventAttention, Mailbox: mailbox, Failure: f})
}
