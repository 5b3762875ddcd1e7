package pop3

import (
	"bytes"
	"errors"
	"io"
	"time"

	"postbag/engine/mail"
)

// bodyEnd stands before a line that begins with a dot: one to un-stuff, or the end.
var bodyEnd = []byte("\r\n.")

type place int

const (
	lineStart place = iota // after CRLF, or at the very beginning
	inside                 // within a line
	afterCR                // the last octet was CR
	finished               // the terminating dot was seen
)

// dotReader yields one multi-line answer from the gate (RFC 1939 section 3,
// rule 11): dots un-stuffed, else byte for byte. Only CRLF "." CRLF ends it;
// a lone LF, or "." between lone LFs, belongs to the message. Before the end
// an error is never io.EOF.
type dotReader struct {
	gate  *gate
	wait  time.Duration // for each read
	left  int64         // octets that may still be handed out, negative: no limit
	at    place
	chunk []byte // checked octets, not handed out yet; they lie in the gate's buffer
	err   error
}

func (d *dotReader) reset(limit int64) {
	d.left, d.at, d.chunk, d.err = limit, lineStart, nil, nil
	if limit <= 0 {
		d.left = -1
	}
}

// Read implements io.Reader.
func (d *dotReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := d.next(); err != nil {
		return 0, err
	}
	n := copy(p, d.chunk)
	d.chunk = d.chunk[n:]
	return n, nil
}

// WriteTo implements io.WriterTo: io.Copy hands the gate's buffer on as it is.
func (d *dotReader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if err := d.next(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		n, err := w.Write(d.chunk)
		total += int64(n)
		d.chunk = d.chunk[n:]
		if err != nil {
			return total, err
		}
	}
}

// drain reads to the end, so that the next answer is in step.
func (d *dotReader) drain() error {
	for {
		if err := d.next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		d.chunk = nil
	}
}

// next makes chunk non-empty, or returns the error, io.EOF at the end.
func (d *dotReader) next() error {
	if len(d.chunk) > 0 {
		return nil
	}
	if d.err != nil {
		return d.err
	}
	if err := d.scan(); err != nil {
		d.err = err
		return err
	}
	if d.left < 0 {
		return nil
	}
	if int64(len(d.chunk)) > d.left { // rule 10: LIST was only a hint, this is the cap
		d.chunk = d.chunk[:d.left]
		d.err = d.gate.fail(&mail.Failure{Class: mail.Permanent, Code: mail.CodeTooBig, Op: d.gate.op,
			Err: errors.New("the message is longer than the limit")})
		if len(d.chunk) == 0 {
			return d.err
		}
	}
	d.left -= int64(len(d.chunk))
	return nil
}

func (d *dotReader) fill() error {
	d.gate.arm(d.wait)
	return d.gate.fill()
}

// scan takes the next run of message octets out of the gate.
func (d *dotReader) scan() error {
	g := d.gate
	for {
		if d.at == finished {
			return io.EOF
		}
		if g.r == g.w {
			if err := d.fill(); err != nil {
				return err
			}
		}
		if d.at == lineStart && g.buf[g.r] == '.' {
			if err := d.dot(); err != nil {
				return err
			}
			continue // the buffer may be empty now
		}
		d.take(g.buf[g.r:g.w])
		g.r += len(d.chunk)
		return nil
	}
}

// dot decides what a dot at the beginning of a line is.
func (d *dotReader) dot() error {
	g := d.gate
	for {
		data := g.buf[g.r:g.w]
		switch {
		case len(data) >= 2 && data[1] != '\r', len(data) >= 3 && data[2] != '\n':
			g.r++ // stuffed (or a server that does not stuff): the dot alone goes
			d.at = inside
			return nil
		case len(data) >= 3:
			g.r += 3
			d.at = finished
			return nil
		}
		if err := d.fill(); err != nil {
			return err
		}
	}
}

// take makes chunk the longest run at the beginning of data that needs no
// second look, and notes where it ends.
func (d *dotReader) take(data []byte) {
	if d.at == afterCR && data[0] == '\n' {
		d.chunk, d.at = data[:1], lineStart
		return
	}
	if i := bytes.Index(data, bodyEnd); i >= 0 {
		d.chunk, d.at = data[:i+2], lineStart
		return
	}
	d.chunk, d.at = data, inside
	switch n := len(data); {
	case n >= 2 && data[n-2] == '\r' && data[n-1] == '\n':
		d.at = lineStart
	case data[n-1] == '\r':
		d.at = afterCR
	}
}
