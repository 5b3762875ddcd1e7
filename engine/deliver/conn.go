package deliver

import (
	"context"
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// Probe asks whether the server would take mail for rcpt: MAIL, RCPT, RSET and
// never DATA. nil means yes; else it is a *mail.Failure. After one whose Op is
// not "RCPT TO" or "MAIL FROM" the connection is dead.
func (c *Conn) Probe(ctx context.Context, sender, rcpt string) error {
	if c.dead || c.ahead != nil {
		return &mail.Failure{Code: mail.CodeClosed, Op: OpMAIL}
	}
	defer c.watch(ctx)()
	s := newSending(c, Letter{Job: mail.Job{Sender: sender, Copies: []mail.Copy{{Address: rcpt}}}})
	accepted, _, fatal := s.envelope([]int{0})
	if fatal == nil && len(accepted) > 0 {
		fatal = s.reset()
	}
	if fatal != nil {
		c.drop()
		return fatal
	}
	if f := s.out[0].Failure; f != nil {
		return f
	}
	return nil
}

// Secure tells whether the line is encrypted.
func (c *Conn) Secure() bool { return c.secure }

// Extension returns the argument of an EHLO keyword and whether it was offered.
func (c *Conn) Extension(keyword string) (string, bool) {
	ok, arg := c.c.Extension(keyword)
	return arg, ok
}

// Close says QUIT where that is possible and closes the connection.
func (c *Conn) Close() error {
	if c.dead {
		return nil
	}
	if c.ahead != nil {
		c.drop() // the server waits for data: it would take QUIT for a line of them
		return nil
	}
	c.dead = true
	_, _ = c.w.command("QUIT", c.o.Timeouts.Quit) // everything is settled by now
	return c.w.Close()
}

// drop closes the connection without a word: whatever data was begun is void.
func (c *Conn) drop() {
	c.dead = true
	if c.raw != nil {
		_ = c.raw.Close()
	}
}

func ownFault(op string, err error) *mail.Failure {
	if f := mail.AsFailure(err); f.Code != mail.CodeInternal || f.Class != mail.Transient {
		return f
	}
	return &mail.Failure{Class: mail.Internal, Code: mail.CodeInternal, Op: op, Err: err}
}

// safePath tells whether an address can stand between < and > of MAIL and RCPT:
// no control characters, blanks and brackets only in a quoted local part, two
// parts (RFC 5321 section 4.1.2), and short enough for a command line.
func safePath(address string) bool {
	if len(address) > 1000 || strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	local, domain := unquoted(address), ""
	if i := strings.LastIndexByte(local, '@'); i > 0 {
		local, domain = local[:i], local[i+1:]
	}
	return domain != "" && !strings.ContainsAny(local, breaksPath) && !strings.ContainsAny(domain, breaksPath)
}

// breaksPath are the characters that end a path, or begin a quote that nothing ends.
const breaksPath = " <>\""

// unquoted replaces what stands in quotes by "q"; a quote left open stays.
func unquoted(s string) string {
	if strings.IndexByte(s, '"') < 0 {
		return s
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, `"`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := closingQuote(after)
		if end < 0 {
			b.WriteByte('"')
			return b.String()
		}
		b.WriteByte('q')
		s = after[end+1:]
	}
}

func closingQuote(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// asciiDomain writes a domain in A-form where it is not ASCII (RFC 5890): then
// only a local part in UTF-8 needs SMTPUTF8.
func asciiDomain(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 || isASCII(address[i:]) {
		return address
	}
	return address[:i+1] + header.DomainKey(address[i+1:])
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Abort ends whatever the connection is doing; it may be called by another
// goroutine. A reply to a final dot that is awaited counts as unknown.
func (c *Conn) Abort() { c.w.abort(context.Canceled) }
