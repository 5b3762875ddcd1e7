package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"postbag/engine/mail"
)

// OpenMessage opens the stored octets of a message, as received, and tells
// their number. It fails with CodeNotFound when they are not here (any more).
func (s *Store) OpenMessage(ctx context.Context, row int64) (io.ReadCloser, int64, error) {
	b := s.recent.get(row)
	if b == nil { // its place there may have been taken
		if p := s.viewRows([]int64{row})[row]; p != nil {
			b = p.body
		}
	}
	if b != nil {
		return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
	}
	var name string
	var data []byte
	var size int64
	err := s.readBeside(ctx, "open message", func(c *conn) error {
		r, ok, err := c.one(ctx, "SELECT size, file, data FROM body WHERE row = ?", row)
		if err == nil && !ok {
			err = notFound("open message")
		}
		if err == nil {
			size, name, data = r.int(0), r.str(1), r.blob(2)
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if name == "" {
		return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
	}
	f, err := os.Open(filepath.Join(s.dir, dirSpool, name))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, 0, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeStoreDamaged, Op: "open message", Err: err}
		}
		return nil, 0, fail("open message", err)
	}
	return f, size, nil
}

func (s *Store) dropFile(name string) { s.trash.remove(filepath.Join(s.dir, dirSpool, name)) }
func (s *Store) dropEml(id string)    { s.trash.remove(s.emlPath(id)) }

func (s *Store) emlPath(id string) string {
	return filepath.Join(s.dir, dirQuarantine, id+emlSuffix)
}

// emlBeforeKeep writes the .eml of a message that goes into quarantine at once,
// before the transaction that says so.
func (s *Store) emlBeforeKeep(ctx context.Context, k *keepOp) error {
	id := k.id
	sql, args := "SELECT id, state FROM identity WHERE row = ?", []any{k.Row}
	if k.Row == 0 {
		if id := k.Ident; id != "" && id != k.UID {
			sql, args = "SELECT id, state FROM identity WHERE mailbox = ? AND ident = ? AND ident <> ''", []any{k.Mailbox, id}
		} else {
			sql, args = "SELECT id, state FROM identity WHERE mailbox = ? AND uid = ? AND ident = ''", []any{k.Mailbox, k.UID}
		}
	}
	done := false
	err := s.read(ctx, "keep", func(c *conn) error {
		r, ok, err := c.one(ctx, sql, args...)
		if err != nil || !ok {
			return err
		}
		id = r.str(0)
		switch mail.State(r.str(1)) {
		case mail.Waiting, mail.TooBig, mail.Failed:
		default:
			done = true // kept before
		}
		return nil
	})
	if err != nil || done {
		return err
	}
	k.eml = id
	if k.Draft.name != "" {
		return fail("quarantine", s.emlFromFile(id, k.Draft.path))
	}
	return fail("quarantine", writeWhole(s.files, s.emlPath(id), bytes.NewReader(k.Draft.buf)))
}

// emlFromFile makes the .eml a second name of the spool file: its octets are
// durable already. Where that is not possible it copies them.
func (s *Store) emlFromFile(id, from string) error {
	to := s.emlPath(id)
	if err := s.files.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := s.files.Link(from, to); err == nil {
		return s.files.SyncDir(filepath.Dir(to))
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close() // read only: nothing to lose
	return writeWhole(s.files, to, f)
}

// emlOfRow writes the .eml of a message that is here, before the transaction
// that records its quarantine. A message without octets has none.
func (s *Store) emlOfRow(ctx context.Context, row int64) error {
	var id, name string
	var data []byte
	here := false
	err := s.read(ctx, "quarantine", func(c *conn) error {
		r, ok, err := c.one(ctx, "SELECT i.id, b.file, b.data FROM body b JOIN identity i ON i.row = b.row WHERE b.row = ?", row)
		if err == nil && ok {
			here, id, name, data = true, r.str(0), r.str(1), r.blob(2)
		}
		return err
	})
	if err != nil || !here {
		return err
	}
	if name != "" {
		err := s.emlFromFile(id, filepath.Join(s.dir, dirSpool, name))
		if errors.Is(err, os.ErrNotExist) {
			// Somebody removed the spool file. The message must still be able
			// to leave the queue.
			s.log.Error("the octets of a message are not there any more", "id", id, "err", err)
			return nil
		}
		return fail("quarantine", err)
	}
	return fail("quarantine", writeWhole(s.files, s.emlPath(id), bytes.NewReader(data)))
}

// SaveMessage writes the stored octets of a message to w.
func (s *Store) SaveMessage(ctx context.Context, id string, w io.Writer) error {
	row, err := s.rowOfID(ctx, "save", id)
	if err != nil {
		return err
	}
	r, _, err := s.OpenMessage(ctx, row)
	if err != nil {
		if en, gerr := s.Get(ctx, id); gerr == nil && mail.AsFailure(err).Code == mail.CodeNotFound {
			return wrongState("save", en.State) // not fetched yet, or delivered long ago
		}
		return err
	}
	err = copyAll(w, r)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return fail("save", err)
}
