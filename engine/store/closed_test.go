package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A store that was closed in order and that nobody has touched is not checked at
// each start, but once a day; what was noted at the close is believed as long.
func TestClosedInOrder(t *testing.T) {
	r := newRig(t)
	dir, db := r.opt.Dir, filepath.Join(r.opt.Dir, fileDB)
	again := func() (was time.Time) {
		t.Helper()
		was = r.checked
		r.LeaveNote("ready")
		r.reopen()
		return was
	}
	noted := func(want bool) {
		t.Helper()
		if line, ok := NoteLeft(dir); ok != want || ok && line != "ready" {
			t.Errorf("%q %v, want %v", line, ok, want)
		}
	}
	first := r.checked
	if first.Unix() != r.clock.Now().Unix() {
		t.Errorf("made at %v, checked at %v", r.clock.Now(), first)
	}
	r.clock.Advance(time.Hour)
	again()
	r.clock.Advance(time.Hour)
	if was := again(); !was.Equal(first) || r.checked.Unix() != first.Unix() {
		t.Errorf("checked at %v and %v, although nobody touched it since %v", was, r.checked, first)
	}
	r.clock.Advance(checkAgain)
	if again(); r.checked.Unix() != r.clock.Now().Unix() {
		t.Errorf("checked at %v, a day ago", r.checked)
	}

	r.list("box", "one") // in the write-ahead log
	noted(false)
	again()
	r.clock.Advance(time.Hour)
	r.LeaveNote("ready, and so are many others that are gone the next time")
	r.reopen()
	r.LeaveNote("ready")
	r.ok(r.Store.Close())
	noted(true)
	whole, err := os.ReadFile(filepath.Join(dir, fileClosed))
	r.ok(err)
	for n := range whole {
		r.ok(os.WriteFile(filepath.Join(dir, fileClosed), whole[:n], 0o600))
		noted(false)
	}
	r.ok(os.WriteFile(filepath.Join(dir, fileClosed), whole, 0o600))
	noted(true)
	r.ok(markDamaged(osFiles{}, dir, "test"))
	noted(false)
	r.ok(os.Remove(filepath.Join(dir, fileDamaged)))
	later := time.Now().Add(time.Minute)
	r.ok(os.Chtimes(db, later, later))
	noted(false)
	if r.open(); r.checked.Unix() != r.clock.Now().Unix() {
		t.Errorf("checked at %v, although somebody touched it", r.checked)
	}
}
