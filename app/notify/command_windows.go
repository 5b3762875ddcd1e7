package notify

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// alone keeps the command from opening a console window before the user.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
}
