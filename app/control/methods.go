package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// work is one call, ready to run.
type work func(ctx context.Context, out *stream) (result any, err error)

// method is one method of Service as it is called over the line.
type method struct {
	prepare func(args []byte) (work, error)
	// stays: the call goes on when its client goes away.
	stays bool
}

// takes makes a method of a function with arguments of type A. Arguments that
// are unknown here are refused: to leave out what a newer client asked for
// could do the wrong thing.
func takes[A any](f func(ctx context.Context, args A, out *stream) (any, error)) method {
	return method{prepare: func(b []byte) (work, error) {
		var args A
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&args); err != nil {
			return nil, err
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return nil, errors.New("more than one object")
		}
		return func(ctx context.Context, out *stream) (any, error) { return f(ctx, args, out) }, nil
	}}
}

// methods are all that can be called, by the last part of their path.
func (s *server) methods() map[string]method {
	all := map[string]method{
		"check": takes(func(ctx context.Context, a namesArgs, out *stream) (any, error) {
			return nil, s.svc.Check(ctx, a.Names, func(step facts.CheckStep) error { return out.send(ctx, frame{Check: &step}) })
		}),
		"preview": takes(func(ctx context.Context, a previewArgs, out *stream) (any, error) {
			return s.svc.Preview(ctx, a.Name, a.Limit, func(l facts.PreviewLine) error { return out.send(ctx, frame{Line: &l}) })
		}),
		"log": takes(func(ctx context.Context, a facts.LogFilter, out *stream) (any, error) {
			return nil, s.svc.Log(ctx, a, out.entries(ctx))
		}),
		"status":    takes(func(ctx context.Context, _ noArgs, _ *stream) (any, error) { return s.svc.Status(ctx) }),
		"mailboxes": takes(func(ctx context.Context, _ noArgs, _ *stream) (any, error) { return s.svc.Mailboxes(ctx) }),
		"pause":     takes(func(ctx context.Context, a nameArgs, _ *stream) (any, error) { return s.svc.Pause(ctx, a.Name) }),
		"resume":    takes(func(ctx context.Context, a nameArgs, _ *stream) (any, error) { return s.svc.Resume(ctx, a.Name) }),
		"backup": takes(func(ctx context.Context, a backupArgs, _ *stream) (any, error) {
			return s.svc.Backup(ctx, string(a.Path))
		}),
		"watch": takes(func(ctx context.Context, _ noArgs, out *stream) (any, error) {
			return nil, s.svc.Watch(ctx, func(ev facts.Event) error { out.offer(ev); return nil })
		}),
		"reload":  takes(func(ctx context.Context, _ noArgs, _ *stream) (any, error) { return nil, s.svc.Reload(ctx) }),
		"collect": takes(s.collect),
	}
	for name, m := range s.queueMethods() {
		all[name] = m
	}
	// Half a collection helps nobody.
	collect := all["collect"]
	collect.stays = true
	all["collect"] = collect
	return all
}

func (s *server) queueMethods() map[string]method {
	return map[string]method{
		"queued": takes(func(ctx context.Context, _ noArgs, out *stream) (any, error) {
			return nil, s.svc.Queued(ctx, out.entries(ctx))
		}),
		"story": takes(func(ctx context.Context, a idArgs, _ *stream) (any, error) {
			st, err := s.svc.Story(ctx, a.ID)
			return story{Entry: entry(st.Entry), Steps: st.Steps}, err
		}),
		"retry": takes(func(ctx context.Context, a idArgs, _ *stream) (any, error) {
			e, err := s.svc.Retry(ctx, a.ID)
			return entry(e), err
		}),
		"delete": takes(func(ctx context.Context, a idArgs, _ *stream) (any, error) {
			e, err := s.svc.Delete(ctx, a.ID)
			return entry(e), err
		}),
		"send-to": takes(func(ctx context.Context, a sendArgs, _ *stream) (any, error) {
			e, err := s.svc.SendTo(ctx, a.ID, a.Address)
			return entry(e), err
		}),
		"save": takes(func(ctx context.Context, a idArgs, out *stream) (any, error) {
			return nil, s.svc.Save(ctx, a.ID, chunks{ctx: ctx, out: out})
		}),
	}
}

// entries is the callback that sends messages.
func (s *stream) entries(ctx context.Context) func(mail.Entry) error {
	return func(e mail.Entry) error {
		w := entry(e)
		return s.send(ctx, frame{Entry: &w})
	}
}

// collect runs one collection until it is done or /v1/cancel names it.
func (s *server) collect(ctx context.Context, a collectArgs, out *stream) (any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !s.begin(a.Request, cancel) {
		return nil, internal(errors.New("a collection of this name runs already"))
	}
	defer s.end(a.Request)
	var progress func(facts.Event)
	if a.Progress {
		progress = out.offer
	}
	var changed func(mail.Entry) error
	if a.Changed {
		send := out.entries(context.WithoutCancel(ctx)) // an interrupted collection tells what it did
		// A client that went away must not stop a collection.
		changed = func(e mail.Entry) error { _ = send(e); return nil }
	}
	return s.svc.Collect(ctx, a.Names, progress, changed)
}
