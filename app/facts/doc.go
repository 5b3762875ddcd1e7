// Package facts holds the values that the application hands to those who show
// it: the command line, the windows and, over the local socket, a second
// program. Every type survives a round trip through JSON. It knows no text in
// any language and does no I/O.
package facts

import (
	"errors"
	"fmt"

	"postbag/engine/mail"
)

// Codes of failures of the application, beside those of engine/mail.
const (
	CodeBusy           mail.Code = "busy"            // another engine uses this data folder
	CodeConfigMissing  mail.Code = "config_missing"  // there is no configuration file
	CodeConfigExists   mail.Code = "config_exists"   // config init would write over a file
	CodeConfigRead     mail.Code = "config_read"     // the configuration file cannot be read or written
	CodeFileExists     mail.Code = "file_exists"     // backup or save would write over a file
	CodeFile           mail.Code = "file"            // a file or folder cannot be read or written
	CodeUnknownMailbox mail.Code = "unknown_mailbox" // no mailbox of that name
	CodeUnknownMessage mail.Code = "unknown_message" // no message of that id
	CodeNotFound       mail.Code = "not_found"       // the same, in the word of the store
	CodeWrongState     mail.Code = "wrong_state"     // the state of the message does not allow this
	CodeAddress        mail.Code = "address"         // not an address that mail may be sent to
	CodeNotAvailable   mail.Code = "not_available"   // not available in this version
	CodeNotRunning     mail.Code = "not_running"     // the running engine does not answer
	CodeOtherVersion   mail.Code = "other_version"   // the running engine speaks another protocol
)

// Fault is a *mail.Failure that can travel: the cause has become text.
type Fault struct {
	Class  mail.Class `json:"class"`
	Code   mail.Code  `json:"code"`
	Op     string     `json:"op,omitempty"`
	Reply  string     `json:"reply,omitempty"`
	Detail string     `json:"detail,omitempty"` // text of the cause
}

// FaultOf returns the fault inside err, nil for nil.
func FaultOf(err error) *Fault {
	f := mail.AsFailure(err)
	if f == nil {
		return nil
	}
	out := &Fault{Class: f.Class, Code: f.Code, Op: f.Op, Reply: f.Reply}
	if f.Err != nil {
		out.Detail = f.Err.Error()
	}
	return out
}

// Failure turns the fault back into the error it came from; nil stays nil.
func (f *Fault) Failure() *mail.Failure {
	if f == nil {
		return nil
	}
	out := &mail.Failure{Class: f.Class, Code: f.Code, Op: f.Op, Reply: f.Reply}
	if f.Detail != "" {
		out.Err = errors.New(f.Detail)
	}
	return out
}

// Problem is one fault of the configuration file.
type Problem struct {
	Field   string // dotted path with index, for example "mailbox[0].host"; "" for the whole file
	Line    int    // 1 is the first line, 0 unknown
	Code    string
	Message string // a sentence in the language of the reader
	Warning bool   // does not stop anything
}

// ConfigError says that the configuration cannot be used: nothing was touched.
type ConfigError struct {
	Path     string
	Problems []Problem
}

// Error returns a line for the log.
func (e *ConfigError) Error() string {
	for _, p := range e.Problems {
		if !p.Warning {
			return fmt.Sprintf("%s:%d: %s: %s", e.Path, p.Line, p.Field, p.Message)
		}
	}
	return e.Path + ": not usable"
}
