//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// mostFrame is the longest that the window may work between two signs of life
// while a person scrolls. The goal for a picture is 50 ms; when other programs
// run, two or three pictures lie between the signs. What graphics and other
// programs take is printed beside it, without a limit.
const mostFrame = 150 // ms

// TestScrollsAMillionRows opens the delivery log of a million messages in the
// real window, scrolls it by wheel and keys, and prints how long a picture took
// at most. What comes before the first picture is the window itself, most of it
// one call of the graphics library.
func TestScrollsAMillionRows(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noBus: true, noKeyring: true})
	cmd := exec.Command(build(t, "scroll"))
	cmd.Env, cmd.Dir = d.env, d.dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	m := scrollMeter{t: t, in: in, out: bufio.NewScanner(out)}

	d.window("Postbag")
	d.settle()
	m.say("until the first picture") // nothing can be seen before
	d.click("Postbag", "90", "92")
	title := "Delivery log - Postbag"
	d.window(title)
	m.phase("the log opens, from the click on")
	d.tool("mousemove", "--sync", "--window", d.window(title), "500", "400")
	d.tool("click", "--repeat", "400", "--delay", "10", "5")
	m.phase("400 x wheel")
	d.tool("key", "Down") // from the search into the list; the way of a message opens
	d.tool("key", "--repeat", "100", "--delay", "30", "Down")
	m.phase("100 x arrow, each with the way of its message")
	d.tool("key", "--repeat", "200", "--delay", "20", "Next")
	m.phase("200 x page down")
	d.tool("key", "--repeat", "100", "--delay", "30", "End")
	d.settle()
	m.phase("100 x End, each reads a page")
	d.tool("key", "Escape", "Down", "Home")
	d.settle()
	m.phase("back to the newest")
}

// scrollMeter asks the program what it measured.
type scrollMeter struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

// say prints what was measured since the last time.
func (m *scrollMeter) say(name string) string {
	m.t.Helper()
	if _, err := fmt.Fprintln(m.in, name); err != nil {
		m.t.Fatal(err)
	}
	if !m.out.Scan() {
		m.t.Fatal("the program said nothing more")
	}
	line := m.out.Text()
	fmt.Println(line)
	return line
}

// phase is say, with a limit.
func (m *scrollMeter) phase(name string) {
	m.t.Helper()
	line := m.say(name)
	var longest float64
	_, rest, _ := strings.Cut(line, "longest work ")
	if _, err := fmt.Sscanf(rest, "%f", &longest); err != nil {
		m.t.Fatalf("%q: %v", line, err)
	}
	if longest > mostFrame {
		m.t.Errorf("%s (at most %d ms)", line, mostFrame)
	}
}
