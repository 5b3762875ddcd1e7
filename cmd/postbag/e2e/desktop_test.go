//go:build linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"postbag/engine/mailtest/real"
)

// Limits: the machine that runs this may have better things to do.
const (
	startLimit  = 30 * time.Second
	effectLimit = 20 * time.Second
)

// desktop is a screen, a window manager, a session bus and, when wanted, a
// keyring: what a person has after signing in.
type desktop struct {
	t       *testing.T
	dir     string
	env     []string
	bus     *dbus.Conn
	watcher *watcher
}

// parts of a desktop that can be missing.
type parts struct {
	noDisplay, noGL, noBus, noTray, noKeyring bool
}

// newDesktop starts a desktop that ends with the test.
func newDesktop(t *testing.T, lang string, without parts) *desktop {
	t.Helper()
	dir, err := os.MkdirTemp("", "pb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &desktop{t: t, dir: dir}
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	d.env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + run, "LANG=" + lang, "TZ=Europe/Paris", "GORACE=halt_on_error=0 exitcode=0"}
	if !without.noBus {
		d.startBus()
	}
	if !without.noDisplay {
		d.startDisplay(without.noGL)
	}
	if !without.noBus && !without.noTray {
		d.watcher = startWatcher(t, d.bus)
	}
	if !without.noBus && !without.noKeyring {
		d.startKeyring()
	}
	return d
}

// process starts a helper that ends with the test.
func (d *desktop) process(in io.Reader, files []*os.File, name string, args ...string) *exec.Cmd {
	d.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdin, cmd.ExtraFiles = d.env, in, files
	log, err := os.Create(filepath.Join(d.dir, filepath.Base(name)+".log"))
	if err != nil {
		d.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		d.t.Fatalf("%s: %v (make e2e installs what is missing)", name, err)
	}
	d.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = log.Close()
	})
	return cmd
}

// pipe starts a helper that says a line on its descriptor 3, and returns it.
func (d *desktop) pipe(name string, args ...string) string {
	d.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	d.process(nil, []*os.File{w}, name, args...)
	_ = w.Close()
	if err := r.SetReadDeadline(time.Now().Add(startLimit)); err != nil {
		d.t.Fatal(err)
	}
	line := make([]byte, 0, 256)
	for !bytes.HasSuffix(line, []byte("\n")) {
		var b [64]byte
		n, err := r.Read(b[:])
		if err != nil {
			log, _ := os.ReadFile(filepath.Join(d.dir, filepath.Base(name)+".log"))
			d.t.Fatalf("%s: %v\n%s", name, err, log)
		}
		line = append(line, b[:n]...)
	}
	return strings.TrimSpace(string(line))
}

// busConf is a session bus that starts no services by itself: what a test does
// not start, a keyring for example, is not there. Its socket outlives it, so that
// it lies in the folder of the test.
const busConf = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

func (d *desktop) startBus() {
	d.t.Helper()
	conf := filepath.Join(d.dir, "bus.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, busConf, d.dir), 0o600); err != nil {
		d.t.Fatal(err)
	}
	address := d.pipe("dbus-daemon", "--config-file="+conf, "--nofork", "--print-address=3")
	d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS="+address)
	conn, err := dbus.Connect(address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	d.bus = conn
}

func (d *desktop) startDisplay(noGL bool) {
	d.t.Helper()
	args := []string{"-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"}
	if noGL {
		args = append(args, "-extension", "GLX")
	}
	d.env = append(d.env, "DISPLAY=:"+d.pipe("Xvfb", args...))
	d.process(nil, nil, "openbox")
	// The keyboard has an é of its own: what xdotool puts on a key for a moment
	// only, a busy program reads too late.
	if _, err := d.output("xmodmap", "-e", "keycode 97 = eacute"); err != nil {
		d.t.Fatal(err)
	}
	real.Eventually(d.t, startLimit, "the window manager", func() bool {
		out, err := d.output("xprop", "-root", "_NET_SUPPORTING_WM_CHECK")
		return err == nil && strings.Contains(out, "window id")
	})
}

// startKeyring starts an unlocked keyring. The password comes without a line
// end: that would be part of it.
func (d *desktop) startKeyring() {
	d.t.Helper()
	d.process(strings.NewReader("login"), nil, "gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground")
	d.waitName("org.freedesktop.secrets")
}

// waitName waits until somebody has the name on the session bus.
func (d *desktop) waitName(name string) {
	d.t.Helper()
	real.Eventually(d.t, startLimit, name, func() bool {
		var there bool
		return d.bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&there) == nil && there
	})
}

// output runs a tool of the desktop to its end.
func (d *desktop) output(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(append([]string{}, d.env...), "LC_ALL=C.UTF-8") // to type more than ASCII
	out, err := cmd.Output()
	if e := new(exec.ExitError); errors.As(err, &e) {
		err = fmt.Errorf("%s %v: %w\n%s", name, args, err, e.Stderr)
	}
	return string(out), err
}

// program is the running postbag.
type program struct {
	d    *desktop
	cmd  *exec.Cmd
	out  *buffer
	done chan struct{}
	err  error
}

// buffer takes what a program says.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// Reset forgets what was said.
func (b *buffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start runs the program; it is stopped with the test, and whatever it said is
// looked through.
func (d *desktop) start(binary string, args ...string) *program {
	d.t.Helper()
	p := &program{d: d, cmd: exec.Command(binary, args...), out: new(buffer), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = d.env, d.dir, p.out, p.out
	if err := p.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	d.t.Cleanup(func() {
		if d.t.Failed() && p.running() {
			p.autopsy()
		}
		_ = p.cmd.Process.Kill()
		<-p.done
		p.clean()
	})
	return p
}

// clean fails the test when the program said what it must never say.
func (p *program) clean() {
	p.d.t.Helper()
	out := p.out.String()
	for _, bad := range []string{"Error in Fyne call thread", "panic:", "fatal error", "SIGSEGV"} {
		if strings.Contains(out, bad) {
			p.d.t.Errorf("the program said %q:\n%s", bad, out)
		}
	}
	for _, report := range ourRaces(out) {
		p.d.t.Errorf("data race:\n%s", report)
	}
}

// wait waits for the end of the program and returns its exit code.
func (p *program) wait() int {
	p.d.t.Helper()
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
		p.d.t.Fatalf("the program does not end:\n%s", p.out)
	}
	return p.cmd.ProcessState.ExitCode()
}

// running tells whether the program has not ended.
func (p *program) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

var built struct {
	sync.Mutex
	path map[string]string
}

// build builds a program of the project once: "race" with the race detector,
// "plain" as it is shipped, "daemon" postbagd, "scroll" the log alone.
func build(t *testing.T, kind string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if at := built.path[kind]; at != "" {
		return at
	}
	dir, err := filepath.Abs("../../../build/e2e")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"build", "-buildvcs=false", "-tags", "gles,migrated_fynedo,no_animations", "-o", filepath.Join(dir, "postbag-"+kind)}
	switch kind {
	case "race":
		args = append(args, "-race", "postbag/cmd/postbag")
	case "plain":
		args = append(args, "-ldflags", "-s -w", "postbag/cmd/postbag")
	case "daemon":
		args = append(args, "postbag/cmd/postbagd")
	case "scroll":
		args = append(args, "postbag/gui/scroll")
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if built.path == nil {
		built.path = make(map[string]string)
	}
	built.path[kind] = filepath.Join(dir, "postbag-"+kind)
	return built.path[kind]
}
