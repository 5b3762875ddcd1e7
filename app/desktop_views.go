package app

import (
	"context"
	"io"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
)

// Collect collects the named mailboxes now, all without a name.
func (d *Desktop) Collect(ctx context.Context, names []string) (facts.CollectReport, error) {
	s, err := d.current()
	if err != nil {
		return facts.CollectReport{}, err
	}
	return s.Collect(ctx, names, nil, nil)
}

// CheckMailbox tests a mailbox of a draft.
func (d *Desktop) CheckMailbox(ctx context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error {
	l, err := d.tryOut(draft, secrets)
	if err != nil {
		return err
	}
	m, err := l.mailboxByName(name)
	if err != nil {
		return err
	}
	return l.checkMailbox(ctx, m, each)
}

// CheckTarget tests an office server of a draft.
func (d *Desktop) CheckTarget(ctx context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error {
	l, err := d.tryOut(draft, secrets)
	if err != nil {
		return err
	}
	for i := range draft.Targets {
		if draft.Targets[i].Name == name {
			return l.checkTarget(ctx, &draft.Targets[i], each)
		}
	}
	return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTargetMissing, Op: name}
}

// Preview reads the headers in a mailbox of a draft.
func (d *Desktop) Preview(ctx context.Context, draft *config.Config, name string, secrets map[string]string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error) {
	l, err := d.tryOut(draft, secrets)
	if err != nil {
		return facts.Verdict{}, err
	}
	return l.Preview(ctx, name, limit, each)
}

// Status is the state of the whole.
func (d *Desktop) Status(ctx context.Context) (facts.Status, error) {
	s, err := d.current()
	if err != nil {
		return facts.Status{Engine: facts.EngineStopped, Balance: facts.Balance{}}, err
	}
	return s.Status(ctx)
}

// Page returns one page of the journal.
func (d *Desktop) Page(ctx context.Context, f facts.LogFilter) ([]mail.Entry, error) {
	var out []mail.Entry
	err := d.Log(ctx, f, func(en mail.Entry) error {
		out = append(out, en)
		return nil
	})
	return out, err
}

// Log hands over the journal, newest first.
func (d *Desktop) Log(ctx context.Context, f facts.LogFilter, each func(mail.Entry) error) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	return s.Log(ctx, f, each)
}

// Story tells the way of one message.
func (d *Desktop) Story(ctx context.Context, id string) (facts.Story, error) {
	s, err := d.current()
	if err != nil {
		return facts.Story{}, err
	}
	return s.Story(ctx, id)
}

// Queued hands over what waits, is in quarantine, too big or was set aside.
func (d *Desktop) Queued(ctx context.Context, each func(mail.Entry) error) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	return s.Queued(ctx, each)
}

// Retry tries a message again.
func (d *Desktop) Retry(ctx context.Context, id string) (mail.Entry, error) {
	s, err := d.current()
	if err != nil {
		return mail.Entry{}, err
	}
	return s.Retry(ctx, id)
}

// Delete deletes a message.
func (d *Desktop) Delete(ctx context.Context, id string) (mail.Entry, error) {
	s, err := d.current()
	if err != nil {
		return mail.Entry{}, err
	}
	return s.Delete(ctx, id)
}

// SendTo gives a message to another address.
func (d *Desktop) SendTo(ctx context.Context, id, address string) (mail.Entry, error) {
	s, err := d.current()
	if err != nil {
		return mail.Entry{}, err
	}
	return s.SendTo(ctx, id, address)
}

// Save writes the bytes of a message.
func (d *Desktop) Save(ctx context.Context, id string, w io.Writer) error {
	s, err := d.current()
	if err != nil {
		return err
	}
	return s.Save(ctx, id, w)
}

// Pause stops collecting a mailbox.
func (d *Desktop) Pause(ctx context.Context, name string) (facts.MailboxStatus, error) {
	s, err := d.current()
	if err != nil {
		return facts.MailboxStatus{}, err
	}
	return s.Pause(ctx, name)
}

// Resume collects a mailbox again.
func (d *Desktop) Resume(ctx context.Context, name string) (facts.MailboxStatus, error) {
	s, err := d.current()
	if err != nil {
		return facts.MailboxStatus{}, err
	}
	return s.Resume(ctx, name)
}

// Config returns a copy of the configuration to be changed freely; defaults
// and the reason when there is none that can be used.
func (d *Desktop) Config(context.Context) (*config.Config, error) {
	cfg, err := load(d.o)
	if err != nil {
		return config.Defaults(), err
	}
	return cfg, nil
}

// Validate returns every fault and warning of a draft.
func (d *Desktop) Validate(_ context.Context, draft *config.Config) []facts.Problem {
	_, problems := config.Parse(config.Marshal(draft), draft.Dir)
	return explain(problems, d.o.Lang)
}

// Apply validates, saves and applies a draft without a restart. With faults
// among the problems nothing was changed.
func (d *Desktop) Apply(ctx context.Context, draft *config.Config) ([]facts.Problem, error) {
	problems := d.Validate(ctx, draft)
	for _, p := range problems {
		if !p.Warning {
			return problems, &facts.ConfigError{Path: d.o.Config, Problems: problems}
		}
	}
	if err := config.Save(d.o.Config, draft); err != nil {
		return problems, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigRead, Op: d.o.Config, Err: err}
	}
	s, err := d.current()
	if err != nil {
		return problems, d.open(ctx)
	}
	return problems, s.Reload(ctx)
}
