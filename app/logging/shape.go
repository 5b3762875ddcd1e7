package logging

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// shaped is a handler that gets times in UTC, as all machine-read times of the
// program, and durations and times to the millisecond, which is how slog's text
// handler writes times. slog's own ReplaceAttr would do that too, and cost every
// line, of which few have either.
type shaped struct{ slog.Handler }

// Handle passes a record on.
func (h shaped) Handle(ctx context.Context, r slog.Record) error {
	r.Time = r.Time.UTC()
	plain := true
	r.Attrs(func(a slog.Attr) bool {
		plain = isPlain(a.Value)
		return plain
	})
	if plain {
		return h.Handler.Handle(ctx, r)
	}
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(shape(a))
		return true
	})
	return h.Handler.Handle(ctx, out)
}

// WithAttrs is the handler with attributes for every line.
func (h shaped) WithAttrs(attrs []slog.Attr) slog.Handler {
	attrs = slices.Clone(attrs)
	for i, a := range attrs {
		attrs[i] = shape(a)
	}
	return shaped{h.Handler.WithAttrs(attrs)}
}

// WithGroup is the handler with a group that qualifies later attributes.
func (h shaped) WithGroup(name string) slog.Handler { return shaped{h.Handler.WithGroup(name)} }

// isPlain tells that a value stays as it is.
func isPlain(v slog.Value) bool {
	switch v.Kind() {
	case slog.KindTime, slog.KindDuration, slog.KindGroup, slog.KindLogValuer:
		return false
	}
	return true
}

func shape(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindTime:
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	case slog.KindDuration:
		a.Value = slog.StringValue(a.Value.Duration().Round(time.Millisecond).String())
	case slog.KindGroup:
		members := slices.Clone(a.Value.Group())
		for i, m := range members {
			members[i] = shape(m)
		}
		a.Value = slog.GroupValue(members...)
	}
	return a
}
