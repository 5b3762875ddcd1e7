//go:build unix

package control

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postbag/app/facts"
)

// reach dials the engine of dir and hangs up.
func reach(t *testing.T, dir string) error {
	t.Helper()
	s, err := Dial(t.Context(), dir)
	if err != nil {
		return err
	}
	return s.Close()
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// TestOnlyTheOwnerMayCommand: also in a data folder that others can read, and
// under a careless umask.
func TestOnlyTheOwnerMayCommand(t *testing.T) {
	old := syscall.Umask(0)
	t.Cleanup(func() { syscall.Umask(old) })
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
		t.Fatal(err)
	}
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := ln.Addr().String()
	if got := mode(t, at); got != fs.ModeSocket|0o600 {
		t.Errorf("the socket has %v", got)
	}
	if got := mode(t, filepath.Dir(at)); got != fs.ModeDir|0o700 {
		t.Errorf("its folder has %v", got)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// die leaves the socket of dir as an engine leaves it that was killed.
func die(t *testing.T, dir string) (at string) {
	t.Helper()
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	inner := ln.(*listener).Listener.(*net.UnixListener)
	inner.SetUnlinkOnClose(false)
	if err := inner.Close(); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}

func TestStaleSocket(t *testing.T) {
	for name, dir := range map[string]string{"usual": t.TempDir(), "long": longFolder(t)} {
		t.Run(name, func(t *testing.T) {
			stale := die(t, dir)
			if mode(t, stale)&fs.ModeSocket == 0 {
				t.Fatal("nothing was left behind")
			}
			wantFailure(t, reach(t, dir), facts.CodeNotRunning, dir)
			if mode(t, stale)&fs.ModeSocket == 0 {
				t.Error("a client removed the socket")
			}
			ln, err := Listen(dir)
			if err != nil {
				t.Fatal(err)
			}
			startOn(t, dir, ln, &fake{}, quick())
			if err := reach(t, dir); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTwoEngines: the second one is refused and the first goes on, also when it
// does not answer just now.
func TestTwoEngines(t *testing.T) {
	for name, dir := range map[string]string{"usual": t.TempDir(), "long": longFolder(t)} {
		t.Run(name, func(t *testing.T) {
			ln, err := Listen(dir)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Listen(dir)
			wantFailure(t, err, facts.CodeBusy, dir)
			startOn(t, dir, ln, &fake{}, quick())
			_, err = Listen(dir)
			wantFailure(t, err, facts.CodeBusy, dir)
			if err := reach(t, dir); err != nil {
				t.Error(err)
			}
		})
	}
}

// longFolder is a data folder whose path no socket can have.
func longFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strings.Repeat("a long name ", 12))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLongPath(t *testing.T) {
	runtime := shortTemp(t)
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	dir := longFolder(t)
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := ln.Addr().String()
	short := filepath.Dir(at)
	if filepath.Dir(short) != runtime || mode(t, short) != fs.ModeDir|0o700 || mode(t, at) != fs.ModeSocket|0o600 {
		t.Errorf("%s has %v in a folder with %v", at, mode(t, at), mode(t, short))
	}
	if got := mode(t, filepath.Join(dir, folder, pointer)); got != 0o600 {
		t.Errorf("the pointer has %v", got)
	}
	e := startOn(t, dir, ln, &fake{}, quick())
	t.Setenv("XDG_RUNTIME_DIR", "/nowhere") // of the client, which need not know
	if err := reach(t, dir); err != nil {
		t.Error(err)
	}
	e.stop()
	if err := receive(t, e.done, "the end"); err != nil {
		t.Error(err)
	}
	for _, left := range []string{runtime, filepath.Join(dir, folder)} {
		if files, err := os.ReadDir(left); err != nil || len(files) > 0 {
			t.Errorf("%s holds %v %v", left, files, err)
		}
	}
}

// shortTemp is a folder with a short path.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestSomebodyWasThereFirst: a folder of the foreseeable name that others can
// use is not used.
func TestSomebodyWasThereFirst(t *testing.T) {
	for name, squat := range map[string]func(path string) error{
		"open folder": func(p string) error { return errors.Join(os.Mkdir(p, 0o700), os.Chmod(p, 0o777)) },
		"file":        func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"link":        func(p string) error { return os.Symlink(t.TempDir(), p) },
	} {
		t.Run(name, func(t *testing.T) {
			runtime := shortTemp(t)
			t.Setenv("XDG_RUNTIME_DIR", runtime)
			dir := longFolder(t)
			at, err := choosePlace(filepath.Join(dir, folder))
			if err != nil {
				t.Fatal(err)
			}
			taken := filepath.Dir(at)
			if err := errors.Join(os.Remove(taken), squat(taken)); err != nil {
				t.Fatal(err)
			}
			ln, err := Listen(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := filepath.Dir(ln.Addr().String()); got == taken || filepath.Dir(got) != runtime || mode(t, got) != fs.ModeDir|0o700 {
				t.Errorf("listens at %s", ln.Addr())
			}
			startOn(t, dir, ln, &fake{}, quick())
			if err := reach(t, dir); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWhatIsNotOursStays: only a socket is ever removed.
func TestWhatIsNotOursStays(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, folder, socket)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Listen(dir)
	wantFailure(t, err, facts.CodeFile, "")
	if got, err := os.ReadFile(file); err != nil || string(got) != "x" {
		t.Errorf("%q %v", got, err)
	}
}

func TestFolderCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Listen(file)
	wantFailure(t, err, facts.CodeFile, filepath.Join(file, folder))
}
