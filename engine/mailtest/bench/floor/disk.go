//go:build linux

package floor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// disk is a file of groups, each written and synced at once:
//
//	magic, length, number, CRC-32C   as in engine/store/ledger.go
//	records                          until the end of the group
//
// A message and its attempt are one record, durable before MAIL FROM; its outcome
// is one, durable before the next final dot of that connection and before DELE;
// the UIDLs that a session saw are one, and those whose deletion QUIT confirmed.
// One thread writes; what comes meanwhile is the next group. It is zeros in steps
// of 1 MB before it is written to, so that a sync has octets to write and nothing
// else.
type disk struct {
	f    *os.File
	told int // readable when a group is durable
	wake int

	filling []byte // the next group
	number  uint64 // its number
	done    uint64 // all up to this one are durable
	busy    bool

	// Of the thread that writes, while busy.
	out      []byte
	outNum   uint64
	at, size int64
	err      error

	wg sync.WaitGroup
}

const (
	groupMagic  = 0x31464742
	groupHeader = 32
	groupAlign  = 512
	growStep    = 1 << 20
	groupSize   = 64 << 10 // octets; one with more gets no further message
)

// Kinds of records.
const (
	recMessage = 'M'
	recOutcome = 'O'
	recListing = 'U'
	recGone    = 'G'
)

func eventFD() (int, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return 0, fmt.Errorf("eventfd: %w", errno)
	}
	return int(fd), nil
}

// openDisk opens the file, or makes it. What an earlier run has left in it is of
// no meaning any more.
func openDisk(path string) (d *disk, err error) {
	d = &disk{number: 1}
	if d.f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	if d.size, err = d.f.Seek(0, 2); err != nil {
		return nil, err
	}
	if d.size == 0 {
		folder, err := os.Open(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
			return nil, err
		}
	}
	if d.told, err = eventFD(); err != nil {
		return nil, err
	}
	if d.wake, err = eventFD(); err != nil {
		return nil, err
	}
	d.filling = make([]byte, groupHeader, 1<<20)
	d.out = make([]byte, 0, 1<<20)
	d.wg.Go(d.write)
	return d, nil
}

// close waits for the thread.
func (d *disk) close() (err error) {
	if d.busy {
		err = d.finished()
	}
	d.out = nil
	err = errors.Join(err, signal(d.wake))
	d.wg.Wait()
	return errors.Join(err, d.f.Close(), syscall.Close(d.wake))
}

func signal(fd int) error {
	return write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// record begins one that takes so many octets more.
func (d *disk) record(kind byte, b *box, length int) {
	d.filling = append(d.filling, kind)
	d.filling = binary.LittleEndian.AppendUint16(d.filling, b.number)
	d.filling = binary.LittleEndian.AppendUint32(d.filling, uint32(length))
}

func (d *disk) item(it *item) { d.filling = binary.LittleEndian.AppendUint32(d.filling, it.number) }

func (d *disk) message(l *letter) (group uint64) {
	d.record(recMessage, l.item.box, 4+len(l.text))
	d.item(l.item)
	d.filling = append(d.filling, l.text...)
	return d.number
}

func (d *disk) outcome(it *item) (group uint64) {
	d.record(recOutcome, it.box, 4)
	d.item(it)
	return d.number
}

func (d *disk) listing(b *box, fresh []*item) {
	n := 0
	for _, it := range fresh {
		n += 1 + len(it.uidl)
	}
	d.record(recListing, b, n)
	for _, it := range fresh {
		d.filling = append(append(d.filling, byte(len(it.uidl))), it.uidl...)
	}
}

func (d *disk) gone(b *box, items []*item) {
	d.record(recGone, b, 4*len(items))
	for _, it := range items {
		d.item(it)
	}
}

// still tells that nothing is to be written.
func (d *disk) still() bool { return !d.busy && len(d.filling) == groupHeader }

// kick has what was gathered written, unless the thread is at work.
func (d *disk) kick() error {
	if d.busy || len(d.filling) == groupHeader {
		return nil
	}
	d.busy = true
	d.out, d.filling = d.filling, d.out[:groupHeader]
	d.outNum = d.number
	d.number++
	return signal(d.wake)
}

// finished takes in that a group is durable.
func (d *disk) finished() error {
	var count [8]byte
	if _, err := read(d.told, count[:]); err != nil {
		return err
	}
	d.busy = false
	d.done = d.outNum
	return d.err
}

// write is the thread.
func (d *disk) write() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	table := crc32.MakeTable(crc32.Castagnoli)
	var count [8]byte
	for {
		if _, err := syscall.Read(d.wake, count[:]); errors.Is(err, syscall.EINTR) {
			continue
		}
		if d.out == nil {
			return
		}
		d.err = d.add(table)
		if err := signal(d.told); err != nil {
			panic(err) // a number is added to a number
		}
	}
}

func (d *disk) add(table *crc32.Table) error {
	group := d.out
	le := binary.LittleEndian
	le.PutUint32(group, groupMagic)
	le.PutUint32(group[4:], uint32(len(group)-groupHeader))
	le.PutUint64(group[8:], 1)
	le.PutUint64(group[16:], d.outNum)
	le.PutUint64(group[24:], 0)
	le.PutUint32(group[24:], crc32.Checksum(group, table))
	if err := d.grow(d.at + int64(len(group))); err != nil {
		return err
	}
	if _, err := d.f.WriteAt(group, d.at); err != nil {
		return err
	}
	d.at = (d.at + int64(len(group)) + groupAlign - 1) / groupAlign * groupAlign
	return d.sync()
}

func (d *disk) sync() error {
	for {
		if err := syscall.Fdatasync(int(d.f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func (d *disk) grow(size int64) error {
	zeros := make([]byte, 0)
	for d.size < size {
		if len(zeros) == 0 {
			zeros = make([]byte, growStep)
		}
		if _, err := d.f.WriteAt(zeros, d.size); err != nil {
			return err
		}
		d.size += growStep
	}
	return nil
}
