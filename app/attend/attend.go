// Package attend sees to it that the administrator hears of what needs him: it
// listens to the engine, makes one alert of each cause and one when it is over
// (command, system log), and writes the digest once a day and cause (rule 47).
// It changes nothing of the mail and of its way.
package attend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"postbag/app/config"
	"postbag/app/digest"
	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine"
	"postbag/engine/mail"
)

// Mailer hands a digest to the office. *Deliverer is one.
type Mailer interface {
	// Reach connects to the office server of the recipient and leaves again;
	// target is its name, also when that failed. It costs the server nothing and
	// tells whether a digest can be delivered now.
	Reach(ctx context.Context, recipient string) (target string, err error)
	// Deliver hands the letter over. CodeNoReply means that the server may have
	// it (rule 46).
	Deliver(ctx context.Context, l digest.Letter) error
}

// Deps are what an Attendant works with. All but Sinks, Mailer and Log are
// obligatory; without a Mailer there are no digests.
type Deps struct {
	Subscribe func(func(engine.Event)) (cancel func()) // the engine's
	Config    func() *config.Config                    // the one in force
	// Queue hands over what waits or is set aside; *store.Store has the three.
	Queue   func(ctx context.Context, each func(mail.Entry) error) error
	Balance func(ctx context.Context) (map[mail.State]int64, error)
	Open    func(ctx context.Context, row int64) (io.ReadCloser, int64, error)

	Ledger       notify.Ledger
	Sinks        []notify.Sink
	Mailer       Mailer
	Texts        *i18n.Printer
	Installation string
	Now          func() time.Time
	Log          *slog.Logger
}

// The rhythm. A digest comes soon after the news, but not before they have come
// to rest, and never more than one an hour; a cause is told once a day, which is
// notify's to know.
const (
	hourly    = time.Hour        // between two digests, and between two looks without any news
	rest      = 15 * time.Second // without news before a digest is written
	patience  = 5 * time.Minute  // after which it is written without rest
	tryAgain  = 10 * time.Minute // after a digest that could not be delivered
	countRest = 10 * time.Second // between two counts of what is set aside
)

// Attendant watches and tells. Make one with New, let it Run.
type Attendant struct {
	d      Deps
	n      *notify.Notifier
	w      *watcher
	desk   *desk
	inbox  *inbox
	cancel func()
}

// New listens to the engine from now on; Run tells what was heard. The error
// means that something obligatory is missing. What was told before and cannot
// be read is itself something to tell, not an error.
func New(ctx context.Context, d Deps) (*Attendant, error) {
	if d.Subscribe == nil || d.Config == nil || d.Queue == nil || d.Balance == nil || d.Open == nil ||
		d.Ledger == nil || d.Texts == nil || d.Now == nil {
		return nil, errors.New("attend: a dependency is missing")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	n, err := notify.New(ctx, notify.Deps{Ledger: d.Ledger, Sinks: d.Sinks, Now: d.Now, Log: d.Log})
	aside := &asides{d: d, automatic: make(map[int64]bool)}
	desk := newDesk(d, n, aside)
	a := &Attendant{d: d, n: n, desk: desk, w: newWatcher(d, n, aside, desk), inbox: newInbox()}
	if err != nil {
		d.Log.Error("what the administrator was told before cannot be read", "error", err)
		f := mail.AsFailure(err)
		if kind := notify.KindOf(f, false); kind == notify.Store || kind == notify.Disk {
			a.w.raise(string(kind), kind, f, time.Time{})
		}
	}
	a.cancel = d.Subscribe(a.inbox.put)
	return a, nil
}

// Run watches until ctx ends; what was heard by then is still told, within ten
// seconds. It is called once.
func (a *Attendant) Run(ctx context.Context) {
	defer a.cancel()
	telling, stop := context.WithCancel(context.WithoutCancel(ctx))
	var teller, writer sync.WaitGroup
	teller.Go(func() { a.n.Run(telling) })
	writer.Go(func() { a.desk.run(ctx) })
	a.watch(ctx)
	writer.Wait()
	stop()
	teller.Wait()
}

// watch handles events in their order, and counts what is set aside at the
// start, after news and once an hour: a person may have cleared up unseen.
func (a *Attendant) watch(ctx context.Context) {
	count := time.NewTimer(0)
	defer count.Stop()
	var counted time.Time
	for {
		select {
		case <-ctx.Done():
			a.w.handle(ctx, a.inbox.take())
			return
		case <-a.inbox.wake:
			if a.w.handle(ctx, a.inbox.take()) {
				count.Reset(min(max(countRest-a.d.Now().Sub(counted), 0), countRest))
			}
		case <-count.C:
			next := hourly
			if a.w.count(ctx) {
				next = countRest
			}
			counted = a.d.Now()
			count.Reset(next)
		}
	}
}

// inbox takes events from the engine, which must not wait, to watch.
type inbox struct {
	mu     sync.Mutex
	events []engine.Event
	wake   chan struct{}
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (i *inbox) put(ev engine.Event) {
	wanted := []engine.EventKind{engine.EventAttention, engine.EventEnded, engine.EventTarget, engine.EventIdle}
	if !slices.Contains(wanted, ev.Kind) {
		return
	}
	i.mu.Lock()
	// Many attentions of one kind come when a backlog is refused: one says it all.
	if n := len(i.events); n == 0 || !alike(i.events[n-1], ev) {
		i.events = append(i.events, ev)
	}
	i.mu.Unlock()
	wake(i.wake)
}

func alike(a, b engine.Event) bool {
	if a.Kind != b.Kind || a.Mailbox != b.Mailbox || a.Target != b.Target {
		return false
	}
	switch a.Kind {
	case engine.EventIdle:
		return true
	case engine.EventAttention:
		return a.Failure != nil && b.Failure != nil && a.Failure.Code == b.Failure.Code && a.Failure.Op == b.Failure.Op
	}
	return false
}

func (i *inbox) take() []engine.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	events := i.events
	i.events = nil
	return events
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
