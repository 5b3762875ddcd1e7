package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// pipes begins the name of a pipe of this computer; a name of another computer
// begins with that computer's.
const pipes = `\\.\pipe\postbag-`

// usualPlace is none: the name of a pipe is visible to everybody, so that a
// foreseeable one could be taken by somebody else first. It is drawn by lot
// and written into the data folder.
func usualPlace(string) string { return "" }

// localPlace tells whether a written place is one that this package writes.
func localPlace(at string) bool {
	name, ok := strings.CutPrefix(at, pipes)
	return ok && name != "" && !strings.ContainsAny(name, `\/`)
}

// ownFolder makes the folder; it inherits the access of the data folder.
func ownFolder(dir string) error { return os.MkdirAll(dir, 0o700) }

func choosePlace(string) (string, error) { return pipes + rand.Text(), nil }

// listenAt opens the pipe for this user, the administrators and the system
// itself, and for nobody who comes over the network.
func listenAt(at string) (net.Listener, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("who runs this: %w", err)
	}
	access := fmt.Sprintf("D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%s)", user.User.Sid)
	return winio.ListenPipe(at, &winio.PipeConfig{SecurityDescriptor: access, InputBufferSize: 64 << 10, OutputBufferSize: 64 << 10})
}

func dialAt(ctx context.Context, at string) (net.Conn, error) {
	if at == "" {
		return nil, &fs.PathError{Op: "open", Path: pipes, Err: fs.ErrNotExist}
	}
	return winio.DialPipeContext(ctx, at)
}

// nobody tells whether an error of dialAt proves that no process listens there.
func nobody(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// removePlace does nothing: a pipe ends with its process.
func removePlace(_, _ string) error { return nil }

func leavePlace(_, _ string) error { return nil }

// isVacant tells that no engine has made the place: none was written down.
func isVacant(at string) bool { return at == "" }
