// Package logging writes the log of the program: log/slog into a file that
// rotates, private to the user, with registered secrets masked; and keeps the
// transcripts of the last sessions when the user asked for them.
package logging

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
)

// Keys of attributes that the whole program uses, so that one search finds
// every line about a message or a session.
const (
	KeyMessage = "message" // public id of a message
	KeySession = "session" // NewSessionID of a session with a server
	KeyMailbox = "mailbox" // id of a mailbox
	KeyTarget  = "target"  // name of a target
)

// Defaults of Options.
const (
	DefaultMaxSize = 10_000_000 // octets
	DefaultBackups = 5          // files put aside
)

// Options says where and how much to log.
type Options struct {
	Data     string     // data folder; the log is logs/postbag.log in it
	Level    slog.Level // lines below are left out
	MaxSize  int64      // octets of one file; 0 or less: DefaultMaxSize
	Backups  int        // older files to keep; 0 or less: DefaultBackups
	Console  io.Writer  // gets the same lines too; nil: nothing
	Redactor *Redactor  // nil: one is made
}

// Log is the program's logger. Its embedded Logger is safe for all.
type Log struct {
	*slog.Logger
	Secrets *Redactor // register every secret here as soon as it is known
	level   *slog.LevelVar
	path    string
	file    *buffered // nil: it could not be opened
}

// Open opens <data>/logs/postbag.log. When that fails the Log is usable all the
// same, on the console only, and the error says why: no mail waits for a log.
func Open(o Options) (*Log, error) {
	if o.MaxSize <= 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.Backups <= 0 {
		o.Backups = DefaultBackups
	}
	if o.Redactor == nil {
		o.Redactor = new(Redactor)
	}
	l := &Log{Secrets: o.Redactor, level: new(slog.LevelVar), path: filepath.Join(o.Data, "logs", "postbag.log")}
	l.level.Set(o.Level)
	var outputs []io.Writer
	file, err := openRotating(l.path, o.MaxSize, o.Backups)
	if err == nil {
		// No more at once than one file takes: two rotations in one millisecond
		// would have one name.
		l.file = &buffered{out: file, most: int(min(flushSize, o.MaxSize/2))}
		outputs = append(outputs, l.file)
	}
	if o.Console != nil {
		outputs = append(outputs, o.Console)
	}
	out := &redactingWriter{secrets: o.Redactor, outputs: outputs}
	var handler slog.Handler = shaped{slog.NewTextHandler(out, &slog.HandlerOptions{Level: l.level})}
	if l.file != nil {
		handler = prompt{handler, l.file}
	}
	l.Logger = slog.New(handler)
	return l, err
}

// Path is the file that is written. Who reads it while the program runs calls
// Flush first.
func (l *Log) Path() string { return l.path }

// Flush returns when every line given so far is in the file. Lines below Warn
// wait a fifth of a second for others otherwise. The error tells of lines that
// could not be written since the last call.
func (l *Log) Flush() error {
	if l.file == nil {
		return nil
	}
	return l.file.Flush()
}

// SetLevel changes the level of a running program.
func (l *Log) SetLevel(level slog.Level) { l.level.Set(level) }

// Close writes what waits and closes the file; later lines reopen it.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// ParseLevel reads a word of the configuration: error, warn, info or debug.
func ParseLevel(word string) (slog.Level, error) {
	switch strings.ToLower(word) {
	case "error":
		return slog.LevelError, nil
	case "warn":
		return slog.LevelWarn, nil
	case "info", "":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	}
	return slog.LevelInfo, fmt.Errorf("unknown log level %q", word)
}

// WithSession gives every line of a session with a server its id.
func WithSession(log *slog.Logger, session string) *slog.Logger { return log.With(KeySession, session) }

// WithMailbox gives every line the id of a mailbox.
func WithMailbox(log *slog.Logger, mailbox string) *slog.Logger { return log.With(KeyMailbox, mailbox) }

// WithMessage gives every line about a message its public id.
func WithMessage(log *slog.Logger, id string) *slog.Logger { return log.With(KeyMessage, id) }

// NewSessionID makes an id that tells the sessions of one log apart: twelve
// letters and digits.
func NewSessionID() string { return strings.ToLower(rand.Text()[:12]) }

// Discard is a logger that writes nothing, for tests and for commands.
func Discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// redactingWriter masks secrets below the handler, where every line passes in
// its final spelling: message, attributes given to With, errors, all of it.
// The handler calls it for one line at a time.
type redactingWriter struct {
	secrets *Redactor
	outputs []io.Writer
	line    spelling // of the last line, for its room
}

// Write takes one line, as slog hands it over.
func (w *redactingWriter) Write(line []byte) (int, error) {
	w.line = w.line[:0]
	if head, rest, found := strings.Cut(string(line), wordMsg); found {
		// The time and the level are ours: a password "2026" must not hide them.
		w.line = append(append(w.line, head...), wordMsg...)
		w.secrets.redactTo(&w.line, rest)
	} else {
		w.secrets.redactTo(&w.line, head)
	}
	var errs []error
	for _, out := range w.outputs {
		if _, err := out.Write(w.line); err != nil {
			errs = append(errs, err)
		}
	}
	return len(line), errors.Join(errs...)
}

// wordMsg begins the part of a line that is not ours.
const wordMsg = " msg="

// spelling is a line while it is put together.
type spelling []byte

func (s *spelling) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// WriteString spares strings.Replacer a copy of each piece.
func (s *spelling) WriteString(p string) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// Enabled tells whether lines of this level are written; for work that is only
// done for the log.
func (l *Log) Enabled(level slog.Level) bool {
	return l.Logger.Enabled(context.Background(), level)
}
