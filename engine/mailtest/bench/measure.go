//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	gnuTime  = "/usr/bin/time"
	runLimit = 5 * time.Minute
)

// figures of one run, of the process and all it started.
type figures struct {
	wall time.Duration
	cpu  float64 // seconds
	peak float64 // MB (10^6) of the process and all it started, together
}

// measure runs a command to its end. GNU time asks the kernel for processor
// time and for the peak of the largest single process: it is small itself, and
// the peak of a child begins with that of the process that starts it. Where
// several run at once, watchTree adds them up.
func measure(dir string, command []string) (figures, error) {
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	report := filepath.Join(dir, "time")
	cmd := exec.CommandContext(ctx, gnuTime, append([]string{"-q", "-f", "%U %S %M", "-o", report}, command...)...)
	cmd.Dir = dir
	cmd.Env = environment(dir)
	// Killed with all it started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Start()
	if err != nil {
		return figures{}, err
	}
	together := watchTree(cmd.Process.Pid)
	err = cmd.Wait()
	f := figures{wall: time.Since(start)}
	tree := together()
	if err != nil {
		return f, fmt.Errorf("%s: %w\n%.3000s", command[0], err, out.Bytes())
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return f, err
	}
	var usr, sys, kb float64
	if _, err := fmt.Sscan(string(text), &usr, &sys, &kb); err != nil {
		return f, fmt.Errorf("%q of GNU time: %w", text, err)
	}
	f.cpu, f.peak = usr+sys, max(kb*1024/1e6, tree)
	return f, nil
}

// environment keeps the programs away from the user's own settings.
func environment(dir string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8", "USER=bench", "DBUS_SESSION_BUS_ADDRESS=unix:path=" + dir + "/no-bus"}
}

// killed starts a command and kills it with all it started after a while; ended
// tells that it was sooner.
func killed(dir string, command []string, after time.Duration) (ended bool, err error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, environment(dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	timer := time.AfterFunc(after, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = cmd.Wait()
	timer.Stop()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.Exited(), nil
	}
	return true, err
}

// series are the runs of one program in one scenario.
type series []figures

func (s series) column(f func(figures) float64) (low, median, high float64) {
	if len(s) == 0 {
		return 0, 0, 0
	}
	v := make([]float64, len(s))
	for i, x := range s {
		v[i] = f(x)
	}
	slices.Sort(v)
	n := len(v)
	return v[0], (v[(n-1)/2] + v[n/2]) / 2, v[n-1]
}

func wall(f figures) float64 { return f.wall.Seconds() }
func cpu(f figures) float64  { return f.cpu }
func peak(f figures) float64 { return f.peak }
