package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

var crlf = []byte("\r\n")

// encoder turns a stored message into the data of DATA in constant memory:
// a CR or LF that stands alone becomes CRLF (rule 39), a dot at the start of a
// line is doubled (RFC 5321 section 4.5.2), Return-Path fields of the header
// are left out (rule 38), every other octet passes as it is. The last CRLF is
// not written: it belongs to whoever ends the data.
type encoder struct {
	w        io.Writer
	newline  bool // a line end is due before the next octet
	start    bool // the next octet is the first one of its line
	line     bool // the line of the source that is being read has octets
	cr       bool // the last fragment ended with a CR that may belong to an LF
	header   bool // in the header of the message
	first    bool // no line of the message was seen yet
	dropping bool // in a Return-Path field
	err      error
}

func newEncoder(w io.Writer) *encoder { return &encoder{w: w, start: true} }

// trace writes whole header lines of our own; buf is only borrowed.
func (e *encoder) trace(lines []byte, buf *bufio.Reader) error {
	e.header, e.dropping = false, false
	return e.copy(bytes.NewReader(lines), buf)
}

// message writes the stored message.
func (e *encoder) message(src io.Reader, buf *bufio.Reader) error {
	e.header, e.first = true, true
	return e.copy(src, buf)
}

func (e *encoder) copy(src io.Reader, buf *bufio.Reader) error {
	buf.Reset(src)
	for e.err == nil {
		if !e.header && !e.line && !e.cr && !e.dropping {
			data, _ := buf.Peek(buf.Buffered())
			if n := plainLines(data); n > 0 {
				e.plain(data[:n])
				_, _ = buf.Discard(n) // they are in the buffer
				continue
			}
		}
		frag, err := buf.ReadSlice('\n')
		if len(frag) > 0 {
			e.fragment(frag)
		}
		if err == nil || errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if e.cr {
			e.cr = false
			e.endLine()
		}
		if e.err == nil && err != io.EOF {
			return &readError{err}
		}
		return e.err
	}
	return e.err
}

// plainLines is the length of the whole lines at the beginning of data that
// pass as they are: ended by CRLF, no other CR in them, no dot in front.
func plainLines(data []byte) int {
	end := 0
	for end < len(data) && data[end] != '.' {
		i := bytes.IndexByte(data[end:], '\n')
		if i < 1 || data[end+i-1] != '\r' || bytes.IndexByte(data[end:end+i-1], '\r') >= 0 {
			break
		}
		end += i + 1
	}
	return end
}

// plain takes lines found by plainLines, of the body.
func (e *encoder) plain(lines []byte) {
	if e.newline {
		e.write(crlf)
	}
	e.write(lines[:len(lines)-2])
	e.newline, e.start = true, false
}

// readError tells that the stored message, not the connection, is at fault.
type readError struct{ err error }

func (e *readError) Error() string { return "read the stored message: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// fragment takes octets that hold at most one LF, as the last one.
func (e *encoder) fragment(frag []byte) {
	if e.cr {
		e.cr = false
		if frag[0] == '\n' {
			e.endLine()
			return
		}
		e.bareCR(frag)
	}
	for len(frag) > 0 {
		i := bytes.IndexByte(frag, '\r')
		if i < 0 {
			if frag[len(frag)-1] != '\n' {
				e.text(frag)
				return
			}
			e.text(frag[:len(frag)-1])
			e.endLine()
			return
		}
		e.text(frag[:i])
		frag = frag[i+1:]
		switch {
		case len(frag) == 0:
			e.cr = true
		case frag[0] == '\n':
			e.endLine()
			return
		default:
			e.bareCR(frag)
		}
	}
}

// bareCR ends a line at a CR without LF; rest is what follows. QUIRK: some
// gateways end every line with CR CR LF; in the header the first CR would make
// an empty line, and all fields but one would become text.
func (e *encoder) bareCR(rest []byte) {
	if e.header && rest[0] == '\r' && (len(rest) == 1 || rest[1] == '\n') {
		return
	}
	e.endLine()
}

// text takes octets of one line.
func (e *encoder) text(b []byte) {
	if len(b) == 0 {
		return
	}
	if e.header && !e.line {
		e.judge(b)
	}
	e.line = true
	if e.dropping {
		return
	}
	if e.newline {
		e.newline, e.start = false, true
		e.write(crlf)
	}
	if e.start && b[0] == '.' {
		e.write(b[:1])
	}
	e.start = false
	e.write(b)
}

// endLine ends a line; its CRLF is written when more follows.
func (e *encoder) endLine() {
	if e.header && !e.line {
		e.header, e.dropping = false, false // the empty line that ends the header
	}
	e.line = false
	if e.dropping {
		return
	}
	if e.newline {
		e.write(crlf)
	}
	e.newline = true
}

// judge looks at the beginning of a header line.
func (e *encoder) judge(b []byte) {
	mbox := e.first && bytes.HasPrefix(b, []byte("From "))
	e.first = false
	if b[0] == ' ' || b[0] == '\t' || mbox {
		return // belongs to the field above it, or is the line of an mbox file
	}
	name, ok := fieldName(b)
	e.header = ok // else text without a header: nothing in it is ours to remove
	e.dropping = ok && strings.EqualFold(string(name), "Return-Path")
}

// fieldName returns the name of a header field (RFC 5322 section 3.6.8; blanks
// before the colon are of its section 4.5).
func fieldName(line []byte) ([]byte, bool) {
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return nil, false
	}
	name := bytes.TrimRight(line[:i], " \t")
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return nil, false
		}
	}
	return name, len(name) > 0
}

func (e *encoder) write(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}
