package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postbag/engine/mail"
)

const hidden = "s3cr3t-Value"

func TestParse(t *testing.T) {
	for text, want := range map[string]Ref{
		"keyring:whole-office":    {Keyring, "whole-office"},
		"keyring:a:b c":           {Keyring, "a:b c"},
		"env:OFFICE_PASSWORD":     {Env, "OFFICE_PASSWORD"},
		"file:secrets/office.txt": {File, "secrets/office.txt"},
		`file:C:\secret.txt`:      {File, `C:\secret.txt`},
		"credential:office":       {Credential, "office"},
	} {
		got, err := Parse(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "password", "keyring:", "keyring: ", "env:A=B", "env:", "file:", "credential:../x", "credential:..",
		"credential:a/b", `credential:a\b`, "http://x", "Keyring:x", "file:a\x00b", "keyring:" + strings.Repeat("x", maxName+1)} {
		got, err := Parse(text)
		if err == nil {
			t.Errorf("%q: %+v", text, got)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the text: %v", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("keyring:x")
	f.Add("credential:a/b")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := Parse(text); err == nil && r.String() != text {
			t.Errorf("%q became %q", text, r)
		}
	})
}

// memory is a keyring for tests; each call runs before, if set.
type memory struct {
	mu     sync.Mutex
	values map[string]string
	before func(name string) error
	gets   atomic.Int32
}

func (m *memory) Get(name string) (string, error) {
	m.gets.Add(1)
	if m.before != nil {
		if err := m.before(name); err != nil {
			return "", err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, found := m.values[name]; found {
		return v, nil
	}
	return "", ErrNotFound
}

func (m *memory) Set(name, value string) error {
	if m.before != nil {
		if err := m.before(name); err != nil {
			return err
		}
	}
	if len(value) > 2560 {
		return ErrTooLong // as on Windows
	}
	if strings.HasPrefix(name, "echo") {
		return errors.New("exec: security add " + value + " failed")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[name] = value
	return nil
}

func (m *memory) Delete(name string) error {
	if _, found := m.values[name]; !found {
		return ErrNotFound
	}
	delete(m.values, name)
	return nil
}

var _ Store = (*memory)(nil)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	creds := filepath.Join(dir, "creds")
	if err := os.MkdirAll(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(creds, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(creds, "office"), hidden+"\n", 0o440)
	write(t, filepath.Join(dir, "plain"), hidden, 0o600)
	write(t, filepath.Join(dir, "readonly"), hidden+"\n", 0o400)
	write(t, filepath.Join(dir, "windows"), hidden+"\r\n", 0o600)
	write(t, filepath.Join(dir, "spaces"), "  a b\t\n", 0o600)
	write(t, filepath.Join(dir, "cr"), "a\r", 0o600)
	write(t, filepath.Join(dir, "two"), hidden+"\nsecond\n", 0o600)
	write(t, filepath.Join(dir, "blank"), "\n", 0o600)
	write(t, filepath.Join(dir, "long"), strings.Repeat("x", maxValue+1), 0o600)
	write(t, filepath.Join(dir, "group"), hidden, 0o640)
	write(t, filepath.Join(dir, "others"), hidden, 0o604)
	env := map[string]string{"SET": hidden, "EMPTY": "", "LINES": hidden + "\r\nDELE 1", credentialsDir: creds}
	r := New(Options{Dir: dir, Store: &memory{values: map[string]string{"x": hidden, "empty": ""}},
		Lookup: func(k string) (string, bool) { v, ok := env[k]; return v, ok }})
	for _, c := range []struct {
		ref, want string
		code      mail.Code
	}{
		{"env:SET", hidden, ""},
		{"env:EMPTY", "", mail.CodeSecretMissing},
		{"env:NONE", "", mail.CodeSecretMissing},
		{"env:LINES", "", mail.CodeSecretBad},
		{"file:plain", hidden, ""},
		{"file:" + filepath.Join(dir, "plain"), hidden, ""},
		{"file:readonly", hidden, ""},
		{"file:windows", hidden, ""},
		{"file:spaces", "  a b\t", ""},
		{"file:cr", "", mail.CodeSecretBad},
		{"file:two", "", mail.CodeSecretBad},
		{"file:blank", "", mail.CodeSecretMissing},
		{"file:none", "", mail.CodeSecretMissing},
		{"file:folder", "", mail.CodeSecretMissing},
		{"file:long", "", mail.CodeSecretTooLong},
		{"file:group", "", mail.CodeSecretOpen},
		{"file:others", "", mail.CodeSecretOpen},
		{"credential:office", hidden, ""},
		{"credential:none", "", mail.CodeSecretMissing},
		{"keyring:x", hidden, ""},
		{"keyring:none", "", mail.CodeSecretMissing},
		{"keyring:empty", "", mail.CodeSecretMissing},
		{hidden, "", mail.CodeSecretBad},
	} {
		if runtime.GOOS == "windows" && c.code == mail.CodeSecretOpen {
			continue // no such bits there
		}
		got, err := r.Read(t.Context(), c.ref)
		if got != c.want {
			t.Errorf("%s: %q", c.ref, got)
		}
		if c.code == "" && err != nil || c.code != "" && (err == nil || mail.AsFailure(err).Code != c.code || mail.AsFailure(err).Class != mail.NeedsUser) {
			t.Errorf("%s: %v, want %q", c.ref, err, c.code)
		}
		if err != nil && strings.Contains(err.Error(), hidden) {
			t.Errorf("the value is shown: %v", err)
		}
	}
}

func TestCredentialWithoutSystemd(t *testing.T) {
	r := New(Options{Lookup: func(string) (string, bool) { return "", false }})
	if _, err := r.Read(t.Context(), "credential:x"); mail.AsFailure(err).Code != mail.CodeSecretMissing {
		t.Error(err)
	}
}

func TestSetDeleteList(t *testing.T) {
	ctx := t.Context()
	m := &memory{values: map[string]string{}}
	r := New(Options{Store: m, Lookup: func(string) (string, bool) { return "", false }})
	if err := r.Set(ctx, "keyring:a", hidden); err != nil || m.values["a"] != hidden {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ref, value string
		code       mail.Code
	}{
		{"keyring:a", "", mail.CodeSecretMissing},
		{"keyring:a", "one\ntwo", mail.CodeSecretBad},
		{"keyring:a", strings.Repeat("t", 2561), mail.CodeSecretTooLong},
		{"keyring:echo", hidden, mail.CodeSecretLocked},
		{"env:A", hidden, mail.CodeSecretBad},
		{hidden, hidden, mail.CodeSecretBad},
	} {
		err := r.Set(ctx, c.ref, c.value)
		if err == nil || mail.AsFailure(err).Code != c.code || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %v", c.ref, err)
		}
	}
	if err := r.Set(ctx, "file:x", hidden); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	got := r.List(ctx, []string{"keyring:a", "env:A", "oops"})
	if len(got) != 3 || got[0].Err != nil || got[1].Err.Code != mail.CodeSecretMissing || got[2].Err == nil || got[2].Ref == "oops" {
		t.Errorf("%+v", got)
	}
	if err := r.Delete(ctx, "keyring:a"); err != nil || len(m.values) != 0 {
		t.Error(err)
	}
	if err := r.Delete(ctx, "keyring:a"); mail.AsFailure(err).Code != mail.CodeSecretMissing {
		t.Error(err)
	}
}

// A prompt that nobody answers: each call gives up in time, and the keyring is
// asked once only, until the prompt is answered.
func TestKeyringThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		m := &memory{values: map[string]string{"x": hidden}, before: func(string) error { <-answer; return nil }}
		r := New(Options{Store: m})
		for range 3 {
			start := time.Now()
			_, err := r.Read(t.Context(), "keyring:x")
			if f := mail.AsFailure(err); f.Code != mail.CodeSecretLocked || f.Class != mail.NeedsUser || time.Since(start) != DefaultLimit {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		}
		if err := r.Set(t.Context(), "keyring:y", hidden); mail.AsFailure(err).Code != mail.CodeSecretLocked {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Read(ctx, "keyring:x"); mail.AsFailure(err).Code != mail.CodeCancelled || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Read(short, "keyring:x"); mail.AsFailure(err).Code != mail.CodeSecretLocked {
			t.Error(err)
		}
		if n := m.gets.Load(); n != 1 {
			t.Errorf("the keyring was asked %d times", n)
		}
		close(answer)
		synctest.Wait()
		if got, err := r.Read(t.Context(), "keyring:x"); err != nil || got != hidden {
			t.Error(got, err)
		}
	})
}

// What was read before a change is not handed out after it.
func TestSetOvertakesAHungGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		var asked atomic.Bool
		m := &memory{values: map[string]string{"x": "old"}}
		m.before = func(string) error {
			if asked.CompareAndSwap(false, true) {
				<-answer
			}
			return nil
		}
		r := New(Options{Store: m})
		if _, err := r.Read(t.Context(), "keyring:x"); err == nil {
			t.Error("the first call should hang")
		}
		if err := r.Set(t.Context(), "keyring:x", "new"); err != nil {
			t.Error(err)
		}
		if got, err := r.Read(t.Context(), "keyring:x"); err != nil || got != "new" {
			t.Error(got, err)
		}
		close(answer)
	})
}

func TestKeyringFaults(t *testing.T) {
	for _, before := range []func(string) error{
		func(string) error { return errors.New("failed to unlock correct collection") },
		func(string) error { panic("broken bus " + hidden) },
	} {
		r := New(Options{Store: &memory{before: before}})
		_, err := r.Read(t.Context(), "keyring:x")
		if mail.AsFailure(err).Code != mail.CodeSecretLocked || strings.Contains(err.Error(), hidden) || mail.AsFailure(err).Op != "keyring:x" {
			t.Error(err)
		}
	}
}

func TestReachable(t *testing.T) {
	socket := filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus")
	for _, c := range []struct {
		goos, address, file string
		want                bool
	}{
		{"linux", "unix:path=/x", "", true},
		{"linux", "", socket, true},
		{"linux", "", "", false},
		{"linux", "autolaunch:", "", false},
		{"windows", "", "", true},
		{"darwin", "", "", true},
	} {
		err := reachable(c.goos, func(string) string { return c.address }, func(p string) bool { return p == c.file })
		if (err == nil) != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestChildEnv(t *testing.T) {
	r := New(Options{Environ: func() []string {
		return []string{"PATH=/bin", "OFFICE=" + hidden, "OFFICE_2=x", credentialsDir + "=/run/creds", "EMPTY="}
	}})
	got := r.ChildEnv([]string{"env:OFFICE", "keyring:PATH", "junk"})
	if want := []string{"PATH=/bin", "OFFICE_2=x", "EMPTY="}; !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}
