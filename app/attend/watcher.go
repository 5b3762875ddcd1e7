package attend

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"postbag/app/config"
	"postbag/app/notify"
	"postbag/engine"
	"postbag/engine/mail"
)

// The causes. They stay the same over restarts and from version to version:
// what was told is remembered under them. Those that count messages are named
// by their kind, and so are the disk and the store, which all mailboxes share.
const (
	causeMailbox    = "mailbox/"    // + id: it is not collected, for whatever reason
	causeRenumbered = "renumbered/" // + id
	causeTarget     = "target/"     // + name
	automatic       = "/automatic"  // behind a kind: messages that no digest may tell of (rule 47)
)

// A mailbox that the provider does not serve is told of when that has lasted: a
// provider that restarts a server is no matter for anybody.
const (
	downTimes = 4             // results in a row
	downFor   = 2 * time.Hour // since the first of them
)

// trouble is what is known of a mailbox that time has not mended yet.
type trouble struct {
	times int
	since time.Time
}

// watcher makes alerts of events. handle and count are called by one goroutine.
type watcher struct {
	d     Deps
	n     *notify.Notifier
	aside *asides
	desk  *desk

	down    map[string]*trouble             // by mailbox
	holders map[notify.Kind]map[string]bool // mailboxes that last met a full disk or a damaged store
	balance map[mail.State]int64            // at the last count
	counted map[string]map[string]bool      // by cause: the ids at the last count
}

func newWatcher(d Deps, n *notify.Notifier, aside *asides, desk *desk) *watcher {
	return &watcher{
		d: d, n: n, aside: aside, desk: desk, down: make(map[string]*trouble),
		counted: make(map[string]map[string]bool),
		holders: map[notify.Kind]map[string]bool{notify.Disk: {}, notify.Store: {}},
	}
}

// handle takes events in their order and tells whether what is set aside has
// to be counted anew.
func (w *watcher) handle(ctx context.Context, events []engine.Event) (count bool) {
	idle := false
	for _, ev := range events {
		switch ev.Kind {
		case engine.EventEnded:
			w.ended(ev)
		case engine.EventTarget:
			w.target(ev)
		case engine.EventAttention:
			count = w.attention(ev) || count
		case engine.EventIdle:
			idle = true
		}
	}
	return count || (idle && w.changed(ctx))
}

// ended judges the result of a mailbox.
func (w *watcher) ended(ev engine.Event) {
	id, f := ev.Mailbox, ev.Result.Failure
	if id == "" {
		id = ev.Result.Mailbox
	}
	if f != nil && f.Code == mail.CodePaused {
		w.desk.note(func(n *notes) { n.paused[id] = true })
		return // by hand: whoever did it knows
	}
	w.desk.note(func(n *notes) { delete(n.paused, id) })
	switch {
	case ev.Result.Kind == engine.ResultOK:
		w.collected(id)
	case f == nil, f.Code == mail.CodeCancelled, f.Code == mail.CodeLoginDelay:
		// Nothing was learnt about the mailbox.
	case f.Code == mail.CodeAuth && w.desk.words(causeMailbox+id).Code == mail.CodeSuspended:
		// The third wrong password: that it suspended the mailbox says more.
	default:
		w.troubled(id, ev.Result.Fetched, f, ev.Time)
	}
}

// troubled tells of a mailbox that was not collected: at once when a person is
// needed, after a while when time may mend it.
func (w *watcher) troubled(id string, fetched int, f *mail.Failure, at time.Time) {
	kind := notify.KindOf(f, false)
	switch {
	case kind.Counted():
		return // about messages, not about the mailbox
	case w.holders[kind] != nil:
		w.holders[kind][id] = true
		w.raise(string(kind), kind, f, time.Time{})
		return
	case f.Class == mail.NeedsUser || f.Class == mail.Internal:
		delete(w.down, id)
		w.raise(causeMailbox+id, kind, f, time.Time{})
		return
	case fetched > 0:
		delete(w.down, id) // the line works
		return
	}
	if at.IsZero() {
		at = w.d.Now()
	}
	t := w.down[id]
	if t == nil || at.Before(t.since) {
		t = &trouble{since: at}
		w.down[id] = t
	}
	t.times++
	if t.times >= downTimes && at.Sub(t.since) >= downFor {
		w.raise(causeMailbox+id, kind, f, t.since)
	}
}

// collected ends what was told of a mailbox. The disk and the store are in
// order again when no mailbox meets their fault any more.
func (w *watcher) collected(id string) {
	delete(w.down, id)
	w.over(causeMailbox + id)
	for kind, holders := range w.holders {
		delete(holders, id)
		maps.DeleteFunc(holders, func(id string, _ bool) bool { return w.mailbox(id) == nil })
		if len(holders) == 0 {
			w.over(string(kind))
		}
	}
}

func (w *watcher) target(ev engine.Event) {
	cause := causeTarget + ev.Target
	f := ev.Failure
	switch {
	case f == nil:
		w.over(cause)
		w.desk.officeIsBack()
	case f.Code == mail.CodeCancelled:
	default:
		now := w.d.Now()
		w.desk.note(func(n *notes) { n.lastDown[ev.Target] = now })
		w.raise(cause, targetKind(f), f, time.Time{})
	}
}

// targetKind is the kind of a fault of an office server, which counts nothing.
func targetKind(f *mail.Failure) notify.Kind {
	kind := notify.KindOf(f, true)
	switch {
	case kind == notify.TargetDown || kind == notify.TargetSettings:
		return kind
	case f.Class == mail.NeedsUser:
		return notify.TargetSettings
	}
	return notify.TargetDown
}

// attention takes what the engine wants a person to know; true: messages were
// set aside.
func (w *watcher) attention(ev engine.Event) (count bool) {
	f := ev.Failure
	if f == nil {
		return false
	}
	kind := notify.KindOf(f, ev.Target != "")
	switch {
	case ev.Target != "" && ev.Mailbox == "":
		w.target(ev)
	case kind == notify.Renumbered:
		w.raise(causeRenumbered+ev.Mailbox, kind, f, time.Time{})
	case kind.Counted(), ev.Mailbox == "", aboutMessage(f):
		return true
	default:
		w.troubled(ev.Mailbox, 0, f, ev.Time)
	}
	return false
}

// aboutMessage tells an attention about one message from one about its mailbox,
// by what was being done.
func aboutMessage(f *mail.Failure) bool {
	return slices.Contains([]string{"RETR", "LIST", "route", "deliver", "queue"}, f.Op)
}

// raise posts an alert and keeps the server's words for the digest.
func (w *watcher) raise(cause string, kind notify.Kind, f *mail.Failure, since time.Time) {
	w.desk.note(func(n *notes) { n.words[cause] = *f })
	w.n.Post(notify.Alert{Cause: cause, Kind: kind, Code: f.Code, Since: since})
	w.desk.hasNews()
}

func (w *watcher) over(cause string) {
	w.desk.note(func(n *notes) { delete(n.words, cause) })
	w.n.Post(notify.Alert{Cause: cause, Over: true})
}

func (w *watcher) mailbox(id string) *config.Mailbox { return mailboxOf(w.d.Config(), id) }

func mailboxOf(cfg *config.Config, id string) *config.Mailbox {
	for i := range cfg.Mailboxes {
		if cfg.Mailboxes[i].ID == id {
			return &cfg.Mailboxes[i]
		}
	}
	return nil
}

// changed tells whether the number of messages that are set aside is another
// one than at the last count.
func (w *watcher) changed(ctx context.Context) bool {
	balance, err := w.d.Balance(ctx)
	if err != nil {
		return false // the hourly count sees it
	}
	return slices.ContainsFunc(asideStates(), func(s mail.State) bool { return balance[s] != w.balance[s] })
}

func asideStates() []mail.State { return []mail.State{mail.Quarantined, mail.Failed, mail.TooBig} }

// count tells how many messages are set aside, for each kind, or that none is
// any more. Those that no digest may tell of are a cause of their own: the
// command and the system's log hear of them (rule 47). again asks for another
// count soon.
func (w *watcher) count(ctx context.Context) (again bool) {
	balance, err := w.d.Balance(ctx)
	if err == nil {
		w.balance = balance
	}
	list, err := w.aside.look(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.d.Log.Error("what is set aside cannot be counted", "error", err)
		}
		return false
	}
	for _, kind := range kinds() {
		for _, cause := range []string{string(kind), string(kind) + automatic} {
			again = w.number(cause, kind, list.ids[cause]) || again
		}
	}
	return again
}

// number posts how many messages a cause has. When some are gone and others
// came, only those that stayed are counted first, and then all: otherwise the
// new ones would pass for those that were told of.
func (w *watcher) number(cause string, kind notify.Kind, ids []string) (again bool) {
	var stayed []string
	for _, id := range ids {
		if w.counted[cause][id] {
			stayed = append(stayed, id)
		}
	}
	if len(stayed) < len(w.counted[cause]) && len(stayed) < len(ids) {
		ids, again = stayed, true
	}
	w.counted[cause] = make(map[string]bool, len(ids))
	for _, id := range ids {
		w.counted[cause][id] = true
	}
	if len(ids) == 0 {
		w.over(cause)
		return again
	}
	a := notify.Alert{Cause: cause, Kind: kind, Count: len(ids)}
	if kind == notify.Loop {
		a.Code = mail.CodeLoop
	}
	w.n.Post(a)
	w.desk.hasNews()
	return again
}

// notes are what the watcher tells the desk.
type notes struct {
	paused   map[string]bool         // mailboxes, by hand
	lastDown map[string]time.Time    // targets: when one was last found to be down
	words    map[string]mail.Failure // the newest failure, by cause
}

// noteBook guards notes.
type noteBook struct {
	mu sync.Mutex
	n  notes
}

func newNoteBook() *noteBook {
	return &noteBook{n: notes{paused: map[string]bool{}, lastDown: map[string]time.Time{}, words: map[string]mail.Failure{}}}
}

func (b *noteBook) note(change func(*notes)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.n)
}

// words returns the newest failure of a cause; a zero one without any.
func (b *noteBook) words(cause string) (f mail.Failure) {
	b.note(func(n *notes) { f = n.words[cause] })
	return f
}

// cutCause splits a cause at its first "/".
func cutCause(cause string) (sort, name string) {
	i := strings.IndexByte(cause, '/')
	if i < 0 {
		return cause, ""
	}
	return cause[:i+1], cause[i+1:]
}
