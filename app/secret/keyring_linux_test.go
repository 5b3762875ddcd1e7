package secret

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"postbag/engine/mail"
)

// insideBus tells the test binary that it runs on the private session bus.
const insideBus = "POSTBAG_TEST_INSIDE_BUS"

func TestMain(m *testing.M) {
	if os.Getenv(insideBus) == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	if err := withKeyring(ctx); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("all steps done")
}

// busConfig is a session bus that starts no services by itself.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=%s</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// TestRealKeyring drives the real gnome-keyring-daemon on a private bus with
// private folders: stored, read, deleted, locked, hung, gone.
func TestRealKeyring(t *testing.T) {
	for program, pkg := range map[string]string{"dbus-run-session": "dbus", "gnome-keyring-daemon": "gnome-keyring"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: install the package %s", program, pkg)
		}
	}
	// The path of a socket may have 107 octets: t.TempDir() can be too long.
	dir, err := os.MkdirTemp("", "pb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "bus.conf")
	write(t, conf, fmt.Sprintf(busConfig, run), 0o600)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "dbus-run-session", "--config-file="+conf, "--", self)
	cmd.Env = []string{insideBus + "=1", "HOME=" + dir, "XDG_RUNTIME_DIR=" + run, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "all steps done") {
		t.Fatalf("%v\n%s", err, out)
	}
}

const service = "org.freedesktop.secrets"

// withKeyring is the part of the test that runs on the private bus.
func withKeyring(ctx context.Context) error {
	r := New(Options{Limit: 10 * time.Second})
	if err := wantCode(ctx, r, "keyring:office", mail.CodeSecretLocked); err != nil {
		return fmt.Errorf("without a service: %w", err)
	}
	conn, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return err
	}
	defer conn.Close()
	daemon, err := startDaemon(ctx, conn)
	if err != nil {
		return err
	}
	defer func() { _ = daemon.Wait() }()
	defer func() { _ = daemon.Process.Kill() }()
	steps := []struct {
		name string
		do   func() error
	}{
		{"keep and read", func() error { return roundTrip(ctx, r) }},
		{"locked", func() error { return locked(ctx, conn, r) }},
		{"hung", func() error { return hung(ctx, daemon) }},
		{"gone", func() error {
			if err := daemon.Process.Kill(); err != nil {
				return err
			}
			_ = daemon.Wait()
			return wantCode(ctx, r, "keyring:office", mail.CodeSecretLocked)
		}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// startDaemon starts the keyring unlocked and waits until it is on the bus.
func startDaemon(ctx context.Context, conn *dbus.Conn) (*exec.Cmd, error) {
	owner := make(chan *dbus.Signal, 16)
	conn.Signal(owner)
	defer conn.RemoveSignal(owner)
	if err := conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"),
		dbus.WithMatchArg(0, service)); err != nil {
		return nil, err
	}
	daemon := exec.CommandContext(ctx, "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	daemon.Stdin = strings.NewReader("testpass") // a line end would become part of the password
	if err := daemon.Start(); err != nil {
		return nil, err
	}
	for {
		select {
		case s := <-owner:
			if s.Name == "org.freedesktop.DBus.NameOwnerChanged" && s.Body[0] == service {
				return daemon, nil
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("the keyring did not come up: %w", ctx.Err())
		}
	}
}

func roundTrip(ctx context.Context, r *Resolver) error {
	for _, value := range []string{"first", "zweites ä 密 'x\"", strings.Repeat("t", 10000), "s3cr3t"} {
		if err := r.Set(ctx, "keyring:office", value); err != nil {
			return err
		}
		got, err := r.Read(ctx, "keyring:office")
		if err != nil {
			return err
		}
		if got != value {
			return fmt.Errorf("%d octets came back instead of %d", len(got), len(value))
		}
	}
	if err := r.Set(ctx, "keyring:other", "x"); err != nil {
		return err
	}
	if err := r.Delete(ctx, "keyring:other"); err != nil {
		return err
	}
	if err := wantCode(ctx, r, "keyring:other", mail.CodeSecretMissing); err != nil {
		return err
	}
	if got, err := r.Read(ctx, "keyring:office"); err != nil || got != "s3cr3t" {
		return fmt.Errorf("the other entry: %w", err)
	}
	return nil
}

// locked locks the collection; without a display there is no prompt.
func locked(ctx context.Context, conn *dbus.Conn, r *Resolver) error {
	login := []dbus.ObjectPath{"/org/freedesktop/secrets/collection/login"}
	call := conn.Object(service, "/org/freedesktop/secrets").CallWithContext(ctx, "org.freedesktop.Secret.Service.Lock", 0, login)
	if call.Err != nil {
		return call.Err
	}
	if err := wantCode(ctx, r, "keyring:office", mail.CodeSecretLocked); err != nil {
		return err
	}
	err := r.Set(ctx, "keyring:office", "s3cr3t")
	if mail.AsFailure(err).Code != mail.CodeSecretLocked || strings.Contains(err.Error(), "s3cr3t") {
		return fmt.Errorf("set: %w", err)
	}
	return nil
}

// hung stops the daemon as an unanswered prompt would.
func hung(ctx context.Context, daemon *exec.Cmd) error {
	if err := daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	start := time.Now()
	err := wantCode(ctx, New(Options{Limit: 200 * time.Millisecond}), "keyring:office", mail.CodeSecretLocked)
	if err == nil && time.Since(start) > 5*time.Second {
		err = fmt.Errorf("gave up only after %v", time.Since(start))
	}
	return err
}

func wantCode(ctx context.Context, r *Resolver, ref string, code mail.Code) error {
	_, err := r.Read(ctx, ref)
	if err == nil {
		return fmt.Errorf("%s could be read", ref)
	}
	if f := mail.AsFailure(err); f.Code != code || f.Class != mail.NeedsUser {
		return fmt.Errorf("%w, want %s", err, code)
	}
	return nil
}
