package control

import (
	"context"
	"encoding/json"
	"errors"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// The protocol that this program speaks. It grows by fields and methods; a
// change that an older program would misread takes a new number.
const (
	protocol    = 1
	prefix      = "/v1/"
	versionPath = "/version"
	program     = "postbag"
)

// CodeOtherVersion says that the running engine is another version of the
// program and does not understand this one: it must be started anew.
const CodeOtherVersion = facts.CodeOtherVersion

// Limits of what one side takes from the other.
const (
	maxRequest = 1 << 20  // bytes of arguments
	maxFrame   = 16 << 20 // bytes of one line of an answer
	chunk      = 48 << 10 // bytes of a message in one line, before base64
	maxRefusal = 1 << 10  // bytes of the reason why a request was refused
	backlog    = 1 << 20  // bytes that wait at the engine for a slow client
	maxUnread  = 64 << 20 // bytes that wait at the client for its own reader
)

// entry is mail.Entry with all its fields: as a type of its own it does not
// inherit the JSON of the contract, which leaves the details out.
type entry mail.Entry

type story struct {
	Entry entry
	Steps []facts.Step
}

// versions is the answer of /version.
type versions struct {
	Program   string `json:"program"`
	Protocols []int  `json:"protocols"`
}

// The arguments of the methods.
type (
	noArgs      struct{}
	namesArgs   struct{ Names []string }
	nameArgs    struct{ Name string }
	idArgs      struct{ ID string }
	sendArgs    struct{ ID, Address string }
	cancelArgs  struct{ Request string }
	previewArgs struct {
		Name  string
		Limit int
	}
	collectArgs struct {
		Request  string // names this collection for /v1/cancel
		Names    []string
		Progress bool // events are wanted
		Changed  bool // messages are wanted
	}
	// The path is bytes: a file name need not be UTF-8.
	backupArgs struct{ Path []byte }
)

// frame is one line of an answer: at most one of its fields is set. None at
// all is a sign of life.
type frame struct {
	Event *facts.Event       `json:"event,omitempty"`
	Entry *entry             `json:"entry,omitempty"`
	Check *facts.CheckStep   `json:"check,omitempty"`
	Line  *facts.PreviewLine `json:"line,omitempty"`
	Data  []byte             `json:"data,omitempty"`
	Done  *done              `json:"done,omitempty"`
}

// done ends an answer. The result counts beside an error, too.
type done struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *trouble        `json:"error,omitempty"`
}

// trouble is an error on its way: one of its fields is set.
type trouble struct {
	Fault  *facts.Fault       `json:"fault,omitempty"`
	Config *facts.ConfigError `json:"config,omitempty"`
	Joined []*trouble         `json:"joined,omitempty"`
}

// troubleOf makes an error fit to travel; nil stays nil.
func troubleOf(err error) *trouble {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		out := &trouble{}
		for _, e := range joined.Unwrap() {
			out.Joined = append(out.Joined, troubleOf(e))
		}
		return out
	}
	if c, ok := errors.AsType[*facts.ConfigError](err); ok {
		return &trouble{Config: c}
	}
	if _, ok := errors.AsType[*mail.Failure](err); !ok && ended(err) {
		err = &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Err: err}
	}
	return &trouble{Fault: facts.FaultOf(err)}
}

// err is the error that travelled; nil stays nil.
func (t *trouble) err() error {
	switch {
	case t == nil:
		return nil
	case t.Config != nil:
		return t.Config
	case len(t.Joined) > 0:
		errs := make([]error, len(t.Joined))
		for i, j := range t.Joined {
			errs[i] = j.err()
		}
		return errors.Join(errs...)
	case t.Fault != nil:
		return t.Fault.Failure()
	}
	return &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Err: errors.New("an error without words")}
}

// ended tells whether an error only says that a context ended.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// notRunning is the failure of an engine that does not answer.
func notRunning(dir string, cause error) *mail.Failure {
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeNotRunning, Op: dir, Err: cause}
}

// cannotFile is the failure of a file or folder of the data folder.
func cannotFile(path string, cause error) *mail.Failure {
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: path, Err: cause}
}
