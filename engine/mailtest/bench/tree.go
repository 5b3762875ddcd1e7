//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// treeEach is how often the memory of a tree of processes is added up. It is
// seldom enough to take nothing from what is measured.
const treeEach = 20 * time.Millisecond

// watchTree adds up what all that a process started hold, again and again; the
// function that it returns ends that and tells the most, in MB.
func watchTree(pid int) (end func() float64) {
	stop, most := make(chan struct{}), make(chan float64)
	go func() {
		tick := time.NewTicker(treeEach)
		defer tick.Stop()
		peak := 0.0
		for {
			select {
			case <-tick.C:
				peak = max(peak, descendants(pid))
			case <-stop:
				most <- peak
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		return <-most
	}
}

// descendants is what the processes below one hold now, in MB. Of one that has
// ended meanwhile nothing is left to count.
func descendants(pid int) (sum float64) {
	// Children are listed by the thread that started them.
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range tasks {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for _, child := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				sum += resident(n) + descendants(n)
			}
		}
	}
	return sum
}

func resident(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var total, pages int64
	if _, err := fmt.Sscan(string(text), &total, &pages); err != nil {
		return 0
	}
	return float64(pages) * float64(os.Getpagesize()) / 1e6
}
