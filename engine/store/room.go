package store

import (
	"path/filepath"

	"postbag/engine/mail"
)

// roomKept is what collecting leaves free on the disk, beside a second place
// for the write-ahead log: what became of messages that the office server has
// already must find room, or they would be sent twice.
const roomKept = 1 << 20

// Where more than plenty is free beyond what is needed, the disk is not asked
// again before so many octets have come.
const (
	plenty     = 64 << 20
	roomCredit = 4 << 20
)

// room fails with CodeDiskFull when the disk has no room for what is held in
// memory and n octets more.
func (s *Store) room(n int64) error {
	if s.credit.Add(-n) >= 0 {
		return nil
	}
	free, ok := s.files.Free(s.dir)
	if !ok {
		return nil
	}
	need := roomKept + fileSize(filepath.Join(s.dir, fileDB+"-wal")) + s.drafted.Load() - s.spilled.Load() + s.toFold() + n
	if free >= need {
		if free >= need+plenty {
			s.credit.Store(roomCredit)
		}
		return nil
	}
	return &mail.Failure{Class: mail.Transient, Code: mail.CodeDiskFull, Op: "draft"}
}

// toFold is what pendings will take in the tables, about.
func (s *Store) toFold() int64 {
	s.pendMu.RLock()
	defer s.pendMu.RUnlock()
	return s.held.Load() + int64(len(s.pend))*pageSize
}

// makeRoom moves the write-ahead log into the database, so that the next
// transaction begins it anew instead of making it longer. It waits for nobody.
func (s *Store) makeRoom() bool {
	if err := s.w.script("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		s.log.Warn("the write-ahead log could not be folded in", "err", err)
		return false
	}
	return true
}
