//go:build linux

package real

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 30 * time.Second // a loaded machine with two cores
	stopLimit  = 20 * time.Second
	pollEvery  = 5 * time.Millisecond
	mailUID    = 20000 // owner of the mail, no account of the system
	tempRoot   = "/tmp"
	maxTemp    = 40 // longest folder name that leaves room for Unix sockets (108 octets)
)

// guardScript ends a server and removes its folder when the test program dies
// without saying "done", for example at a timeout.
const guardScript = `read word; [ "$word" = done ] || { kill -TERM "-$1"; sleep 1; kill -KILL "-$1"; rm -rf -- "$2"; } 2>/dev/null`

// process is one server: the child that was started and its process group.
type process struct {
	cmd   *exec.Cmd
	done  chan struct{} // closed when the child has ended and was waited for
	guard *exec.Cmd
	word  io.WriteCloser // to the guard
}

// startProcess starts a server in a session (and so a process group) of its
// own; what it prints goes to the file out, whose folder is the server's. A
// guard ends the server when the test program dies, however that happens.
func startProcess(out, name string, args ...string) (*process, error) {
	// A file, not a pipe: a helper that outlives its master must not keep us
	// waiting for the end of the output.
	log, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Dir = "/"
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended shows in its log
	}()
	if err := p.watch(filepath.Dir(out)); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// watch starts the guard. The kernel's own signal at the death of a parent
// would not do: it is forgotten when a server changes its user.
func (p *process) watch(dir string) error {
	guard := exec.Command("/bin/sh", "-c", guardScript, "guard", strconv.Itoa(p.cmd.Process.Pid), dir)
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	word, err := guard.StdinPipe()
	if err != nil {
		return err
	}
	if err := guard.Start(); err != nil {
		return fmt.Errorf("start the guard: %w", err)
	}
	p.guard, p.word = guard, word
	return nil
}

// alive tells whether the child still runs.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks the server to end, after a while ends its whole group, and waits
// until nothing listens at the addresses any more.
func (p *process) stop(addrs ...string) {
	pid := p.cmd.Process.Pid
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopLimit):
	}
	// Helpers that outlive their master belong to its group; they hold its
	// listening sockets until they are gone, too.
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	<-p.done
	if p.guard != nil {
		_, _ = io.WriteString(p.word, "done\n")
		_ = p.guard.Wait()
	}
	for _, addr := range addrs {
		poll(stopLimit, func() bool { return !answers(addr, "") })
	}
}

// Eventually waits until cond holds, asking every few milliseconds, and fails
// the test after limit. what completes the sentence "waited in vain for ...".
func Eventually(t testing.TB, limit time.Duration, what string, cond func() bool) {
	t.Helper()
	if !poll(limit, cond) {
		t.Fatalf("waited %v in vain for %s", limit, what)
	}
}

func poll(limit time.Duration, cond func() bool) bool {
	end := time.NewTimer(limit)
	defer end.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !cond() {
		select {
		case <-end.C:
			return cond()
		case <-tick.C:
		}
	}
	return true
}

// answers tells whether something listens at addr and speaks first.
func answers(addr, greeting string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	if greeting == "" {
		return true
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	got := make([]byte, len(greeting))
	_, err = io.ReadFull(c, got)
	return err == nil && string(got) == greeting
}

// freePorts finds n ports of loopback that nobody uses now.
func freePorts(n int) ([]int, error) {
	var open []net.Listener
	defer func() {
		for _, l := range open {
			_ = l.Close()
		}
	}()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("no free port: %w", err)
		}
		open = append(open, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// folder makes a scratch folder that other users may enter, with a name short
// enough for Unix sockets inside. The test removes it at its end.
func folder(t testing.TB, prefix string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", prefix)
	if err == nil && (len(dir) > maxTemp || !enterable(dir)) {
		_ = os.Remove(dir)
		dir, err = os.MkdirTemp(tempRoot, prefix)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// enterable tells whether any user may pass through the folders above dir.
func enterable(dir string) bool {
	for dir = filepath.Dir(dir); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
	}
	return true
}

// need fails the test unless it runs as root and the program is installed.
func need(t testing.TB, program, packages string) {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%s is missing: install the Debian packages %s (make test does)", program, packages)
	}
	if os.Geteuid() != 0 {
		t.Fatalf("%s can be started by root only: run the tests of this package as root (make test uses sudo)", program)
	}
}

// tail returns the last lines of a log for a failure message.
func tail(file string, lines int) string {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return "(no log)"
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}

// write makes a file that everybody may read, with its folders.
func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mailFolder makes folders that belong to the owner of the mail.
func mailFolder(dirs ...string) error {
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
		if err := os.Chown(d, mailUID, mailUID); err != nil {
			return err
		}
	}
	return nil
}

// maildir reads all messages of a Maildir in the order of their names.
func maildir(dir string) (map[string][]byte, []string, error) {
	files, names := map[string][]byte{}, []string{}
	for _, sub := range []string{"cur", "new"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, nil, err
		}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(dir, sub, e.Name()))
			if err != nil {
				return nil, nil, err
			}
			files[e.Name()] = b
			names = append(names, e.Name())
		}
	}
	return files, names, nil
}
