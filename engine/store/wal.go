package store

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
)

const (
	walHeader   = 32
	frameHeader = 24
	walMagic    = 0x377f0682 // its lowest bit tells the byte order of the checksums
)

// walDamage reads a write-ahead log as SQLite left it (SQLite file format,
// section 4) and tells in words whether frames of an acknowledged transaction
// are damaged; "" when not. SQLite itself takes the first bad frame for the end
// of the log and forgets everything behind it without a word, which is right
// for the last transaction of a crash and wrong for one that was synced: that
// one has whole frames of a later transaction behind it.
func walDamage(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	r := bufio.NewReaderSize(f, 256<<10)
	head := make([]byte, walHeader)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", nil // shorter than a header: nothing was ever in it
	}
	w, ok := newWalReader(head)
	if !ok {
		if info.Size() > walHeader {
			// The header is synced before the first frame is written.
			return "the header of the write-ahead log is damaged", nil
		}
		return "", nil
	}
	for {
		err := w.next(r)
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return "", nil
			}
			return "", err
		}
		if w.damaged {
			return "the write-ahead log is damaged in the middle", nil
		}
	}
}

// walReader walks over the frames of one log.
type walReader struct {
	order   binary.ByteOrder
	salts   [8]byte
	sum     [2]uint32 // as stored in the frame before
	page    []byte
	header  [frameHeader]byte
	bad     bool // a frame did not verify
	commit  bool // and a commit came at it or after it
	damaged bool // and a whole frame came after that
}

// newWalReader checks the header of a log.
func newWalReader(head []byte) (*walReader, bool) {
	be := binary.BigEndian
	magic, size := be.Uint32(head), be.Uint32(head[8:])
	if magic&^1 != walMagic || size < 512 || size > 65536 || size&(size-1) != 0 {
		return nil, false
	}
	w := &walReader{order: binary.LittleEndian, page: make([]byte, size)}
	if magic&1 == 1 {
		w.order = be
	}
	copy(w.salts[:], head[16:24])
	w.sum = w.checksum([2]uint32{}, head[:24])
	return w, w.sum == [2]uint32{be.Uint32(head[24:]), be.Uint32(head[28:])}
}

// next reads one frame.
func (w *walReader) next(r io.Reader) error {
	if _, err := io.ReadFull(r, w.header[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(r, w.page); err != nil {
		return err
	}
	be := binary.BigEndian
	stored := [2]uint32{be.Uint32(w.header[16:]), be.Uint32(w.header[20:])}
	sum := w.checksum(w.checksum(w.sum, w.header[:8]), w.page)
	ours := [8]byte(w.header[8:16]) == w.salts
	commit := ours && be.Uint32(w.header[4:]) != 0
	whole := ours && sum == stored
	w.sum = stored
	switch {
	case whole && w.commit:
		w.damaged = true
	case !whole:
		w.bad = true
	}
	if w.bad && commit {
		w.commit = true
	}
	return nil
}

// checksum is the running sum of the format, over a multiple of eight octets.
func (w *walReader) checksum(sum [2]uint32, b []byte) [2]uint32 {
	s1, s2 := sum[0], sum[1]
	for ; len(b) >= 8; b = b[8:] {
		s1 += w.order.Uint32(b) + s2
		s2 += w.order.Uint32(b[4:]) + s1
	}
	return [2]uint32{s1, s2}
}
