package launch

import (
	"bufio"
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
	"time"

	"github.com/gofrs/flock"
)

// The words between the first instance and a second one.
const (
	askRaise = "raise\n"
	saidDone = "done\n"
)

// Errors of First.
var (
	ErrRaised = errors.New("the first instance has come to the front")
	ErrDeaf   = errors.New("the first instance does not answer")
)

// Instance is the one desktop program of a data folder.
type Instance struct {
	lock *flock.Flock
	ln   net.Listener
	at   string
}

// First makes this process the one desktop program of the data folder. When
// there is one already it is asked to show its window: ErrRaised, or ErrDeaf
// when it does not answer within patience.
func First(ctx context.Context, data string, patience time.Duration) (*Instance, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	i := &Instance{lock: flock.New(filepath.Join(data, "desktop.lock"), flock.SetPermissions(0o600)), at: socketPath(data)}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		got, err := i.lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("data folder: %w", err)
		}
		if got {
			return i, i.listen()
		}
		if raise(ctx, i.at) == nil {
			return nil, ErrRaised
		}
		// The first one has only just begun, or is just ending.
		select {
		case <-ctx.Done():
			return nil, ErrDeaf
		case <-again.C:
		}
	}
}

// listen opens the socket. The lock is ours, so what lies there was left by one
// that died.
func (i *Instance) listen() (err error) {
	if err = os.Remove(i.at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("socket of the desktop: %w", err), i.lock.Unlock())
	}
	i.ln, err = net.Listen("unix", i.at)
	if err == nil {
		err = os.Chmod(i.at, 0o600)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("socket of the desktop: %w", err), i.Close())
	}
	return nil
}

// Serve calls show for each second start, until Close.
func (i *Instance) Serve(show func()) {
	for {
		conn, err := i.ln.Accept()
		if err != nil {
			return // closed
		}
		go answer(conn, show)
	}
}

// saying is how long one line between the two may take.
const saying = 2 * time.Second

func answer(conn net.Conn, show func()) {
	defer func() { _ = conn.Close() }()
	if conn.SetDeadline(time.Now().Add(saying)) != nil {
		return
	}
	line, err := bufio.NewReaderSize(conn, 16).ReadSlice('\n')
	if err != nil || string(line) != askRaise {
		return
	}
	show()
	_, _ = conn.Write([]byte(saidDone)) // whether it hears it or not
}

// raise asks the first instance to show its window.
func raise(ctx context.Context, at string) (err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err = conn.SetDeadline(time.Now().Add(saying)); err != nil {
		return err
	}
	if _, err = conn.Write([]byte(askRaise)); err != nil {
		return err
	}
	line, err := bufio.NewReaderSize(conn, 16).ReadSlice('\n')
	if err == nil && string(line) != saidDone {
		return errors.New("not our socket")
	}
	return err
}

// Close lets another one be the first.
func (i *Instance) Close() error {
	var errs []error
	if i.ln != nil {
		errs = append(errs, i.ln.Close()) // removes the socket
	}
	return errors.Join(append(errs, i.lock.Unlock())...)
}

// longest is the length of a path that a socket may have everywhere.
const longest = 103

// socketPath is in the data folder or, where that path is too long, in the
// folder for temporary files under a name made of it.
func socketPath(data string) string {
	at := filepath.Join(data, "desktop.sock")
	if len(at) <= longest {
		return at
	}
	abs, err := filepath.Abs(data)
	if err != nil {
		abs = data
	}
	sum := sha256.Sum256([]byte(strings.ToLower(abs)))
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "postbag-desktop-"+hex.EncodeToString(sum[:8])+".sock")
}
