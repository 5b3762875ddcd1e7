package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"postbag/app/attend"
	"postbag/app/config"
	"postbag/app/control"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine"
	"postbag/engine/mail"
)

// Run is the engine by schedule until ctx ends, which is no error. Other
// programs reach it through the socket meanwhile.
func (l *Local) Run(ctx context.Context, progress func(facts.Event)) error {
	var wg sync.WaitGroup
	var served error
	wg.Go(func() { served = l.ServeOthers(ctx) })
	err := l.Work(ctx, progress)
	wg.Wait()
	return errors.Join(err, served)
}

// ServeOthers answers other programs on the data folder until ctx ends.
func (l *Local) ServeOthers(ctx context.Context) error {
	if l.socket == nil {
		return nil
	}
	return control.Serve(ctx, l.socket, l, l.logger())
}

// Work collects by schedule and delivers, until ctx ends.
func (l *Local) Work(ctx context.Context, progress func(facts.Event)) error {
	defer l.forward(progress)()
	attendant, err := l.attendant(ctx)
	if err != nil {
		return err
	}
	l.announce(facts.Event{Kind: facts.EventStarted}, progress)
	stop := context.AfterFunc(ctx, func() { l.announce(facts.Event{Kind: facts.EventStopping}, progress) })
	defer stop()
	l.serving.Store(true)
	defer l.serving.Store(false)

	// What needs the administrator is told until the engine has stopped.
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { attendant.Run(last) })
	err = l.engine.Run(ctx)
	cancel()
	wg.Wait()
	return err
}

// Watch calls each for every event of the engine until ctx ends, which is no
// error. What the engine does not wait for, a slow listener misses.
func (l *Local) Watch(ctx context.Context, each func(facts.Event) error) error {
	queue := make(chan facts.Event, 1000)
	put := func(ev facts.Event) {
		select {
		case queue <- ev:
		default:
		}
	}
	defer l.forward(put)()
	defer l.watchers.add(put)()
	for {
		select {
		case ev := <-queue:
			if err := each(ev); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// announce tells what the engine itself does not publish.
func (l *Local) announce(ev facts.Event, progress func(facts.Event)) {
	ev.Time = time.Now()
	send(progress, ev)
	l.watchers.tell(ev)
}

// attendant tells the administrator what needs him.
func (l *Local) attendant(ctx context.Context) (*attend.Attendant, error) {
	texts := i18n.New(l.o.Lang)
	mailer := attend.NewDeliverer(attend.DelivererDeps{
		Lookup:  l.parts().lookup,
		Unknown: func() string { return l.config().Office.UnknownRecipient },
		Targets: l.engine.Targets,
		Secret:  l.parts().targetSecret,
		Now:     time.Now,
		Log:     l.logger(),
	})
	return attend.New(ctx, attend.Deps{
		Subscribe: l.engine.Subscribe,
		Config:    func() *config.Config { return l.config() },
		Queue:     l.store.Queue, Balance: l.store.Balance, Open: l.store.OpenMessage,
		Ledger: notify.NewStoreLedger(l.store, time.Now),
		Sinks: attend.Sinks(attend.SinkOptions{
			Config: l.config(), Texts: texts, Now: time.Now, Log: l.logger(), System: &notify.SystemOptions{Texts: texts},
		}),
		Mailer: mailer, Texts: texts, Now: time.Now, Installation: l.store.InstallationID(), Log: l.logger(),
	})
}

// Collect collects the named mailboxes once, all when there is no name. Naming
// one lifts its suspension.
func (l *Local) Collect(ctx context.Context, names []string, progress func(facts.Event), changed func(mail.Entry) error) (facts.CollectReport, error) {
	var ids []string
	for _, name := range names {
		m, err := l.mailboxByName(name)
		if err != nil {
			return facts.CollectReport{}, err
		}
		ids = append(ids, m.ID)
	}
	for _, id := range ids {
		if err := l.engine.Lift(ctx, id); err != nil {
			return facts.CollectReport{}, err
		}
	}
	defer l.forward(progress)()
	collect := l.engine.CollectOnce
	if l.serving.Load() {
		collect = l.engine.Collect
	}
	rep, err := collect(ctx, ids)
	if err != nil && len(rep.Results) == 0 {
		return facts.CollectReport{}, err
	}
	ctx = context.WithoutCancel(ctx)
	out := l.collectReport(rep)
	delivered, cerr := l.tell(ctx, rep.Rows, changed)
	out.Delivered = delivered
	berr := l.store.Entries(ctx, rep.TooBig, func(en mail.Entry) error {
		out.TooBig = append(out.TooBig, facts.TooBig{ID: en.ID, Mailbox: l.nameOf(en.MailboxID), From: en.From, Subject: en.Subject, Size: en.Size})
		return nil
	})
	targets, terr := l.targets(ctx)
	out.Targets = targets
	return out, errors.Join(err, cerr, berr, terr)
}

// tell hands over every message that the run changed, in its last state, and
// counts those delivered.
func (l *Local) tell(ctx context.Context, rows []int64, changed func(mail.Entry) error) (delivered int, err error) {
	if changed == nil {
		return l.store.CountRows(ctx, rows, mail.Delivered)
	}
	err = l.store.Entries(ctx, rows, func(en mail.Entry) error {
		if en.State == mail.Delivered {
			delivered++
		}
		return changed(l.named(en))
	})
	return delivered, err
}

// named puts the mailbox's name of today into an entry.
func (l *Local) named(en mail.Entry) mail.Entry {
	en.Mailbox = l.nameOf(en.MailboxID)
	return en
}

func (l *Local) collectReport(rep engine.Report) facts.CollectReport {
	out := facts.CollectReport{
		Queued: rep.Queued, Quarantined: rep.Quarantined, Failed: rep.SetAside, Interrupted: rep.Interrupted,
	}
	for _, r := range rep.Results {
		out.Mailboxes = append(out.Mailboxes, l.mailboxResult(r))
	}
	return out
}

func (l *Local) mailboxResult(r engine.Result) facts.MailboxResult {
	out := facts.MailboxResult{Mailbox: l.nameOf(r.Mailbox), Result: string(r.Kind), New: r.New, BadLines: r.BadLines, Undeleted: r.Undeleted}
	if r.Failure != nil {
		out.Fault = facts.FaultOf(r.Failure)
	}
	if m := l.mailboxByID(r.Mailbox); m != nil {
		out.Host = m.Host
	}
	return out
}

// forward translates the engine's events for those who show them.
func (l *Local) forward(progress func(facts.Event)) (cancel func()) {
	if progress == nil {
		return func() {}
	}
	return l.engine.Subscribe(func(ev engine.Event) {
		if out, ok := l.translate(ev); ok {
			progress(out)
		}
	})
}

func (l *Local) translate(ev engine.Event) (facts.Event, bool) {
	out := facts.Event{Time: ev.Time, Target: ev.Target, Done: ev.Done, Total: ev.Total, Bytes: ev.DoneBytes, Whole: ev.TotalBytes}
	if ev.Mailbox != "" {
		out.Mailbox = l.nameOf(ev.Mailbox)
		if m := l.mailboxByID(ev.Mailbox); m != nil {
			out.Host = m.Host
		}
	}
	if ev.Failure != nil {
		out.Fault = facts.FaultOf(ev.Failure)
	}
	switch ev.Kind {
	case engine.EventSession:
		out.Kind = facts.EventMailboxStart
	case engine.EventListed, engine.EventFetched:
		out.Kind = facts.EventFetched
	case engine.EventEnded:
		out.Kind = facts.EventMailboxEnd
		res := l.mailboxResult(ev.Result)
		out.Result = &res
	case engine.EventSettled:
		out.Kind = facts.EventDelivered
	case engine.EventTarget:
		out.Kind, out.Until = facts.EventTargetUp, ev.Until
		if ev.Failure != nil {
			out.Kind = facts.EventTargetDown
		}
	default:
		return out, false
	}
	return out, true
}

func send(progress func(facts.Event), ev facts.Event) {
	if progress != nil {
		progress(ev)
	}
}
