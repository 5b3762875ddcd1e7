package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"postbag/engine/mail"
)

// server answers the clients of one engine.
type server struct {
	ctx context.Context // ends when the engine stops
	svc Service
	log *slog.Logger
	t   timing

	known map[string]method
	calls sync.WaitGroup

	mu      sync.Mutex
	running map[string]context.CancelFunc // collections, by the name of their request
}

// Serve answers clients on ln until ctx ends, which is no error. It closes ln.
// When ctx ends it takes no more calls, cancels those that run, and returns
// when they have ended, after half a minute at the latest; svc is then used no
// more, and it is not closed.
func Serve(ctx context.Context, ln net.Listener, svc Service, log *slog.Logger) error {
	return serve(ctx, ln, svc, log, timings())
}

func serve(ctx context.Context, ln net.Listener, svc Service, log *slog.Logger, t timing) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{ctx: ctx, svc: svc, log: log, t: t, running: make(map[string]context.CancelFunc)}
	s.known = s.methods()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+versionPath, s.version)
	mux.HandleFunc("GET "+prefix+"events", s.events)
	mux.HandleFunc("POST "+prefix+"cancel", s.cancel)
	mux.HandleFunc("POST "+prefix+"{method}", s.call)
	srv := &http.Server{
		Handler:     mux,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// No ReadTimeout: net/http would take its end for a client that went away.
		ReadHeaderTimeout: t.Body, IdleTimeout: t.Idle, MaxHeaderBytes: 16 << 10,
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { stopped <- s.stop(srv) })
	err := srv.Serve(ln)
	if stop() {
		// The listener failed by itself.
		cancel()
		return errors.Join(fmt.Errorf("the control socket: %w", err), s.stop(srv))
	}
	return <-stopped
}

// stop waits for the calls, whose context has ended.
func (s *server) stop(srv *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.t.Grace)
	defer cancel()
	if err := srv.Shutdown(ctx); err == nil {
		return nil
	}
	// A client that does not read holds its call up: without the line it ends.
	err := srv.Close()
	ended := make(chan struct{})
	go func() { s.calls.Wait(); close(ended) }()
	limit := time.NewTimer(s.t.Order)
	defer limit.Stop()
	select {
	case <-ended:
		return err
	case <-limit.C:
		return errors.Join(err, internal(errors.New("a call over the control socket does not end")))
	}
}

func (s *server) version(w http.ResponseWriter, _ *http.Request) {
	b, err := json.Marshal(versions{Program: program, Protocols: []int{protocol}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	s.reply(w, b)
}

func (s *server) reply(w http.ResponseWriter, b []byte) {
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.t.Write)); err != nil {
		return // the client is gone
	}
	if _, err := w.Write(b); err != nil {
		s.log.Debug("control: the client is gone", "error", err)
	}
}

// cancel ends the collection that the request names. One that is not known has
// ended.
func (s *server) cancel(w http.ResponseWriter, r *http.Request) {
	body, err := s.body(w, r)
	var args cancelArgs
	if err == nil {
		err = json.Unmarshal(body, &args)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	end := s.running[args.Request]
	s.mu.Unlock()
	if end != nil {
		end()
	}
	s.reply(w, []byte("{}\n"))
}

func (s *server) begin(request string, cancel context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.running[request]; twice || request == "" {
		return false
	}
	s.running[request] = cancel
	return true
}

func (s *server) end(request string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, request)
}

// call runs one method and streams its answer.
func (s *server) call(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	defer s.calls.Done()
	name := r.PathValue("method")
	m, ok := s.known[name]
	if !ok {
		http.Error(w, "unknown method", http.StatusNotFound)
		return
	}
	body, err := s.body(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	do, err := m.prepare(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx := r.Context() // ends with the client, and with the engine
	if m.stays {
		ctx = s.ctx
	}
	begun := time.Now()
	out := newStream(w, s.t)
	result, err := s.run(ctx, name, do, out)
	out.finish(result, err)
	s.log.Debug("control", "call", name, "took", time.Since(begun), "error", err)
}

// run keeps a panic of one call from the others.
func (s *server) run(ctx context.Context, name string, do work, out *stream) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("control: panic", "call", name, "panic", r, "stack", string(debug.Stack()))
			result, err = nil, &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: name, Err: fmt.Errorf("panic: %v", r)}
		}
	}()
	return do(ctx, out)
}

// body reads the arguments, which must come whole and soon.
func (s *server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	line := http.NewResponseController(w)
	if err := line.SetReadDeadline(time.Now().Add(s.t.Body)); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, err // the deadline stays, so that the rest is not waited for
	}
	// From here on net/http reads only to see whether the client is there.
	return b, line.SetReadDeadline(time.Time{})
}
