package app

import (
	"context"
	"errors"
	"io"

	"postbag/app/logging"
	"postbag/engine/source"
)

// redacted reads secrets and makes the log mask each from then on: no secret
// stands in a log, a transcript or an error, even when a server repeats it.
type redacted struct {
	secrets
	masks *logging.Redactor // may be nil
}

// Read returns the secret.
func (r redacted) Read(ctx context.Context, ref string) (string, error) {
	value, err := r.secrets.Read(ctx, ref)
	if err == nil {
		r.masks.Add(value)
	}
	return value, err
}

// transcribed is a session whose transcript ends with it.
type transcribed struct {
	source.Session
	paper io.Closer
}

// Close ends the session and its transcript.
func (t transcribed) Close() error { return errors.Join(t.Session.Close(), t.paper.Close()) }

// openTranscripts keeps what is said in the last sessions, when the user wants
// it. No mail waits for a transcript: one that cannot be written is left out.
func (l *Local) openTranscripts() *logging.Transcripts {
	if !l.config().Log.Transcripts || l.log == nil {
		return nil
	}
	t, err := logging.OpenTranscripts(logging.TranscriptOptions{Data: l.o.Data, Redactor: l.log.Secrets})
	if err != nil {
		l.log.Warn("transcripts cannot be written", "error", err)
		return nil
	}
	return t
}
