package app

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"postbag/app/config"
	"postbag/app/control"
	"postbag/app/facts"
	"postbag/app/secret"
	"postbag/engine/mail"
)

// engineService is the engine as the desktop uses it: in this process or, over
// the socket, in another one.
type engineService interface {
	control.Service
	control.Live
}

// Desktop is what the windows stand on. It attaches to an engine that runs on
// the data folder, or owns the folder itself.
type Desktop struct {
	app *Application
	o   facts.Options

	mu      sync.Mutex
	service engineService // nil until there is a configuration that can be used
	why     error         // why there is no service
	local   *Local        // nil when attached
	stop    context.CancelFunc
	done    chan struct{} // closed when the engine has stopped
	serve   context.CancelFunc
	served  chan struct{}
	watch   watchers
}

// NewDesktop opens the engine. Without a usable configuration it is there all
// the same, for the wizard: the error says why, and Apply mends it.
func (a *Application) NewDesktop(ctx context.Context, o facts.Options) (*Desktop, error) {
	o.Access = facts.AccessEngine
	d := &Desktop{app: a, o: o}
	return d, d.open(ctx)
}

// open attaches, or takes the data folder.
func (d *Desktop) open(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.service != nil {
		return nil
	}
	if d.why = d.find(ctx); d.why != nil {
		return d.why
	}
	d.listen()
	return nil
}

// find looks for an engine at work, or opens one.
func (d *Desktop) find(ctx context.Context) error {
	cfg, err := load(d.o)
	if err != nil {
		return err
	}
	remote, err := d.app.attach(ctx, d.o)
	if err != nil {
		return err
	}
	if live, ok := remote.(engineService); ok {
		d.service = live
		return nil
	}
	l, err := d.app.openBy(ctx, d.o, cfg)
	if err != nil {
		return err
	}
	d.service, d.local = l, l
	return nil
}

// listen passes the events on, and lets other programs in.
func (d *Desktop) listen() {
	ctx, cancel := context.WithCancel(context.Background())
	d.serve, d.served = cancel, make(chan struct{})
	service, local := d.service, d.local
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = service.Watch(ctx, func(ev facts.Event) error { d.watch.tell(ev); return nil })
	})
	if local != nil {
		wg.Go(func() {
			if err := local.ServeOthers(ctx); err != nil {
				local.logger().Error("other programs are not answered", "error", err)
			}
		})
	}
	served := d.served
	go func() { wg.Wait(); close(served) }()
}

// current is the engine, or the reason why there is none.
func (d *Desktop) current() (engineService, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.service == nil && d.why != nil {
		return nil, d.why
	}
	if d.service == nil { // closed
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing, Op: d.o.Config}
	}
	return d.service, nil
}

// Start collects by schedule; an attached engine does so already.
func (d *Desktop) Start(ctx context.Context) error {
	if err := d.open(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.local == nil || d.stop != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	d.stop, d.done = cancel, done
	local := d.local
	go func() {
		defer close(done)
		if err := local.Work(ctx, nil); err != nil {
			local.logger().Error("the engine stopped", "error", err)
			d.watch.tell(facts.Event{Kind: facts.EventStopping, Fault: facts.FaultOf(err)})
		}
	}()
	return nil
}

// Stop ends collecting by schedule and returns when the engine has stopped. An
// engine in another process is not ours to stop.
func (d *Desktop) Stop(ctx context.Context) error {
	d.mu.Lock()
	stop, done := d.stop, d.done
	attached := d.service != nil && d.local == nil
	d.stop = nil
	d.mu.Unlock()
	if attached {
		return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeBusy, Op: d.o.Data}
	}
	if stop == nil {
		return nil
	}
	stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops the engine and lets go of the data folder.
func (d *Desktop) Close() error {
	var errs []error
	if !d.Attached() {
		errs = append(errs, d.Stop(context.Background()))
	}
	d.mu.Lock()
	service, serve, served := d.service, d.serve, d.served
	d.service, d.local = nil, nil
	d.mu.Unlock()
	if service == nil {
		return errors.Join(errs...)
	}
	serve()
	<-served
	return errors.Join(append(errs, service.Close())...)
}

// Running tells whether collecting goes on by schedule.
func (d *Desktop) Running() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stop != nil || (d.service != nil && d.local == nil)
}

// Attached tells whether the engine runs in another process.
func (d *Desktop) Attached() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.service != nil && d.local == nil
}

// Watch calls listen for every event; it must not block.
func (d *Desktop) Watch(listen func(facts.Event)) (cancel func()) { return d.watch.add(listen) }

// Place tells the files and folders in use.
func (d *Desktop) Place() facts.Options { return d.o }

// SetSecret stores a password in the keyring.
func (d *Desktop) SetSecret(ctx context.Context, ref, value string) error {
	return d.app.Secrets(d.o).Set(ctx, ref, value)
}

// DeleteSecret removes a password from the keyring.
func (d *Desktop) DeleteSecret(ctx context.Context, ref string) error {
	return d.app.Secrets(d.o).Delete(ctx, ref)
}

// Transcripts returns what was said in the last sessions, newest first.
func (d *Desktop) Transcripts(context.Context) ([]facts.Transcript, error) {
	dir := filepath.Join(d.o.Data, "transcripts")
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	slices.Reverse(names)
	out := make([]facts.Transcript, 0, len(names))
	for _, name := range names {
		info, serr := os.Stat(name)
		text, rerr := os.ReadFile(name)
		if serr != nil || rerr != nil {
			continue // pruned a moment ago
		}
		base := strings.TrimSuffix(filepath.Base(name), ".txt")
		_, what, _ := strings.Cut(base, "-")
		out = append(out, facts.Transcript{Time: info.ModTime(), Name: what, Text: string(text)})
	}
	return out, nil
}

// typed are passwords that the user has typed and not saved, by reference,
// before those that are stored.
type typed struct {
	secrets
	given map[string]string
}

// Read returns the secret.
func (t typed) Read(ctx context.Context, ref string) (string, error) {
	if v, ok := t.given[ref]; ok {
		return v, nil
	}
	return t.secrets.Read(ctx, ref)
}

// tryOut builds the parts of a draft, to test it before it is saved.
func (d *Desktop) tryOut(draft *config.Config, given map[string]string) (*Local, error) {
	r := secret.New(secret.Options{Dir: filepath.Dir(d.o.Config)})
	l := &Local{o: d.o, secrets: r}
	b := &builder{cfg: draft, secrets: typed{r, maps.Clone(given)}, log: l.logger()}
	if _, err := b.settings(); err != nil {
		return nil, err
	}
	l.world.Store(b)
	return l, nil
}
