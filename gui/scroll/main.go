//go:build linux

// Command scroll shows the delivery log of a million messages in the real
// window and tells how long the goroutine of the user interface was busy at a
// time, for the end-to-end tests. The messages are made up as they are read.
// For each line on standard input it prints what was measured since the last one.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"postbag/gui"
	"postbag/gui/present"
)

func main() {
	a := app.NewWithID("postbag.scroll")
	a.Lifecycle().SetOnStarted(func() {
		go func() {
			gui.Post(func() { show(a, journal{}) })
			watch(os.Stdin)
			gui.Post(a.Quit)
		}()
	})
	a.Run()
}

// show puts the log into the main window, behind an empty page.
func show(a fyne.App, backend present.Backend) {
	s := gui.NewShell(gui.ShellDeps{
		Desk:  &gui.Desk{Backend: backend, App: a, Now: time.Now, Context: context.Background()},
		Look:  present.Look{Language: "en", Theme: present.ThemeLight},
		Pages: func(d *gui.Desk) []gui.Page { return []gui.Page{newDoorstep(), gui.NewLogPage(d)} },
		Quit:  a.Quit, Minimise: func(fyne.Window) {},
	})
	s.Raise()
}

// busy collects how long the user interface took to answer, and how much of it
// was work of its own: the rest is the graphics, and other programs.
type busy struct {
	mu   sync.Mutex
	took []time.Duration
	work []time.Duration
}

// worked is the time that the calling thread has had on a processor.
func worked() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &use); err != nil {
		log.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// watch asks the user interface again and again for a sign of life, until the
// input ends.
func watch(in *os.File) {
	var b busy
	go func() {
		var before time.Duration
		for range time.Tick(time.Millisecond) {
			begin, now := time.Now(), make(chan time.Duration)
			gui.Post(func() { now <- worked() })
			after := <-now
			b.mu.Lock()
			b.took, b.work = append(b.took, time.Since(begin)), append(b.work, after-before)
			b.mu.Unlock()
			before = after
		}
	}()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		b.tell(lines.Text())
	}
}

// longFrame is what a person notices.
const longFrame = 50 * time.Millisecond

// tell prints what was measured in a phase.
func (b *busy) tell(name string) {
	b.mu.Lock()
	took, work := b.took, b.work
	b.took, b.work = nil, nil
	b.mu.Unlock()
	if len(took) == 0 {
		fmt.Printf("%s: nothing measured\n", name)
		return
	}
	slices.Sort(took)
	long := 0
	for _, t := range took {
		if t > longFrame {
			long++
		}
	}
	last := len(took) - 1
	fmt.Printf("%s: longest work %.1f ms; with graphics and other programs longest %.1f ms, 99%% under %.1f ms, over 50 ms %d of %d\n",
		name, ms(slices.Max(work)), ms(took[last]), ms(took[last*99/100]), long, len(took))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
