package store

import (
	"path/filepath"
	"slices"
	"sync"
	"time"

	"postbag/engine/mail"
)

// folder puts what has settled into the tables beside the writer, which has
// nothing but the ledger to write meanwhile. It begins when there is much of it;
// a little the writer does itself. What it has in hand nobody else touches: who
// wants to waits for it (join). All of it but the goroutine belongs to the writer.
type folder struct {
	work chan []*pending
	done chan foldResult
	end  sync.WaitGroup

	busy  map[int64]struct{} // rows in its hand
	again time.Time          // not before, after a failure

	open func(path string, pragmas ...string) (*conn, error) // nil: openConn; tests put faults here
}

type foldResult struct {
	list []*pending
	err  error
}

// startFolding hands the folder what has settled, when it is worth it.
func (s *Store) startFolding() {
	f := &s.folder
	least := foldAtOnce
	if s.keeping > 0 {
		least = manySettled // what comes in has the processors first
	}
	if len(s.tables) > 0 {
		return // they have waited for it
	}
	if s.settled < least || len(f.busy) > 0 || s.damage.Load() != nil || s.now().Before(f.again) {
		return
	}
	if f.work == nil {
		f.work, f.done = make(chan []*pending), make(chan foldResult, 1)
		f.end.Go(s.foldWork)
	}
	list := make([]*pending, 0, 2*foldAtOnce)
	f.busy = make(map[int64]struct{}, 2*foldAtOnce)
	for len(s.landed) > 0 && len(list) < cap(list) {
		row := s.landed[0]
		s.landed = s.landed[1:]
		if p := s.pend[row]; p != nil && settled(p) {
			list = append(list, p)
			s.heard.add(p.key)
			f.busy[row] = struct{}{}
		}
	}
	if len(list) > 0 {
		// In the order of their rows: the words' index would be written out at
		// each step back.
		slices.SortFunc(list, byRow)
		f.work <- list
	}
}

// foldWork is the folder's goroutine.
func (s *Store) foldWork() {
	var c *conn
	open := s.folder.open
	if open == nil {
		open = openConn
	}
	for list := range s.folder.work {
		var err error
		if c == nil {
			c, err = open(filepath.Join(s.dir, fileDB), s.pragmas()...)
		}
		if err == nil {
			err = s.foldBeside(c, list)
		}
		s.folder.done <- foldResult{list, err}
	}
	if c != nil {
		if err := c.close(); err != nil {
			s.log.Warn("a connection to the database could not be closed", "error", err)
		}
	}
}

// foldBeside puts pendings into the tables, in a transaction of its own.
func (s *Store) foldBeside(c *conn, list []*pending) error {
	t := &tx{conn: c, now: s.now().UTC().Truncate(time.Millisecond), delta: make(map[mail.State]int64)}
	err := t.foldSome(list)
	if err == nil {
		err = t.count()
	}
	return t.end(err)
}

// join waits for the folder, if it has anything in hand, and takes over what it
// did.
func (s *Store) join() {
	if len(s.folder.busy) > 0 {
		s.folded(<-s.folder.done)
	}
}

// folded takes over what the folder did.
func (s *Store) folded(r foldResult) {
	s.folder.busy = nil
	if r.err != nil {
		s.folder.again = s.now().Add(foldAgainIn)
		s.log.Warn("what came last could not be put into the tables", "error", s.watch(r.err))
		for _, p := range r.list {
			s.landed = append(s.landed, p.known.Row)
		}
		return
	}
	s.commits.Add(1)
	done := &tx{}
	for _, p := range r.list {
		done.put(p.known.Row, nil)
	}
	s.take(done)
}

// stopFolding ends the folder's goroutine.
func (s *Store) stopFolding() {
	if s.folder.work != nil {
		close(s.folder.work)
		s.folder.end.Wait()
	}
}

// end commits a transaction in the database, or rolls it back because of err.
func (t *tx) end(err error) error {
	if !t.begun {
		return err
	}
	if err == nil {
		if _, err = t.conn.exec("COMMIT"); err != nil && !isFull(err) {
			err = doubtful{err}
		}
	}
	if err != nil {
		// SQLite may have rolled back by itself (SQLITE_FULL, IOERR): then this
		// ROLLBACK fails and says nothing new.
		_, _ = t.conn.exec("ROLLBACK")
	}
	t.begun = false
	return err
}
