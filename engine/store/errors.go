package store

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"postbag/engine/mail"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// fail turns any error of the database or the file system into a Failure; a
// Failure passes as it is and nil stays nil.
func fail(op string, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*mail.Failure](err); ok {
		return f
	}
	f := &mail.Failure{Class: mail.Internal, Code: mail.CodeStore, Op: op, Err: err}
	switch {
	case isFull(err):
		f.Class, f.Code = mail.Transient, mail.CodeDiskFull
	case isDamage(err):
		f.Class, f.Code = mail.NeedsUser, mail.CodeStoreDamaged
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.Class, f.Code = mail.Transient, mail.CodeCancelled
	case errors.Is(err, fs.ErrPermission):
		f.Class = mail.NeedsUser
	}
	return f
}

func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// isFull tells a full disk or quota.
func isFull(err error) bool {
	switch code := sqliteCode(err); {
	case code&0xff == sqlite3.SQLITE_FULL:
		return true
	case code == sqlite3.SQLITE_IOERR_SHMSIZE:
		return true // the WAL index could not grow
	}
	return errors.Is(err, syscall.ENOSPC) || isQuota(err)
}

// isDamage tells that the database's content is not what SQLite wrote.
func isDamage(err error) bool {
	if _, ok := errors.AsType[damagedContent](err); ok {
		return true
	}
	if f, ok := errors.AsType[*mail.Failure](err); ok && f.Code == mail.CodeStoreDamaged {
		return true
	}
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

func notFound(op string) error {
	return &mail.Failure{Class: mail.Permanent, Code: mail.CodeNotFound, Op: op}
}

func wrongState(op string, is mail.State) error {
	return &mail.Failure{Class: mail.Permanent, Code: mail.CodeWrongState, Op: op, Reply: string(is)}
}

func internal(op, text string) error {
	return &mail.Failure{Class: mail.Internal, Code: mail.CodeStore, Op: op, Err: errors.New(text)}
}
