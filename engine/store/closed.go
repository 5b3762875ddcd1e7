package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fileClosed tells what the database was like when the store was closed in
// order. As long as it is like that nobody has touched it: the next start need
// not look for damage, and may believe what was noted. It is not synced: without
// it, or when only a part of it is there, the next start looks.
//
//	size in octets, time of the last change in ns, time of the last check in s
//	what was noted
const fileClosed = "closed"

// checkAgain is how old a check of a store may be that nobody touched: a disk
// also forgets what nobody touches.
const checkAgain = 24 * time.Hour

// closing is what fileClosed tells.
type closing struct {
	size, changed int64
	checked       time.Time
	note          string
}

// readClosing returns what the last close in order left behind; ok is false when
// something has happened to the database since.
func readClosing(dir string) (c closing, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, fileClosed))
	if err != nil {
		return c, false
	}
	first, note, whole := strings.Cut(string(text), "\n")
	var checked int64
	if n, err := fmt.Sscan(first, &c.size, &c.changed, &checked); n < 3 || err != nil || !whole || !strings.HasSuffix(note, "\n") {
		return c, false
	}
	c.checked, c.note = time.Unix(checked, 0), strings.TrimSuffix(note, "\n")
	size, changed := fileState(filepath.Join(dir, fileDB))
	ok = size == c.size && changed == c.changed && fileSize(filepath.Join(dir, fileDB+"-wal")) == 0 &&
		!exists(filepath.Join(dir, fileDamaged))
	return c, ok
}

// fileState is the size of a file and the time of its last change.
func fileState(path string) (size, changed int64) {
	info, err := os.Stat(path)
	if err != nil {
		return -1, 0
	}
	return info.Size(), info.ModTime().UnixNano()
}

// isFresh tells whether the last check still counts.
func (c closing) isFresh(now time.Time) bool {
	age := now.Sub(c.checked)
	return age >= 0 && age < checkAgain
}

// toCheck tells whether the database is to be checked now, if it is one that is
// checked at a start at all.
func (s *Store) toCheck(may bool) bool {
	if fileSize(filepath.Join(s.dir, fileDB)) == 0 { // it is made now
		s.checked = s.now()
		return false
	}
	last, untouched := readClosing(s.dir)
	if s.checked = last.checked; !may || untouched && last.isFresh(s.now()) {
		return false
	}
	s.checked = s.now()
	return true
}

// markClosed is what a close in order ends with.
func (s *Store) markClosed() {
	size, changed := fileState(filepath.Join(s.dir, fileDB))
	text := fmt.Sprintf("%d %d %d\n%s\n", size, changed, s.checked.Unix(), s.note)
	if err := replaceText(filepath.Join(s.dir, fileClosed), text); err != nil {
		s.log.Warn("the next start looks for damage", "error", err)
	}
}

// replaceText makes text the content of a file without giving its place on the disk
// back first, which takes longer than the writing.
func replaceText(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if size := fileSize(path); err == nil && size != int64(len(text)) {
		err = f.Truncate(int64(len(text)))
	}
	return errors.Join(err, f.Close())
}

// LeaveNote has the next start find a line of text with NoteLeft.
func (s *Store) LeaveNote(line string) { s.note = line }

// NoteLeft returns what was noted when the store in dir was closed in order, as
// long as nobody has opened or touched it since. It does not open it.
func NoteLeft(dir string) (line string, ok bool) {
	c, ok := readClosing(dir)
	return c.note, ok
}
