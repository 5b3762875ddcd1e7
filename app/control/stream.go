package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// stream writes one answer. One goroutine alone touches the connection, so that
// lines which come quickly travel together and a slow client never stops the
// engine. The methods may be called by several goroutines at once.
type stream struct {
	w    http.ResponseWriter
	line *http.ResponseController
	t    timing

	wake  chan struct{} // something waits to be written
	ended chan struct{} // nothing more is written

	mu      sync.Mutex
	pending []byte
	last    bool          // pending ends the answer
	gone    error         // why nobody reads any more
	room    chan struct{} // closed when pending was taken
}

// newStream begins the answer. finish must be called.
func newStream(w http.ResponseWriter, t timing) *stream {
	s := &stream{
		w: w, line: http.NewResponseController(w), t: t,
		wake: make(chan struct{}, 1), ended: make(chan struct{}), room: make(chan struct{}),
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	go s.pump()
	return s
}

// pump writes what waits, and signs of life.
func (s *stream) pump() {
	defer close(s.ended)
	beat := time.NewTicker(s.t.Beat)
	defer beat.Stop()
	data, last := []byte("{}\n"), false // the first sign of life goes out at once
	for {
		if err := s.write(data); err != nil {
			s.fail(err)
			return
		}
		if last {
			return
		}
		sign := false
		select {
		case <-s.wake:
		case <-beat.C:
			sign = true
		}
		if data, last = s.take(); sign && len(data) == 0 {
			data = []byte("{}\n")
		}
	}
}

func (s *stream) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if err := s.line.SetWriteDeadline(time.Now().Add(s.t.Write)); err != nil {
		return err
	}
	if _, err := s.w.Write(data); err != nil {
		return err
	}
	return s.line.Flush()
}

func (s *stream) take() (data []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, s.pending = s.pending, nil
	close(s.room)
	s.room = make(chan struct{})
	return data, s.last
}

func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone, s.pending = err, nil
	close(s.room)
	s.room = make(chan struct{})
}

// send adds a line and waits while too many wait already. The error says that
// nobody reads any more, or that ctx ended.
func (s *stream) send(ctx context.Context, f frame) error {
	data, err := encode(f)
	if err != nil {
		return err
	}
	for {
		s.mu.Lock()
		if s.gone != nil || len(s.pending) < backlog {
			err := s.add(data)
			s.mu.Unlock()
			return err
		}
		room := s.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// offer adds an event and never waits: of a client that does not follow, mere
// counts are kept from, as the next count tells the same.
func (s *stream) offer(ev facts.Event) {
	data, err := encode(frame{Event: &ev})
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	count := ev.Kind == facts.EventFetched || ev.Kind == facts.EventDelivered
	if count && len(s.pending) >= backlog {
		return
	}
	_ = s.add(data) // whoever went away wants no events
}

// add is called with mu held.
func (s *stream) add(data []byte) error {
	if s.gone != nil {
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: "control", Err: s.gone}
	}
	s.pending = append(s.pending, data...)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// finish ends the answer and returns when it is written, or nobody reads it.
func (s *stream) finish(result any, err error) {
	data := lastLine(result, err)
	s.mu.Lock()
	s.last = true
	_ = s.add(data) // the same
	s.mu.Unlock()
	<-s.ended
}

// lastLine is the line that ends an answer. A result that does not fit becomes
// a failure: the client waits for words.
func lastLine(result any, err error) []byte {
	var raw json.RawMessage
	if result != nil {
		b, jerr := json.Marshal(result)
		if jerr != nil {
			err = errors.Join(err, internal(jerr))
		}
		raw = b
	}
	data, jerr := encode(frame{Done: &done{Result: raw, Error: troubleOf(err)}})
	if jerr != nil {
		data, _ = encode(frame{Done: &done{Error: troubleOf(jerr)}}) // plain words always fit
	}
	return data
}

func encode(f frame) ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, internal(err)
	}
	if len(b) >= maxFrame {
		return nil, internal(errors.New("a line of the answer is too long"))
	}
	return append(b, '\n'), nil
}

func internal(err error) *mail.Failure {
	return &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: "control", Err: err}
}

// chunks sends the bytes of a message in lines.
type chunks struct {
	ctx context.Context
	out *stream
}

// Write sends p whole or fails.
func (c chunks) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		part := p[n:min(n+chunk, len(p))]
		if err := c.out.send(c.ctx, frame{Data: part}); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}
