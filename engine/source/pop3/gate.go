package pop3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mail/tlspolicy"
)

// bufferSize holds a dozen messages of an ordinary size, or four TLS records.
const bufferSize = 64 << 10

// kind is what a status line means.
type kind int

const (
	kindOK   kind = iota + 1 // +OK
	kindErr                  // -ERR
	kindMore                 // "+ ", a SASL challenge (RFC 5034 section 4)
)

// The canonical lines that go-pop3 gets to see for each kind.
var canonical = [...][]byte{kindOK: []byte("+OK\r\n"), kindErr: []byte("-ERR\r\n"), kindMore: []byte("+\r\n")}

// status is the last status line; text is what follows the indicator.
type status struct {
	kind kind
	text []byte // valid until the next read
}

// gate is the net.Conn that go-pop3 reads from and writes to. Read hands out
// at most one status line, refuses lines over the limit, empty ones and those
// that are no status line, and keeps what the line really said in last.
// The first fault sticks: it closes the connection and every later use returns
// it.
type gate struct {
	net.Conn          // the TLS connection, or raw
	raw      net.Conn // TCP; closing it wakes up every read and write
	secure   bool

	buf     []byte
	r, w    int
	pending []byte // rest of the canonical line
	last    status

	cork bool // collect writes until flush
	out  []byte

	op      string        // what is being done, for failures
	wait    time.Duration // for the next status lines
	reply   time.Duration // for writes
	maxLine int
	ctx     context.Context // of the call under way: tells why the connection was closed
	fault   *mail.Failure
	log     transcript
}

func newGate(ctx context.Context, raw net.Conn, o Options) *gate {
	return &gate{
		Conn: raw, raw: raw, buf: make([]byte, bufferSize), ctx: ctx,
		wait: o.Timeouts.Reply, reply: o.Timeouts.Reply, maxLine: o.MaxLine, log: transcript{w: o.Transcript},
	}
}

// abort wakes up whoever uses the connection. It may be called from any goroutine.
func (g *gate) abort() { _ = g.raw.Close() }

// fail makes f the fault of the connection unless it already has one.
func (g *gate) fail(f *mail.Failure) *mail.Failure {
	if g.fault == nil {
		g.fault = f
		g.abort()
		g.log.note("connection given up: " + string(f.Code))
	}
	return g.fault
}

// broken turns an error of the connection into its fault. A context that ended
// is the reason before any other: it closed the connection.
func (g *gate) broken(err error) *mail.Failure {
	if cause := g.ctx.Err(); cause != nil {
		return g.fail(cancelled(g.op, g.ctx))
	}
	f := tlspolicy.Classify(err, g.op)
	if f.Code == mail.CodeTLS && !g.secure && g.op != opTLS {
		f.Code = mail.CodeClosed
	}
	return g.fail(f)
}

func cancelled(op string, ctx context.Context) *mail.Failure {
	f := &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: op, Err: context.Cause(ctx)}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f.Code = mail.CodeTimeout
	}
	return f
}

// protocol makes an answer that RFC 1939 does not allow the fault.
func (g *gate) protocol(why string, line []byte) *mail.Failure {
	return g.fail(&mail.Failure{
		Class: mail.Transient, Code: mail.CodeProtocol, Op: g.op,
		Reply: g.log.mask(printable(string(line[:min(len(line), 200)]))), Err: errors.New(why),
	})
}

// arm sets the deadline for the reads that follow.
func (g *gate) arm(d time.Duration) { _ = g.Conn.SetReadDeadline(time.Now().Add(d)) }

// fill reads more octets behind those in the buffer.
func (g *gate) fill() error {
	if g.fault != nil {
		return g.fault
	}
	if g.r == g.w {
		g.r, g.w = 0, 0
	} else if g.w == len(g.buf) {
		g.w = copy(g.buf, g.buf[g.r:g.w])
		g.r = 0
	}
	for range 100 {
		n, err := g.Conn.Read(g.buf[g.w:])
		g.w += n
		if n > 0 {
			return nil // an error comes again with the next read
		}
		if err != nil {
			return g.broken(err)
		}
	}
	return g.broken(io.ErrNoProgress)
}

// line returns the next line without its end; the slice is valid until the
// next read. A line over maxLine is returned cut, with tooLong set, and its
// rest is passed over as far as budget octets; nil budget refuses it at once.
func (g *gate) line(timeout time.Duration, budget *int64) (line []byte, tooLong bool, err error) {
	scanned, armed := 0, false
	for {
		if i := bytes.IndexByte(g.buf[g.r+scanned:g.w], '\n'); i >= 0 {
			line = g.buf[g.r : g.r+scanned+i]
			g.r += len(line) + 1
			break
		}
		scanned = g.w - g.r
		if scanned > g.maxLine {
			break
		}
		if !armed { // one deadline for the whole line: dripping octets do not extend it
			g.arm(timeout)
			armed = true
		}
		if err := g.fill(); err != nil {
			return nil, false, err
		}
	}
	if line == nil || len(line) > g.maxLine {
		return g.longLine(line, budget)
	}
	if budget != nil {
		*budget -= int64(len(line))
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), false, nil
}

// longLine keeps the beginning of an over-long line and passes over the rest;
// line is nil when its end has not been seen yet.
func (g *gate) longLine(line []byte, budget *int64) ([]byte, bool, error) {
	if budget == nil {
		return nil, false, g.protocol(fmt.Sprintf("a line of over %d octets", g.maxLine), g.buf[g.r:g.w])
	}
	if line != nil {
		*budget -= int64(len(line))
		return line[:200], true, nil
	}
	head := bytes.Clone(g.buf[g.r : g.r+200])
	for {
		data := g.buf[g.r:g.w]
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			g.r += i + 1
			*budget -= int64(i)
			return head, true, nil
		}
		*budget -= int64(len(data))
		g.r = g.w
		if *budget < 0 {
			return nil, false, g.protocol("an endless line", head)
		}
		if err := g.fill(); err != nil {
			return nil, false, err
		}
	}
}

// Read hands out (a part of) one canonical status line.
func (g *gate) Read(p []byte) (int, error) {
	if len(g.pending) == 0 {
		line, _, err := g.line(g.wait, nil)
		if err != nil {
			return 0, err
		}
		g.log.server(line)
		g.last = parseStatus(line)
		if g.last.kind == 0 {
			return 0, g.protocol("neither +OK nor -ERR", line)
		}
		g.pending = canonical[g.last.kind]
	}
	n := copy(p, g.pending)
	g.pending = g.pending[n:]
	return n, nil
}

// parseStatus reads the status indicator (RFC 1939 section 3). Lower case and
// a missing blank are forgiven (QUIRK); kind 0 means that it is none.
func parseStatus(line []byte) status {
	for _, s := range []struct {
		word string
		kind kind
	}{{"+OK", kindOK}, {"-ERR", kindErr}} {
		if len(line) >= len(s.word) && bytes.EqualFold(line[:len(s.word)], []byte(s.word)) {
			return status{s.kind, bytes.TrimSpace(line[len(s.word):])}
		}
	}
	if len(line) > 0 && line[0] == '+' && (len(line) == 1 || line[1] == ' ') {
		return status{kindMore, bytes.TrimSpace(line[1:])}
	}
	return status{}
}

// Write sends p, or keeps it for flush while the gate is corked, so that many
// commands leave in one packet.
func (g *gate) Write(p []byte) (int, error) {
	if g.fault != nil {
		return 0, g.fault
	}
	g.out = append(g.out, p...)
	if g.cork {
		return len(p), nil
	}
	return len(p), g.flush()
}

func (g *gate) flush() error {
	if len(g.out) == 0 {
		return nil
	}
	_ = g.Conn.SetWriteDeadline(time.Now().Add(g.reply))
	_, err := g.Conn.Write(g.out)
	clear(g.out) // a password may have been in it
	g.out = g.out[:0]
	if err != nil {
		return g.broken(err)
	}
	return nil
}

// idle makes sure that nothing came unasked: a line too many would be taken
// for the answer of the next command and shift all that follow.
func (g *gate) idle() error {
	if g.fault != nil {
		return g.fault
	}
	if g.r == g.w {
		return nil
	}
	line := g.buf[g.r:g.w]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if s := parseStatus(line); s.kind == kindErr { // "-ERR idle too long", then it hangs up
		return g.fail(&mail.Failure{Class: mail.Transient, Code: mail.CodeClosed, Op: g.op, Reply: g.log.mask(printable(string(s.text)))})
	}
	return g.protocol("an answer to no command", line)
}
