package store

import (
	"errors"
	"os"
	"path/filepath"

	"postbag/engine/mail"
)

// inline is the largest body kept inside the database; a file of its own
// costs an fsync of its own, a BLOB shares that of its batch.
const inline = 256 << 10

// expectSlack is by how much a provider may be wrong about a size before the
// room made for it is too small.
const expectSlack = 64

// writeSize is the most that comes at once.
const writeSize = 64 << 10

// flushEach is after how many octets of a large message the disk begins to take
// them, so that little is left to wait for once all have come.
const flushEach = 8 << 20

// Draft receives the octets of one message. Small ones stay in memory, large
// ones go to a file under spool/ as they come. Nothing of it is durable before
// Keep. A Draft is used by one goroutine.
type Draft struct {
	s    *Store
	buf  []byte
	f    writeFile
	path string // of the file, "" none
	name string // under spool/ once it is durable there
	size int64

	spilled int64 // of size, what is in the file

	flushed  int64      // of spilled, what the disk was asked to take
	flushing chan error // not nil: it is under way

	err  error // the first fault: nothing more is taken
	gone bool
}

// NewDraft begins a draft. It ends in Keep or Discard.
func (s *Store) NewDraft() *Draft {
	buf, _ := s.buffers.Get().(*[]byte)
	d := &Draft{s: s}
	if buf != nil {
		d.buf = (*buf)[:0]
	}
	return d
}

// Expect tells how many octets may come, as a hint; negative when nobody knows.
func (d *Draft) Expect(size int64) {
	n := size + expectSlack
	if size > inline {
		n = inline + writeSize
	}
	if d.size == 0 && n > int64(cap(d.buf)) && size > 0 {
		d.buf = make([]byte, 0, n)
	}
}

// Size is the number of octets written so far.
func (d *Draft) Size() int64 { return d.size }

// Write takes the next octets. It fails with CodeDiskFull when there is no
// room and with CodeSpoolFull past Options.QuotaBytes, both Transient; after a
// failure the draft is good for Discard only.
func (d *Draft) Write(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if d.gone {
		return 0, internal("draft", "written after its end")
	}
	if d.err = d.s.room(int64(len(p))); d.err != nil {
		return 0, d.err
	}
	if d.err = d.s.reserve(int64(len(p))); d.err != nil {
		return 0, d.err
	}
	d.size += int64(len(p))
	d.buf = append(d.buf, p...)
	if len(d.buf) > inline {
		if d.err = d.spill(); d.err != nil {
			return 0, d.err
		}
	}
	return len(p), nil
}

// spill moves what is in memory to the file.
func (d *Draft) spill() error {
	if d.f == nil {
		d.path = filepath.Join(d.s.dir, dirSpool, randomName()+draftSuffix)
		f, err := d.s.files.Create(d.path)
		if err != nil {
			d.path = ""
			return fail("draft", err)
		}
		d.f = f
	}
	if _, err := d.f.Write(d.buf); err != nil {
		return fail("draft", err)
	}
	d.spilled += int64(len(d.buf))
	d.s.spilled.Add(int64(len(d.buf)))
	d.buf = d.buf[:0]
	return d.flush()
}

// flush lets the disk begin while the message still comes.
func (d *Draft) flush() error {
	if d.spilled-d.flushed < flushEach {
		return nil
	}
	if d.flushing != nil {
		select {
		case err := <-d.flushing:
			d.flushing = nil
			if err != nil {
				return fail("draft", err)
			}
		default:
			return nil // one at a time
		}
	}
	d.flushed = d.spilled
	file, done := d.f, make(chan error, 1)
	d.flushing = done
	go func() { done <- file.Sync() }()
	return nil
}

// sync makes the file durable. What an earlier flush failed to write is lost,
// whatever the last one says.
func (d *Draft) sync() error {
	if d.flushing != nil {
		err := <-d.flushing
		d.flushing = nil
		if err != nil {
			return err
		}
	}
	return d.f.Sync()
}

// place makes a large draft durable under its final name, before the
// transaction that tells of it.
func (d *Draft) place() error {
	if d.err != nil {
		return d.err
	}
	if d.gone {
		return internal("draft", "kept after its end")
	}
	if d.path == "" || d.name != "" {
		return nil
	}
	if err := d.spill(); err != nil {
		return err
	}
	err := d.sync()
	if cerr := d.f.Close(); err == nil {
		err = cerr
	}
	d.f = nil
	if err != nil {
		d.err = fail("draft", err)
		return d.err
	}
	final := d.path[:len(d.path)-len(draftSuffix)] + bodySuffix
	if err := d.s.files.Rename(d.path, final); err != nil {
		d.err = fail("draft", err)
		return d.err
	}
	d.path = final
	if err := d.s.files.SyncDir(filepath.Dir(final)); err != nil {
		d.err = fail("draft", err)
		return d.err
	}
	d.name = filepath.Base(final)
	return nil
}

// Discard drops the draft and its file. Calling it after Keep took the draft
// over does nothing, so it may be deferred.
func (d *Draft) Discard() {
	if d.gone {
		return
	}
	if d.f != nil {
		_ = d.f.Close() // it is thrown away
		d.f = nil
	}
	if d.path != "" {
		if err := d.s.files.Remove(d.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			d.s.log.Warn("draft not removed; the next start will", "err", err)
		}
	}
	d.release()
}

// release ends the draft: its octets belong to the store now or are gone.
func (d *Draft) release() {
	d.gone = true
	d.s.drafted.Add(-d.size)
	d.s.spilled.Add(-d.spilled)
	if cap(d.buf) > 0 {
		buf := d.buf[:0]
		d.s.buffers.Put(&buf)
		d.buf = nil
	}
}

// reserve counts octets of a draft against the quota. A spool that holds
// nothing takes any message: one larger than the whole quota must not wait for
// ever.
func (s *Store) reserve(n int64) error {
	drafted := s.drafted.Add(n)
	held := s.SpoolBytes()
	if s.quota > 0 && held > 0 && held+drafted > s.quota {
		s.drafted.Add(-n)
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeSpoolFull, Op: "draft"}
	}
	return nil
}

// DraftBytes is the number of octets that have come and are not durable yet.
func (s *Store) DraftBytes() int64 { return s.drafted.Load() }

// SpoolBytes is the number of octets of messages held here: under way and in
// quarantine, as received.
func (s *Store) SpoolBytes() int64 { return s.spool.Load() + s.held.Load() }
