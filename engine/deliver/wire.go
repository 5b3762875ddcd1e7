package deliver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	wireBuffer   = 64 << 10 // writes are coalesced up to this
	maxReplyLine = 2000     // doubled limit of RFC 5321 section 4.5.3.1.5; go-smtp refuses more too
	maxReply     = 64 << 10 // one reply, all its lines
)

// errProtocol marks an answer that the protocol does not allow.
var errProtocol = errors.New("answer that the protocol does not allow")

// wire is the connection as go-smtp sees it. It hands out one line per Read,
// so that nothing is read ahead and commands of our own fit between those of
// go-smtp; it gathers writes until an answer is awaited; and it alone sets the
// deadlines: go-smtp sets none for the message data.
type wire struct {
	conn    net.Conn // TCP or TLS
	r       *bufio.Reader
	out     []byte
	block   time.Duration // for every write
	timeout time.Duration // for the next reply
	rest    []byte        // of the line that is being handed out
	size    int           // of the reply that is being read
	code    [3]byte       // of its first line
	fresh   bool          // a reply begins: the deadline starts anew
	upper   bool          // QUIRK: EHLO keywords are turned into upper case
	log     *transcript

	ack     func()   // what comes next is acknowledged at once
	owed    int      // replies to commands said ahead that have not come yet
	answers []Reply  // those that have
	said    [][]byte // commands that the transcript tells with their replies
	behind  []byte   // goes out behind what is gathered when the next answer is awaited
	sent    bool     // what is said now went out before, behind a final dot

	mu      sync.Mutex
	aborted error     // no I/O any more
	dotSent bool      // a stop waits for the reply until grace
	grace   time.Time // zero while nobody stops us
}

func newWire(c net.Conn, block time.Duration, log *transcript) *wire {
	return &wire{
		conn: c, r: bufio.NewReaderSize(c, 4096), out: make([]byte, 0, wireBuffer),
		block: block, fresh: true, log: log, ack: func() {},
	}
}

// expect sets the time for the next reply.
func (w *wire) expect(d time.Duration) { w.timeout, w.fresh = d, true }

// Read hands out (the rest of) one line of a reply.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		if err := w.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// next makes rest the next line for go-smtp.
func (w *wire) next() (err error) {
	if w.owed > 0 {
		if err := w.settleOwed(); err != nil {
			return err
		}
	} else if err := w.flushBehind(); err != nil {
		return err
	}
	w.rest, err = w.line()
	return err
}

func (w *wire) line() ([]byte, error) {
	begins := w.fresh
	if begins {
		if err := w.armRead(); err != nil {
			return nil, err
		}
		w.fresh, w.size = false, 0
	}
	line, err := w.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, w.cause(err)
	}
	w.size += len(line)
	if err != nil || len(line) > maxReplyLine || w.size > maxReply {
		return nil, fmt.Errorf("%w: reply too long", errProtocol)
	}
	w.log.server(line)
	if line, err = w.regular(line, begins); err != nil {
		return nil, err
	}
	// QUIRK: go-smtp knows only upper case keywords, and old servers write
	// "AUTH=LOGIN" (draft-myers-smtp-auth before RFC 2554).
	if w.upper {
		line = upperKeyword(line)
	}
	// The last line of a reply has no "-" after its code: LMTP's next reply
	// (RFC 2033 section 4.2) has its own time.
	w.fresh = len(line) < 4 || line[3] != '-'
	return line, nil
}

// regular mends the two oddities of reply lines at which net/textproto under
// go-smtp gives up, or waits for a line that never comes: after a final dot
// either would send for ever what the server took long ago. A code may stand
// alone (RFC 5321 section 4.2: the text is optional). QUIRK: lines of one reply
// with different codes of one class; the first one counts.
func (w *wire) regular(line []byte, begins bool) ([]byte, error) {
	bare := bytes.TrimRight(line, "\r\n")
	if _, ok := replyCode(bare); !ok {
		return line, nil
	}
	switch {
	case begins:
		copy(w.code[:], bare)
	case bare[0] != w.code[0]:
		return nil, fmt.Errorf("%w: a reply that begins with %s ends with %q", errProtocol, w.code[:], bare)
	default:
		copy(bare, w.code[:])
	}
	if len(bare) == 3 {
		line = append(bytes.Clone(bare), " \r\n"...)
	}
	return line, nil
}

func upperKeyword(line []byte) []byte {
	if len(line) < 5 || string(line[:3]) != "250" {
		return line
	}
	text := strings.TrimRight(string(line[4:]), "\r\n")
	key, rest, found := strings.Cut(text, " ")
	key = strings.ToUpper(key)
	if k, v, ok := strings.Cut(key, "="); ok && k == "AUTH" {
		key, rest, found = k, strings.TrimSpace(v+" "+rest), true
	}
	if key == "AUTH" {
		rest = strings.ToUpper(rest)
	}
	if found {
		key += " " + rest
	}
	return []byte(string(line[:4]) + key + "\r\n")
}

// Write gathers.
func (w *wire) Write(p []byte) (int, error) {
	if w.owed > 0 {
		w.said = append(w.said, bytes.Clone(p))
	} else {
		w.log.client(p)
	}
	if w.sent {
		return len(p), nil
	}
	return w.write(p)
}

func (w *wire) write(p []byte) (int, error) {
	n := len(p)
	for len(w.out)+len(p) > wireBuffer {
		k := wireBuffer - len(w.out)
		w.out = append(w.out, p[:k]...)
		p = p[k:]
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	w.out = append(w.out, p...)
	return n, nil
}

// flush sends what was gathered, with a deadline of its own.
func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	w.mu.Lock()
	err := w.aborted
	if err == nil {
		err = w.conn.SetWriteDeadline(w.within(w.block))
	}
	w.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = w.conn.Write(w.out)
	w.out = w.out[:0]
	return w.cause(err)
}

func (w *wire) armRead() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aborted != nil {
		return w.aborted
	}
	return w.conn.SetReadDeadline(w.within(w.timeout))
}

// within is a deadline d from now, or the grace of a stop when that is sooner.
func (w *wire) within(d time.Duration) time.Time {
	deadline := time.Now().Add(d)
	if w.dotSent && !w.grace.IsZero() && w.grace.Before(deadline) {
		return w.grace
	}
	return deadline
}

// cause prefers the reason of our own abort over the deadline that carried it.
func (w *wire) cause(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.aborted != nil {
		return w.aborted
	}
	return err
}

// abort ends all I/O at once.
func (w *wire) abort(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aborted == nil {
		w.aborted = why
	}
	_ = w.conn.SetDeadline(time.Unix(1, 0))
}

// stop ends all I/O at once, unless a final dot is under way: its reply is
// awaited for d (rules 9 and 46).
func (w *wire) stop(why error, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aborted != nil {
		return // the second stage of stopping came first
	}
	if w.dotSent {
		w.grace = time.Now().Add(d)
		_ = w.conn.SetDeadline(w.grace)
		return
	}
	w.aborted = why
	_ = w.conn.SetDeadline(time.Unix(1, 0))
}

// sendDot marks the point of no return; false when a stop came first.
func (w *wire) sendDot() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dotSent = w.aborted == nil
	return w.dotSent
}

// dotAnswered ends what sendDot began.
func (w *wire) dotAnswered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dotSent = false
	if !w.grace.IsZero() && w.aborted == nil {
		w.aborted = context.Canceled
	}
}

// command sends one line and reads the reply to it, beside go-smtp.
func (w *wire) command(line string, d time.Duration) (Reply, error) {
	w.expect(d)
	if _, err := w.Write([]byte(line + "\r\n")); err != nil {
		return Reply{}, err
	}
	return w.reply()
}

func (w *wire) reply() (Reply, error) {
	if err := w.flush(); err != nil {
		return Reply{}, err
	}
	var text []string
	for {
		line, err := w.line()
		if err != nil {
			return Reply{}, err
		}
		line = bytes.TrimRight(line, "\r\n")
		code, ok := replyCode(line)
		if !ok {
			return Reply{}, fmt.Errorf("%w: %q", errProtocol, line)
		}
		if len(line) > 4 {
			text = append(text, string(line[4:]))
		}
		if w.fresh {
			return makeReply(code, strings.Join(text, "\n")), nil
		}
	}
}

// lastWords reads the reply of a server that spoke and hung up before the end
// of the message, so that its words are not lost.
func (w *wire) lastWords() (Reply, bool) {
	w.mu.Lock()
	if w.aborted != nil {
		w.mu.Unlock()
		return Reply{}, false
	}
	_ = w.conn.SetReadDeadline(time.Now().Add(time.Second))
	w.mu.Unlock()
	w.out, w.fresh = w.out[:0], false
	r, err := w.reply()
	return r, err == nil
}

// buffered tells whether the server sent more than it was asked for.
func (w *wire) buffered() bool { return w.r.Buffered() > 0 || len(w.rest) > 0 }

// The rest of net.Conn. The deadlines of go-smtp are not wanted.

func (w *wire) Close() error                     { return w.conn.Close() }
func (w *wire) LocalAddr() net.Addr              { return w.conn.LocalAddr() }
func (w *wire) RemoteAddr() net.Addr             { return w.conn.RemoteAddr() }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

var _ net.Conn = (*wire)(nil)
var _ io.Writer = (*wire)(nil)
