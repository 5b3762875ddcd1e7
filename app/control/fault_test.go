package control

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

func TestNobodyListens(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		"no folder":       func(dir string) error { return nil },
		"foreign pointer": func(dir string) error { return writeFile(dir, "/etc/passwd\n") },
		"pointer to none": func(dir string) error { return writeFile(dir, filepath.Join(dir, socketName)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := prepare(dir); err != nil {
				t.Fatal(err)
			}
			s, err := Dial(t.Context(), dir)
			wantFailure(t, err, facts.CodeNotRunning, dir)
			if s != nil {
				t.Errorf("a Service beside the failure: %v", s)
			}
		})
	}
}

const socketName = "engine.sock"

func writeFile(dir, text string) error {
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, folder, pointer), []byte(text), 0o600)
}

func TestDialIsCancelled(t *testing.T) {
	dir := t.TempDir()
	ln, err := Listen(dir) // and nobody serves
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	at := time.Now()
	_, err = Dial(ctx, dir)
	wantFailure(t, err, mail.CodeCancelled, "")
	if took := time.Since(at); took > time.Second || !errors.Is(err, context.Canceled) {
		t.Errorf("took %v: %v", took, err)
	}
}

// TestFrozenEngine: the kernel takes connections for a process that is stopped.
func TestFrozenEngine(t *testing.T) {
	dir := t.TempDir()
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tm := quick()
	tm.Hello = 50 * time.Millisecond
	_, err = dial(t.Context(), dir, tm)
	wantFailure(t, err, facts.CodeNotRunning, dir)

	tm.Quiet = 100 * time.Millisecond
	c := &client{dir: dir, t: tm, http: newHTTP(dir, tm)}
	_, err = c.Status(t.Context())
	wantFailure(t, err, facts.CodeNotRunning, dir)

	// A collection that nobody takes does not hold the caller who wants to go.
	tm.Quiet, tm.Order = time.Minute, 50*time.Millisecond
	c = &client{dir: dir, t: tm, http: newHTTP(dir, tm)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Collect(ctx, nil, nil, nil)
	wantFailure(t, err, mail.CodeCancelled, "")
}

// TestEarlyClient: whoever dials between Listen and Serve is answered.
func TestEarlyClient(t *testing.T) {
	dir := t.TempDir()
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	dialled := make(chan error, 1)
	go func() { _, err := dial(t.Context(), dir, quick()); dialled <- err }()
	startOn(t, dir, ln, &fake{}, quick())
	if err := receive(t, dialled, "the answer"); err != nil {
		t.Error(err)
	}
}

func TestRunIsRefused(t *testing.T) {
	e := start(t, &fake{}, quick())
	wantFailure(t, e.client(t, quick()).Run(t.Context(), nil), facts.CodeBusy, e.dir)
}

// script answers each connection as a test wants it.
func script(t *testing.T, answers map[string]http.HandlerFunc) string {
	t.Helper()
	dir := t.TempDir()
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, h := range answers {
		mux.HandleFunc(path, h)
	}
	srv := &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-ended })
	return dir
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
}

func TestVersions(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   mail.Code
	}{
		"ours":     {text(`{"program":"postbag","protocols":[1],"new":true}`), ""},
		"and more": {text(`{"program":"postbag","protocols":[2,1]}`), ""},
		"newer":    {text(`{"program":"postbag","protocols":[2]}`), CodeOtherVersion},
		"foreign":  {text(`{"program":"other","protocols":[1]}`), CodeOtherVersion},
		"no JSON":  {text("hello"), CodeOtherVersion},
		"refused":  {http.NotFound, CodeOtherVersion},
		"moved":    {http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP, CodeOtherVersion},
		"cut":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, facts.CodeNotRunning},
	} {
		t.Run(name, func(t *testing.T) {
			dir := script(t, map[string]http.HandlerFunc{versionPath: c.answer})
			_, err := dial(t.Context(), dir, quick())
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantFailure(t, err, c.code, dir)
		})
	}
}

// TestBrokenAnswers: an answer that is cut, or makes no sense, is never taken
// for a whole one.
func TestBrokenAnswers(t *testing.T) {
	const line = `{"entry":{"ID":"K1"}}` + "\n"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   mail.Code
	}{
		"nothing":       {text(""), facts.CodeNotRunning},
		"no last line":  {text("{}\n" + line), facts.CodeNotRunning},
		"half a line":   {text(line + `{"done":{`), facts.CodeNotRunning},
		"no JSON":       {text(line + "what?\n"), facts.CodeNotRunning},
		"other types":   {text(line + `{"entry":7}` + "\n"), facts.CodeNotRunning},
		"endless line":  {text(line + strings.Repeat("x", maxFrame+2)), facts.CodeNotRunning},
		"dies":          {func(w http.ResponseWriter, r *http.Request) { text(line)(w, r); panic(http.ErrAbortHandler) }, facts.CodeNotRunning},
		"unknown error": {text(line + `{"done":{"error":{}}}` + "\n"), mail.CodeInternal},
		"no such call":  {http.NotFound, CodeOtherVersion},
		"refused":       {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "what?", http.StatusBadRequest) }, CodeOtherVersion},
		"falls silent": {func(w http.ResponseWriter, r *http.Request) {
			text(line)(w, r)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, facts.CodeNotRunning},
	} {
		t.Run(name, func(t *testing.T) {
			dir := script(t, map[string]http.HandlerFunc{prefix + "queued": c.answer, prefix + "collect": c.answer})
			tm := quick()
			tm.Quiet = 200 * time.Millisecond
			s := &client{dir: dir, t: tm, http: newHTTP(dir, tm)}
			wantFailure(t, s.Queued(t.Context(), func(e mail.Entry) error {
				if e.ID != "K1" {
					t.Errorf("got %+v", e)
				}
				return nil
			}), c.code, "")
			_, err := s.Collect(t.Context(), nil, nil, func(mail.Entry) error { return nil })
			wantFailure(t, err, c.code, "")
		})
	}
	t.Run("result of another shape", func(t *testing.T) {
		dir := script(t, map[string]http.HandlerFunc{prefix + "status": text(`{"done":{"result":[1]}}` + "\n")})
		s := &client{dir: dir, t: quick(), http: newHTTP(dir, quick())}
		_, err := s.Status(t.Context())
		wantFailure(t, err, CodeOtherVersion, dir)
	})
}

// TestSlowEngine: signs of life keep a call that takes long.
func TestSlowEngine(t *testing.T) {
	f := &fake{hold: make(chan struct{}), wait: make(chan struct{}, 1), stayed: make(chan error, 1)}
	e := start(t, f, quick())
	tm := quick()
	tm.Quiet = 300 * time.Millisecond
	c := e.client(t, tm)
	ended := make(chan error, 1)
	go func() { _, err := c.Backup(t.Context(), "b"); ended <- err }()
	receive(t, f.wait, "the call")
	time.AfterFunc(3*tm.Quiet, func() { close(f.hold) })
	if err := receive(t, ended, "the end"); err != nil {
		t.Error(err)
	}
}

// TestEngineDies: the engine is gone in the middle of each call.
func TestEngineDies(t *testing.T) {
	for _, c := range append(calls(filepath.Join(t.TempDir(), "b")), collectCall()) {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{wait: make(chan struct{}, 1), stayed: make(chan error, 1)}
			dir := t.TempDir()
			ln, err := Listen(dir)
			if err != nil {
				t.Fatal(err)
			}
			mortal := &mortalListener{Listener: ln, conns: make(chan net.Conn, 2)}
			startOn(t, dir, mortal, f, quick())
			s, err := dial(t.Context(), dir, quick())
			if err != nil {
				t.Fatal(err)
			}
			receive(t, mortal.conns, "the first connection")
			ended := make(chan error, 1)
			go func() { _, err := c.do(t.Context(), s, nil); ended <- err }()
			receive(t, f.wait, "the call")
			if err := receive(t, mortal.conns, "the connection").Close(); err != nil {
				t.Fatal(err)
			}
			wantFailure(t, receive(t, ended, "the end"), facts.CodeNotRunning, dir)
		})
	}
}

// mortalListener gives a test the connections, to cut them as a death would.
type mortalListener struct {
	net.Listener
	conns chan net.Conn
}

func (m *mortalListener) Accept() (net.Conn, error) {
	conn, err := m.Listener.Accept()
	if err == nil {
		m.conns <- conn
	}
	return conn, err
}

// TestStopped: a client that was stopped itself for longer than the engine's
// silence may last finds what came meanwhile.
func TestStopped(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	late := &lateConn{Conn: near}
	p := &patientConn{Conn: late, quiet: 10 * time.Second}
	go func() { _, _ = far.Write([]byte("x")) }()
	if n, err := p.Read(make([]byte, 8)); n != 1 || err != nil || late.reads != 2 {
		t.Errorf("%d %v after %d reads", n, err, late.reads)
	}
	late.always = true
	if _, err := p.Read(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) || late.reads != 4 {
		t.Errorf("%v after %d reads", err, late.reads)
	}
}

// lateConn reports a deadline that passed, once or always.
type lateConn struct {
	net.Conn
	reads  int
	always bool
}

func (l *lateConn) Read(b []byte) (int, error) {
	l.reads++
	if l.always || l.reads == 1 {
		return 0, os.ErrDeadlineExceeded
	}
	return l.Conn.Read(b)
}

// TestWireKeepsEverything: an entry travels with its details, which the JSON of
// the contract leaves out, and with its own time zone's moment.
func TestWireKeepsEverything(t *testing.T) {
	f := filled()
	at := time.Date(2026, 3, 29, 2, 30, 0, 1, time.FixedZone("", 3600))
	f.entry.Time = at
	got, err := start(t, f, quick()).client(t, quick()).Retry(t.Context(), "K1")
	if err != nil {
		t.Fatal(err)
	}
	if !got.Time.Equal(at) {
		t.Errorf("%v became %v", at, got.Time)
	}
	got.Time = at
	a, b := reflect.ValueOf(got), reflect.ValueOf(f.entry)
	for i := range a.NumField() {
		if b.Field(i).IsZero() {
			t.Errorf("%s was not tried", a.Type().Field(i).Name)
		}
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			t.Errorf("%s: got %v, want %v", a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	}
}

func TestAddressOfOtherBytes(t *testing.T) {
	f := filled()
	_, err := start(t, f, quick()).client(t, quick()).SendTo(t.Context(), "K1", "zo\xe9@office.test")
	wantFailure(t, err, facts.CodeAddress, "zo\xe9@office.test")
	if n := len(f.calls()); n != 0 {
		t.Errorf("%d calls reached the engine", n)
	}
}

// TestBackupPath: the engine gets the whole path, byte for byte; the report
// names the file as the caller did.
func TestBackupPath(t *testing.T) {
	f := filled()
	name := "b\xff.zip"
	r, err := start(t, f, quick()).client(t, quick()).Backup(t.Context(), name)
	if err != nil || r.Path != name {
		t.Errorf("%+v %v", r, err)
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path != abs {
		t.Errorf("the engine got %q, want %q", f.path, abs)
	}
}
