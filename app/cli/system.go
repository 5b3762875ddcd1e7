package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// System is the Env of this process. It takes over SIGINT, SIGTERM, SIGHUP
// (unless it is ignored, as under nohup) and SIGPIPE: a reader that went away
// must not kill a collection. That takes Go a few switches of threads, so it
// goes on while the command begins; nothing is written and nobody is dialled
// before it is done.
func System() Env {
	signals, taken := make(chan os.Signal, 2), make(chan struct{})
	go func() {
		defer close(taken)
		takeOver(signals)
	}()
	return Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: afterwards(taken, os.Stdout), Stderr: afterwards(taken, os.Stderr),
		Getenv: os.Getenv, Now: time.Now, Zone: time.Local,
		StdinTerminal: term.IsTerminal(int(os.Stdin.Fd())),
		StdoutWidth:   terminalWidth(os.Stdout), StderrWidth: terminalWidth(os.Stderr),
		ReadSecret: readSecret, Signals: signals, Taken: taken,
	}
}

func takeOver(signals chan<- os.Signal) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
}

// afterwards writes to f once done is closed. Nobody goes away from a terminal,
// and the progress bar wants to know that it is one.
func afterwards(done <-chan struct{}, f *os.File) io.Writer {
	if term.IsTerminal(int(f.Fd())) {
		return f
	}
	return after{done, f}
}

type after struct {
	done <-chan struct{}
	w    io.Writer
}

func (a after) Write(p []byte) (int, error) {
	<-a.done
	return a.w.Write(p)
}

// terminalWidth is the number of columns, 0 when f is no terminal that can
// show more than plain lines.
func terminalWidth(f *os.File) int {
	if !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		return 80
	}
	return width
}

// readSecret reads a line without echo. When ctx ends first it puts the
// terminal back: otherwise the user's shell would stay silent.
func readSecret(ctx context.Context, prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	fmt.Fprint(os.Stderr, prompt)
	type answer struct {
		value []byte
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := term.ReadPassword(fd)
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		fmt.Fprintln(os.Stderr)
		if a.err != nil {
			return "", fmt.Errorf("read from the terminal: %w", a.err)
		}
		return string(a.value), nil
	case <-ctx.Done():
		_ = term.Restore(fd, state)
		fmt.Fprintln(os.Stderr)
		return "", ctx.Err()
	}
}
