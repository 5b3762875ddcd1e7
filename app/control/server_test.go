package control

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// TestClientVanishes: what a client asked for is cancelled when it is gone,
// without a word from it.
func TestClientVanishes(t *testing.T) {
	f := &fake{wait: make(chan struct{}, 1), stayed: make(chan error, 1)}
	e := start(t, f, quick())
	conn := raw(t, e.dir, "POST /v1/queued HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
	receive(t, f.wait, "the call")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if receive(t, f.stayed, "the end of the context") == nil {
		t.Error("the context did not end")
	}
}

// TestCollectionOutlivesItsClient: half a collection helps nobody.
func TestCollectionOutlivesItsClient(t *testing.T) {
	f := filled()
	f.hold, f.wait, f.stayed = make(chan struct{}), make(chan struct{}, 1), make(chan error, 1)
	e := start(t, f, quick())
	body := `{"Request":"r1","Progress":true,"Changed":true}`
	conn := raw(t, e.dir, "POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: "+"47"+"\r\n\r\n"+body)
	receive(t, f.wait, "the collection")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	// Several signs of life have found out by now that nobody reads.
	limit := time.NewTimer(10 * quick().Beat)
	defer limit.Stop()
	<-limit.C
	close(f.hold)
	if err := receive(t, f.stayed, "the end of the collection"); err != nil {
		t.Errorf("it was cancelled: %v", err)
	}
	// And an engine that stops waits for it.
	f.hold = make(chan struct{})
	conn = raw(t, e.dir, "POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: 47\r\n\r\n"+strings.Replace(body, "r1", "r2", 1))
	receive(t, f.wait, "the second collection")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	e.stop()
	select {
	case err := <-e.done:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(f.hold)
	if receive(t, f.stayed, "the end of the collection") == nil {
		t.Error("the engine stopped, the collection was not told")
	}
	if err := receive(t, e.done, "the end of the engine"); err != nil {
		t.Error(err)
	}
}

// raw sends bytes to the engine's socket.
func raw(t *testing.T, dir, text string) net.Conn {
	t.Helper()
	at, err := placeOf(filepath.Join(dir, folder))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := dialAt(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestStopEndsCalls: an engine that stops cancels what runs, tells the clients,
// and is gone afterwards.
func TestStopEndsCalls(t *testing.T) {
	f := filled()
	f.wait, f.stayed = make(chan struct{}, 2), make(chan error, 2)
	e := start(t, f, quick())
	c := e.client(t, quick())
	status := make(chan error, 1)
	go func() { _, err := c.Status(t.Context()); status <- err }()
	receive(t, f.wait, "the first call")
	collected := make(chan facts.CollectReport, 1)
	go func() {
		r, err := c.Collect(t.Context(), nil, nil, nil)
		if err != nil {
			t.Error(err)
		}
		collected <- r
	}()
	receive(t, f.wait, "the second call")
	at := time.Now()
	e.stop()
	wantFailure(t, receive(t, status, "the end of the first"), mail.CodeCancelled, "")
	if r := receive(t, collected, "the report"); !r.Interrupted {
		t.Errorf("report %+v", r)
	}
	if err := receive(t, e.done, "the end of the engine"); err != nil {
		t.Error(err)
	}
	if took := time.Since(at); took > time.Second {
		t.Errorf("took %v", took)
	}
	_, err := c.Status(t.Context())
	wantFailure(t, err, facts.CodeNotRunning, e.dir)
}

// TestStopAtOnce: an engine that was stopped before it began.
func TestStopAtOnce(t *testing.T) {
	dir := t.TempDir()
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Serve(ctx, ln, &fake{}, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
	_, err = Dial(t.Context(), dir)
	wantFailure(t, err, facts.CodeNotRunning, dir)
}

// TestStubbornCall: a call that does not end holds the engine for its grace
// only.
func TestStubbornCall(t *testing.T) {
	f := &fake{stubborn: true, wait: make(chan struct{}, 1)}
	tm := quick()
	tm.Grace, tm.Order = 50*time.Millisecond, 50*time.Millisecond
	e := start(t, f, tm)
	c := e.client(t, quick())
	ended := make(chan error, 1)
	go func() { _, err := c.Status(t.Context()); ended <- err }()
	receive(t, f.wait, "the call")
	e.stop()
	if err := receive(t, e.done, "the end of the engine"); err == nil {
		t.Error("nothing is said about the call")
	}
	wantFailure(t, receive(t, ended, "the end of the call"), facts.CodeNotRunning, e.dir)
}

func TestListenerFails(t *testing.T) {
	dir := t.TempDir()
	ln, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := startOn(t, dir, ln, &fake{}, quick())
	e.client(t, quick())
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, e.done, "the end of the engine"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestPanic(t *testing.T) {
	e := start(t, &fake{panics: true}, quick())
	c := e.client(t, quick())
	for range 2 {
		_, err := c.Status(t.Context())
		wantFailure(t, err, mail.CodeInternal, "status")
	}
}

// TestRefusals: requests that no client of ours makes.
func TestRefusals(t *testing.T) {
	f := filled()
	e := start(t, f, quick())
	c := e.client(t, quick())
	for name, r := range map[string]struct {
		verb, path, body string
		status           int
	}{
		"unknown method":   {"POST", "/v1/nonsense", "{}", 404},
		"run":              {"POST", "/v1/run", "{}", 404},
		"other protocol":   {"POST", "/v2/status", "{}", 404},
		"wrong verb":       {"GET", "/v1/status", "", 405},
		"no JSON":          {"POST", "/v1/status", "what?", 400},
		"nothing":          {"POST", "/v1/status", "", 400},
		"two objects":      {"POST", "/v1/status", "{}{}", 400},
		"unknown argument": {"POST", "/v1/log", `{"Limit":3,"Newer":true}`, 400},
		"wrong type":       {"POST", "/v1/log", `{"Limit":"3"}`, 400},
		"too long":         {"POST", "/v1/log", `{"Search":"` + strings.Repeat("x", maxRequest) + `"}`, 400},
		"cancel nonsense":  {"POST", "/v1/cancel", "[]", 400},
		"cancel unknown":   {"POST", "/v1/cancel", `{"Request":"x"}`, 200},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), r.verb, "http://x"+r.path, strings.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != r.status {
				t.Errorf("got %s, want %d", resp.Status, r.status)
			}
		})
	}
	if asked := f.calls(); len(asked) != 0 {
		t.Errorf("the engine was asked %q", asked)
	}
}

// TestSameCollectionTwice: a name stands for one collection.
func TestSameCollectionTwice(t *testing.T) {
	f := &fake{wait: make(chan struct{}, 1), stayed: make(chan error, 1)}
	c := start(t, f, quick()).client(t, quick())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = c.ask(ctx, "collect", collectArgs{Request: "r1"}, nil, nothing) }()
	receive(t, f.wait, "the collection")
	for _, name := range []string{"r1", ""} {
		wantFailure(t, c.ask(t.Context(), "collect", collectArgs{Request: name}, nil, nothing), mail.CodeInternal, "")
	}
	if !(&order{c: c, request: "r1", line: t.Context()}).send() {
		t.Error("the order was not taken")
	}
	if receive(t, f.stayed, "the end of the collection") == nil {
		t.Error("it was not cancelled")
	}
}

// TestSilentPeer: who connects and says nothing, or half of it, is let go.
func TestSilentPeer(t *testing.T) {
	tm := quick()
	tm.Body, tm.Idle = 50*time.Millisecond, 50*time.Millisecond
	e := start(t, &fake{}, tm)
	for name, text := range map[string]string{
		"nothing":       "",
		"half a header": "POST /v1/sta",
		"half a body":   "POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}",
		"one request":   "GET /version HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := raw(t, e.dir, text)
			if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("was not let go: %v", err)
			}
		})
	}
}

// TestSlowClientHoldsNothing: events for a client that does not read are not
// waited for; those that say more than a count are kept for it.
func TestSlowClientHoldsNothing(t *testing.T) {
	f := &fake{wait: make(chan struct{}, 1), stayed: make(chan error, 1), hold: make(chan struct{})}
	for range 40_000 {
		f.events = append(f.events, facts.Event{Kind: facts.EventFetched, Mailbox: "m", Done: 1})
	}
	f.events = append(f.events, facts.Event{Kind: facts.EventMailboxEnd})
	e := start(t, f, quick())
	conn := raw(t, e.dir, "POST /v1/collect HTTP/1.1\r\nHost: x\r\nContent-Length: 31\r\n\r\n"+`{"Request":"r","Progress":true}`)
	receive(t, f.wait, "the end of the events") // although nobody read
	close(f.hold)
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	counts, ends := 0, 0
	for in := bufio.NewScanner(conn); !strings.Contains(in.Text(), `"done"`); {
		if !in.Scan() {
			t.Fatalf("cut: %v", in.Err())
		}
		counts += strings.Count(in.Text(), facts.EventFetched)
		ends += strings.Count(in.Text(), facts.EventMailboxEnd)
	}
	if counts == 0 || counts >= 40_000 || ends != 1 {
		t.Errorf("%d counts, %d ends", counts, ends)
	}
}

// TestPagingReader: a person who reads slowly does not hold up the engine, whose
// store is being read.
func TestPagingReader(t *testing.T) {
	reader := reading{fake: &fake{entries: make([]mail.Entry, 6_000)}, ended: make(chan struct{})}
	c := start(t, reader, quick()).client(t, quick())
	n := 0
	if err := c.Queued(t.Context(), func(mail.Entry) error {
		if n++; n == 1 {
			receive(t, reader.ended, "the end of reading the store")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if n != len(reader.entries) {
		t.Errorf("%d came", n)
	}
}

// reading tells when the store was read.
type reading struct {
	*fake
	ended chan struct{}
}

func (r reading) Queued(ctx context.Context, each func(mail.Entry) error) error {
	defer close(r.ended)
	return r.fake.Queued(ctx, each)
}
