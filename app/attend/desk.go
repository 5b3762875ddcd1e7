package attend

import (
	"context"
	"slices"
	"strings"
	"time"

	"postbag/app/digest"
	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine/mail"
)

// deliveryTime bounds the handing over of one digest.
const deliveryTime = 15 * time.Minute

// stale is how long nobody has found a target to be down before the desk
// believes its own connection: mail that waits is tried more often than that.
const stale = 90 * time.Minute

// renumberedFor is how long a mailbox that was numbered anew stays something
// to tell: nothing more happens that would end it.
const renumberedFor = 24 * time.Hour

// desk writes the digests.
type desk struct {
	*noteBook
	d     Deps
	n     *notify.Notifier
	aside *asides
	begun time.Time
	news  chan struct{}
	back  chan struct{}
}

func newDesk(d Deps, n *notify.Notifier, aside *asides) *desk {
	return &desk{
		noteBook: newNoteBook(), d: d, n: n, aside: aside, begun: d.Now(),
		news: make(chan struct{}, 1), back: make(chan struct{}, 1),
	}
}

// hasNews says that something may be to tell.
func (k *desk) hasNews() { wake(k.news) }

// officeIsBack says that a digest that could not be delivered may be now.
func (k *desk) officeIsBack() { wake(k.back) }

// rhythm finds the time of the next round.
type rhythm struct {
	asked  time.Time // the first news that wait; zero: none
	sent   time.Time // the last digest
	failed time.Time // the last that could not be delivered
}

// soon is how long to wait after news at now.
func (r *rhythm) soon(now time.Time) time.Duration {
	if r.asked.IsZero() || now.Before(r.asked) {
		r.asked = now
	}
	at := now.Add(rest)
	if limit := r.asked.Add(patience); limit.Before(at) {
		at = limit
	}
	if !r.sent.IsZero() && r.sent.Add(hourly).After(at) {
		at = r.sent.Add(hourly)
	}
	if !r.failed.IsZero() && r.failed.Add(tryAgain).After(at) {
		at = r.failed.Add(tryAgain)
	}
	return min(max(at.Sub(now), 0), hourly) // whatever became of the clock
}

// run writes digests until ctx ends: soon after the start and after news, and
// looks once an hour.
func (k *desk) run(ctx context.Context) {
	var r rhythm
	timer := time.NewTimer(r.soon(k.d.Now()))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.back:
			r.failed = time.Time{}
			timer.Reset(r.soon(k.d.Now()))
		case <-k.news:
			timer.Reset(r.soon(k.d.Now()))
		case <-timer.C:
			sent, err := k.round(ctx)
			now := k.d.Now()
			r.asked, r.failed = time.Time{}, time.Time{}
			switch {
			case err != nil && ctx.Err() == nil:
				k.d.Log.Warn("the digest for the administrator could not be delivered; it is tried again", "error", err)
				r.failed = now
			case sent:
				r.sent = now
			}
			timer.Reset(hourly)
		}
	}
}

// round writes one digest if there is anything to tell. What could not be
// delivered stays due.
func (k *desk) round(ctx context.Context) (sent bool, err error) {
	if err := k.n.Forget(ctx); err != nil {
		k.d.Log.Warn("what is long over could not be forgotten", "error", err)
	}
	k.settleRenumbered(ctx)
	admin := k.d.Config().Office.Administrator
	if k.d.Mailer == nil || admin == "" {
		return false, nil
	}
	if letter, _, err := k.write(ctx, ""); letter == nil || err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	target, err := k.d.Mailer.Reach(ctx, admin)
	if err != nil {
		return false, err
	}
	k.believe(ctx, target)
	letter, told, err := k.write(ctx, target)
	if letter == nil || err != nil {
		return false, err
	}
	err = k.d.Mailer.Deliver(ctx, *letter)
	if err != nil && mail.AsFailure(err).Code != mail.CodeNoReply {
		return false, err
	}
	// No reply to the final dot: the office may have it, and nobody wants it
	// twice (rule 47).
	if err := k.n.Digested(ctx, told); err != nil {
		k.d.Log.Error("that a digest was sent could not be kept", "error", err)
	}
	k.d.Log.Info("a digest was sent to the administrator", "causes", len(told))
	return true, nil
}

// believe ends the cause of a target that answers again, when nothing waited
// for it by which the engine would have noticed.
func (k *desk) believe(ctx context.Context, target string) {
	now := k.d.Now()
	last := k.begun
	k.note(func(n *notes) {
		if t, ok := n.lastDown[target]; ok {
			last = t
		}
	})
	if now.Sub(last) < stale {
		return
	}
	for _, r := range k.n.Open() {
		if r.Cause == causeTarget+target && r.Kind == notify.TargetDown {
			k.end(ctx, r.Cause)
		}
	}
}

// settleRenumbered ends the word about mailboxes that were numbered anew a day
// ago.
func (k *desk) settleRenumbered(ctx context.Context) {
	now := k.d.Now()
	for _, r := range k.n.Open() {
		if strings.HasPrefix(r.Cause, causeRenumbered) && now.Sub(r.Since) >= renumberedFor {
			k.end(ctx, r.Cause)
		}
	}
}

func (k *desk) end(ctx context.Context, cause string) {
	if err := k.n.Handle(ctx, notify.Alert{Cause: cause, Over: true}); err != nil {
		k.d.Log.Warn("the end of an alert did not get through", "error", err)
	}
}

// write composes the digest of what is due; nil when there is nothing. reached
// names the office server that will take it: a digest does not tell that its
// own way is closed.
func (k *desk) write(ctx context.Context, reached string) (*digest.Letter, []notify.Record, error) {
	due := slices.DeleteFunc(k.n.DigestDue(), func(r notify.Record) bool {
		return !k.concerns(r) || reached != "" && r.Cause == causeTarget+reached && r.Kind == notify.TargetDown && !r.Over
	})
	if len(due) == 0 {
		return nil, nil, nil
	}
	list, err := k.aside.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	var causes []digest.Cause
	var told []notify.Record
	for _, r := range due {
		if c, ok := k.cause(r, list); ok {
			r.Count = c.Count // what is told now is not told again
			causes, told = append(causes, c), append(told, r)
		}
	}
	cfg := k.d.Config()
	if len(causes) == 0 || len(cfg.Office.Domains) == 0 {
		return nil, nil, nil
	}
	letter, ok := digest.Compose(digest.Input{
		Causes: causes, Domain: cfg.Office.Domains[0], Administrator: cfg.Office.Administrator,
		Installation: k.d.Installation, Now: k.d.Now(), Texts: k.d.Texts,
	})
	if !ok {
		return nil, nil, nil
	}
	return &letter, told, nil
}

// cause describes what is due; false when it was cleared up meanwhile.
func (k *desk) cause(r notify.Record, list found) (digest.Cause, bool) {
	c := digest.FromRecord(r)
	c.Context = k.about(r)
	if r.Kind.Counted() {
		c.Messages = list.tell[r.Kind]
		c.Count = len(c.Messages)
		return c, c.Count > 0
	}
	if f := k.words(r.Cause); c.Failure != nil && f.Code == c.Failure.Code {
		c.Failure = &mail.Failure{Class: f.Class, Code: f.Code, Op: f.Op, Reply: f.Reply}
	}
	return c, true
}

// concerns tells whether a digest may tell of the cause: not of messages that
// machines sent (rule 47), not of what is no longer configured or was paused by
// hand.
func (k *desk) concerns(r notify.Record) bool {
	if strings.HasSuffix(r.Cause, automatic) && r.Kind.Counted() {
		return false
	}
	cfg := k.d.Config()
	switch sort, name := cutCause(r.Cause); sort {
	case causeMailbox, causeRenumbered:
		paused := false
		k.note(func(n *notes) { paused = n.paused[name] })
		m := mailboxOf(cfg, name)
		return m != nil && m.Enabled && !paused
	case causeTarget:
		return slices.ContainsFunc(cfg.Targets, targetNamed(name))
	}
	return true
}

// about names the mailbox or target of a cause.
func (k *desk) about(r notify.Record) i18n.Context {
	cfg := k.d.Config()
	sort, name := cutCause(r.Cause)
	switch sort {
	case causeMailbox, causeRenumbered:
		if m := mailboxOf(cfg, name); m != nil {
			return i18n.Context{Side: i18n.SideSource, Name: m.Name, Host: m.Host}
		}
	case causeTarget:
		if i := slices.IndexFunc(cfg.Targets, targetNamed(name)); i >= 0 {
			return i18n.Context{Side: i18n.SideTarget, Name: name, Host: cfg.Targets[i].Host}
		}
	}
	if r.Kind == notify.Failed || r.Kind == notify.TooBig {
		return i18n.Context{Side: i18n.SideSource}
	}
	return i18n.Context{}
}
