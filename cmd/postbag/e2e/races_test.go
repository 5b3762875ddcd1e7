//go:build linux

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// touch matches an access in a report of the race detector, up to where the
// goroutine was made.
var touch = regexp.MustCompile(`(?m)^ *(?:Previous )?(?:[Ww]rite|[Rr]ead) at .*\n((?: +\S.*\n)+)`)

// ourRaces are the reports of the race detector, without those in which only the
// libraries of the icon near the clock touch the memory.
//
// QUIRK fyne.io/systray counts the versions of its menu under one lock and reads
// the number under another, and hands the icon to the bus while it draws the
// next: nothing of ours takes part, and nothing of ours can mend it.
func ourRaces(out string) []string {
	var ours []string
	for _, report := range strings.Split(out, "WARNING: DATA RACE")[1:] {
		report, _, _ = strings.Cut(report, "==================")
		accesses := touch.FindAllStringSubmatch(report, -1)
		foreign := len(accesses) > 0
		for _, a := range accesses {
			foreign = foreign && inTrayLibrary(a[1])
		}
		if !foreign {
			ours = append(ours, report)
		}
	}
	return ours
}

// inTrayLibrary tells whether the innermost function that is not the language's
// own belongs to the libraries of the icon.
func inTrayLibrary(stack string) bool {
	for _, line := range strings.Split(stack, "\n") {
		name := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(name, "/"), strings.HasPrefix(name, "runtime."), strings.HasPrefix(name, "reflect."), strings.HasPrefix(name, "internal/"):
			continue
		}
		return strings.HasPrefix(name, "fyne.io/systray.") || strings.HasPrefix(name, "github.com/godbus/dbus/v5")
	}
	return false
}

// TestOurRaces proves that the look through the reports can find something.
func TestOurRaces(t *testing.T) {
	report := func(reader, starter string) string {
		return "==================\nWARNING: DATA RACE\nWrite at 0x1 by main goroutine:\n  reflect.Value.Set()\n      /go/r.go:1\n  fyne.io/systray.refresh()\n      /m/x.go:1\n\n" +
			"Previous read at 0x1 by goroutine 2:\n  " + reader + "\n      /m/y.go:1\n\nGoroutine 1 (running) created at:\n  " + starter + "\n      /m/z.go:1\n==================\n"
	}
	for _, c := range []struct {
		out  string
		want int
	}{
		{"", 0},
		{report("fyne.io/systray.GetLayout()", "fyne.io/systray.x()"), 0},
		{report("runtime.x()\n  github.com/godbus/dbus/v5.encode()\n  postbag/gui.x()", "postbag/gui/run.Main()"), 0},
		{report("postbag/gui.(*Shell).know()", "fyne.io/systray.x()"), 1},
		{report("fyne.io/fyne/v2/widget.x()", "fyne.io/systray.x()"), 1},
		{report("postbag/gui.x()", "y()") + report("fyne.io/systray.x()", "y()") + report("postbag/app.x()", "y()"), 2},
		{"WARNING: DATA RACE\nof another form\n", 1},
	} {
		if got := ourRaces(c.out); len(got) != c.want {
			t.Errorf("%d of ours in\n%s\nwant %d", len(got), c.out, c.want)
		}
	}
}
