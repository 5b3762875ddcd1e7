package store

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"postbag/engine/mail"
)

// ram is a ledger in memory that counts what is read.
type ram struct {
	*bytes.Reader
	read int
}

func (m *ram) ReadAt(b []byte, at int64) (int, error) {
	m.read += len(b)
	return m.Reader.ReadAt(b, at)
}
func (m *ram) WriteAt([]byte, int64) (int, error) { return 0, nil }
func (m *ram) Size() (int64, error)               { return m.Reader.Size(), nil }
func (m *ram) Truncate(int64) error               { return nil }
func (m *ram) Sync() error                        { return nil }
func (m *ram) Close() error                       { return nil }

func sampleRecords() packer {
	p := &pending{known: Known{Row: 1, ID: "id", UID: "u1", Ident: "u1"}, mailbox: "box", key: []byte("key"), collected: time.UnixMilli(5),
		decision: decision("anne", "bob"), body: []byte("text")}
	p.decision.Notes = []string{"note"}
	var r packer
	p.pack(&r)
	r.number(stepClaimed)
	r.number(1)
	r.number(1)
	r.time(time.UnixMilli(7))
	r.number(stepSource)
	r.text(string(mail.SourceKept))
	r.time(time.UnixMilli(8))
	r.number(1)
	r.number(1)
	r.number(stepSettled)
	r.number(1)
	r.time(time.UnixMilli(9))
	r.number(2)
	for range 2 {
		r.text("250 Ok")
		r.flag(false)
	}
	return r
}

// FuzzReplay: whatever a group says, it is replayed, or refused, and what came of
// it goes into the tables.
func FuzzReplay(f *testing.F) {
	whole := []byte(sampleRecords())
	f.Add(whole)
	f.Add(append(whole[:len(whole):len(whole)], whole...))
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	r := newRig(f)
	r.list("box", "u1", "u2", "u3")
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &rig{Store: r.Store, t: t, ctx: r.ctx, clock: r.clock, opt: r.opt}
		r.still(func() {
			tx := r.begin()
			tx.unclear = true
			err := tx.replay(data)
			for _, p := range tx.pendings(anyPending) {
				if len(p.recipients()) == 0 {
					t.Error("a message for nobody is pending")
				}
			}
			if err == nil {
				err = tx.foldAll()
			}
			if err != nil && !isDamage(err) {
				t.Errorf("neither done nor refused: %v", err)
			}
			_ = tx.end(fmt.Errorf("only a test")) // undone
		})
	})
}

// FuzzReadLedger: whatever a file holds, reading it ends, without a fault and
// without taking more than a few times its size.
func FuzzReadLedger(f *testing.F) {
	one := append(make([]byte, groupHeader), sampleRecords()...)
	seal(one, 7, 1)
	one = append(one, make([]byte, aligned(int64(len(one)))-int64(len(one)))...)
	two := append(make([]byte, groupHeader), sampleRecords()...)
	seal(two, 7, 2)
	f.Add(append(one[:len(one):len(one)], two...), uint64(7))
	f.Add(one, uint64(0))
	f.Add([]byte("PGB1\xff\xff\xff\x03"), uint64(1))
	f.Fuzz(func(t *testing.T, data []byte, epoch uint64) {
		m := &ram{Reader: bytes.NewReader(data)}
		c, err := readLedger(m, epoch)
		if err != nil {
			t.Error(err)
		}
		total := 0
		for _, s := range c.steps {
			total += len(s)
		}
		if total > len(data) {
			t.Errorf("%d octets of steps in %d", total, len(data))
		}
		if _, _, err := readGroup(m, 0, func(uint64) bool { return true }); err != nil {
			t.Error(err)
		}
	})
}

// A ledger full of beginnings that promise much is read about once.
func TestForgedGroupsCostNothing(t *testing.T) {
	data := make([]byte, 4<<20)
	for at := 0; at < len(data); at += groupAlign {
		copy(data[at:], "PGB1\xff\xff\xff\x03\x07\x00\x00\x00\x00\x00\x00\x00\x01")
	}
	m := &ram{Reader: bytes.NewReader(data)}
	if _, err := readLedger(m, 8); err != nil || m.read > 3*len(data) {
		t.Errorf("%d octets read of %d, %v", m.read, len(data), err)
	}
}
