package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zalando/go-keyring"

	"postbag/engine/mail"
)

// Service is the name under which the entries stand in the keyring.
const Service = "postbag"

// Store is a keyring. Its calls may block: an unlock prompt waits for a person.
type Store interface {
	// Get returns ErrNotFound when there is no entry.
	Get(name string) (string, error)
	// Set returns ErrTooLong when the keyring cannot hold the value.
	Set(name, value string) error
	// Delete returns ErrNotFound when there is no entry.
	Delete(name string) error
}

// Errors of a Store; every other one means that the keyring does not serve.
var (
	ErrNotFound = errors.New("not in the keyring")
	ErrTooLong  = errors.New("too long for the keyring")
)

// SystemKeyring is the keyring of the operating system: Secret Service,
// Windows Credential Manager (2,560 bytes at most), macOS Keychain.
type SystemKeyring struct{}

var _ Store = SystemKeyring{}

// Get asks the system's keyring.
func (SystemKeyring) Get(name string) (string, error) {
	if err := reachable(runtime.GOOS, os.Getenv, exists); err != nil {
		return "", err
	}
	value, err := keyring.Get(Service, name)
	return value, storeError(err)
}

// Set stores in the system's keyring.
func (SystemKeyring) Set(name, value string) error {
	if err := reachable(runtime.GOOS, os.Getenv, exists); err != nil {
		return err
	}
	return redact(storeError(keyring.Set(Service, name, value)), value)
}

// Delete removes from the system's keyring.
func (SystemKeyring) Delete(name string) error {
	if err := reachable(runtime.GOOS, os.Getenv, exists); err != nil {
		return err
	}
	return storeError(keyring.Delete(Service, name))
}

// errNoBus tells that this process belongs to no desktop session.
var errNoBus = errors.New("no session bus")

// reachable fails where the Secret Service cannot be: without a session bus.
// QUIRK: the D-Bus library would else run dbus-launch, which starts a bus (and
// perhaps a keyring) of its own that nobody ever ends.
func reachable(goos string, getenv func(string) string, exists func(string) bool) error {
	if goos == "windows" || goos == "darwin" {
		return nil
	}
	if address := getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return nil
	}
	run := filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	if exists(filepath.Join(run, "bus")) || exists(filepath.Join(run, "dbus-session")) {
		return nil
	}
	return errNoBus
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func storeError(err error) error {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return ErrTooLong
	}
	return err
}

// redact drops the text of an error that repeats the value: some keyrings are
// driven by a command whose output ends in the error.
func redact(err error, value string) error {
	if err != nil && value != "" && strings.Contains(err.Error(), value) {
		return errors.New("the keyring refused")
	}
	return err
}

// errSlow is the cause when the time limit ran out.
var errSlow = errors.New("no answer in time")

// limited calls a Store with a time limit. A call that is too slow goes on in
// the background: nothing can stop it. Get for the same name joins the one that
// is still waiting, so that a keyring with a prompt open is not asked again
// and again.
type limited struct {
	store Store
	limit time.Duration

	mu      sync.Mutex
	pending map[string]*call // by name, Get only
}

// call is a Get under way; value and err are set when done is closed.
type call struct {
	done  chan struct{}
	value string
	err   error
}

func (l *limited) get(ctx context.Context, name string) (string, error) {
	c := l.join(name)
	if err := l.wait(ctx, c.done); err != nil {
		return "", err
	}
	return c.value, keyringFailure(c.err)
}

func (l *limited) join(name string) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, waiting := l.pending[name]; waiting {
		return c
	}
	c := &call{done: make(chan struct{})}
	if l.pending == nil {
		l.pending = map[string]*call{}
	}
	l.pending[name] = c
	go func() {
		defer close(c.done)
		defer l.forget(name, c)
		c.err = guarded(func() (err error) {
			c.value, err = l.store.Get(name)
			return err
		})
	}()
	return c
}

// forget takes a Get off the list: the one given, any when nil.
func (l *limited) forget(name string, c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c == nil || l.pending[name] == c {
		delete(l.pending, name)
	}
}

func (l *limited) set(ctx context.Context, name, value string) error {
	defer l.forget(name, nil) // a Get from before may still bring the old value
	return l.run(ctx, func() error { return redact(l.store.Set(name, value), value) })
}

func (l *limited) remove(ctx context.Context, name string) error {
	defer l.forget(name, nil)
	return l.run(ctx, func() error { return l.store.Delete(name) })
}

func (l *limited) run(ctx context.Context, f func() error) error {
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = guarded(f)
	}()
	if err := l.wait(ctx, c.done); err != nil {
		return err
	}
	return keyringFailure(c.err)
}

// wait returns nil when done is closed in time.
func (l *limited) wait(ctx context.Context, done <-chan struct{}) error {
	timer := time.NewTimer(l.limit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-timer.C:
		return failure(mail.CodeSecretLocked, "", errSlow)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return failure(mail.CodeSecretLocked, "", errSlow)
		}
		return ctx.Err()
	}
}

// guarded turns a panic of the keyring's library into an error: a broken bus
// must not end the engine.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("keyring: panic of type %T", p) // its text may hold the value
		}
	}()
	return f()
}

// keyringFailure classifies an error of a Store.
func keyringFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return failure(mail.CodeSecretMissing, "", err)
	case errors.Is(err, ErrTooLong):
		return failure(mail.CodeSecretTooLong, "", err)
	}
	return failure(mail.CodeSecretLocked, "", err)
}
