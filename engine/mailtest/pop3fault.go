package mailtest

import (
	"io"
	"net"
)

// POP3Fault is what goes wrong with one command; make it with the functions
// below.
type POP3Fault struct {
	drop    bool
	silent  bool
	instead bool
	text    string
	then    string
	cut     int64 // octets of the true answer, -1: all of it
	stream  func(io.Writer) error
}

// POP3Drop hangs up instead of answering; the command has no effect.
func POP3Drop() *POP3Fault { return &POP3Fault{drop: true, cut: -1} }

// POP3Silent never answers, and keeps the connection open.
func POP3Silent() *POP3Fault { return &POP3Fault{silent: true, cut: -1} }

// POP3Reply answers with text and CRLF instead; the command has no effect. The
// text may hold several lines.
func POP3Reply(text string) *POP3Fault {
	return &POP3Fault{instead: true, text: text + "\r\n", cut: -1}
}

// POP3Raw answers with exactly these octets instead; the command has no effect.
func POP3Raw(text string) *POP3Fault { return &POP3Fault{instead: true, text: text, cut: -1} }

// POP3Cut carries the command out, sends the first n octets of the true answer and
// hangs up.
func POP3Cut(n int64) *POP3Fault { return &POP3Fault{cut: n} }

// POP3Then carries the command out and sends text in the same packet, behind the
// true answer.
func POP3Then(text string) *POP3Fault { return &POP3Fault{then: text, cut: -1} }

// POP3Stream lets the test write the answer, for as long as it likes, and hangs up.
func POP3Stream(f func(io.Writer) error) *POP3Fault { return &POP3Fault{stream: f, cut: -1} }

// OnPOP3 is a script with one fault: the nth time (from 1; 0: every time)
// that a session says verb.
func OnPOP3(verb string, nth int, f *POP3Fault) func(POP3Command) *POP3Fault {
	return func(c POP3Command) *POP3Fault {
		if c.Verb == verb && (nth == 0 || c.Nth == nth) {
			return f
		}
		return nil
	}
}

// cutWriter hangs up after left octets.
type cutWriter struct {
	conn net.Conn
	left int64 // negative: no limit
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if c.left < 0 {
		return c.conn.Write(p)
	}
	n, err := c.conn.Write(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == nil && n < len(p) {
		err = io.ErrClosedPipe
	}
	return n, err
}

// hangUp ends the connection so that what was written still arrives: a plain
// close with unread commands would send RST and take it back.
func hangUp(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.CloseWrite()
		_, _ = io.Copy(io.Discard, t)
	}
}
