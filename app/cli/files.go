package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"postbag/app/facts"
	"postbag/engine/mail"
)

type writer = io.Writer

// saveFile makes a new file, private to the user, and fills it. It never
// writes over a file; a file that could not be filled is taken away again.
func saveFile(path string, fill func(writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		code := facts.CodeFile
		if errors.Is(err, fs.ErrExist) {
			code = facts.CodeFileExists
		}
		return &mail.Failure{Class: mail.NeedsUser, Code: code, Op: path, Err: err}
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		return nil
	}
	_ = os.Remove(path)
	if _, ok := errors.AsType[*mail.Failure](err); ok {
		return err
	}
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: path, Err: err}
}

// confirm asks a person before something that cannot be taken back; anything
// but yes is no.
func (s *session) confirm(ctx context.Context, question string) error {
	s.say(question + " " + s.p.T("cli.yes_no"))
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(s.env.Stdin).ReadString('\n')
		answers <- line
	}()
	select {
	case answer := <-answers:
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes", "o", "oui":
			return nil
		}
		s.say(s.p.T("cli.nothing_done"))
		return outcome(exitUnexpected)
	case <-ctx.Done():
		return ctx.Err()
	}
}
