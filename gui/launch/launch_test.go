package launch

import (
	"bytes"
	"context"
	"errors"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/gui/present"
)

func TestParse(t *testing.T) {
	here, err := filepath.Abs("x.toml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(here)
	for _, c := range []struct {
		args []string
		want Args
		bad  bool
	}{
		{nil, Args{Config: filepath.Join(dir, "c"), Data: filepath.Join(dir, "d")}, false},
		{[]string{"--config", "x.toml", "--data=y", "--lang", "fr", "--hidden"}, Args{Config: here, Data: filepath.Join(dir, "y"), Lang: "fr", Hidden: true}, false},
		{[]string{"-version"}, Args{Config: filepath.Join(dir, "c"), Data: filepath.Join(dir, "d"), Version: true}, false},
		{[]string{"--lang", "de"}, Args{}, true},
		{[]string{"--nonsense"}, Args{}, true},
		{[]string{"collect"}, Args{}, true},
		{[]string{"--config", ""}, Args{}, true},
	} {
		got, err := Parse(c.args, "c", "d")
		if (err != nil) != c.bad || !c.bad && got != c.want {
			t.Errorf("%q: %+v, %v", c.args, got, err)
		}
	}
}

// A second start raises the first, which goes on; when the first has ended, the
// next one is first again.
func TestSecondStartRaisesTheFirst(t *testing.T) {
	for _, data := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))} {
		one, err := First(t.Context(), data, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		raised := make(chan struct{}, 1)
		served := make(chan struct{})
		go func() {
			one.Serve(func() { raised <- struct{}{} })
			close(served)
		}()
		for range 3 {
			if _, err := First(t.Context(), data, 10*time.Second); !errors.Is(err, ErrRaised) {
				t.Fatalf("second start: %v", err)
			}
			<-raised
		}
		if err := one.Close(); err != nil {
			t.Error(err)
		}
		<-served
		again, err := First(t.Context(), data, time.Second)
		if err != nil {
			t.Fatalf("after the end of the first: %v", err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}

// One that holds the lock and says nothing does not keep a second one waiting
// for ever.
func TestSecondStartOfADeafFirst(t *testing.T) {
	data := t.TempDir()
	one, err := First(t.Context(), data, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	if err := one.ln.Close(); err != nil { // the lock stays
		t.Fatal(err)
	}
	if _, err := First(t.Context(), data, 100*time.Millisecond); !errors.Is(err, ErrDeaf) {
		t.Errorf("second start: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := First(ctx, data, time.Hour); !errors.Is(err, ErrDeaf) {
		t.Errorf("cancelled: %v", err)
	}
}

// What a killed one leaves behind is in nobody's way.
func TestFirstAfterAKill(t *testing.T) {
	data := t.TempDir()
	at := socketPath(data)
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: at, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	one, err := First(t.Context(), data, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(at); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	if err := one.Close(); err != nil {
		t.Error(err)
	}
}

// Strangers on the socket do nothing.
func TestStrangersDoNotRaise(t *testing.T) {
	one, err := First(t.Context(), t.TempDir(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	for _, words := range []string{"", "hello\n", strings.Repeat("x", 100), "raise"} {
		here, there := net.Pipe()
		done := make(chan struct{})
		go func() {
			answer(there, func() { t.Errorf("%q raised the window", words) })
			close(done)
		}()
		_, _ = here.Write([]byte(words)) // it may hang up in the middle
		_ = here.Close()
		<-done
	}
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestDisplayAndBus(t *testing.T) {
	for _, c := range []struct {
		goos    string
		env     func(string) string
		display bool
	}{
		{"linux", env(), false}, {"linux", env("DISPLAY", ":0"), true}, {"freebsd", env("WAYLAND_DISPLAY", "wayland-0"), true},
		{"windows", env(), true}, {"darwin", env(), true},
	} {
		if got := Display(c.goos, c.env); got != c.display {
			t.Errorf("%s: display %v", c.goos, got)
		}
	}
	if Bus("linux", env("DBUS_SESSION_BUS_ADDRESS", "autolaunch:")) || !Bus("linux", env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x")) || !Bus("windows", env()) {
		t.Error("the session bus is not recognised")
	}
}

func TestLogSeesObstacles(t *testing.T) {
	for line, want := range map[string]present.Obstacle{
		"Fyne error:  failed to initialise GLFW": present.NoDisplay,
		"Fyne error:  window creation error":     present.NoOpenGL,
		"Fyne error:  Failed to encode SVG icon": "",
	} {
		var out bytes.Buffer
		var seen present.Obstacle
		log.New(&Log{Out: &out, Seen: func(o present.Obstacle) { seen = o }}, "", 0).Println(line)
		if seen != want || out.String() != line+"\n" {
			t.Errorf("%q: seen %q, wrote %q", line, seen, out.String())
		}
	}
}
