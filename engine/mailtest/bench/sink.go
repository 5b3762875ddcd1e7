//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	sinkBuffer = 64 << 10
	maxFront   = 64 << 10 // what a program may put in front of a letter
)

// sink is an office server that takes everything and compares every octet with
// the ledger. It answers as soon as it can and acknowledges at once, which is
// kindest to programs that write a message in small pieces; with delayed set it
// acknowledges as ordinary servers do.
type sink struct {
	listener net.Listener
	ledger   atomic.Pointer[ledger]
	delayed  atomic.Bool
	plain    atomic.Bool  // PIPELINING is not offered
	taken    atomic.Int64 // letters of any kind

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the sink cannot listen: %w", err)
	}
	s := &sink{listener: l, conns: make(map[net.Conn]bool)}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *sink) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *sink) close() {
	_ = s.listener.Close()
	s.hangUp()
	s.wg.Wait()
}

// hangUp closes every connection.
func (s *sink) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

func (s *sink) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.serve(c)
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

// quick acknowledges what comes at once: the kernel forgets the wish with each
// answer, so it is said before each read.
type quick struct {
	net.Conn
	raw syscall.RawConn
}

// tcpQuickACK is TCP_QUICKACK of Linux.
const tcpQuickACK = 12

func (q quick) Read(p []byte) (int, error) {
	_ = q.raw.Control(func(fd uintptr) { // a hint, no more
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpQuickACK, 1)
	})
	return q.Conn.Read(p)
}

// dialogue is one SMTP session of the sink.
type dialogue struct {
	s     *sink
	r     *bufio.Reader
	w     *bufio.Writer
	rcpts []string
}

func (s *sink) serve(c net.Conn) {
	from := c
	if tcp, ok := c.(*net.TCPConn); ok && !s.delayed.Load() {
		if raw, err := tcp.SyscallConn(); err == nil {
			from = quick{c, raw}
		}
	}
	d := &dialogue{s: s, r: bufio.NewReaderSize(from, sinkBuffer), w: bufio.NewWriter(c)}
	d.say("220 mail.office.test ESMTP")
	for {
		if d.r.Buffered() == 0 {
			if err := d.w.Flush(); err != nil {
				return
			}
		}
		line, err := d.r.ReadSlice('\n')
		if err != nil || !d.command(string(line)) {
			_ = d.w.Flush()
			return
		}
	}
}

func (d *dialogue) say(line string) { _, _ = d.w.WriteString(line + "\r\n") } // Flush tells

// command answers one line; false ends the session.
func (d *dialogue) command(line string) bool {
	verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		d.say("250-mail.office.test\r\n250-SIZE 1000000000")
		if !d.s.plain.Load() {
			d.say("250-PIPELINING")
		}
		d.say("250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
	case "HELO":
		d.say("250 mail.office.test")
	case "MAIL":
		d.rcpts = d.rcpts[:0]
		d.say("250 2.1.0 Ok")
	case "RCPT":
		d.rcpts = append(d.rcpts, path(rest))
		d.say("250 2.1.5 Ok")
	case "RSET":
		d.rcpts = d.rcpts[:0]
		d.say("250 2.0.0 Ok")
	case "NOOP":
		d.say("250 2.0.0 Ok")
	case "QUIT":
		d.say("221 2.0.0 Bye")
		return false
	case "DATA":
		d.say("354 go on")
		if d.w.Flush() != nil || d.data() != nil {
			return false
		}
		d.say("250 2.0.0 Ok: taken")
	default:
		d.say("500 5.5.1 what?")
	}
	return true
}

// path is what stands between < and > in MAIL and RCPT.
func path(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

var errFront = errors.New("no letter of ours")

// data takes one message.
func (d *dialogue) data() error {
	l := d.s.ledger.Load()
	x, err := d.front(l)
	switch {
	case errors.Is(err, errFront):
		l.unknown.Add(1)
		return d.skip(true)
	case err != nil:
		return err
	}
	want := x.wire[bytes.IndexByte(x.wire, '\n')+1:]
	n, err := d.compare(want)
	if err != nil {
		return err // not received whole
	}
	if n < len(want) {
		l.altered.Add(1)
		l.difference(want[n:], d.r)
		if err := d.skip(n == 0 || want[n-1] == '\n'); err != nil {
			return err
		}
	}
	if len(d.rcpts) != 1 || d.rcpts[0] != x.rcpt {
		l.misdirected.Add(1)
	}
	x.arrived.Add(1)
	d.s.taken.Add(1)
	return nil
}

// front passes over what a program put in front of the letter, up to and with
// the marked line.
func (d *dialogue) front(l *ledger) (*letter, error) {
	for n := 0; n < maxFront; {
		line, err := d.r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		n += len(line)
		if rest, ok := bytes.CutPrefix(line, []byte(mark)); ok {
			id, err := strconv.Atoi(string(bytes.TrimSpace(rest)))
			if err != nil || id >= len(l.letters) {
				return nil, errFront
			}
			return l.letters[id], nil
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return nil, errFront
		}
	}
	return nil, errFront
}

// compare reads as long as the octets are those that are expected, and tells
// how many were.
func (d *dialogue) compare(want []byte) (same int, err error) {
	for same < len(want) {
		if _, err := d.r.Peek(1); err != nil {
			return same, err
		}
		got, _ := d.r.Peek(min(d.r.Buffered(), len(want)-same))
		n := len(got)
		if !bytes.Equal(got, want[same:same+n]) {
			for n = 0; got[n] == want[same+n]; n++ {
			}
			_, _ = d.r.Discard(n) // they are in the buffer
			return same + n, nil
		}
		_, _ = d.r.Discard(n)
		same += n
	}
	return same, nil
}

// skip reads to the end of the data; whole tells that a line begins here.
func (d *dialogue) skip(whole bool) error {
	for {
		line, err := d.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("within the data: %w", io.ErrUnexpectedEOF)
		}
		if whole && (string(line) == ".\r\n" || string(line) == ".\n") {
			return nil
		}
		whole = err == nil
	}
}
