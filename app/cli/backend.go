package cli

import (
	"context"
	"io"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// Application is what the commands need of package app. Errors are
// *mail.Failure (codes of engine/mail and app/facts; for the codes of
// app/facts Op names the thing: mailbox, id, path, address) or
// *facts.ConfigError.
type Application interface {
	// Open gives the engine in this process, or the running one through its
	// socket, as o.Access needs it.
	Open(ctx context.Context, o facts.Options) (Backend, error)
	Config(o facts.Options) ConfigFile
	Secrets(o facts.Options) Secrets
	// Repair puts the damaged files aside, never deletes one, and saves what
	// can be read into a fresh store.
	Repair(ctx context.Context, o facts.Options) (facts.RepairReport, error)
	// Demo needs no file and no network. progress may be called by several
	// goroutines at once.
	Demo(ctx context.Context, o facts.Options, progress func(facts.Event)) (facts.DemoReport, error)
	Build() facts.Build
}

// Backend is the engine as the commands see it.
type Backend interface {
	Worker
	Inspector
	Journal
	Queue
	Mailboxes
	Upkeep
	Close() error
}

// Worker moves mail.
type Worker interface {
	// Run is the engine by schedule until ctx ends, which is no error.
	Run(ctx context.Context, progress func(facts.Event)) error
	// Collect collects the named mailboxes once, all when there is no name, and
	// attempts every queued recipient once. When ctx ends it stops in order,
	// settles what is in flight and reports Interrupted. progress may be called
	// by several goroutines at once. changed (may be nil) is called once for
	// each message whose state this run changed, in its last state, before
	// Collect returns, also when it was interrupted.
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

// ConfigFile is the file of Options.Config.
type ConfigFile interface {
	// Init writes a commented sample in the language of the options, never over
	// a file (facts.CodeConfigExists), and makes the folder for it.
	Init(ctx context.Context) error
	// Validate returns every fault and warning; the error is for a file that
	// cannot be read.
	Validate(ctx context.Context) ([]facts.Problem, error)
	// Show returns the effective settings as TOML, without secrets.
	Show(ctx context.Context) (string, error)
}

// Secrets keeps passwords in the keyring. A reference has no scheme here.
type Secrets interface {
	Set(ctx context.Context, ref, value string) error // also lifts the suspension of mailboxes that use it
	Delete(ctx context.Context, ref string) error
	// List tells of each reference that the configuration names, whatever its
	// scheme, whether it can be read.
	List(ctx context.Context) ([]facts.SecretState, error)
}
