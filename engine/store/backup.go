package store

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"postbag/engine/mail"
)

const backupPrefix = "backup-"

// BackupFiles hands over every file of a consistent copy of the store, while
// the store goes on working: the database as it is at one moment, and the spool
// and quarantine files that belong to it. Laid out under the given names
// (slashes) in an empty folder they are a store that Open opens.
func (s *Store) BackupFiles(ctx context.Context, add func(name string, size int64, r io.Reader) error) error {
	if err := s.enter("backup"); err != nil {
		return err
	}
	defer s.calls.Done()
	if err := s.unfold(ctx); err != nil {
		return fail("backup", err)
	}
	// From before the snapshot on no file is removed that it may name.
	defer s.trash.hold()()
	tmp := filepath.Join(s.dir, backupPrefix+randomName()+tempSuffix)
	defer os.Remove(tmp) // whatever happened; the next start would, too
	files, err := s.snapshotTo(ctx, tmp)
	if err != nil {
		return fail("backup", s.watch(err))
	}
	if err := addFile(ctx, add, fileDB, tmp); err != nil {
		return fail("backup", err)
	}
	for _, name := range files {
		err := addFile(ctx, add, name, filepath.Join(s.dir, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fail("backup", err)
		}
	}
	return nil
}

// snapshotTo copies the database and returns the names of its files.
func (s *Store) snapshotTo(ctx context.Context, tmp string) ([]string, error) {
	// VACUUM INTO takes an empty file and keeps its permissions.
	if err := privateFile(tmp); err != nil {
		return nil, err
	}
	c, err := openConn(filepath.Join(s.dir, fileDB), "busy_timeout = 10000")
	if err != nil {
		return nil, err
	}
	_, err = c.dc.(execer).ExecContext(ctx, "VACUUM INTO ?", argument(tmp))
	err = errors.Join(err, c.close())
	if err != nil {
		return nil, err
	}
	if c, err = openConn(tmp); err != nil {
		return nil, err
	}
	// The copy has no ledger.
	if _, err = c.exec("DELETE FROM meta WHERE key = 'intake'"); err != nil {
		return nil, errors.Join(err, c.close())
	}
	names := []string{fileWitness}
	err = c.each(ctx, `SELECT b.file, CASE WHEN b.eml THEN i.id END FROM body b JOIN identity i ON i.row = b.row
		WHERE b.file IS NOT NULL OR b.eml`, func(r record) error {
		if name := r.str(0); name != "" {
			names = append(names, path.Join(dirSpool, name))
		}
		if id := r.str(1); id != "" {
			names = append(names, path.Join(dirQuarantine, id+emlSuffix))
		}
		return nil
	})
	return names, errors.Join(err, c.close())
}

func addFile(ctx context.Context, add func(string, int64, io.Reader) error, name, from string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return add(name, info.Size(), f)
}

// Backup writes BackupFiles as one tar archive. Unpacked into an empty folder it
// is a store.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	tw := tar.NewWriter(w)
	now := s.now().UTC().Truncate(time.Second)
	err := s.BackupFiles(ctx, func(name string, size int64, r io.Reader) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: now}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		return copyAll(tw, r)
	})
	if err == nil {
		err = fail("backup", tw.Close())
	}
	return err
}

// Restore unpacks an archive of Backup into a folder that holds no store yet.
func Restore(ctx context.Context, dir string, r io.Reader) error {
	for _, n := range []string{fileDB, fileWitness, fileLedger} {
		if exists(filepath.Join(dir, n)) {
			return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeStore, Op: "restore", Err: fmt.Errorf("%s holds a store already", dir)}
		}
	}
	for _, d := range []string{dir, filepath.Join(dir, dirSpool), filepath.Join(dir, dirQuarantine)} {
		if err := privateDir(d); err != nil {
			return fail("restore", err)
		}
	}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && !backupName(h.Name) {
			err = fmt.Errorf("not a file of a store: %q", h.Name)
		}
		if err == nil {
			err = writeWhole(osFiles{}, filepath.Join(dir, filepath.FromSlash(h.Name)), tr)
		}
		if err != nil {
			return fail("restore", err)
		}
	}
}

// backupName tells whether an archive may write that name: nothing outside the
// store's folder.
func backupName(name string) bool {
	if name == fileDB || name == fileWitness {
		return true
	}
	dir, base := path.Split(name)
	return base != "" && base != "." && base != ".." && filepath.IsLocal(base) && (dir == dirSpool+"/" || dir == dirQuarantine+"/")
}
