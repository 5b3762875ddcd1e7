package store

import (
	"strings"
	"sync/atomic"
	"testing"

	"postbag/engine/mail"
)

// narrow is a disk with as much room as a test wants.
type narrow struct {
	osFiles
	free atomic.Int64
}

func (n *narrow) Free(string) (int64, bool) { return n.free.Load(), true }

// TestRoomIsKept: collecting ends before the disk is full, so that outcomes
// find room; what lies in files already is not counted twice. rule 44
func TestRoomIsKept(t *testing.T) {
	disk := &narrow{}
	disk.free.Store(4 * roomKept)
	r := newRig(t, func(o *Options) { o.files = disk })
	r.keep("m", "u1", "hello")

	d := r.NewDraft()
	if _, err := d.Write(make([]byte, inline+1)); err != nil {
		t.Fatal(err)
	}
	disk.free.Store(roomKept + fileSize(r.dir+"/"+fileDB+"-wal") + 100)
	if _, err := d.Write(make([]byte, 100)); err != nil {
		t.Errorf("what is in the file counts again: %v", err)
	}
	if _, err := d.Write(make([]byte, 1)); mail.AsFailure(err).Code != mail.CodeDiskFull {
		t.Errorf("no room is left: %v", err)
	}
	d.Discard()
	if r.drafted.Load() != 0 || r.spilled.Load() != 0 {
		t.Errorf("%d octets of drafts, %d in files", r.drafted.Load(), r.spilled.Load())
	}
	r.ok(r.UpdateMailbox(r.ctx, "m", func(st *MailboxState) { st.Result = strings.Repeat("x", 5000) }))
	disk.free.Store(4 * roomKept)
	r.keep("m", "u2", "hello again")
}

// TestMakeRoom folds the write-ahead log in, so that it is not made longer.
func TestMakeRoom(t *testing.T) {
	r := newRig(t)
	r.keep("m", "u1", "hello")
	before := fileSize(r.dir + "/" + fileDB + "-wal")
	if before == 0 {
		t.Fatal("there is no write-ahead log")
	}
	if !r.makeRoom() {
		t.Error("no room was made")
	}
	r.ok(r.UpdateMailbox(r.ctx, "m", func(st *MailboxState) { st.Paused = true }))
	if after := fileSize(r.dir + "/" + fileDB + "-wal"); after > before {
		t.Errorf("the log has grown from %d to %d", before, after)
	}
}
