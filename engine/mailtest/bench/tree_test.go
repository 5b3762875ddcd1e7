//go:build linux

package main

import (
	"os"
	"os/exec"
	"testing"
)

// The memory of two processes is that of both.
func TestDescendantsAreAddedUp(t *testing.T) {
	before := descendants(os.Getpid())
	var all []*exec.Cmd
	for range 2 {
		cmd := exec.Command("cat")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
		defer func() { _ = cmd.Wait() }()
		defer func() { _ = cmd.Process.Kill() }()
		_, _ = in.Write([]byte("x")) // what comes back tells that the program runs
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	one, both := resident(all[0].Process.Pid), descendants(os.Getpid())-before
	if one <= 0 || both < 1.5*one {
		t.Errorf("%.3f MB together, one has %.3f MB", both, one)
	}
}
