package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// TestConformance runs one suite against a Service in this process and against
// the same one through client and server.
func TestConformance(t *testing.T) {
	for name, open := range map[string]func(*testing.T, *fake) Service{
		"in-process": func(_ *testing.T, f *fake) Service { return f },
		"remote":     func(t *testing.T, f *fake) Service { return start(t, f, quick()).client(t, quick()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("values", func(t *testing.T) { conformValues(t, open) })
			t.Run("empty", func(t *testing.T) { conformEmpty(t, open) })
			t.Run("errors", func(t *testing.T) { conformErrors(t, open) })
			t.Run("callback fails", func(t *testing.T) { conformCallback(t, open) })
			t.Run("cancel", func(t *testing.T) { conformCancel(t, open) })
			t.Run("interrupt", func(t *testing.T) { conformInterrupt(t, open) })
			t.Run("save", func(t *testing.T) { conformSave(t, open) })
			t.Run("many", func(t *testing.T) { conformMany(t, open) })
			t.Run("watch", func(t *testing.T) { conformWatch(t, open) })
			t.Run("at once", func(t *testing.T) { conformAtOnce(t, open) })
		})
	}
}

type opener func(*testing.T, *fake) Service

// call is one method with fixed arguments; got is everything it told.
type call struct {
	name  string
	asked string
	do    func(ctx context.Context, s Service, stop error) (got []any, err error)
	want  func(f *fake) []any // nil for calls that tell nothing
	tells bool                // has a callback that may fail
}

var since = time.Date(2026, 3, 1, 0, 0, 0, 5, time.UTC)

func gather[T any](got *[]any, stop error) func(T) error {
	return func(v T) error { *got = append(*got, v); return stop }
}

func spread[T any](all []T, more ...any) []any {
	var out []any
	for _, v := range all {
		out = append(out, v)
	}
	return append(out, more...)
}

func calls(backup string) []call {
	return []call{
		{"check", `check ["a" "b c"]`, func(ctx context.Context, s Service, stop error) (got []any, err error) {
			err = s.Check(ctx, []string{"a", "b c"}, gather[facts.CheckStep](&got, stop))
			return got, err
		}, func(f *fake) []any { return spread(f.steps) }, true},
		{"preview", `preview "m" 7`, func(ctx context.Context, s Service, stop error) (got []any, err error) {
			v, err := s.Preview(ctx, "m", 7, gather[facts.PreviewLine](&got, stop))
			return append(got, v), err
		}, func(f *fake) []any { return spread(f.lines, f.verdict) }, true},
		{"log", fmt.Sprintf("log %+v", facts.LogFilter{Since: since, Search: "x", State: mail.Queued, Mailbox: "m", Limit: 3}), func(ctx context.Context, s Service, stop error) (got []any, err error) {
			err = s.Log(ctx, facts.LogFilter{Since: since, Search: "x", State: mail.Queued, Mailbox: "m", Limit: 3}, gather[mail.Entry](&got, stop))
			return got, err
		}, func(f *fake) []any { return spread(f.entries) }, true},
		{"queued", "queued", func(ctx context.Context, s Service, stop error) (got []any, err error) {
			err = s.Queued(ctx, gather[mail.Entry](&got, stop))
			return got, err
		}, func(f *fake) []any { return spread(f.entries) }, true},
		single("status", "status", func(ctx context.Context, s Service) (any, error) { return s.Status(ctx) }, func(f *fake) any { return f.status }),
		single("story", `story "K 1"`, func(ctx context.Context, s Service) (any, error) { return s.Story(ctx, "K 1") }, func(f *fake) any { return f.story }),
		single("retry", `retry "K1"`, func(ctx context.Context, s Service) (any, error) { return s.Retry(ctx, "K1") }, func(f *fake) any { return f.entry }),
		single("delete", `delete "K1"`, func(ctx context.Context, s Service) (any, error) { return s.Delete(ctx, "K1") }, func(f *fake) any { return f.entry }),
		single("send-to", `send-to "K1" "zoé@office.test"`, func(ctx context.Context, s Service) (any, error) { return s.SendTo(ctx, "K1", "zoé@office.test") }, func(f *fake) any { return f.entry }),
		single("mailboxes", "mailboxes", func(ctx context.Context, s Service) (any, error) { return s.Mailboxes(ctx) }, func(f *fake) any { return f.boxes }),
		single("pause", `pause "Whole office"`, func(ctx context.Context, s Service) (any, error) { return s.Pause(ctx, "Whole office") }, func(f *fake) any { return f.box() }),
		single("resume", `resume "Whole office"`, func(ctx context.Context, s Service) (any, error) { return s.Resume(ctx, "Whole office") }, func(f *fake) any { return f.box() }),
		single("backup", fmt.Sprintf("backup %q", backup), func(ctx context.Context, s Service) (any, error) { return s.Backup(ctx, backup) },
			func(f *fake) any { return facts.BackupReport{Path: backup, Size: f.backup.Size} }),
		{"reload", "reload", func(ctx context.Context, s Service, _ error) ([]any, error) { return nil, s.Reload(ctx) }, func(*fake) []any { return nil }, false},
	}
}

func single(name, asked string, do func(context.Context, Service) (any, error), want func(*fake) any) call {
	return call{name: name, asked: asked, do: func(ctx context.Context, s Service, _ error) ([]any, error) {
		v, err := do(ctx, s)
		return []any{v}, err
	}, want: func(f *fake) []any { return []any{want(f)} }}
}

// collectCall is the collection, whose cancellation is another matter.
func collectCall() call {
	return call{"collect", `collect ["a"] true true`, func(ctx context.Context, s Service, stop error) (got []any, err error) {
		var mu sync.Mutex
		r, err := s.Collect(ctx, []string{"a"}, func(ev facts.Event) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, ev)
		}, gather[mail.Entry](&got, stop))
		return append(got, r), err
	}, func(f *fake) []any { return append(spread(f.events), spread(f.entries, f.report)...) }, true}
}

func conformValues(t *testing.T, open opener) {
	f := filled()
	f.report.Interrupted = false
	s := open(t, f)
	path := filepath.Join(t.TempDir(), "b.zip")
	for _, c := range append(calls(path), collectCall()) {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.do(t.Context(), s, nil)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.want(f); !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
			if asked := f.calls(); asked[len(asked)-1] != c.asked {
				t.Errorf("asked %s, want %s", asked[len(asked)-1], c.asked)
			}
		})
	}
}

func conformEmpty(t *testing.T, open opener) {
	f := &fake{}
	s := open(t, f)
	path := filepath.Join(t.TempDir(), "b")
	for _, c := range append(calls(path), collectCall()) {
		got, err := c.do(t.Context(), s, nil)
		if want := c.want(f); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v %v, want %+v", c.name, got, err, want)
		}
	}
	r, err := s.Collect(t.Context(), nil, nil, nil)
	if err != nil || !reflect.DeepEqual(r, facts.CollectReport{}) {
		t.Errorf("collect: %+v %v", r, err)
	}
	if asked := f.calls(); asked[len(asked)-1] != "collect [] false false" {
		t.Errorf("asked %s", asked[len(asked)-1])
	}
	if err := s.Log(t.Context(), facts.LogFilter{}, func(mail.Entry) error { return nil }); err != nil {
		t.Error(err)
	}
	if asked := f.calls(); asked[len(asked)-1] != fmt.Sprintf("log %+v", facts.LogFilter{}) {
		t.Errorf("asked %s", asked[len(asked)-1])
	}
}

func conformErrors(t *testing.T, open opener) {
	busy := &mail.Failure{Class: mail.Permanent, Code: mail.CodeUnknownUser, Op: "RCPT TO", Reply: "550 5.1.1 nö", Err: errors.New("the cause")}
	gone := &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeNotFound, Op: "K9"}
	config := &facts.ConfigError{Path: "/etc/p.toml", Problems: []facts.Problem{{Field: "mailbox[0].host", Line: 3, Code: "x", Message: "é", Warning: true}, {Line: 4}}}
	for name, c := range map[string]struct {
		err  error
		want []error // each is found inside
	}{
		"failure": {busy, []error{busy}},
		"wrapped": {fmt.Errorf("in between: %w", gone), []error{gone}},
		"config":  {config, []error{config}},
		"joined":  {errors.Join(busy, config), []error{busy, config}},
	} {
		t.Run(name, func(t *testing.T) {
			f := filled()
			f.err = c.err
			s := open(t, f)
			for _, m := range append(calls(filepath.Join(t.TempDir(), "b")), collectCall()) {
				_, err := m.do(t.Context(), s, nil)
				for _, want := range c.want {
					sameInside(t, m.name, err, want)
				}
			}
			// What was found out before the error counts.
			if got, _ := collectCall().do(t.Context(), s, nil); !reflect.DeepEqual(got, collectCall().want(f)) {
				t.Errorf("the report beside the error: %+v", got)
			}
		})
	}
}

func sameInside(t *testing.T, name string, err, want error) {
	t.Helper()
	switch want := want.(type) {
	case *mail.Failure:
		got, ok := errors.AsType[*mail.Failure](err)
		if !ok || got.Class != want.Class || got.Code != want.Code || got.Op != want.Op || got.Reply != want.Reply || got.Error() != want.Error() {
			t.Errorf("%s: got %#v, want %#v", name, got, want)
		}
	case *facts.ConfigError:
		if got, ok := errors.AsType[*facts.ConfigError](err); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %+v", name, err, want)
		}
	}
}

// conformCallback: the error of a callback ends the call at once, is returned,
// and reaches the engine as an error.
func conformCallback(t *testing.T, open opener) {
	stop := errors.New("the reader had enough")
	for _, c := range calls("") {
		if !c.tells {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			f := filled()
			for len(f.entries) < 50_000 { // more than fits on the way
				f.entries = append(f.entries, f.entries...)
			}
			f.steps, f.lines = slices.Repeat(f.steps, 30_000), slices.Repeat(f.lines, 30_000)
			f.told = make(chan error, 1)
			got, err := c.do(t.Context(), open(t, f), stop)
			if !errors.Is(err, stop) {
				t.Errorf("got %v", err)
			}
			if n := len(got); n > 2 {
				t.Errorf("the callback was called %d times", n)
			}
			if err := receive(t, f.told, "the end of the call"); err == nil {
				t.Error("the engine was not told")
			}
		})
	}
	t.Run("collect", func(t *testing.T) {
		f := filled()
		n := 0
		r, err := open(t, f).Collect(t.Context(), nil, nil, func(mail.Entry) error { n++; return stop })
		if !errors.Is(err, stop) || n != 1 || r.Queued != f.report.Queued {
			t.Errorf("%v after %d, report %+v", err, n, r)
		}
	})
}

// conformCancel: a call ends within a second of its context, and the engine
// learns of it.
func conformCancel(t *testing.T, open opener) {
	for _, c := range calls(filepath.Join(t.TempDir(), "b")) {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{wait: make(chan struct{}, 1), stayed: make(chan error, 1)}
			s := open(t, f)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { _, err := c.do(ctx, s, nil); ended <- err }()
			receive(t, f.wait, "the call")
			at := time.Now()
			cancel()
			err := receive(t, ended, "the end of the call")
			if took := time.Since(at); took > time.Second {
				t.Errorf("took %v", took)
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if receive(t, f.stayed, "the end of the engine's context") == nil {
				t.Error("the engine's context did not end")
			}
		})
	}
}

// conformInterrupt: an interrupted collection reports what it did.
func conformInterrupt(t *testing.T, open opener) {
	f := filled()
	f.report.Interrupted = false
	f.wait, f.stayed = make(chan struct{}, 1), make(chan error, 1)
	s := open(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { <-f.wait; cancel() }()
	got, err := collectCall().do(ctx, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.report.Interrupted = true
	if want := collectCall().want(f); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func conformSave(t *testing.T, open opener) {
	f := &fake{}
	s := open(t, f)
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3<<20 + 7} {
		f.data = bytes.Repeat([]byte("\x00\xff\r\n.\n"), n/6+1)[:n]
		var got bytes.Buffer
		if err := s.Save(t.Context(), "K1", &got); err != nil || !bytes.Equal(got.Bytes(), f.data) {
			t.Errorf("%d bytes: %v, %d came", n, err, got.Len())
		}
	}
	full := errors.New("no space left")
	f.data, f.told = make([]byte, 100<<20), make(chan error, 1)
	if err := s.Save(t.Context(), "K1", failing{full}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if receive(t, f.told, "the writer's error") == nil {
		t.Error("the engine was not told")
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// conformMany: order is kept over more than fits on the way.
func conformMany(t *testing.T, open opener) {
	f := &fake{entries: make([]mail.Entry, 6_000)}
	for i := range f.entries {
		f.entries[i] = mail.Entry{Row: int64(i), Subject: "a subject that makes the line longer than nothing"}
	}
	next := int64(0)
	err := open(t, f).Queued(t.Context(), func(e mail.Entry) error {
		if e.Row != next {
			t.Errorf("row %d came instead of %d", e.Row, next)
		}
		next++
		return nil
	})
	if err != nil || next != int64(len(f.entries)) {
		t.Errorf("%v after %d", err, next)
	}
}

func conformAtOnce(t *testing.T, open opener) {
	f := filled()
	s := open(t, f)
	var wg sync.WaitGroup
	for range 8 {
		for _, c := range append(calls(filepath.Join(t.TempDir(), "b")), collectCall()) {
			wg.Go(func() {
				if _, err := c.do(t.Context(), s, nil); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			})
		}
	}
	wg.Wait()
}

// conformWatch: every event comes in its order, and the end of the context is
// the ordinary end.
func conformWatch(t *testing.T, open opener) {
	f := filled()
	s := open(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []facts.Event
	err := s.Watch(ctx, func(ev facts.Event) error {
		if got = append(got, ev); len(got) == len(f.events) {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Errorf("the end of a watch is an error: %v", err)
	}
	if !reflect.DeepEqual(got, f.events) {
		t.Errorf("heard %+v, want %+v", got, f.events)
	}
}
