//go:build linux

package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postbag/engine/mailtest"
)

// commandLimit ends a program that hangs: a test must fail, not wait.
const commandLimit = 90 * time.Second

// The one mailbox at the scripted provider of most tests.
const (
	login    = "office-42"
	password = "s3cret-pass"
	boxName  = "Whole office"
)

// site is one office: a provider, an office server, a configuration and a data
// folder.
type site struct {
	t      *testing.T
	dir    string
	isp    *mailtest.POP3
	office *mailtest.SMTP

	head    string // tables before the mailbox
	mailbox string // keys of the mailbox
	env     []string

	fileLimit int // KB, 0: none; see limited
}

// newSite starts a scripted provider and a scripted office server and writes
// a configuration for both.
func newSite(t *testing.T, isp mailtest.POP3Options, office mailtest.SMTPOptions) *site {
	t.Helper()
	if isp.Users == nil {
		isp.Users = map[string]string{login: password}
	}
	isp.Record = true
	s := &site{t: t, dir: t.TempDir()}
	var err error
	if s.isp, err = mailtest.NewPOP3(isp); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.isp.Close() })
	if s.office, err = mailtest.NewSMTP(office); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.office.Close() })
	s.write("secret", password+"\n")
	s.head = head(s.office.Port())
	s.mailbox = plainMailbox(s.isp.Port())
	s.configure("")
	return s
}

// head is the office with three people, a list and one target.
func head(port int) string {
	return fmt.Sprintf(`version = 1
[office]
domains = ["office.test"]
unknown_recipient = "postmaster@office.test"
[[target]]
name = "office"
host = "127.0.0.1"
port = %d
[[recipient]]
address = "anne@office.test"
aliases = ["info@office.test"]
[[recipient]]
address = "bob@office.test"
[[recipient]]
address = "claire@office.test"
[[list]]
address = "sales@office.test"
members = ["anne@office.test", "bob@office.test"]
`, port)
}

func plainMailbox(port int) string {
	return fmt.Sprintf(`[[mailbox]]
name = "Whole office"
kind = "global"
host = "127.0.0.1"
port = %d
security = "none"
allow_plaintext_password = true
username = "office-42"
secret = "file:secret"
`, port)
}

// configure writes the configuration with further keys of the mailbox.
func (s *site) configure(keys string) {
	s.t.Helper()
	s.write("postbag.toml", s.head+s.mailbox+keys)
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) path(name ...string) string { return filepath.Join(append([]string{s.dir}, name...)...) }

// data is the data folder.
func (s *site) data() string { return s.path("data") }

// command prepares the program with the folders of this site.
func (s *site) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(s.t.Context(), commandLimit)
	s.t.Cleanup(cancel)
	// The options stand before the command as often as after it.
	all := append(slices.Clone(args), "--data", s.data())
	if !slices.Contains(args, "--config") {
		all = append(all, "--config", s.path("postbag.toml"))
	}
	if !slices.Contains(args, "--lang") {
		all = append(all, "--lang", "en")
	}
	cmd := exec.CommandContext(ctx, os.Getenv(programEnv), all...)
	cmd.Env = append([]string{"HOME=" + s.path("home"), "PATH=" + os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS=unix:path=" + s.path("no-bus")}, s.env...)
	return s.limited(cmd)
}

// result is what one command said.
type result struct {
	t        *testing.T
	args     []string
	code     int
	out, err string
	maxRSS   int64 // KB
}

// run runs a command to its end.
func (s *site) run(args ...string) result {
	s.t.Helper()
	return s.runWith(nil, args...)
}

func (s *site) runWith(stdin io.Reader, args ...string) result {
	s.t.Helper()
	cmd := s.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	err := cmd.Run()
	return s.finished(cmd, args, err, out.String(), errs.String())
}

func (s *site) finished(cmd *exec.Cmd, args []string, err error, out, errs string) result {
	s.t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() < 0) {
		s.t.Fatalf("postbagd %q: %v\n%.4000s", args, err, errs)
	}
	r := result{t: s.t, args: args, code: cmd.ProcessState.ExitCode(), out: out, err: errs}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.maxRSS = u.Maxrss
	}
	if strings.Contains(errs, "panic:") || strings.Contains(errs, "goroutine ") {
		s.t.Errorf("postbagd %q panics:\n%.4000s", args, errs)
	}
	for _, leak := range []string{out, errs} {
		if strings.Contains(leak, password) {
			s.t.Errorf("postbagd %q shows the password:\n%s", args, leak)
		}
	}
	return r
}

// want runs a command that must end with the given exit code.
func (s *site) want(code int, args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.code != code {
		s.t.Fatalf("postbagd %q ends with %d, want %d\nstdout:\n%.3000s\nstderr:\n%.3000s", args, r.code, code, r.out, r.err)
	}
	return r
}

// says demands words in what a command wrote for people.
func (r result) says(words ...string) result {
	r.t.Helper()
	for _, w := range words {
		if !strings.Contains(r.err+r.out, w) {
			r.t.Errorf("postbagd %q does not say %q\nstdout:\n%.2000s\nstderr:\n%.2000s", r.args, w, r.out, r.err)
		}
	}
	return r
}

// background is a command that runs beside the test.
type background struct {
	s    *site
	cmd  *exec.Cmd
	args []string
	out  *syncBuffer
	err  *syncBuffer
	done chan struct{}
	fail error
}

// syncBuffer is written by the command while the test reads it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start runs a command in the background; the test's end kills it.
func (s *site) start(args ...string) *background {
	s.t.Helper()
	b := &background{s: s, cmd: s.command(args...), args: args, out: &syncBuffer{}, err: &syncBuffer{}, done: make(chan struct{})}
	b.cmd.Stdout, b.cmd.Stderr = b.out, b.err
	if err := b.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(b.done)
		b.fail = b.cmd.Wait()
	}()
	s.t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		<-b.done
	})
	return b
}

func (b *background) signal(sig os.Signal) {
	b.s.t.Helper()
	if err := b.cmd.Process.Signal(sig); err != nil {
		b.s.t.Fatalf("postbagd %q is gone already: %v\n%s", b.args, err, b.err)
	}
}

// wait returns the result once the command has ended.
func (b *background) wait() result {
	b.s.t.Helper()
	<-b.done
	return b.s.finished(b.cmd, b.args, b.fail, b.out.String(), b.err.String())
}

// kill ends the command as a power cut would.
func (b *background) kill() {
	_ = b.cmd.Process.Kill()
	<-b.done
}

// running tells whether the command has not ended yet.
func (b *background) running() bool {
	select {
	case <-b.done:
		return false
	default:
		return true
	}
}

// eventually waits for a condition; what completes "waited in vain for ...".
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	end := time.NewTimer(commandLimit / 2)
	defer end.Stop()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-end.C:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// message is a mail for a person, marked by the provider.
func message(to, subject string) []byte {
	return fmt.Appendf(nil, "X-Original-To: %s\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\nFrom: Ada <ada@sender.test>\r\nTo: %s\r\n"+
		"Subject: %s\r\nMessage-ID: <%s@sender.test>\r\n\r\nHello, this is %s.\r\n", to, to, subject, strings.ReplaceAll(subject, " ", "."), subject)
}

// add puts messages with these subjects into the mailbox, all for one person.
func (s *site) add(to string, subjects ...string) {
	for _, subject := range subjects {
		s.isp.AddMessage(login, "", message(to, subject))
	}
}

// left is how many messages lie at the provider.
func (s *site) left() int { return len(s.isp.Messages(login)) }

// got lists "recipient subject" of everything that the office server took.
func (s *site) got() []string {
	var all []string
	for _, m := range s.office.Mails() {
		for _, r := range m.Rcpts {
			all = append(all, r+" "+subjectOf(m.Data))
		}
	}
	slices.Sort(all)
	return all
}

func subjectOf(data []byte) string {
	for line := range strings.Lines(string(data)) {
		if s, ok := strings.CutPrefix(line, "Subject: "); ok {
			return strings.TrimSpace(s)
		}
	}
	return ""
}

// wantGot demands exactly these copies at the office server.
func (s *site) wantGot(want ...string) {
	s.t.Helper()
	slices.Sort(want)
	if got := s.got(); !slices.Equal(got, want) {
		s.t.Errorf("the office server got\n%q\nwant\n%q", got, want)
	}
}

// openToOthers lets everybody read the file with the password.
func openToOthers(s *site) {
	s.t.Helper()
	if err := os.Chmod(s.path("secret"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// glob lists files of the site.
func (s *site) glob(pattern ...string) []string {
	s.t.Helper()
	files, err := filepath.Glob(s.path(pattern...))
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}
