package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postbag/engine/mail"
)

// person is a Sink that remembers.
type person struct {
	mu    sync.Mutex
	name  string
	heard []string
	fault error
}

func (p *person) Name() string { return p.name }

func (p *person) Tell(_ context.Context, a Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil {
		return p.fault
	}
	p.heard = append(p.heard, a.Cause+" "+a.state())
	return nil
}

func (p *person) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = err
}

func (p *person) check(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.heard, want) {
		t.Errorf("%s heard %q, want %q", p.name, p.heard, want)
	}
}

type desk struct {
	*Notifier
	now    time.Time
	ledger *Memory
	person *person
}

func (d *desk) later(by time.Duration) { d.now = d.now.Add(by) }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), ledger: new(Memory), person: &person{name: "person"}}
	d.start(t)
	return d
}

// start is what a start of the program does.
func (d *desk) start(t *testing.T) {
	t.Helper()
	n, err := New(t.Context(), Deps{Ledger: d.ledger, Sinks: []Sink{d.person}, Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d.Notifier = n
}

func (d *desk) raise(t *testing.T, cause string, kind Kind, count int) {
	t.Helper()
	if err := d.Handle(t.Context(), Alert{Cause: cause, Kind: kind, Count: count}); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) over(t *testing.T, cause string) {
	t.Helper()
	if err := d.Handle(t.Context(), Alert{Cause: cause, Over: true}); err != nil {
		t.Fatal(err)
	}
}

func TestEachCauseIsToldOnceAndOnceWhenItIsOver(t *testing.T) {
	d := newDesk(t)
	d.over(t, "office") // was never there
	d.raise(t, "office", TargetDown, 0)
	d.later(time.Minute)
	d.raise(t, "office", TargetDown, 0)
	d.raise(t, "anne", NeedsUser, 0)
	d.later(48 * time.Hour)
	d.raise(t, "office", TargetDown, 0)
	d.over(t, "office")
	d.over(t, "office")
	d.raise(t, "office", TargetDown, 0)
	d.person.check(t, "office begin", "anne begin", "office over", "office begin")
	if open := d.Open(); len(open) != 2 || open[0].Cause != "anne" || open[1].Cause != "office" {
		t.Errorf("open: %+v", open)
	}
}

func TestTheOverAlertTellsWhatIsOver(t *testing.T) {
	var got Alert
	d := newDesk(t)
	d.d.Sinks = []Sink{sinkFunc(func(a Alert) { got = a })}
	begin := d.now
	d.raise(t, "office", TargetDown, 0)
	d.later(time.Hour)
	d.over(t, "office")
	if got.Kind != TargetDown || !got.Over || !got.Since.Equal(begin) {
		t.Errorf("told %+v", got)
	}
}

type sinkFunc func(Alert)

func (f sinkFunc) Name() string                          { return "func" }
func (f sinkFunc) Tell(_ context.Context, a Alert) error { f(a); return nil }

func TestARestartTellsNothingAgain(t *testing.T) {
	d := newDesk(t)
	d.raise(t, "office", TargetDown, 0)
	d.start(t)
	d.raise(t, "office", TargetDown, 0)
	d.over(t, "office")
	d.start(t)
	d.over(t, "office")
	d.person.check(t, "office begin", "office over")
}

func TestACauseThatComesAndGoesIsHeldBack(t *testing.T) {
	d := newDesk(t)
	for range 10 {
		d.raise(t, "office", TargetDown, 0)
		d.later(time.Minute)
		d.over(t, "office")
		d.later(time.Minute)
	}
	if got := len(d.person.heard); got != 6 {
		t.Errorf("told %d times, want three beginnings and three ends: %q", got, d.person.heard)
	}
	d.raise(t, "office", TargetDown, 0) // and this one lasts
	d.retry(t.Context())
	if got := len(d.person.heard); got != 6 {
		t.Errorf("told %d times within the hour", got)
	}
	d.later(time.Hour)
	d.retry(t.Context())
	if got := len(d.person.heard); got != 7 {
		t.Errorf("told %d times after the hour", got)
	}
	d.over(t, "office")
	if got := d.person.heard[len(d.person.heard)-1]; got != "office over" {
		t.Errorf("last heard %q", got)
	}
}

func TestASinkThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		second := &person{name: "second"}
		d.d.Sinks = append(d.d.Sinks, second)
		second.fail(errors.New("no line"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { d.Run(ctx); close(done) }()
		d.Post(Alert{Cause: "office", Kind: TargetDown})
		synctest.Wait()
		d.person.check(t, "office begin")
		second.check(t)
		<-time.After(retryEvery + time.Second)
		second.fail(nil)
		<-time.After(retryEvery)
		synctest.Wait()
		d.person.check(t, "office begin")
		second.check(t, "office begin")
		cancel()
		<-done
	})
}

func TestASinkThatAlwaysFailsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		tries := 0
		d.d.Sinks = []Sink{failing{&tries}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { d.Run(ctx); close(done) }()
		d.Post(Alert{Cause: "office", Kind: TargetDown})
		<-time.After(time.Hour)
		cancel()
		<-done
		if tries != mostTries {
			t.Errorf("%d tries, want %d", tries, mostTries)
		}
	})
}

type failing struct{ tries *int }

func (f failing) Name() string { return "failing" }

func (f failing) Tell(context.Context, Alert) error {
	*f.tries++
	return errors.New("no line")
}

// What was posted just before the end is still told.
func TestRunTellsItsLastWords(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.Post(Alert{Cause: "disk", Kind: Disk})
	d.Post(Alert{Cause: "office", Kind: TargetDown})
	d.Post(Alert{Cause: "disk", Kind: Disk, Code: mail.CodeSpoolFull})
	d.Run(ctx)
	d.person.check(t, "office begin", "disk begin")
}

// brokenLedger is the store that the alert is about.
type brokenLedger struct{}

func (brokenLedger) LoadAlerts(context.Context) (map[string]string, error) {
	return nil, errors.New("damaged")
}
func (brokenLedger) SaveAlert(context.Context, string, string) error { return errors.New("damaged") }

func TestAlertsSurviveADamagedStore(t *testing.T) {
	p := &person{name: "person"}
	n, err := New(t.Context(), Deps{Ledger: brokenLedger{}, Sinks: []Sink{p}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err == nil || n == nil {
		t.Fatalf("New: %v, %v", n, err)
	}
	for range 3 {
		if err := n.Handle(t.Context(), Alert{Cause: "store", Kind: Store, Code: mail.CodeStoreDamaged}); err != nil && !strings.Contains(err.Error(), "damaged") {
			t.Error(err)
		}
	}
	p.check(t, "store begin")
}

func TestAnUnreadableRecordIsLeftOut(t *testing.T) {
	m := new(Memory)
	if err := errors.Join(m.SaveAlert(t.Context(), "a", "no json"), m.SaveAlert(t.Context(), "b", `{"kind":"disk"}`)); err != nil {
		t.Fatal(err)
	}
	n, err := New(t.Context(), Deps{Ledger: m, Now: time.Now})
	if err == nil || len(n.Open()) != 1 || n.Open()[0].Cause != "b" {
		t.Errorf("err %v, open %+v", err, n.Open())
	}
}

func causes(records []Record) string {
	var list []string
	for _, r := range records {
		list = append(list, fmt.Sprintf("%s:%d", r.Cause, r.Count))
	}
	return strings.Join(list, " ")
}

func (d *desk) digest(t *testing.T) string {
	t.Helper()
	due := d.DigestDue()
	if err := d.Digested(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	d.start(t) // and all of it outlives a restart
	return causes(due)
}

func TestRule47_OneDigestPerCauseInADay(t *testing.T) {
	d := newDesk(t)
	steps := []struct {
		name string
		do   func()
		want string
	}{
		{"nothing happened", func() {}, ""},
		{"a message is set aside", func() { d.raise(t, "quarantine", Quarantine, 1) }, "quarantine:1"},
		{"another one the same day", func() { d.later(time.Hour); d.raise(t, "quarantine", Quarantine, 2) }, ""},
		{"another cause the same day", func() { d.raise(t, "anne", NeedsUser, 0) }, "anne:0"},
		{"23 hours later", func() { d.later(22 * time.Hour) }, ""},
		{"24 hours later: only what is new", func() { d.later(time.Hour) }, "quarantine:2"},
		{"what lasts comes once a day", func() { d.later(time.Hour) }, "anne:0"},
		{"what was told does not come again", func() { d.later(23 * time.Hour) }, ""},
		{"some cleared up, one more comes", func() {
			d.later(24 * time.Hour)
			d.raise(t, "quarantine", Quarantine, 0)
			d.raise(t, "quarantine", Quarantine, 1)
		}, "quarantine:1 anne:0"},
		{"over, and told before", func() { d.over(t, "anne"); d.over(t, "quarantine"); d.later(48 * time.Hour) }, ""},
		{"short trouble that is over", func() { d.raise(t, "office", TargetDown, 0); d.later(time.Minute); d.over(t, "office") }, ""},
		{"long trouble that is over", func() { d.raise(t, "office", TargetDown, 0); d.later(2 * time.Hour); d.over(t, "office") }, "office:0"},
		{"the clock was set back for years", func() { d.later(-100 * 24 * time.Hour); d.raise(t, "anne", NeedsUser, 0) }, "anne:0"},
	}
	for _, s := range steps {
		s.do()
		if got := d.digest(t); got != s.want {
			t.Errorf("%s: digest of %q, want %q", s.name, got, s.want)
		}
	}
}

func TestForgetDropsWhatIsLongOver(t *testing.T) {
	d := newDesk(t)
	d.raise(t, "a", NeedsUser, 0)
	d.raise(t, "b", NeedsUser, 0)
	d.digest(t)
	d.over(t, "a")
	for _, want := range []int{2, 1} {
		if err := d.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		if states, err := d.ledger.LoadAlerts(t.Context()); err != nil || len(states) != want {
			t.Errorf("%d kept, want %d (%v)", len(states), want, err)
		}
		d.later(25 * time.Hour)
	}
}

func TestKindOf(t *testing.T) {
	cases := []struct {
		f        mail.Failure
		atTarget bool
		want     Kind
	}{
		{mail.Failure{Class: mail.Transient, Code: mail.CodeConnect}, true, TargetDown},
		{mail.Failure{Class: mail.Transient, Code: mail.CodeConnect}, false, SourceDown},
		{mail.Failure{Class: mail.NeedsUser, Code: mail.CodeAuth}, false, NeedsUser},
		{mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTLSPin}, true, TargetSettings},
		{mail.Failure{Class: mail.Transient, Code: mail.CodeRelay}, true, TargetSettings},
		{mail.Failure{Class: mail.Transient, Code: mail.CodeSuspended}, false, NeedsUser},
		{mail.Failure{Code: mail.CodeDiskFull}, false, Disk},
		{mail.Failure{Code: mail.CodeSpoolFull}, true, Disk},
		{mail.Failure{Code: mail.CodeStoreDamaged}, false, Store},
		{mail.Failure{Code: mail.CodeLoop}, true, Loop},
		{mail.Failure{Code: mail.CodeTooBig}, false, TooBig},
		{mail.Failure{Class: mail.NeedsUser, Code: mail.CodeRenumbered}, false, Renumbered},
		{mail.Failure{Code: mail.CodeInternal}, true, Internal},
		{mail.Failure{Class: mail.Internal, Code: mail.CodeClosed}, false, Internal},
	}
	for _, c := range cases {
		if got := KindOf(&c.f, c.atTarget); got != c.want {
			t.Errorf("%v at target %v: %s, want %s", c.f.Error(), c.atTarget, got, c.want)
		}
	}
}
