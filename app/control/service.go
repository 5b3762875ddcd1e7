package control

import (
	"context"
	"io"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// Service is the engine, in this process or in another one. Its methods may be
// called by several goroutines at once. Errors are *mail.Failure or
// *facts.ConfigError, also joined; those of a callback are returned as they
// are. What a callback returns ends the call.
type Service interface {
	Worker
	Inspector
	Journal
	Queue
	Mailboxes
	Upkeep
	Live
	Close() error
}

// Worker moves mail.
type Worker interface {
	// Run is the engine by schedule until ctx ends, which is no error. A remote
	// engine runs already: facts.CodeBusy.
	Run(ctx context.Context, progress func(facts.Event)) error
	// Collect collects the named mailboxes once, all when there is no name. When
	// ctx ends it stops in order and reports Interrupted. progress (may be nil)
	// may be called by several goroutines at once; changed (may be nil) is called
	// once for each message whose state changed, in its last state, before
	// Collect returns. The report counts beside an error, too.
	Collect(ctx context.Context, names []string, progress func(facts.Event), changed func(mail.Entry) error) (facts.CollectReport, error)
}

// Inspector looks without touching mail.
type Inspector interface {
	Check(ctx context.Context, names []string, each func(facts.CheckStep) error) error
	Preview(ctx context.Context, name string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error)
}

// Journal tells what became of the mail.
type Journal interface {
	Log(ctx context.Context, filter facts.LogFilter, each func(mail.Entry) error) error // newest first
	Status(ctx context.Context) (facts.Status, error)
}

// Queue is what waits, is in quarantine, too big or set aside. The entry
// returned shows the message after the change.
type Queue interface {
	Queued(ctx context.Context, each func(mail.Entry) error) error
	Story(ctx context.Context, id string) (facts.Story, error) // of any message of the journal
	Retry(ctx context.Context, id string) (mail.Entry, error)
	Delete(ctx context.Context, id string) (mail.Entry, error)
	SendTo(ctx context.Context, id, address string) (mail.Entry, error)
	Save(ctx context.Context, id string, w io.Writer) error // the bytes as received
}

// Mailboxes lists and pauses them.
type Mailboxes interface {
	Mailboxes(ctx context.Context) ([]facts.MailboxStatus, error)
	Pause(ctx context.Context, name string) (facts.MailboxStatus, error)
	Resume(ctx context.Context, name string) (facts.MailboxStatus, error) // also lifts a suspension
}

// Upkeep looks after the store.
type Upkeep interface {
	// Backup writes a consistent copy of store and configuration to path, never
	// over a file (facts.CodeFileExists).
	Backup(ctx context.Context, path string) (facts.BackupReport, error)
}

// Live is for those who stay: they hear of everything, and say when the
// configuration has changed.
type Live interface {
	// Watch calls each for every event until ctx ends, which is no error.
	Watch(ctx context.Context, each func(facts.Event) error) error
	// Reload works by the configuration file as it is now; one that cannot be
	// used is a *facts.ConfigError and changes nothing.
	Reload(ctx context.Context) error
}
