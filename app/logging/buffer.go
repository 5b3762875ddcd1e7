package logging

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// flushDelay is how long a line waits at most for others, so that they reach
	// the file in one write. What a crash can lose is no more than that.
	flushDelay = 200 * time.Millisecond
	// flushSize is how many octets of lines wait at most.
	flushSize = 32 << 10
)

// buffered gathers lines on their way to the file: a write of its own for each
// would be the dearest part of a line. Nothing runs while nothing waits.
type buffered struct {
	mu     sync.Mutex
	out    io.WriteCloser // takes whole lines, one or many
	most   int            // octets that wait
	lines  []byte         // that wait
	timer  *time.Timer    // flushes them; nil while none wait
	failed error          // of the last write that failed while nobody waited for it
	closed bool           // every line goes out at once
}

// Write takes one line.
func (b *buffered) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line...)
	if b.closed || len(b.lines) >= b.most {
		return len(line), b.flush()
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(flushDelay, b.late)
	}
	return len(line), nil
}

// late flushes when the first line has waited long enough.
func (b *buffered) late() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.flush(); err != nil {
		b.failed = err
	}
}

// Flush returns when every line is with the file, or could not be written. The
// error tells of lines since the last call.
func (b *buffered) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.report(b.flush())
}

// report adds what nobody was told of yet.
func (b *buffered) report(err error) error {
	err = errors.Join(b.failed, err)
	b.failed = nil
	return err
}

// flush forgets lines that cannot be written: no mail waits for a log.
func (b *buffered) flush() error {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if len(b.lines) == 0 {
		return nil
	}
	_, err := b.out.Write(b.lines)
	b.lines = b.lines[:0]
	return err
}

// Close flushes and closes the file. Later lines reopen it and are not gathered:
// nobody is left to wait for them.
func (b *buffered) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.report(b.flush())
	b.closed, b.lines = true, nil
	return errors.Join(err, b.out.Close())
}

// prompt is a handler whose lines of level Warn and above do not wait: what went
// wrong is in the file, and everything before it, whatever happens next.
type prompt struct {
	slog.Handler
	file *buffered
}

// Handle writes the line of a record.
func (p prompt) Handle(ctx context.Context, r slog.Record) error {
	err := p.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		err = errors.Join(err, p.file.Flush())
	}
	return err
}

// WithAttrs is the handler with attributes for every line.
func (p prompt) WithAttrs(attrs []slog.Attr) slog.Handler {
	return prompt{p.Handler.WithAttrs(attrs), p.file}
}

// WithGroup is the handler with a group that qualifies later attributes.
func (p prompt) WithGroup(name string) slog.Handler {
	return prompt{p.Handler.WithGroup(name), p.file}
}
