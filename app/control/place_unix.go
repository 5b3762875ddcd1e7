//go:build unix

package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	socket = "engine.sock"
	// longest is the length of a path that every system takes: sun_path has 104
	// bytes on macOS and the BSDs, 108 on Linux, with a zero at the end.
	longest = 103
	outside = "postbag-" // begins the name of a folder outside the data folder
)

// usualPlace is the socket inside the folder.
func usualPlace(dir string) string { return filepath.Join(dir, socket) }

// localPlace tells whether a written place is one that this package writes.
func localPlace(at string) bool {
	return filepath.IsAbs(at) && filepath.Base(at) == socket && len(at) <= longest
}

// ownFolder makes the folder and closes it to others: the socket has its mode
// only after it is bound, the folder keeps others out in between.
func ownFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// choosePlace returns the path for the socket: inside the folder, or, where
// that path is too long, in a short folder that its name's hash stands for.
func choosePlace(dir string) (string, error) {
	if at := usualPlace(dir); len(at) <= longest {
		return at, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(abs))
	name := outside + hex.EncodeToString(sum[:8])
	var errs []error
	for _, base := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} {
		if !filepath.IsAbs(base) || len(filepath.Join(base, name, socket)) > longest {
			continue
		}
		short, err := shortFolder(base, name)
		if err == nil {
			return filepath.Join(short, socket), nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("%s is too long for a socket, and there is no shorter place: %w", dir, errors.Join(errs...))
}

// shortFolder makes base/name for us alone. Where somebody else was there
// first it takes a name that nobody can foresee.
func shortFolder(base, name string) (string, error) {
	short := filepath.Join(base, name)
	err := os.Mkdir(short, 0o700)
	switch {
	case err == nil:
		return short, nil
	case !errors.Is(err, fs.ErrExist):
		return "", err
	}
	info, err := os.Lstat(short)
	if err == nil && info.IsDir() && info.Mode().Perm()&0o077 == 0 && ours(info) {
		return short, nil
	}
	short, err = os.MkdirTemp(base, outside) // 0700
	if err == nil && len(short)+1+len(socket) > longest {
		return "", errors.Join(errors.New(short+" is too long"), os.Remove(short))
	}
	return short, err
}

func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(st.Uid) == int64(os.Geteuid())
}

func listenAt(at string) (net.Listener, error) {
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(at, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

func dialAt(ctx context.Context, at string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", at)
}

// nobody tells whether an error of dialAt proves that no process listens
// there. A process that is stopped or has too much to do still does. A path
// that is too long for a socket (EINVAL) never had one.
func nobody(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EINVAL)
}

// removePlace removes the socket of an engine that died, and nothing else.
func removePlace(_, at string) error {
	info, err := os.Lstat(at)
	if err != nil {
		return absent(err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is no socket", at)
	}
	return absent(os.Remove(at))
}

// leavePlace removes the short folder, when it is empty.
func leavePlace(dir, at string) error {
	short := filepath.Dir(at)
	if short == filepath.Clean(dir) || !strings.HasPrefix(filepath.Base(short), outside) {
		return nil
	}
	return absent(os.Remove(short))
}

// isVacant tells that no engine has made the place, or that one ended in order.
func isVacant(at string) bool {
	_, err := os.Lstat(at)
	return errors.Is(err, fs.ErrNotExist)
}
