package control

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// fake is a Service whose answers a test chooses: what a method gets is noted,
// what it returns is the value of its type in vals, or a filled one.
type fake struct {
	mu    sync.Mutex
	asked []string
	err   error  // of whatever is asked
	path  string // of the last backup

	entries  []mail.Entry
	steps    []facts.CheckStep
	lines    []facts.PreviewLine
	events   []facts.Event
	data     []byte
	report   facts.CollectReport
	verdict  facts.Verdict
	status   facts.Status
	story    facts.Story
	entry    mail.Entry
	boxes    []facts.MailboxStatus
	backup   facts.BackupReport
	told     chan error    // gets what the callback answered, when not nil
	wait     chan struct{} // a call stays until its context ends, after telling so here
	stayed   chan error    // gets why its context ended
	hold     chan struct{} // a collection goes on until this is closed, whatever its context says
	stubborn bool          // a call never ends
	panics   bool
}

func (f *fake) begin(ctx context.Context, format string, args ...any) error {
	f.mu.Lock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
	f.mu.Unlock()
	if f.panics {
		panic("the fake's panic")
	}
	if f.stubborn {
		f.wait <- struct{}{}
		select {}
	}
	if f.hold != nil {
		f.wait <- struct{}{}
		<-f.hold
		f.stayed <- ctx.Err()
		return f.err
	}
	if f.wait != nil {
		f.wait <- struct{}{}
		<-ctx.Done()
		f.stayed <- context.Cause(ctx)
		return context.Cause(ctx)
	}
	return f.err
}

func (f *fake) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

// tell hands all values to the callback until it fails.
func tell[T any](f *fake, all []T, each func(T) error) error {
	for _, v := range all {
		if err := each(v); err != nil {
			if f.told != nil {
				f.told <- err
			}
			return fmt.Errorf("each: %w", err)
		}
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Run(ctx context.Context, _ func(facts.Event)) error { return f.begin(ctx, "run") }

func (f *fake) Collect(ctx context.Context, names []string, progress func(facts.Event), changed func(mail.Entry) error) (facts.CollectReport, error) {
	for _, ev := range f.events {
		if progress != nil {
			progress(ev)
		}
	}
	err := f.begin(ctx, "collect %q %v %v", names, progress != nil, changed != nil)
	report := f.report
	if ctx.Err() != nil {
		report.Interrupted, err = true, nil
	}
	if changed != nil {
		err = first(tell(f, f.entries, changed), err)
	}
	return report, err
}

func (f *fake) Check(ctx context.Context, names []string, each func(facts.CheckStep) error) error {
	err := f.begin(ctx, "check %q", names)
	return first(tell(f, f.steps, each), err)
}

func (f *fake) Preview(ctx context.Context, name string, limit int, each func(facts.PreviewLine) error) (facts.Verdict, error) {
	err := f.begin(ctx, "preview %q %d", name, limit)
	return f.verdict, first(tell(f, f.lines, each), err)
}

func (f *fake) Log(ctx context.Context, filter facts.LogFilter, each func(mail.Entry) error) error {
	err := f.begin(ctx, "log %+v", filter)
	return first(tell(f, f.entries, each), err)
}

func (f *fake) Status(ctx context.Context) (facts.Status, error) {
	return f.status, f.begin(ctx, "status")
}

func (f *fake) Queued(ctx context.Context, each func(mail.Entry) error) error {
	err := f.begin(ctx, "queued")
	return first(tell(f, f.entries, each), err)
}

func (f *fake) Story(ctx context.Context, id string) (facts.Story, error) {
	return f.story, f.begin(ctx, "story %q", id)
}

func (f *fake) Retry(ctx context.Context, id string) (mail.Entry, error) {
	return f.entry, f.begin(ctx, "retry %q", id)
}

func (f *fake) Delete(ctx context.Context, id string) (mail.Entry, error) {
	return f.entry, f.begin(ctx, "delete %q", id)
}

func (f *fake) SendTo(ctx context.Context, id, address string) (mail.Entry, error) {
	return f.entry, f.begin(ctx, "send-to %q %q", id, address)
}

func (f *fake) Save(ctx context.Context, id string, w io.Writer) error {
	err := f.begin(ctx, "save %q", id)
	if _, werr := w.Write(f.data); werr != nil {
		if f.told != nil {
			f.told <- werr
		}
		return werr
	}
	return err
}

func (f *fake) Mailboxes(ctx context.Context) ([]facts.MailboxStatus, error) {
	return f.boxes, f.begin(ctx, "mailboxes")
}

func (f *fake) box() facts.MailboxStatus {
	if len(f.boxes) == 0 {
		return facts.MailboxStatus{}
	}
	return f.boxes[0]
}

func (f *fake) Pause(ctx context.Context, name string) (facts.MailboxStatus, error) {
	return f.box(), f.begin(ctx, "pause %q", name)
}

func (f *fake) Resume(ctx context.Context, name string) (facts.MailboxStatus, error) {
	return f.box(), f.begin(ctx, "resume %q", name)
}

func (f *fake) Backup(ctx context.Context, path string) (facts.BackupReport, error) {
	out := f.backup
	out.Path = path
	f.mu.Lock()
	f.path = path
	f.mu.Unlock()
	return out, f.begin(ctx, "backup %q", path)
}

func (f *fake) Close() error { return nil }

// filled is a fake whose every answer has something in every field.
func filled() *fake {
	f, n := &fake{}, 0
	for _, p := range []any{&f.entries, &f.steps, &f.lines, &f.events, &f.report, &f.verdict, &f.status, &f.story, &f.entry, &f.boxes, &f.backup} {
		fill(reflect.ValueOf(p).Elem(), &n)
	}
	f.data = []byte("Subject: x\r\n\r\n\x00\xff bare\nline\r\n")
	return f
}

// fill puts a value of its own into every exported field.
func fill(v reflect.Value, n *int) {
	*n++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2026, 3, 2, 12, 0, *n, 123456789, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("wört <%d>\r\n", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(val, n)
			v.SetMapIndex(key, val)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

// quick are timings for tests: long enough for a busy computer.
func quick() timing {
	return timing{
		Beat: 20 * time.Millisecond, Quiet: 10 * time.Second, Hello: 10 * time.Second, Body: 10 * time.Second,
		Write: 10 * time.Second, Idle: 10 * time.Second, Order: 500 * time.Millisecond, Grace: 10 * time.Second,
	}
}

// engine is a server over a socket of its own.
type engine struct {
	dir  string
	stop context.CancelFunc
	done chan error // gets what serve returned
}

// start serves svc until the test ends.
func start(t *testing.T, svc Service, tm timing) *engine {
	t.Helper()
	dir := t.TempDir()
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, dir, ln, svc, tm)
}

func startOn(t *testing.T, dir string, ln net.Listener, svc Service, tm timing) *engine {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	e := &engine{dir: dir, stop: cancel, done: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.done <- serve(ctx, ln, svc, slog.New(slog.DiscardHandler), tm)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return e
}

func (e *engine) client(t *testing.T, tm timing) *client {
	t.Helper()
	c, err := dial(t.Context(), e.dir, tm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// receive waits for a value, not for ever.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	select {
	case v := <-from:
		return v
	case <-limit.C:
		t.Fatalf("%s did not come", what)
		panic("not reached")
	}
}

// wantFailure checks the code of a failure and its Op.
func wantFailure(t *testing.T, err error, code mail.Code, op string) {
	t.Helper()
	f := mail.AsFailure(err)
	if f == nil || f.Code != code || (op != "" && f.Op != op) {
		t.Fatalf("got %v, want %s of %q", err, code, op)
	}
}

func (f *fake) Watch(ctx context.Context, each func(facts.Event) error) error {
	err := f.begin(ctx, "watch")
	if err = first(tell(f, f.events, each), err); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (f *fake) Reload(ctx context.Context) error { return f.begin(ctx, "reload") }
