//go:build linux

package floor

import (
	"bytes"
	"fmt"
)

// stage is the reply that a connection waits for.
type stage int

const (
	greeting stage = iota
	hello
	mailFrom
	rcptTo
	data
	dot
	bye
	nothing
)

// hand is one connection to the office server.
type hand struct {
	f       *floor
	fd      int
	wants   stage
	in      [4 << 10]byte
	n       int
	now     *letter // whose reply is awaited
	next    *letter // begun behind the final dot of now
	barrier uint64  // group of the outcome before
}

// moreHands has so many connections, if there may be.
func (f *floor) moreHands(n int) (err error) {
	for len(f.hands) < min(n, maxHands) {
		h := &hand{f: f}
		if h.fd, err = f.dial(f.job.SMTP, h); err != nil {
			return err
		}
		f.hands = append(f.hands, h)
		f.open++
	}
	return nil
}

func (h *hand) readable() error {
	n, err := read(h.fd, h.in[h.n:])
	if err != nil {
		return err
	}
	h.n += n
	in := h.in[:h.n]
	for {
		end := bytes.IndexByte(in, '\n')
		if end < 0 {
			break
		}
		line := in[:end]
		in = in[end+1:]
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		if err := h.reply(line); err != nil {
			return err
		}
	}
	h.n = copy(h.in[:], in)
	return nil
}

// expected begins the reply that is a yes.
func (s stage) expected() string {
	return [...]string{greeting: "220", hello: "250", mailFrom: "250", rcptTo: "250", data: "354", dot: "250", bye: "221", nothing: "?"}[s]
}

func (h *hand) reply(line []byte) (err error) {
	if !bytes.HasPrefix(line, []byte(h.wants.expected())) {
		return fmt.Errorf("the office server says %q", line)
	}
	switch h.wants {
	case greeting:
		h.wants = hello
		return write(h.fd, []byte("EHLO floor\r\n"))
	case mailFrom, rcptTo:
		h.wants++
		return nil
	case data:
		return h.body()
	case bye:
		h.f.open--
		return h.f.close(h.fd)
	case dot:
		done := h.now
		h.now, h.next, h.wants = h.next, nil, mailFrom
		if h.now == nil {
			h.wants = nothing
		}
		// It may have been the last of all, so that this connection has quit then.
		if h.barrier, err = h.f.accepted(done); err != nil || h.wants != nothing {
			return err
		}
	}
	h.wants = nothing
	if h.f.ready.len() > 0 {
		return h.begin(h.f.ready.take())
	}
	h.f.idle = append(h.f.idle, h)
	return nil
}

// begin starts with a message.
func (h *hand) begin(l *letter) error {
	h.now, h.wants = l, mailFrom
	return write(h.fd, l.commands(nil))
}

// body sends a message and, behind its final dot, the commands of the next one,
// once the outcome of the message before is durable.
func (h *hand) body() error {
	f := h.f
	if f.disk != nil && h.barrier > f.disk.done {
		f.held = append(f.held, h)
		return nil
	}
	// Its memory has room behind it.
	out := h.now.text
	if f.ready.len() > 0 {
		h.next = f.ready.take()
		out = h.next.commands(out)
	}
	h.wants = dot
	return write(h.fd, out)
}

// commands are those that begin a message.
func (l *letter) commands(out []byte) []byte {
	out = append(out, "MAIL FROM:<"...)
	if from, ok := bytes.CutPrefix(l.text, []byte("Return-Path: <")); ok {
		out = append(out, from[:max(bytes.IndexByte(from, '>'), 0)]...)
	}
	return append(append(out, ">\r\n"...), l.item.box.rcptAndData...)
}

// quit ends a connection in order; one that was not needed and was not greeted
// yet is closed.
func (h *hand) quit() error {
	if h.wants != nothing {
		h.f.open--
		return h.f.close(h.fd)
	}
	h.wants = bye
	return write(h.fd, []byte("QUIT\r\n"))
}
