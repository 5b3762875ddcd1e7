package app

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// dataLock is held by the one engine that may work on a data folder.
type dataLock struct{ l *flock.Flock }

// lockData makes the data folder, private to the user, and locks it. The
// operating system lets go of the lock when the process dies, however it dies.
func lockData(dir string) (*dataLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: dir, Err: err}
	}
	l := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	got, err := l.TryLock()
	if err != nil {
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: dir, Err: err}
	}
	if !got {
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeBusy, Op: dir}
	}
	return &dataLock{l: l}, nil
}

func (d *dataLock) release() error {
	if d == nil {
		return nil
	}
	return d.l.Unlock()
}
