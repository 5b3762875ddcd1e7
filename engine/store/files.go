package store

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Names inside the store's folder.
const (
	fileDB        = "postbag.db"
	fileWitness   = "installation" // holds the installation id; tells that there was a store
	fileDamaged   = "damaged"      // the marker that keeps a damaged store closed
	dirSpool      = "spool"
	dirQuarantine = "quarantine"
	draftSuffix   = ".draft"
	bodySuffix    = ".msg"
	emlSuffix     = ".eml"
	tempSuffix    = ".tmp"
)

// writeFile is a file being written.
type writeFile interface {
	io.Writer
	Sync() error
	Close() error
}

// fileLayer is what the store does with files of its own; tests put faults
// into it.
type fileLayer interface {
	Create(path string) (writeFile, error) // must not exist; 0600
	Rename(from, to string) error
	Link(from, to string) error
	Remove(path string) error
	SyncDir(path string) error
	Free(path string) (octets int64, known bool) // of its disk
}

// osFiles is the fileLayer of the operating system.
type osFiles struct{}

var _ fileLayer = osFiles{}

func (osFiles) Create(path string) (writeFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err // a nil *os.File must not become a non-nil interface
	}
	return f, nil
}

func (osFiles) Free(path string) (int64, bool) { return diskFree(path) }

func (osFiles) Rename(from, to string) error { return os.Rename(from, to) }
func (osFiles) Link(from, to string) error   { return os.Link(from, to) }
func (osFiles) Remove(path string) error     { return os.Remove(path) }

// SyncDir makes the names in a folder durable.
func (osFiles) SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // NTFS journals names; a folder's handle cannot be flushed
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// writeWhole writes a small file durably under its final name.
func writeWhole(files fileLayer, path string, content io.Reader) error {
	tmp := path + tempSuffix
	if err := files.Remove(tmp); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := files.Create(tmp)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = files.Rename(tmp, path)
	}
	if err != nil {
		_ = files.Remove(tmp) // the first error says it all
		return err
	}
	return files.SyncDir(filepath.Dir(path))
}

// privateDir makes a folder that only the user can enter, whatever the umask,
// and makes it durable: mail kept in it must not vanish with its name.
func privateDir(path string) error {
	var made []string
	for p := filepath.Clean(path); !exists(p); p = filepath.Dir(p) {
		made = append(made, p)
		if p == filepath.Dir(p) {
			break
		}
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, p := range made {
		if err := (osFiles{}).SyncDir(filepath.Dir(p)); err != nil {
			return err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm() != 0o700 && runtime.GOOS != "windows" {
		return os.Chmod(path, 0o700)
	}
	return nil
}

// privateFile makes sure that a file is there and that only the user can read
// it. SQLite gives its -wal and -shm the permissions of the database.
func privateFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		err = f.Chmod(0o600)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil || !os.IsNotExist(err)
}

// listNames returns the names of a folder's files; none when it is not there.
func listNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type()&fs.ModeType == 0 {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
