//go:build !windows

package notify

import (
	"os/exec"
	"syscall"
)

// alone puts the command into a process group of its own, which ends with it
// when its time is over: a script's children would live on.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
