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
// SQLite to read it: as it is; with a fresh header; with the pages of an empty
// store that hold the schema, which lie at the same places because the same
// script made them first of all. The one from which most tables can be read is
// taken; src stays nil when nothing helps.
func (r *repair) openSource() error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	r.schema = len(scripts)
	pages, err := r.schemaPages()
	if err != nil {
		return err
	}
	best, ok, err := r.bestGraft(nil, map[int64][]byte{1: pages[1][:100]}, map[int64][]byte{1: pages[1]}, pages)
	if err != nil || !ok {
		return err
	}
	if r.src, err = r.trySource(best); err != nil || r.src == nil {
		return err
	}
	version, _, err := r.src.one(context.Background(), "PRAGMA user_version")
	if n := int(version.intOr(0)); err == nil && n > len(scripts) {
		return newFailure(mail.CodeStoreNewer, "written by a newer version")
	} else if err == nil && n > 0 {
		r.schema = n
	}
	return nil
}

// bestGraft tries grafts and returns the one that makes most tables readable;
// ok is false when none makes any.
func (r *repair) bestGraft(grafts ...map[int64][]byte) (best map[int64][]byte, ok bool, err error) {
	most := 0
	for _, g := range grafts {
		c, err := r.trySource(g)
		if err != nil {
			return nil, false, err
		}
		if c == nil {
			continue
		}
		if n := readableTables(c); n > most {
			best, most = g, n
		}
		_ = c.close() // a copy, only read
		if most == len(salvaged) {
			break
		}
	}
	return best, most > 0, nil
}

// schemaPages returns the pages of an empty store that hold the schema.
func (r *repair) schemaPages() (map[int64][]byte, error) {
	path := filepath.Join(r.work, "model.db")
	if err := createAt(path, r.schema); err != nil {
		return nil, err
	}
	c, err := openConn(path, "query_only = 1")
	if err != nil {
		return nil, err
	}
	pages := make(map[int64][]byte)
	err = c.each(r.ctx, "SELECT pageno FROM dbstat WHERE name IN ('sqlite_schema', 'sqlite_master')", func(rec record) error {
		pages[rec.int(0)] = make([]byte, pageSize)
		return nil
	})
	if err = errors.Join(err, c.close()); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing to lose
	pages[1] = make([]byte, pageSize)
	for n, p := range pages {
		if _, err := f.ReadAt(p, (n-1)*pageSize); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

const pageSize = 4096 // SQLite's default, which this store keeps

// readableTables counts the tables that SQLite can find and begin to read.
func readableTables(c *conn) int {
	n := 0
	for _, name := range salvaged {
		if _, err := c.prepare("SELECT * FROM " + name); err == nil {
			n++
		}
	}
	return n
}

func (r record) intOr(i int) int64 {
	if len(r) <= i {
		return 0
	}
	return r.int(i)
}

// trySource makes a fresh copy, grafts pages onto it, and opens it. nil when
// SQLite does not take it for a database.
func (r *repair) trySource(graft map[int64][]byte) (*conn, error) {
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
	if err := graftPages(to, graft, size); err != nil {
		return nil, err
	}
	if err := mendWal(to + "-wal"); err != nil {
		return nil, err
	}
	c, err := openConn(to, "busy_timeout = 1000", "writable_schema = 1", "cell_size_check = 1")
	if err != nil {
		return nil, nil // this graft does not help
	}
	return c, nil
}

// graftPages overwrites pages of a database, or the beginning of one. The
// header (SQLite file format, section 1.3) then tells the size of this file and
// no free pages.
func graftPages(path string, graft map[int64][]byte, size int64) error {
	if len(graft) == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for n, p := range graft {
		if n == 1 {
			p = bytes.Clone(p)
			be := binary.BigEndian
			be.PutUint32(p[28:], uint32(size/pageSize))
			be.PutUint32(p[32:], 0) // first page of the free list
			be.PutUint32(p[36:], 0) // its length
			copy(p[92:96], p[24:28])
		}
		if _, werr := f.WriteAt(p, (n-1)*pageSize); err == nil {
			err = werr
		}
	}
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
	be := binary.BigEndian
	var salts []byte
	for n := int64(0); ; n++ {
		frame := make([]byte, frameHeader)
		if _, err := f.ReadAt(frame, walHeader+n*(frameHeader+pageSize)); err != nil {
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
	be.PutUint32(head[8:], pageSize)
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
