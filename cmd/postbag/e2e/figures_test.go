//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"postbag/engine/mailtest/real"
)

// The most that the program may take: to its first picture, in memory with the
// icon alone and with a window, and of one core while nothing happens.
const (
	mostStart  = time.Second
	mostIcon   = 150 // MB
	mostWindow = 220 // MB
	mostIdle   = 2.0 // per cent of a core
	idleFor    = 6 * time.Second
)

// TestFigures measures what was promised, and prints it.
func TestFigures(t *testing.T) {
	binary := build(t, "plain")
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")

	icon := d.start(binary, f.args("--hidden")...)
	d.watcher.waitHeadline("that nothing has happened yet", func(s string) bool { return s == "Nothing collected yet" })
	d.rest(idleFor)
	small := icon.memory()
	check(t, "memory with the icon alone", float64(small), mostIcon, "MB")
	d.watcher.choose("Quit")
	icon.wait()

	var best time.Duration
	for tries := 0; again(tries, best > mostStart); tries++ {
		before := d.pixels()
		begin := time.Now()
		p := d.start(binary, f.args()...)
		d.watchFor(before)
		if took := time.Since(begin); best == 0 || took < best {
			best = took
		}
		d.window("Overview - Postbag")
		d.settle()
		d.keys("ctrl+q")
		p.wait()
	}
	check(t, "start to first picture", float64(best.Milliseconds()), float64(mostStart.Milliseconds()), "ms")

	p := d.start(binary, f.args()...)
	d.window("Overview - Postbag")
	d.settle()
	d.keys("ctrl+2", "ctrl+3", "ctrl+4", "ctrl+5", "ctrl+6", "ctrl+7", "ctrl+8", "ctrl+1")
	d.rest(idleFor / 2)
	check(t, "processor while idle", p.idle(), mostIdle, "% of a core")
	d.keys("ctrl+2")
	d.window("Delivery log - Postbag")
	check(t, "processor while idle, the cursor in the log's search", p.idle(), mostIdle, "% of a core")
	check(t, "memory with a window", float64(p.memory()), mostWindow, "MB")
}

// idle is the share of a core, in per cent, that the program takes while nothing
// happens.
func (p *program) idle() float64 {
	p.d.t.Helper()
	share := 100.0
	for tries := 0; again(tries, share > mostIdle); tries++ {
		cpu := p.cpu()
		p.d.rest(idleFor / 2)
		share = min(share, float64(p.cpu()-cpu)/float64(idleFor/2)*100)
	}
	return share
}

// What is collected while somebody looks on, and how much more of a processor
// that may take than without windows.
const (
	manyMessages = 2_000
	manyBytes    = 5_000
	mostLooking  = 3.0
)

// TestFiguresOfCollecting collects many messages with the window open, and
// without windows, and compares.
func TestFiguresOfCollecting(t *testing.T) {
	binary, daemon := build(t, "plain"), build(t, "daemon")
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")
	fill := func(prefix string) {
		body := strings.Repeat(strings.Repeat("x", 72)+"\r\n", manyBytes/74)
		for i := range manyMessages {
			uid := prefix + strconv.Itoa(i)
			f.isp.AddMessage(account, uid, append(message(i, "anne@office.test", "Offer "+uid), body...))
		}
	}

	fill("a")
	p := d.start(binary, f.args()...)
	d.window("Overview - Postbag")
	d.settle()
	before, begin := p.cpu(), time.Now()
	d.watcher.choose("Collect now")
	real.Eventually(t, effectLimit, "the messages at the office", func() bool { return f.server.Taken() == manyMessages })
	took := time.Since(begin)
	d.watcher.waitHeadline("that all is there", func(s string) bool { return strings.HasSuffix(s, ", 2,000 messages") })
	looking := p.cpu() - before
	d.rest(idleFor / 2)
	check(t, "memory with a window after a collection", float64(p.memory()), mostWindow, "MB")
	d.keys("ctrl+q")
	p.wait()

	fill("b")
	cmd := exec.Command(daemon, f.args("collect")...)
	cmd.Env = d.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	alone := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Printf("%d messages with the window open: %.2f s, %.2f s of a processor; without windows %.2f s of a processor\n",
		manyMessages, took.Seconds(), looking.Seconds(), alone.Seconds())
	check(t, "processor with the window open, beside without", looking.Seconds()/alone.Seconds(), mostLooking, "times")
}

// again tells whether to measure once more: three times at least, for the best of
// them, and longer while it is too much: the machine may have other things to do.
func again(tries int, tooMuch bool) bool { return tries < 3 || tooMuch && tries < 10 }

func check(t *testing.T, what string, got, most float64, unit string) {
	t.Helper()
	fmt.Printf("%s: %.1f %s (at most %.0f)\n", what, got, unit, most)
	if got > most {
		t.Errorf("%s: %.1f %s, at most %.0f", what, got, unit, most)
	}
}

// rest lets time pass: idleness cannot be waited for in another way.
func (d *desktop) rest(long time.Duration) {
	<-time.After(long)
}

// watchFor waits for the first picture of a window.
func (d *desktop) watchFor(before []byte) {
	d.t.Helper()
	real.Eventually(d.t, startLimit, "the first picture", func() bool {
		now := d.pixels()
		return now != nil && different(before, now) > 100_000
	})
}

// memory is what the program holds in MB.
func (p *program) memory() int {
	p.d.t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "status"))
	if err != nil {
		p.d.t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(v)[0])
			if err != nil {
				p.d.t.Fatal(err)
			}
			return kb / 1024
		}
	}
	p.d.t.Fatalf("no VmRSS in\n%s", text)
	return 0
}

// cpu is the time that the program has had on a processor.
func (p *program) cpu() time.Duration {
	p.d.t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "stat"))
	if err != nil {
		p.d.t.Fatal(err)
	}
	// proc(5): the fields after the name in parentheses; utime and stime in
	// hundredths of a second.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			p.d.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
