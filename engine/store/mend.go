package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"postbag/engine/mail"
)

// openSource opens a copy of the damaged database, mended just enough for
// SQLite to read it: as it is; else with a fresh header; else with the first
// page of an empty store, whose tables lie at the same places because the same
// script made them in the same order. src stays nil when nothing helps.
func (r *repair) openSource() error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	r.schema = len(scripts)
	model := filepath.Join(r.work, "model.db")
	if err := createAt(model, r.schema); err != nil {
		return err
	}
	page1 := make([]byte, 4096)
	if err := readStart(model, page1); err != nil {
		return err
	}
	for _, graft := range [][]byte{nil, page1[:100], page1} {
		c, err := r.trySource(graft)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		version, _, err := c.one(context.Background(), "PRAGMA user_version")
		if n := int(version.intOr(0)); err == nil && n > len(scripts) {
			return errors.Join(newFailure(mail.CodeStoreNewer, "written by a newer version"), c.close())
		} else if err == nil && n > 0 {
			r.schema = n
		}
		r.src = c
		return nil
	}
	return nil
}

func (r record) intOr(i int) int64 {
	if len(r) <= i {
		return 0
	}
	return r.int(i)
}

// trySource makes a fresh copy, grafts the octets onto its beginning, and
// returns a connection when its tables can be read.
func (r *repair) trySource(graft []byte) (*conn, error) {
	from, to := filepath.Join(r.o.Dir, fileDB), filepath.Join(r.work, fileSource)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(to + suffix); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		if suffix == "-shm" {
			continue
		}
		if err := copyFile(from+suffix, to+suffix); err != nil {
			return nil, err
		}
	}
	size := fileSize(to)
	if size == 0 {
		return nil, nil
	}
	if graft != nil {
		if err := graftStart(to, graft, size); err != nil {
			return nil, err
		}
	}
	if err := mendWal(to + "-wal"); err != nil {
		return nil, err
	}
	c, err := openConn(to, "busy_timeout = 1000", "writable_schema = 1", "cell_size_check = 1")
	if err != nil {
		return nil, nil // this graft does not help
	}
	if _, _, err := c.one(context.Background(), "SELECT row, id, mailbox, uid FROM identity LIMIT 1"); err != nil {
		// An empty or half readable table is fine, an unknown one is not.
		if _, perr := c.prepare("SELECT row, id, mailbox, uid FROM identity"); perr != nil {
			_ = c.close() // nothing was written
			return nil, nil
		}
	}
	return c, nil
}

func readStart(path string, into []byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // read only: nothing to lose
	_, err = io.ReadFull(f, into)
	return err
}

// graftStart overwrites the beginning of a database (SQLite file format,
// section 1.3): the header tells the size of this file and no free pages.
func graftStart(path string, graft []byte, size int64) error {
	head := bytes.Clone(graft)
	be := binary.BigEndian
	pageSize := int64(be.Uint16(head[16:]))
	be.PutUint32(head[28:], uint32(size/pageSize))
	be.PutUint32(head[32:], 0) // first page of the free list
	be.PutUint32(head[36:], 0) // its length
	copy(head[92:96], head[24:28])
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(head, 0)
	return errors.Join(err, f.Close())
}

// mendWal rewrites the copy of a damaged write-ahead log so that SQLite reads
// it to its end: frames that cannot be placed are left out and all checksums
// are made anew. Most damaged pages come again in a later frame. A log without
// damage is left as it is.
func mendWal(path string) error {
	why, err := walDamage(path)
	if err != nil || why == "" {
		if os.IsNotExist(err) {
			return nil
		}
		return err
	}
	old, err := os.Open(path)
	if err != nil {
		return err
	}
	defer old.Close() // read only: nothing to lose
	head := make([]byte, walHeader)
	if _, err := io.ReadFull(old, head); err != nil {
		return nil
	}
	if _, ok := newWalReader(head); !ok {
		if head, err = rebuildWalHeader(old); err != nil || head == nil {
			return err
		}
	}
	out, err := os.OpenFile(path+tempSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = rewriteWal(out, old, head)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(path+tempSuffix, path)
}

// rebuildWalHeader makes the header of a log anew from its frames: the first
// two that agree tell the salts. nil when there are none.
func rebuildWalHeader(f *os.File) ([]byte, error) {
	const size = 4096 // what this store uses
	be := binary.BigEndian
	var salts []byte
	for n := int64(0); ; n++ {
		frame := make([]byte, frameHeader)
		if _, err := f.ReadAt(frame, walHeader+n*(frameHeader+size)); err != nil {
			return nil, nil
		}
		if salts != nil && bytes.Equal(salts, frame[8:16]) {
			break
		}
		salts = bytes.Clone(frame[8:16])
	}
	head := make([]byte, walHeader)
	be.PutUint32(head, walMagic)
	be.PutUint32(head[4:], 3007000)
	be.PutUint32(head[8:], size)
	copy(head[16:], salts)
	w := &walReader{order: binary.LittleEndian}
	sum := w.checksum([2]uint32{}, head[:24])
	be.PutUint32(head[24:], sum[0])
	be.PutUint32(head[28:], sum[1])
	return head, nil
}

// rewriteWal copies the frames of a log under a good header. It ends with the
// last commit: what lies behind was never acknowledged.
func rewriteWal(out io.Writer, old *os.File, head []byte) error {
	w, ok := newWalReader(head)
	if !ok {
		return errors.New("store: a header made here is not valid")
	}
	if _, err := out.Write(head); err != nil {
		return err
	}
	be := binary.BigEndian
	if _, err := old.Seek(walHeader, io.SeekStart); err != nil {
		return err
	}
	sum := w.sum
	for {
		if _, err := io.ReadFull(old, w.header[:]); err != nil {
			return ignoreEOF(err)
		}
		if _, err := io.ReadFull(old, w.page); err != nil {
			return ignoreEOF(err)
		}
		number := be.Uint32(w.header[:])
		if [8]byte(w.header[8:16]) != w.salts || number == 0 || number > 1<<30 {
			continue
		}
		sum = w.checksum(w.checksum(sum, w.header[:8]), w.page)
		be.PutUint32(w.header[16:], sum[0])
		be.PutUint32(w.header[20:], sum[1])
		if _, err := out.Write(w.header[:]); err != nil {
			return err
		}
		if _, err := out.Write(w.page); err != nil {
			return err
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
