package app

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// Backup writes a consistent copy of store and configuration to path as a tar
// archive, never over a file: postbag.toml, and data/ as it belongs into the
// data folder. Secrets of the keyring are not in it.
func (l *Local) Backup(ctx context.Context, file string) (facts.BackupReport, error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return facts.BackupReport{}, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFileExists, Op: file}
	}
	if err != nil {
		return facts.BackupReport{}, fileFault(file, err)
	}
	tw := tar.NewWriter(f)
	err = l.archive(ctx, tw)
	if err = errors.Join(err, tw.Close(), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(file) // half a backup is worse than none
		return facts.BackupReport{}, fileFault(file, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return facts.BackupReport{}, fileFault(file, err)
	}
	return facts.BackupReport{Path: file, Size: info.Size()}, nil
}

func (l *Local) archive(ctx context.Context, tw *tar.Writer) error {
	add := func(name string, size int64, r io.Reader) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: time.Now().Truncate(time.Second)}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err := io.Copy(tw, r)
		return err
	}
	for name, from := range map[string]string{
		"postbag.toml": l.o.Config,
		path.Join("data", filepath.Base(identitiesFile(l.o.Data))): identitiesFile(l.o.Data),
	} {
		if err := addFile(add, name, from); err != nil {
			return err
		}
	}
	if l.store == nil {
		return nil
	}
	return l.store.BackupFiles(ctx, func(name string, size int64, r io.Reader) error {
		return add(path.Join("data/store", name), size, r)
	})
}

// addFile adds one small file; one that is not there is left out.
func addFile(add func(string, int64, io.Reader) error, name, from string) error {
	f, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return add(name, info.Size(), io.LimitReader(f, info.Size()))
}

func fileFault(file string, err error) error {
	if f, ok := errors.AsType[*mail.Failure](err); ok {
		return f
	}
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: file, Err: err}
}

// Repair puts a damaged store aside and saves what can be read.
func (a *Application) Repair(ctx context.Context, o facts.Options) (facts.RepairReport, error) {
	lock, err := lockData(o.Data)
	if err != nil {
		return facts.RepairReport{}, err
	}
	rep, err := store.Repair(ctx, store.Options{Dir: storeDir(o.Data)})
	if err = errors.Join(err, lock.release()); err != nil {
		return facts.RepairReport{}, err
	}
	return facts.RepairReport{
		Damaged: !rep.Healthy, Aside: rep.Aside, Known: int64(rep.Identities), Queued: int64(rep.Bodies),
		Journal: int64(rep.Messages), Reimported: int64(len(rep.Recovered)), Lost: int64(len(rep.Lost) + rep.Gaps),
	}, nil
}
