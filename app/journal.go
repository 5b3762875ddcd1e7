package app

import (
	"context"
	"io"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// Log hands over the journal, newest first.
func (l *Local) Log(ctx context.Context, f facts.LogFilter, each func(mail.Entry) error) error {
	filter := store.Filter{
		Since: f.Since, Until: f.Until, Search: f.Search, State: f.State, Person: f.Person, Limit: f.Limit, Before: f.Before,
	}
	if f.Mailbox != "" {
		id, err := l.mailboxEver(ctx, f.Mailbox)
		if err != nil {
			return err
		}
		filter.Mailbox = id
	}
	if l.store == nil {
		return nil
	}
	return l.store.Log(ctx, filter, func(en mail.Entry) error { return each(l.named(en)) })
}

// mailboxEver returns the id of a mailbox that is configured, or was once: the
// way of its mail can still be looked up.
func (l *Local) mailboxEver(ctx context.Context, name string) (string, error) {
	m, err := l.mailboxByName(name)
	if err == nil {
		return m.ID, nil
	}
	if l.store == nil {
		return "", err
	}
	states, serr := l.store.Mailboxes(ctx)
	if serr != nil {
		return "", serr
	}
	for _, st := range states {
		if st.ID == name || st.Name == name {
			return st.ID, nil
		}
	}
	return "", err
}

// Status is the state of the whole.
func (l *Local) Status(ctx context.Context) (facts.Status, error) {
	st := facts.Status{Engine: facts.EngineStopped, Balance: facts.Balance{}}
	if l.serving.Load() {
		st.Engine = facts.EngineRunning
	}
	var err error
	if st.Mailboxes, err = l.Mailboxes(ctx); err != nil {
		return st, err
	}
	if st.Targets, err = l.targets(ctx); err != nil || l.store == nil {
		return st, err
	}
	st.Balance, err = l.store.Balance(ctx)
	return st, err
}

func (l *Local) targets(ctx context.Context) ([]facts.TargetStatus, error) {
	var out []facts.TargetStatus
	for _, t := range l.config().Targets {
		ts := facts.TargetStatus{Name: t.Name, Host: t.Host}
		if l.store != nil {
			state, err := l.store.GetTarget(ctx, t.Name)
			if err != nil {
				return nil, err
			}
			ts.PausedUntil = state.PausedUntil
			if state.Code != "" {
				ts.Fault = facts.FaultOf(&mail.Failure{Code: state.Code, Reply: state.Reply})
			}
		}
		out = append(out, ts)
	}
	return out, nil
}

// Mailboxes lists the configured mailboxes with what became of them last.
func (l *Local) Mailboxes(ctx context.Context) ([]facts.MailboxStatus, error) {
	out := make([]facts.MailboxStatus, 0, len(l.config().Mailboxes))
	for i := range l.config().Mailboxes {
		st, err := l.mailboxStatus(ctx, &l.config().Mailboxes[i])
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

func (l *Local) mailboxStatus(ctx context.Context, m *config.Mailbox) (facts.MailboxStatus, error) {
	out := facts.MailboxStatus{Name: m.Name, ID: m.ID, Host: m.Host, Kind: m.Kind, Protocol: m.Protocol, Enabled: m.Enabled}
	if l.store == nil {
		return out, nil
	}
	st, err := l.store.GetMailbox(ctx, m.ID)
	if err != nil {
		return out, err
	}
	out.Paused, out.Suspended = st.Paused, st.Suspended
	out.Last, out.Next, out.Result, out.Collected = st.LastEnd, st.Next, st.Result, st.Collected
	if l.serving.Load() {
		out.Next = l.engine.Planned(m.ID)
	}
	if st.ErrorCode != "" {
		f := &mail.Failure{Code: st.ErrorCode, Reply: st.ErrorReply}
		if st.Result == facts.ResultNeedsUser {
			f.Class = mail.NeedsUser
		}
		out.Fault = facts.FaultOf(f)
	}
	return out, nil
}

// Pause stops collecting a mailbox until Resume.
func (l *Local) Pause(ctx context.Context, name string) (facts.MailboxStatus, error) {
	return l.setPaused(ctx, name, true)
}

// Resume collects a mailbox again; it also lifts a suspension.
func (l *Local) Resume(ctx context.Context, name string) (facts.MailboxStatus, error) {
	return l.setPaused(ctx, name, false)
}

func (l *Local) setPaused(ctx context.Context, name string, paused bool) (facts.MailboxStatus, error) {
	m, err := l.mailboxByName(name)
	if err != nil {
		return facts.MailboxStatus{}, err
	}
	if err := l.engine.Pause(ctx, m.ID, m.Name, paused); err != nil {
		return facts.MailboxStatus{}, err
	}
	return l.mailboxStatus(ctx, m)
}

// Queued hands over what waits, is in quarantine, too big or was set aside.
func (l *Local) Queued(ctx context.Context, each func(mail.Entry) error) error {
	if l.store == nil {
		return nil
	}
	return l.store.Queue(ctx, func(en mail.Entry) error { return each(l.named(en)) })
}

// Retry sends a message again, fetches one that is too big, or tries one again
// that was set aside. What a repair saved without its recipients goes to who
// gets the mail that is for nobody known (rules 30 and 48).
func (l *Local) Retry(ctx context.Context, id string) (mail.Entry, error) {
	return l.change(ctx, id, func() ([]string, error) {
		targets, err := l.store.Retry(ctx, id)
		if err == nil || mail.AsFailure(err).Code != mail.CodeWrongState {
			return targets, err
		}
		to := l.parts().router.Unknown()
		en, gerr := l.store.Get(ctx, id)
		if gerr != nil || en.State != mail.Quarantined || len(en.Recipients) > 0 || len(to) == 0 {
			return nil, err
		}
		return l.store.SendTo(ctx, id, to[0])
	})
}

// Delete deletes a message here, and at the provider in the next session.
func (l *Local) Delete(ctx context.Context, id string) (mail.Entry, error) {
	return l.change(ctx, id, func() ([]string, error) { return l.store.Delete(ctx, id) })
}

// SendTo gives a message to another address.
func (l *Local) SendTo(ctx context.Context, id, address string) (mail.Entry, error) {
	to := l.parts().lookup(address)
	if len(to) != 1 {
		return mail.Entry{}, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeAddress, Op: address}
	}
	return l.change(ctx, id, func() ([]string, error) { return l.store.SendTo(ctx, id, to[0]) })
}

// Save writes the bytes of a message as they were received.
func (l *Local) Save(ctx context.Context, id string, w io.Writer) error {
	if l.store == nil {
		return unknownMessage(id, nil)
	}
	return known(id, l.store.SaveMessage(ctx, id, w))
}

func (l *Local) change(ctx context.Context, id string, do func() ([]string, error)) (mail.Entry, error) {
	targets, err := do()
	if err != nil {
		return mail.Entry{}, known(id, err)
	}
	l.engine.Wake(targets...)
	en, err := l.store.Get(ctx, id)
	return l.named(en), known(id, err)
}

// known names the message in an error that says that there is none, or that
// its state does not allow what was asked.
func known(id string, err error) error {
	if err == nil {
		return nil
	}
	switch f := mail.AsFailure(err); f.Code {
	case mail.CodeNotFound:
		return unknownMessage(id, err)
	case mail.CodeWrongState:
		return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeWrongState, Op: id, Err: err}
	}
	return err
}

func unknownMessage(id string, err error) error {
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeUnknownMessage, Op: id, Err: err}
}
