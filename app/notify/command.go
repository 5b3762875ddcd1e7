package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// commandTimeout ends a command that hangs; sending a text message over a slow
// line takes a while.
const commandTimeout = 30 * time.Second

// killWait is how long after its end a command's children may hold its pipes.
const killWait = 2 * time.Second

// CommandOptions describe the command of the [alerts] table.
type CommandOptions struct {
	Command []string // program and arguments, used as they are: no shell
	Dir     string   // where it runs, the folder of the configuration; "": the folder for temporary files
	Texts   Translator
	Now     func() time.Time
	Env     []string      // os.Environ() outside of tests
	Secret  []string      // names of variables that hold secrets ("env:NAME"): never handed on
	Timeout time.Duration // 0: 30 seconds
}

// Command runs a program of the administrator with the alert on its standard
// input. It reads lines of the form name=value, in this order:
//
//	alert=1                    the version of this form
//	state=begin                begin or over
//	kind=target_down           a Kind
//	code=connect               a mail.Code, or none
//	count=3                    messages, 0 when the kind counts none
//	since=2026-11-20T10:00:00Z
//	minutes=12                 since then
//	text=...                   a sentence in the language of the program
//
// Nothing of it comes from mail or servers, so that no script can be attacked
// with it.
type Command struct{ o CommandOptions }

// NewCommand returns the sink; the command must not be empty.
func NewCommand(o CommandOptions) (*Command, error) {
	if len(o.Command) == 0 || o.Command[0] == "" {
		return nil, errors.New("the alert command is empty")
	}
	if o.Dir == "" {
		o.Dir = os.TempDir()
	}
	if o.Timeout <= 0 {
		o.Timeout = commandTimeout
	}
	return &Command{o: o}, nil
}

// Name is the word under which told alerts are remembered.
func (c *Command) Name() string { return "command" }

// Tell runs the command and waits for its end; any exit status but 0 is an
// error. What the command writes is thrown away.
func (c *Command) Tell(ctx context.Context, a Alert) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.o.Command[0], c.o.Command[1:]...)
	cmd.Env = childEnv(c.o.Env, c.o.Secret)
	cmd.Dir = c.o.Dir
	cmd.Stdin = strings.NewReader(a.report(c.o.Texts, c.o.Now()))
	cmd.WaitDelay = killWait
	alone(cmd)
	err := cmd.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("the alert command did not end: %w", ctx.Err())
	}
	if err != nil {
		// Only the fact: its arguments may hold the administrator's own secrets.
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return fmt.Errorf("the alert command failed with status %d", exit.ExitCode())
		}
		return fmt.Errorf("the alert command could not be run: %w", err)
	}
	return nil
}

// childEnv keeps of an environment what a program needs to find its files, its
// language and the desktop; whatever else is there may be a secret.
func childEnv(env, secret []string) []string {
	out := []string{} // nil would mean: everything
	for _, entry := range env {
		name, _, ok := strings.Cut(entry, "=")
		if !ok || name == "" || slices.ContainsFunc(secret, func(s string) bool { return strings.EqualFold(s, name) }) {
			continue
		}
		upper := strings.ToUpper(name)
		if strings.HasPrefix(upper, "LC_") || slices.Contains(harmless(), upper) {
			out = append(out, entry)
		}
	}
	return out
}

func harmless() []string {
	return []string{
		"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
		"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", // notify-send
		"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", // Windows
		"USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "COMPUTERNAME",
	}
}
