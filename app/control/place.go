package control

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// The files of a data folder that belong to this package. The folder is open
// to its owner only.
const (
	folder  = "control"
	pointer = "address" // where the engine listens, when not at the usual place
)

// listener takes away what its place needed when it is closed.
type listener struct {
	net.Listener
	once  sync.Once
	clean func() error
	err   error
}

// Close stops listening. Calls that run are not touched.
func (l *listener) Close() error {
	l.once.Do(func() { l.err = errors.Join(l.Listener.Close(), l.clean()) })
	return l.err
}

// Listen opens the local socket of a data folder. The caller owns the folder,
// that is, holds its lock, and must close the listener (Serve does) before it
// lets go: what an engine that died left behind is removed. Whoever listens
// already is left alone (facts.CodeBusy). Clients may dial from now on; they
// are answered when Serve is called.
func Listen(dataDir string) (net.Listener, error) {
	dir := filepath.Join(dataDir, folder)
	if err := ownFolder(dir); err != nil {
		return nil, cannotFile(dir, err)
	}
	if err := sweep(dir); err != nil {
		if errors.Is(err, errListening) {
			return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeBusy, Op: dataDir}
		}
		return nil, cannotFile(dir, err)
	}
	at, err := choosePlace(dir)
	if err != nil {
		return nil, cannotFile(dir, err)
	}
	ln, err := listenAt(at)
	if err != nil {
		return nil, cannotFile(at, err)
	}
	out := &listener{Listener: ln, clean: func() error { return leave(dir, at) }}
	if at != usualPlace(dir) {
		if err := writePointer(dir, at); err != nil {
			return nil, cannotFile(dir, errors.Join(err, out.Close()))
		}
	}
	return out, nil
}

var errListening = errors.New("somebody listens already")

// sweep removes what an engine that died left, and refuses while one listens.
func sweep(dir string) error {
	at, err := placeOf(dir)
	if err != nil || at == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := dialAt(ctx, at)
	if err == nil {
		return errors.Join(errListening, conn.Close())
	}
	if !nobody(err) {
		return err
	}
	return errors.Join(removePlace(dir, at), leave(dir, at))
}

// placeOf reads where the engine of a data folder listens; "" when there is no
// usual place and none is written down.
func placeOf(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, pointer))
	if errors.Is(err, fs.ErrNotExist) {
		return usualPlace(dir), nil
	}
	if err != nil {
		return "", err
	}
	at := strings.TrimSpace(string(b))
	if !localPlace(at) {
		return "", errors.New(pointer + " does not name a local socket")
	}
	return at, nil
}

// writePointer writes the place down, whole or not at all.
func writePointer(dir, at string) error {
	f, err := os.CreateTemp(dir, pointer+"-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(at + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, pointer))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// leave takes the pointer away, and the folder outside the data folder.
func leave(dir, at string) error {
	return errors.Join(absent(os.Remove(filepath.Join(dir, pointer))), leavePlace(dir, at))
}

// absent forgives that a file is not there.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
