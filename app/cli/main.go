// Package cli is the command line of postbagd: it reads arguments, asks the
// application and shows what it answers, for people in their language or as
// JSON Lines for scripts. It knows the engine only through Application.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"postbag/app/i18n"
)

// Name is what the program is called in its texts.
const Name = "postbagd"

// Env is the world around one run of the program. System fills it from the
// process; tests fill it themselves.
type Env struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
	Now    func() time.Time
	Zone   *time.Location // of the reader

	StdinTerminal bool // a person can be asked
	StdoutWidth   int  // columns of the terminal, 0 when standard output is none
	StderrWidth   int  // likewise; 0 shows plain lines instead of a progress bar

	// ReadSecret shows the prompt on the terminal and reads a line without echo.
	ReadSecret func(ctx context.Context, prompt string) (string, error)
	// Signals asks to stop: the first in order, the second at once.
	Signals <-chan os.Signal
	// Taken is closed once Signals are taken over: nobody outside is to hear of
	// the run before, for until then it cannot be stopped in order. nil: they are.
	Taken <-chan struct{}
}

// untilTaken waits for the signals to be taken over.
func (e Env) untilTaken() {
	if e.Taken != nil {
		<-e.Taken
	}
}

// Main runs one command and returns the exit code of the program. After a
// second signal it returns although the command still runs: the caller must
// end the process then.
func Main(env Env, app Application) int {
	s := newSession(env, app)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan int, 1)
	go func() { done <- s.execute(ctx) }()
	stopping := false
	for {
		select {
		case code := <-done:
			return code
		case <-env.Signals:
			if stopping {
				s.say(s.p.T("cli.aborted"))
				return exitUnexpected
			}
			stopping = true
			s.say(s.p.T("cli.stopping"))
			cancel()
		}
	}
}

// session is one run of the program: the world, the language, the flags.
type session struct {
	env Env
	app Application
	p   *i18n.Printer
	out *lineWriter // standard output
	err *lineWriter // standard error; the progress bar writes below it

	config string
	data   string
	lang   string
	json   bool
	made   int // commands made so far

	described bool      // they have their texts
	bar       *progress // nil when none is shown
}

func newSession(env Env, app Application) *session {
	lang, given := langFlag(env.Args)
	if !given || !i18n.Supported(lang) {
		lang = "" // a wrong one is reported once the flags are parsed
	}
	if lang == "" {
		if l, ok := i18n.FromEnv(env.Getenv); ok {
			lang = l
		}
	}
	var lock sync.Mutex
	return &session{
		env: env, app: app, p: i18n.New(lang).In(env.Zone),
		out: newLineWriter(env.Stdout, &lock), err: newLineWriter(env.Stderr, &lock),
	}
}

// execute runs the command. A panic must not look like "wrong usage", which is
// what the exit code of the Go runtime would say.
func (s *session) execute(ctx context.Context) (code int) {
	defer func() {
		if r := recover(); r != nil {
			s.say(fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
			code = exitUnexpected
		}
	}()
	root := s.tree()
	if len(s.env.Args) > 0 && s.env.Args[0] == cobra.ShellCompRequestCmd {
		s.describe(root)
	}
	root.SetArgs(env0(s.env.Args))
	err := root.ExecuteContext(ctx)
	s.bar.close()
	err = errors.Join(err, s.out.flush())
	s.report(err)
	return exitCode(err)
}

// env0 keeps cobra from looking at os.Args when there are no arguments.
func env0(args []string) []string {
	if args == nil {
		return []string{}
	}
	return args
}

// say writes a line for people to standard error.
func (s *session) say(line string) {
	s.bar.pause(func() { s.err.line(line) })
}
