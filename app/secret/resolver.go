package secret

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"postbag/engine/mail"
)

// Options of a Resolver. Every field has a default.
type Options struct {
	Dir     string                      // where relative file: paths start; default: the working folder
	Lookup  func(string) (string, bool) // reads the environment; default: os.LookupEnv
	Environ func() []string             // default: os.Environ
	Store   Store                       // default: the keyring of the operating system
	Limit   time.Duration               // for one call of the keyring; default: 10 s
}

// DefaultLimit is how long the keyring may take: an unlock prompt that nobody
// answers would wait for ever.
const DefaultLimit = 10 * time.Second

// maxValue bounds a secret. Tokens of several kilobytes exist.
const maxValue = 64 << 10

// ErrReadOnly is the error of Set and Delete for a reference that names no
// keyring entry: this program does not write there.
var ErrReadOnly = errors.New("only keyring: references can be set and deleted")

// Resolver reads secrets. It may be used by several goroutines. It keeps no
// secret in memory.
type Resolver struct {
	dir     string
	lookup  func(string) (string, bool)
	environ func() []string
	keyring *limited
}

// New returns a Resolver.
func New(o Options) *Resolver {
	if o.Lookup == nil {
		o.Lookup = os.LookupEnv
	}
	if o.Environ == nil {
		o.Environ = os.Environ
	}
	if o.Store == nil {
		o.Store = SystemKeyring{}
	}
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	return &Resolver{dir: o.Dir, lookup: o.Lookup, environ: o.Environ, keyring: &limited{store: o.Store, limit: o.Limit}}
}

// Read returns the secret. Its errors are *mail.Failure of class NeedsUser:
// CodeSecretMissing (nothing or nothing but "" is there), CodeSecretOpen
// (others can read the file), CodeSecretLocked (no keyring, locked, no answer),
// CodeSecretBad (a reference or value that cannot be used).
func (r *Resolver) Read(ctx context.Context, ref string) (string, error) {
	p, err := Parse(ref)
	if err != nil {
		return "", failure(mail.CodeSecretBad, "secret", err)
	}
	var value string
	switch p.Scheme {
	case Env:
		value, err = r.readEnv(p)
	case File:
		value, err = r.readFile(p)
	case Credential:
		value, err = r.readCredential(p)
	default:
		value, err = r.keyring.get(ctx, p.Name)
	}
	if err != nil {
		return "", classify(p, err)
	}
	if err := usable(p, value); err != nil {
		return "", err
	}
	return value, nil
}

// Set stores a secret in the keyring. Besides the errors of Read it may fail
// with CodeSecretTooLong and ErrReadOnly.
func (r *Resolver) Set(ctx context.Context, ref, value string) error {
	p, err := writable(ref)
	if err != nil {
		return err
	}
	if err := usable(p, value); err != nil {
		return err
	}
	return classify(p, r.keyring.set(ctx, p.Name, value))
}

// Delete removes a secret from the keyring; CodeSecretMissing when none is there.
func (r *Resolver) Delete(ctx context.Context, ref string) error {
	p, err := writable(ref)
	if err != nil {
		return err
	}
	return classify(p, r.keyring.remove(ctx, p.Name))
}

// Status tells whether a secret can be read.
type Status struct {
	Ref string
	Err *mail.Failure // nil: readable
}

// List tries every reference, without keeping the values.
func (r *Resolver) List(ctx context.Context, refs []string) []Status {
	out := make([]Status, 0, len(refs))
	for _, ref := range refs {
		s := Status{Ref: ref}
		if _, err := Parse(ref); err != nil {
			s.Ref = "?" // may be the password itself
		}
		if _, err := r.Read(ctx, ref); err != nil {
			s.Err = mail.AsFailure(err)
		}
		out = append(out, s)
	}
	return out
}

// ChildEnv returns the environment for a child process: without the variables
// that hold secrets and without the folder of the systemd credentials.
func (r *Resolver) ChildEnv(refs []string) []string {
	hidden := map[string]bool{envKey(credentialsDir): true}
	for _, ref := range refs {
		if p, err := Parse(ref); err == nil && p.Scheme == Env {
			hidden[envKey(p.Name)] = true
		}
	}
	var env []string
	for _, kv := range r.environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !hidden[envKey(name)] {
			env = append(env, kv)
		}
	}
	return env
}

// envKey folds the name of a variable where the system does not tell case apart.
func envKey(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

func writable(ref string) (Ref, error) {
	p, err := Parse(ref)
	if err != nil {
		return p, failure(mail.CodeSecretBad, "secret", err)
	}
	if p.Scheme != Keyring {
		return p, failure(mail.CodeSecretBad, p.String(), ErrReadOnly)
	}
	return p, nil
}

// usable refuses what cannot be sent as a password: nothing at all, and a line
// end or NUL, which would end the command (RFC 1939 section 3).
func usable(p Ref, value string) error {
	switch {
	case value == "":
		return failure(mail.CodeSecretMissing, p.String(), errors.New("empty"))
	case len(value) > maxValue:
		return failure(mail.CodeSecretTooLong, p.String(), nil)
	case strings.ContainsAny(value, "\r\n\x00"):
		return failure(mail.CodeSecretBad, p.String(), errors.New("more than one line"))
	}
	return nil
}

func (r *Resolver) readEnv(p Ref) (string, error) {
	value, found := r.lookup(p.Name)
	if !found {
		return "", failure(mail.CodeSecretMissing, p.String(), errors.New("the variable is not set"))
	}
	return value, nil
}

func (r *Resolver) readFile(p Ref) (string, error) {
	path := p.Name
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	return readFile(p, path, runtime.GOOS != "windows")
}

const credentialsDir = "CREDENTIALS_DIRECTORY"

func (r *Resolver) readCredential(p Ref) (string, error) {
	dir, found := r.lookup(credentialsDir)
	if !found || dir == "" {
		return "", failure(mail.CodeSecretMissing, p.String(), errors.New("$"+credentialsDir+" is not set"))
	}
	// systemd guards the folder itself and may show group bits on the files.
	return readFile(p, filepath.Join(dir, p.Name), false)
}

// readFile reads one line. private wants the file closed to everybody but its
// owner (the mode is asked of the opened file, so that it cannot change between).
func readFile(p Ref, path string, private bool) (string, error) {
	// A pipe would block before its kind could be asked.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", failure(mail.CodeSecretMissing, p.String(), errors.New("not a file"))
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if private && info.Mode().Perm()&0o077 != 0 {
		return "", failure(mail.CodeSecretOpen, p.String(), errors.New("mode "+info.Mode().Perm().String()))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxValue+3))
	if err != nil {
		return "", err
	}
	value := strings.TrimSuffix(string(data), "\n")
	if len(value) < len(data) {
		value = strings.TrimSuffix(value, "\r")
	}
	return value, nil
}

func failure(code mail.Code, op string, err error) *mail.Failure {
	return &mail.Failure{Class: mail.NeedsUser, Code: code, Op: op, Err: err}
}

// classify makes a Failure of every error; nil stays nil.
func classify(p Ref, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*mail.Failure](err); ok {
		if f.Op == "" {
			f.Op = p.String()
		}
		return f
	}
	code := mail.CodeSecretMissing
	switch {
	case errors.Is(err, context.Canceled):
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: p.String(), Err: err}
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("no such file")
	case p.Scheme == Keyring:
		code = mail.CodeSecretLocked
	}
	return failure(code, p.String(), err)
}
