package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"time"

	"postbag/app/config"
	"postbag/app/control"
	"postbag/app/facts"
	"postbag/app/logging"
	"postbag/app/secret"
	"postbag/engine"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// Local is the engine in this process, with everything that belongs to one
// data folder.
type Local struct {
	o       facts.Options
	secrets *secret.Resolver
	early   *early                  // nil but for one collection
	world   atomic.Pointer[builder] // of the configuration in force; replaced as a whole

	lock   *dataLock    // nil when only reading
	socket net.Listener // of the engine, nil for all others
	log    *logging.Log // nil when only reading
	store  *store.Store // nil when nothing was ever collected and only reading
	engine *engine.Engine

	serving  atomic.Bool // by schedule
	watchers watchers
}

// Open opens what o.Access needs: in this process, or through the engine that
// runs on the data folder already. The configuration is looked at first: with a
// wrong one nothing is touched.
func (a *Application) Open(ctx context.Context, o facts.Options) (control.Service, error) {
	cfg, err := load(o)
	if err != nil {
		return nil, err
	}
	if o.Access == facts.AccessRead || o.Access == facts.AccessChange || o.Access == facts.AccessCollect {
		if s, err := a.attach(ctx, o); s != nil || err != nil {
			return s, err
		}
	}
	l, err := a.openBy(ctx, o, cfg)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// attach finds the engine that runs on the data folder; nil when there is none.
func (a *Application) attach(ctx context.Context, o facts.Options) (control.Service, error) {
	s, err := control.Dial(ctx, o.Data)
	if err == nil {
		return s, nil
	}
	if mail.AsFailure(err).Code == facts.CodeNotRunning {
		return nil, nil //nolint:nilnil // none runs: this process does it
	}
	return nil, err
}

// OpenLocal opens what o.Access needs. The configuration comes first: when it
// cannot be used, nothing was touched.
func (a *Application) OpenLocal(ctx context.Context, o facts.Options) (*Local, error) {
	cfg, err := load(o)
	if err != nil {
		return nil, err
	}
	return a.openBy(ctx, o, cfg)
}

// openBy is OpenLocal with the configuration that was read.
func (a *Application) openBy(ctx context.Context, o facts.Options, cfg *config.Config) (_ *Local, err error) {
	l := &Local{o: o, secrets: resolverFor(o.Config)}
	l.world.Store(&builder{cfg: cfg})
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if o.Access >= facts.AccessChange {
		if l.lock, err = lockData(o.Data); err != nil {
			return nil, err
		}
		if o.Access == facts.AccessEngine {
			// Before anything slow: who comes early waits instead of failing.
			if l.socket, err = control.Listen(o.Data); err != nil {
				return nil, err
			}
		}
		if o.Access == facts.AccessCollect {
			l.dialEarly(ctx)
		}
		if err = l.openLog(); err != nil {
			return nil, err
		}
	}
	if o.Access > facts.AccessConfig {
		if err = l.openStore(ctx); err != nil {
			return nil, err
		}
	}
	return l, l.assemble(ctx)
}

// openLog opens the log file. No mail waits for a log: when it cannot be
// written the engine works without.
func (l *Local) openLog() error {
	level, err := logging.ParseLevel(l.config().Log.Level)
	if err != nil {
		return err
	}
	l.log, err = logging.Open(logging.Options{Data: l.o.Data, Level: level, MaxSize: int64(l.config().Log.MaxSize)})
	if err != nil {
		l.log.Warn("the log file cannot be written", "error", err)
	}
	return nil
}

func (l *Local) logger() *slog.Logger {
	if l.log == nil {
		return logging.Discard()
	}
	return l.log.Logger
}

// openStore opens the store; only reading, it need not be there yet.
func (l *Local) openStore(ctx context.Context) error {
	readOnly := l.o.Access == facts.AccessRead
	dir := storeDir(l.o.Data)
	if readOnly {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	o := l.storeOptions()
	o.ReadOnly = readOnly
	st, err := store.Open(ctx, o)
	if err != nil {
		if code := mail.AsFailure(err).Code; readOnly && !store.Made(dir) && code != mail.CodeStoreDamaged && code != mail.CodeStoreNewer {
			return nil // killed while it was made: nothing was collected yet
		}
		return err
	}
	l.store = st
	if readOnly {
		return l.catchUp(ctx, st)
	}
	return nil
}

// catchUp has a store show what happened last before its process was killed, by
// opening it for writing once. A process that works on it does that itself,
// within a moment.
func (l *Local) catchUp(ctx context.Context, st *store.Store) error {
	behind, err := st.Behind(ctx)
	if err != nil || !behind {
		return err
	}
	lock, err := lockData(l.o.Data)
	if err != nil {
		return nil //nolint:nilerr // it is at work, or this user may only read
	}
	whole, err := store.Open(ctx, l.storeOptions())
	if err == nil {
		err = whole.Close()
	}
	return errors.Join(err, lock.release())
}

func (l *Local) storeOptions() store.Options {
	return store.Options{
		Dir: storeDir(l.o.Data), DuplicateWindow: l.config().Delivery.DuplicateWindow.D(), Log: l.logger(),
		QuotaBytes: int64(l.config().Delivery.SpoolQuota),
	}
}

// assemble resolves the ids of the mailboxes and builds the engine.
func (l *Local) assemble(ctx context.Context) error {
	if err := l.resolveIDs(l.config()); err != nil {
		return err
	}
	b := l.newBuilder(l.config(), l.openTranscripts())
	settings, err := b.settings()
	if err != nil {
		return err
	}
	l.world.Store(b)
	if l.store == nil {
		return nil
	}
	if l.lock != nil {
		if err := l.liftChanged(ctx, settings.Mailboxes); err != nil {
			return err
		}
	}
	l.engine = engine.New(settings, engine.Deps{
		Store: l.store, Log: l.logger(), Now: time.Now, Jitter: rand.Float64,
		Secret:     func(ctx context.Context, name string) (string, error) { return l.parts().targetSecret(ctx, name) },
		Transcript: b.transcript,
	})
	return nil
}

func (l *Local) newBuilder(cfg *config.Config, transcripts *logging.Transcripts) *builder {
	b := &builder{early: l.early, cfg: cfg, secrets: redacted{secrets: l.secrets}, log: l.logger(), transcripts: transcripts}
	if l.log != nil {
		b.secrets = redacted{l.secrets, l.log.Secrets}
	}
	if l.store != nil {
		b.installation = l.store.InstallationID()
	}
	return b
}

// Reload works by the configuration file as it is now. When it cannot be used,
// the error says why and everything stays as it was.
func (l *Local) Reload(ctx context.Context) error {
	cfg, err := load(l.o)
	if err != nil {
		return err
	}
	if err := l.resolveIDs(cfg); err != nil {
		return err
	}
	b := l.newBuilder(cfg, l.parts().transcripts)
	settings, err := b.settings()
	if err != nil {
		return err
	}
	l.world.Store(b)
	if level, err := logging.ParseLevel(cfg.Log.Level); err == nil && l.log != nil {
		l.log.SetLevel(level)
	}
	if err := l.liftChanged(ctx, settings.Mailboxes); err != nil {
		return err
	}
	return l.engine.Apply(ctx, settings)
}

func (l *Local) config() *config.Config { return l.parts().cfg }
func (l *Local) parts() *builder        { return l.world.Load() }

// Close lets go of everything. The lock goes last.
func (l *Local) Close() error {
	l.early.close()
	var errs []error
	if l.socket != nil {
		if err := l.socket.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if l.store != nil {
		if l.lock != nil {
			l.noteReady()
		}
		errs = append(errs, l.store.Close())
	}
	if l.log != nil {
		errs = append(errs, l.log.Close())
	}
	return errors.Join(append(errs, l.lock.release())...)
}

// mailboxByName returns the configured mailbox, or says that there is none.
func (l *Local) mailboxByName(name string) (*config.Mailbox, error) {
	if m := l.config().Mailbox(name); m != nil {
		return m, nil
	}
	if m := l.mailboxByID(name); m != nil {
		return m, nil
	}
	return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeUnknownMailbox, Op: name}
}

func (l *Local) mailboxByID(id string) *config.Mailbox {
	for i := range l.config().Mailboxes {
		if l.config().Mailboxes[i].ID == id {
			return &l.config().Mailboxes[i]
		}
	}
	return nil
}

// nameOf is the name of a mailbox by its id; of one that is no longer
// configured, the id.
func (l *Local) nameOf(id string) string {
	if m := l.mailboxByID(id); m != nil {
		return m.Name
	}
	return id
}
