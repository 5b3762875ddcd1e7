//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// about says on what the figures were taken.
func about(w io.Writer) {
	load, _ := os.ReadFile("/proc/loadavg") // a hint only
	fmt.Fprintf(w, "%s/%s, %d processors (%s), Linux %s, load %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor(), kernel(),
		strings.Join(strings.Fields(string(load) + " ? ? ?")[:3], " "))
}

func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(b))
}

func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "?"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "model name"); ok {
			return strings.TrimLeft(name, "\t :")
		}
	}
	return "?"
}

// table prints one scenario and returns the goals that were missed.
func table(w io.Writer, sc scenario, taken []program, results map[string]series) []error {
	fmt.Fprintf(w, "\n### %s: %s\n\n| program | runs | seconds (min to max) | messages/s | against fetchmail | processor s | peak MB |\n"+
		"|---|--:|--:|--:|--:|--:|--:|\n", sc.id, sc.title)
	_, base, _ := results[fetchmail].column(wall)
	for _, p := range taken {
		s := results[p.name]
		if len(s) == 0 {
			fmt.Fprintf(w, "| %s | 0 | failed | | | | |\n", p.name)
			continue
		}
		low, mid, high := s.column(wall)
		_, seconds, _ := s.column(cpu)
		_, _, memory := s.column(peak)
		ratio := ""
		if base > 0 {
			ratio = fmt.Sprintf("%.2fx", base/mid)
		}
		fmt.Fprintf(w, "| %s | %d | %.3f (%.3f to %.3f) | %.0f | %s | %.2f | %.1f |\n",
			p.name, len(s), mid, low, high, float64(sc.letters())/mid, ratio, seconds, memory)
	}
	return missed(sc, results[taken[0].name], results[fetchmail])
}

// missed names the goals that Postbag did not reach beside fetchmail.
func missed(sc scenario, ours, theirs series) (errs []error) {
	if len(ours) == 0 || len(theirs) == 0 {
		return nil
	}
	_, mine, _ := ours.column(wall)
	_, base, _ := theirs.column(wall)
	switch {
	case sc.inverse && mine > sc.target*base:
		errs = append(errs, fmt.Errorf("%.2f times fetchmail's time, at most %.1f is the goal", mine/base, sc.target))
	case !sc.inverse && base/mine < sc.target:
		errs = append(errs, fmt.Errorf("%.2f times as fast as fetchmail, %.0f is the goal", base/mine, sc.target))
	}
	if _, _, memory := ours.column(peak); sc.peak > 0 && memory >= sc.peak {
		errs = append(errs, fmt.Errorf("%.1f MB, less than %.0f is the goal", memory, sc.peak))
	}
	_, mineCPU, _ := ours.column(cpu)
	_, baseCPU, _ := theirs.column(cpu)
	if sc.cpu && mineCPU > baseCPU {
		errs = append(errs, fmt.Errorf("%.2f processor seconds, fetchmail needs %.2f", mineCPU, baseCPU))
	}
	return errs
}
