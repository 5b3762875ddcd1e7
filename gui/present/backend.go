package present

import (
	"context"
	"io"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
)

// Backend is the engine as the windows see it: in this process, or the one that
// runs on the data folder already. Its methods may be called by any goroutine
// and never on the one of the user interface: each may wait for a disk or a
// network. Errors are *mail.Failure or *facts.ConfigError.
type Backend interface {
	Control
	Support
	Collector
	Inspector
	Journal
	Queue
	Mailboxes
	Settings
	Secrets
}

// Control starts and stops collecting by schedule, and listens.
type Control interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	Running() bool
	Attached() bool                                 // the engine runs in another process
	Watch(listen func(facts.Event)) (cancel func()) // listen must not block
	Place() facts.Options                           // the configuration file and folders in use
}

// Support is what helps those who help.
type Support interface {
	Transcripts(ctx context.Context) ([]facts.Transcript, error) // newest first, secrets masked
}

// Collector collects now.
type Collector interface {
	Collect(ctx context.Context, names []string) (facts.CollectReport, error)
}

// Inspector looks without touching mail. The drafts are settings that are not
// saved yet, with the passwords that the user has typed by reference.
type Inspector interface {
	CheckMailbox(ctx context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error
	CheckTarget(ctx context.Context, draft *config.Config, name string, secrets map[string]string, each func(facts.CheckStep) error) error
	Preview(ctx context.Context, draft *config.Config, name string, secrets map[string]string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error)
}

// Journal tells what became of the mail.
type Journal interface {
	Status(ctx context.Context) (facts.Status, error)
	Page(ctx context.Context, filter facts.LogFilter) ([]mail.Entry, error) // newest first, at most filter.Limit
	Log(ctx context.Context, filter facts.LogFilter, each func(mail.Entry) error) error
	Story(ctx context.Context, id string) (facts.Story, error)
}

// Queue is what waits, is in quarantine, too big or set aside.
type Queue interface {
	Queued(ctx context.Context, each func(mail.Entry) error) error
	Retry(ctx context.Context, id string) (mail.Entry, error)
	Delete(ctx context.Context, id string) (mail.Entry, error)
	SendTo(ctx context.Context, id, address string) (mail.Entry, error)
	Save(ctx context.Context, id string, w io.Writer) error
}

// Mailboxes pauses them.
type Mailboxes interface {
	Pause(ctx context.Context, name string) (facts.MailboxStatus, error)
	Resume(ctx context.Context, name string) (facts.MailboxStatus, error)
}

// Settings reads and changes the configuration.
type Settings interface {
	// Config returns a copy to be changed freely; with defaults when there is
	// no file yet (the error is then of code facts.CodeConfigMissing).
	Config(ctx context.Context) (*config.Config, error)
	// Validate returns every fault and warning of a draft.
	Validate(ctx context.Context, draft *config.Config) []facts.Problem
	// Apply validates, saves and applies a draft without a restart. With
	// problems nothing was changed.
	Apply(ctx context.Context, draft *config.Config) ([]facts.Problem, error)
}

// Secrets keeps passwords in the keyring.
type Secrets interface {
	SetSecret(ctx context.Context, ref, value string) error
	DeleteSecret(ctx context.Context, ref string) error
}
