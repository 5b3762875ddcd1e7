package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// fileLedger is the file of the intake inside the store's folder. It is a row of
// groups from its beginning on, each written and synced at once:
//
//	magic   4 octets
//	length  4 of the steps that follow the header
//	epoch   8 the database's; groups of another are of no meaning any more
//	number  8 from 1 on; 0: the store was closed, and nothing follows
//	sum     4 CRC-32C of header (with zeros here) and steps
//	        4 zero
//	steps   see replay.go
//
// all little-endian, filled up to a multiple of groupAlign. When everything
// stands in the tables, the transaction that says so gives the database a new
// epoch, and the file is written from its beginning again. It does not become
// shorter: a sync of octets that have their place already costs a fraction of
// one that makes a file longer.
const fileLedger = "intake"

const (
	groupMagic  = 0x31424750 // "PGB1"
	groupHeader = 32
	groupAlign  = 512
	ledgerStep  = 1 << 20 // octets that the file grows by
	zerosAtOnce = 64 << 10
	maxGroup    = 64 << 20
)

// ledgerFile is the file as the store uses it; tests put faults into it.
type ledgerFile interface {
	io.WriterAt
	io.ReaderAt
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error // the octets, and what it takes to find them again
	Close() error
}

// ledger is the intake on disk. The writer owns it.
type ledger struct {
	path string
	open func(path string, write bool) (ledgerFile, error)
	f    ledgerFile // nil until it is needed

	epoch  uint64
	at     int64 // where the next group goes
	number uint64
	size   int64
	zeros  []byte
	used   bool // this process has written to it
	// broken: what was written last may be there or not, or the epoch may be the
	// old one or the new. Nothing is added until everything stands in the tables.
	broken bool
}

// add makes a group durable and leaves room behind it for so many octets: what
// is to follow must not fail for want of room. steps begins with groupHeader
// octets of room.
func (l *ledger) add(steps []byte, room int64) error {
	if err := l.ready(); err != nil {
		return err // nothing was written
	}
	size := aligned(int64(len(steps)))
	if err := l.grow(l.at + size + room); err != nil {
		return err // nothing of it was written
	}
	err := l.write(steps, l.number+1, l.at)
	if err == nil {
		err = l.f.Sync()
	}
	if err != nil {
		l.broken = true
		return err
	}
	l.number++
	l.at += size
	return nil
}

// end marks the ledger as one in which nothing is to be looked for. It is not
// synced: nothing depends on it but how long the next start looks.
func (l *ledger) end() error {
	if !l.used || l.broken {
		return nil
	}
	return l.write(make([]byte, groupHeader), 0, 0)
}

// write puts a group where there is room for it.
func (l *ledger) write(group []byte, number uint64, at int64) error {
	seal(group, l.epoch, number)
	l.used = true
	_, err := l.f.WriteAt(group, at)
	return err
}

func (l *ledger) ready() (err error) {
	if l.f != nil {
		return nil
	}
	f, err := l.open(l.path, true)
	if err != nil {
		return err
	}
	if l.size, err = f.Size(); err != nil {
		return errors.Join(err, f.Close())
	}
	l.f = f
	return nil
}

// grow makes the file at least so long, by a step of which much is left if there
// is room for that. The zeros take their place on the disk now, so that syncing
// what replaces them has nothing but octets to write.
func (l *ledger) grow(size int64) error {
	if size <= l.size {
		return nil
	}
	err := l.growTo((size + ledgerStep - 1) / ledgerStep * ledgerStep)
	if err != nil {
		err = l.growTo(size)
	}
	return err
}

// growTo is all or nothing: the last room on a disk is not for the zeros.
func (l *ledger) growTo(size int64) error {
	if l.zeros == nil {
		l.zeros = make([]byte, zerosAtOnce) // kept: it takes memory once, not at each step
	}
	for at := l.size; at < size; at += zerosAtOnce {
		if _, err := l.f.WriteAt(l.zeros[:min(size-at, zerosAtOnce)], at); err != nil {
			return errors.Join(err, l.f.Truncate(l.size))
		}
	}
	l.size = size
	return nil
}

// begin starts an epoch, once the commit is durable that names it.
func (l *ledger) begin(epoch uint64) {
	l.epoch, l.at, l.number, l.broken = epoch, 0, 0, false
}

func (l *ledger) close() error {
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	l.f = nil
	return err
}

// epochAfter is a later epoch than any before, which nobody can foretell: mail
// cannot pretend to be a part of the ledger.
func epochAfter(before uint64) uint64 { return before + 1 + rand.Uint64N(1<<30) }

func aligned(n int64) int64 { return (n + groupAlign - 1) / groupAlign * groupAlign }

// seal fills in the header of a group.
func seal(group []byte, epoch, number uint64) {
	le := binary.LittleEndian
	le.PutUint32(group, groupMagic)
	le.PutUint32(group[4:], uint32(len(group)-groupHeader))
	le.PutUint64(group[8:], epoch)
	le.PutUint64(group[16:], number)
	le.PutUint64(group[24:], 0)
	le.PutUint32(group[24:], sumOf(group))
}

// sumOf is CRC-32C. Its table is made at the first call, not when the program starts.
func sumOf(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// group is one that was read whole.
type group struct {
	epoch, number uint64
	steps         []byte
	next          int64 // where the one after it begins
	whole         bool  // its sum is right
}

// readGroup reads the group at an offset; ok is false when there is none whole.
// One whose epoch is not wanted is not read: it may be mail that pretends to be
// a group, of any length.
func readGroup(r io.ReaderAt, at int64, wanted func(epoch uint64) bool) (g group, ok bool, err error) {
	var head [groupHeader]byte
	if n, err := r.ReadAt(head[:], at); n < groupHeader {
		return g, false, notEnd(err)
	}
	le := binary.LittleEndian
	length := int64(le.Uint32(head[4:]))
	if le.Uint32(head[:]) != groupMagic || length > maxGroup || !wanted(le.Uint64(head[8:])) {
		return g, false, nil
	}
	// Its last octet first: no room is made for what is not there.
	if n, err := r.ReadAt(head[:1], at+groupHeader+length-1); n < 1 {
		return g, false, notEnd(err)
	}
	b := make([]byte, groupHeader+length)
	if n, err := r.ReadAt(b, at); n < len(b) {
		return g, false, notEnd(err)
	}
	g = group{epoch: le.Uint64(b[8:]), number: le.Uint64(b[16:]), steps: b[groupHeader:], next: at + aligned(int64(len(b)))}
	sum := le.Uint32(b[24:])
	le.PutUint64(b[24:], 0)
	g.whole = sum == sumOf(b)
	return g, g.whole, nil
}

func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// ledgerContent is what a ledger holds of one epoch.
type ledgerContent struct {
	steps [][]byte // of each group
	gaps  int      // places behind which groups follow and that cannot be read
	newer uint64   // the epoch in which it begins, when that is a later one: the database is too old for it
}

// readLedger reads the groups of an epoch; 0: of the first that is found. A last
// group that is not whole was never acknowledged; one that is not whole and has
// others behind it was.
func readLedger(r ledgerFile, epoch uint64) (c ledgerContent, err error) {
	size, err := r.Size()
	if err != nil {
		return c, err
	}
	last, gap := uint64(0), false
	for at := int64(0); at+groupHeader <= size; {
		g, ok, err := readGroup(r, at, wanted(epoch, at))
		if err != nil {
			return c, err
		}
		if ok && epoch == 0 {
			epoch = g.epoch
		}
		if at == 0 && c.closed(g, epoch) {
			return c, nil
		}
		if !ok || g.epoch != epoch || g.number <= last {
			gap = true
			at += groupAlign
			continue
		}
		if gap || g.number != last+1 {
			c.gaps++
		}
		last, gap, at = g.number, false, g.next
		c.steps = append(c.steps, g.steps)
	}
	return c, nil
}

// wanted are the epochs of which groups are looked for at an offset.
func wanted(epoch uint64, at int64) func(uint64) bool {
	return func(e uint64) bool { return e == epoch || epoch == 0 || at == 0 }
}

// closed tells of the group with which a ledger begins, if it is whole, whether
// the store was closed in order, and notes when it is of a later epoch.
func (c *ledgerContent) closed(g group, epoch uint64) bool {
	if !g.whole {
		return false
	}
	if g.epoch > epoch {
		c.newer = g.epoch
	}
	return g.epoch == epoch && g.number == 0
}

// osLedger is the ledgerFile of the operating system.
type osLedger struct{ *os.File }

func openLedger(path string, write bool) (ledgerFile, error) {
	if !write {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return osLedger{f}, nil
	}
	made := !exists(path)
	if err := privateFile(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if made {
		if err := (osFiles{}).SyncDir(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return osLedger{f}, nil
}

func (f osLedger) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f osLedger) Sync() error { return syncOctets(f.File) }
