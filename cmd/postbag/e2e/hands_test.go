//go:build linux

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/engine/mailtest/real"
)

// shots is where pictures of the windows are put.
func shots(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("POSTBAG_SCREENSHOTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "screenshots", "e2e")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tool runs xdotool.
func (d *desktop) tool(args ...string) {
	d.t.Helper()
	if _, err := d.output("xdotool", args...); err != nil {
		d.t.Fatal(err)
	}
}

// keys presses keys one after the other, as xdotool names them.
func (d *desktop) keys(names ...string) {
	d.t.Helper()
	for _, k := range names {
		d.tool("key", "--clearmodifiers", k)
	}
	d.settle()
}

// tab goes n controls on.
func (d *desktop) tab(n int) {
	d.t.Helper()
	for range n {
		d.tool("key", "Tab")
	}
	d.settle()
}

// write types a text into the field that has the focus, over what it holds.
func (d *desktop) write(text string) {
	d.t.Helper()
	d.tool("key", "ctrl+a")
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			d.tool("key", "Return")
		}
		d.tool("type", "--delay", "8", "--", line)
	}
	d.settle()
}

// click clicks at a place of the window, in its own pixels. (With --sync xdotool
// waits 15 seconds for a pointer that is there already.)
func (d *desktop) click(window string, x, y string) {
	d.t.Helper()
	d.tool("mousemove", "--window", d.window(window), x, y, "click", "1")
	d.settle()
}

// window waits for a visible window whose title holds the text, and returns it.
func (d *desktop) window(title string) string {
	d.t.Helper()
	var id string
	real.Eventually(d.t, effectLimit, "a window "+title, func() bool {
		out, err := d.output("xdotool", "search", "--onlyvisible", "--name", title)
		id, _, _ = strings.Cut(out, "\n")
		return err == nil && id != ""
	})
	return id
}

// visible tells whether a window whose title holds the text can be seen.
func (d *desktop) visible(title string) bool {
	out, err := d.output("xdotool", "search", "--onlyvisible", "--name", title)
	return err == nil && strings.TrimSpace(out) != ""
}

// still is how long nothing may move, and how much of it is a blinking cursor.
const (
	still  = 120 * time.Millisecond
	cursor = 300 // octets of the picture
)

// cross closes a window as its cross does, and waits until it is gone. A key
// that the window manager does not see is pressed again.
func (d *desktop) cross(title string) {
	d.t.Helper()
	real.Eventually(d.t, effectLimit, "the window "+title+" to go", func() bool {
		id, err := d.output("xdotool", "search", "--onlyvisible", "--name", title)
		if err != nil || strings.TrimSpace(id) == "" {
			return true
		}
		_, _ = d.output("xdotool", "windowactivate", "--sync", strings.TrimSpace(id), "key", "--clearmodifiers", "alt+F4") // or it is just going
		d.settle()
		return !d.visible(title)
	})
}

// settle waits until the screen does not change any more.
func (d *desktop) settle() {
	d.t.Helper()
	var last []byte
	var since time.Time
	real.Eventually(d.t, effectLimit, "the screen to come to rest", func() bool {
		now := d.pixels()
		if now == nil || different(last, now) > cursor {
			last, since = now, time.Now()
			return false
		}
		return time.Since(since) > still
	})
}

// aPage is how much of the picture changes at least when a page comes.
const aPage = 40_000

// turns does what brings another page, and waits for it.
func (d *desktop) turns(act func()) {
	d.t.Helper()
	d.settle()
	before := d.pixels()
	act()
	real.Eventually(d.t, effectLimit, "the next page", func() bool {
		now := d.pixels()
		return now != nil && different(before, now) > aPage
	})
	d.settle()
}

// pixels is the screen; nothing while it changes under the camera.
func (d *desktop) pixels() []byte {
	out, err := d.output("xwd", "-root", "-silent")
	if err != nil {
		return nil
	}
	return []byte(out)
}

func different(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) + len(b)
	}
	if bytes.Equal(a, b) {
		return 0
	}
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// shot keeps a picture of a window.
func (d *desktop) shot(title, name string) {
	d.t.Helper()
	if _, err := d.output("import", "-window", d.window(title), filepath.Join(shots(d.t), name+".png")); err != nil {
		d.t.Fatal(err)
	}
}
