package logging

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"gopkg.in/natefinch/lumberjack.v2"
)

// rotatingFile writes lines to a file that is put aside when the next line
// would make it longer than limit. lumberjack counts in whole megabytes of
// 2^20; the configuration promises octets, so the counting is done here.
type rotatingFile struct {
	mu    sync.Mutex
	file  *lumberjack.Logger
	size  int64
	limit int64
}

// openRotating prepares the folder (0700) and the file (0600), and tries to
// write there, so that a fault shows at once and not with the first line.
func openRotating(path string, limit int64, backups int) (*rotatingFile, error) {
	if err := privateFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = f.Chmod(0o600) // lumberjack hands the mode on to the files that follow
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	const mebi = 1 << 20
	return &rotatingFile{
		file:  &lumberjack.Logger{Filename: path, MaxSize: int(limit/mebi) + 64, MaxBackups: backups},
		size:  info.Size(),
		limit: limit,
	}, nil
}

// Write appends whole lines, one or many; where they do not fit they are parted.
func (r *rotatingFile) Write(lines []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := 0
	for done < len(lines) {
		rest := lines[done:]
		fit := r.fitting(rest)
		if fit == 0 {
			if err := r.file.Rotate(); err != nil {
				return done, fmt.Errorf("rotate the log: %w", err)
			}
			r.size = 0
			continue
		}
		n, err := r.file.Write(rest[:fit])
		r.size += int64(n)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// fitting is how many octets of the lines the current file takes: whole lines
// only, and in an empty file one at least.
func (r *rotatingFile) fitting(lines []byte) int {
	room := r.limit - r.size
	if int64(len(lines)) <= room {
		return len(lines)
	}
	fit := bytes.LastIndexByte(lines[:max(room, 0)], '\n') + 1
	if fit == 0 && r.size == 0 {
		fit = bytes.IndexByte(lines, '\n') + 1
		if fit == 0 {
			fit = len(lines)
		}
	}
	return fit
}

// Close closes the file.
func (r *rotatingFile) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Close()
}

// privateFolder makes a folder that only its owner can enter.
func privateFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the folder: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(dir, info.Mode().Perm()&fs.FileMode(0o700)); err != nil {
		return fmt.Errorf("make the folder private: %w", err)
	}
	return nil
}
