//go:build linux

package e2e

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"postbag/engine/mailtest/real"
)

// ends is how often each way to end is tried: the window library once hung, or
// panicked, in one end of several.
const ends = 2

// TestEnds ends the program in every way that a person has, and by the end of
// the session: each time soon, with 0, and without a word. The race detector
// makes it slow, which is what it takes.
func TestEnds(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")
	binary := build(t, "race")
	signal := func(s os.Signal) func(*program) {
		return func(p *program) {
			if err := p.cmd.Process.Signal(s); err != nil {
				t.Error(err)
			}
		}
	}
	ready := func(hidden bool) {
		d.watcher.waitHeadline("that it is there", func(s string) bool { return s != "" && s != "Quit" })
		if !hidden {
			d.window("Overview - Postbag")
			d.settle()
		}
	}
	for _, c := range []struct {
		name   string
		hidden bool
		end    func(*program)
	}{
		{"menu of the icon", true, func(*program) { d.watcher.choose("Quit") }},
		{"menu of the icon with a window", false, func(*program) { d.watcher.choose("Quit") }},
		{"keyboard", false, func(*program) { d.tool("key", "--clearmodifiers", "ctrl+q") }},
		{"end of the session", true, signal(syscall.SIGTERM)},
		{"end of the session with a window", false, signal(syscall.SIGTERM)},
		{"interrupt", true, signal(os.Interrupt)},
		{"terminal that closes", true, signal(syscall.SIGHUP)},
	} {
		for i := range ends {
			d.watcher.forget()
			args := f.args()
			if c.hidden {
				args = f.args("--hidden")
			}
			p := d.start(binary, args...)
			ready(c.hidden)
			c.end(p)
			if code := p.wait(); code != 0 {
				t.Fatalf("%s, %d: %d\n%s", c.name, i, code, p.out)
			}
			real.Eventually(t, effectLimit, "the icon to be gone", func() bool { _, err := d.watcher.menu(); return err != nil })
		}
	}
	fmt.Println("ended in every way:", ends, "times each")
}

// A session that ends while the program is still on its way up takes it along;
// before it has begun with anything, the signal itself may do so.
func TestEndsWhileItStarts(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")
	binary := build(t, "race")
	for range 2 * ends {
		d.watcher.forget()
		p := d.start(binary, f.args("--hidden")...)
		real.Eventually(t, startLimit, "the icon", func() bool { return d.watcher.item() != "" })
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		const bySignal = -1
		if code := p.wait(); code != 0 && code != bySignal {
			t.Fatalf("ended with %d:\n%s", code, p.out)
		}
	}
}
