package cli

import (
	"errors"
	"fmt"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// The exit codes of the program.
const (
	exitDone       = 0 // all that was due is done
	exitUnexpected = 1 // unexpected failure, also a collection stopped by a signal
	exitUsage      = 2 // wrong usage or configuration, nothing was touched
	exitMailbox    = 3 // a mailbox could not be collected
	exitMail       = 4 // mail is queued, or was set aside by this run
	exitBusy       = 5 // another engine uses this data folder
)

// outcome is an exit code without words: what it says has been shown already.
type outcome int

func (o outcome) Error() string { return fmt.Sprintf("exit %d", int(o)) }

// usageError is a wrong command line; the text is for the reader.
type usageError struct {
	text string
	hint string // the command whose --help helps, for example "postbagd queue"
}

func (e *usageError) Error() string { return e.text }

// usageCodes are the failures that the caller's own words caused: nothing was
// touched, and the same words would fail again.
var usageCodes = map[mail.Code]bool{
	facts.CodeConfigMissing:  true,
	facts.CodeConfigExists:   true,
	facts.CodeConfigRead:     true,
	facts.CodeFileExists:     true,
	facts.CodeUnknownMailbox: true,
	facts.CodeUnknownMessage: true,
	facts.CodeNotFound:       true,
	facts.CodeWrongState:     true,
	facts.CodeAddress:        true,
	facts.CodeNotAvailable:   true,
}

// exitCode is the exit code of an error; of several joined errors the worst,
// in the order 2, 5, 1, 3, 4.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if _, ok := errors.AsType[*partial](err); ok {
		return exitUnexpected
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		code := exitDone
		for _, e := range joined.Unwrap() {
			code = worse(code, exitCode(e))
		}
		return code
	}
	if o, ok := errors.AsType[outcome](err); ok {
		return int(o)
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*facts.ConfigError](err); ok {
		return exitUsage
	}
	if f, ok := errors.AsType[*mail.Failure](err); ok {
		switch {
		case f.Code == facts.CodeBusy:
			return exitBusy
		case usageCodes[f.Code]:
			return exitUsage
		}
	}
	return exitUnexpected
}

// worse chooses between two exit codes: 2, 5, 1, 3, 4, then 0.
func worse(a, b int) int {
	for _, code := range []int{exitUsage, exitBusy, exitUnexpected, exitMailbox, exitMail} {
		if a == code || b == code {
			return code
		}
	}
	return exitDone
}

// collectCode is the exit code of a collection. What was too big, came twice,
// or was in quarantine before does not count; neither does a mailbox that is
// paused or switched off.
func collectCode(r facts.CollectReport) int {
	code := exitDone
	if r.Interrupted {
		code = worse(code, exitUnexpected)
	}
	for _, m := range r.Mailboxes {
		if m.Result != facts.ResultOK && m.Result != facts.ResultSkipped {
			code = worse(code, exitMailbox)
		}
	}
	if r.Queued > 0 || r.Quarantined > 0 || r.Failed > 0 {
		code = worse(code, exitMail)
	}
	return code
}

// checkCode is the exit code of a check of which these sides failed.
func checkCode(sourceFailed, targetFailed bool) int {
	code := exitDone
	if sourceFailed {
		code = worse(code, exitMailbox)
	}
	if targetFailed {
		code = worse(code, exitMail)
	}
	return code
}

// asOutcome turns an exit code into an error, nil for 0.
func asOutcome(code int) error {
	if code == exitDone {
		return nil
	}
	return outcome(code)
}
