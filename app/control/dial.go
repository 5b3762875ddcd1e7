package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"postbag/engine/mail"
)

// client is a Service that asks the engine of a data folder.
type client struct {
	dir  string // data folder
	http *http.Client
	t    timing
}

// Dial reaches the running engine of a data folder. The failure is
// facts.CodeNotRunning when nobody listens or answers, then and in later calls,
// and CodeOtherVersion when the engine speaks another protocol. Each call has a
// connection of its own; Close ends none that is running.
func Dial(ctx context.Context, dataDir string) (Service, error) {
	c, err := dial(ctx, dataDir, timings())
	if err != nil {
		return nil, err
	}
	return c, nil
}

func dial(ctx context.Context, dataDir string, t timing) (*client, error) {
	if at, err := placeOf(filepath.Join(dataDir, folder)); err == nil && isVacant(at) {
		// Mostly none runs, and that is found out in a moment.
		return nil, notRunning(dataDir, fs.ErrNotExist)
	}
	c := &client{dir: dataDir, t: t, http: newHTTP(dataDir, t)}
	return c, c.hello(ctx)
}

// newHTTP speaks HTTP with the engine of a data folder and nobody else.
func newHTTP(dataDir string, t timing) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx, dataDir, t) },
			DisableKeepAlives:  true,
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close lets go of the engine, which goes on.
func (c *client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

func connect(ctx context.Context, dataDir string, t timing) (net.Conn, error) {
	at, err := placeOf(filepath.Join(dataDir, folder))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, t.Hello)
	defer cancel()
	conn, err := dialAt(ctx, at)
	if err != nil {
		return nil, err
	}
	return &patientConn{Conn: conn, quiet: t.Quiet}, nil
}

// patientConn gives up an engine that shows no sign of life.
type patientConn struct {
	net.Conn
	quiet time.Duration
}

// Read waits twice half the time: when this program itself was stopped for
// long, what the engine wrote meanwhile is there at the second look.
func (p *patientConn) Read(b []byte) (int, error) {
	for look := 0; ; look++ {
		if err := p.SetReadDeadline(time.Now().Add(p.quiet / 2)); err != nil {
			return 0, err
		}
		n, err := p.Conn.Read(b)
		timeout, ok := errors.AsType[net.Error](err)
		if n > 0 || !ok || !timeout.Timeout() || look > 0 {
			return n, err
		}
	}
}

// hello asks what the engine speaks.
func (c *client) hello(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, c.t.Hello)
	defer cancel()
	resp, err := c.send(within, http.MethodGet, versionPath, nil)
	if err != nil {
		return c.unanswered(ctx, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return c.unanswered(ctx, err)
	}
	var v versions
	if err := json.Unmarshal(b, &v); err != nil || resp.StatusCode != http.StatusOK || v.Program != program {
		return c.otherVersion(fmt.Errorf("an answer that is not %s's: %s", program, resp.Status))
	}
	if !slices.Contains(v.Protocols, protocol) {
		return c.otherVersion(fmt.Errorf("the running engine speaks control protocol %v, this program %d", v.Protocols, protocol))
	}
	return nil
}

func (c *client) send(ctx context.Context, verb, path string, args any) (*http.Response, error) {
	var body io.Reader
	if args != nil {
		b, err := json.Marshal(args)
		if err != nil {
			return nil, internal(err)
		}
		body = bytes.NewReader(b)
	}
	// The host is a name for the header only: the connection is the socket's.
	req, err := http.NewRequestWithContext(ctx, verb, "http://"+program+path, body)
	if err != nil {
		return nil, internal(err)
	}
	return c.http.Do(req)
}

// begin calls a method; the answer is ready to be read.
func (c *client) begin(ctx context.Context, method string, args any) (*http.Response, error) {
	resp, err := c.send(ctx, http.MethodPost, prefix+method, args)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	why, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	err = errors.Join(err, resp.Body.Close())
	// Both sides are made of the same words, unless one is older.
	return nil, c.otherVersion(errors.Join(fmt.Errorf("%s: %s: %s", method, resp.Status, strings.TrimSpace(string(why))), err))
}

// unanswered is the failure of a call whose answer did not come; ctx is the
// caller's.
func (c *client) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: "control", Err: context.Cause(ctx)}
	}
	if f, ok := errors.AsType[*mail.Failure](err); ok {
		return f
	}
	return notRunning(c.dir, err)
}

func (c *client) otherVersion(err error) *mail.Failure {
	return &mail.Failure{Class: mail.NeedsUser, Code: CodeOtherVersion, Op: c.dir, Err: err}
}
