package mailtest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// errLeave ends a session on purpose.
var errLeave = errors.New("mailtest: session ended")

var crlf = []byte("\r\n")

// smtpSession is one connection to the scripted server.
type smtpSession struct {
	s      *SMTP
	raw    net.Conn // below TLS
	conn   net.Conn
	r      *bufio.Reader
	number int
	secure bool

	helo     string
	login    string
	messages int
	open     bool // after MAIL
	mail     SMTPMail
}

func newSMTPSession(s *SMTP, c net.Conn, number int) *smtpSession {
	return &smtpSession{s: s, raw: c, conn: c, r: bufio.NewReaderSize(c, 64<<10), number: number}
}

func (t *smtpSession) serve(tooMany bool) {
	if t.s.o.ImplicitTLS && !t.startTLS() {
		return
	}
	greeting := "220 " + t.s.o.Hostname + " ESMTP ready"
	if tooMany {
		_ = t.write("421 4.7.0 " + t.s.o.Hostname + " too many connections")
		return
	}
	if err := t.answer(StepGreeting, "", greeting); err != nil {
		return
	}
	for {
		line, err := t.line()
		if err != nil {
			return
		}
		t.s.saw(line)
		if err := t.command(line); err != nil {
			return
		}
	}
}

func (t *smtpSession) startTLS() bool {
	c := tls.Server(t.raw, t.s.o.TLS)
	if c.Handshake() != nil {
		return false
	}
	t.conn, t.r, t.secure = c, bufio.NewReaderSize(c, 64<<10), true
	return true
}

func (t *smtpSession) command(line string) error {
	verb, arg, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "LHLO", "HELO":
		return t.hello(strings.ToUpper(verb), arg)
	case "STARTTLS":
		return t.upgrade()
	case "AUTH":
		return t.auth(arg)
	case "MAIL":
		return t.mailFrom(arg)
	case "RCPT":
		return t.rcptTo(arg)
	case "DATA":
		return t.data()
	case "RSET":
		t.open = false
		return t.answer(StepRSET, "", "250 2.0.0 Ok")
	case "NOOP":
		return t.write("250 2.0.0 Ok")
	case "QUIT":
		if err := t.answer(StepQUIT, "", "221 2.0.0 Bye"); err != nil {
			return err
		}
		return errLeave
	}
	return t.write("500 5.5.2 Unknown command")
}

func (t *smtpSession) hello(verb, name string) error {
	if t.s.o.LMTP != (verb == "LHLO") {
		return t.write("500 5.5.1 Wrong protocol")
	}
	t.helo, t.open = name, false
	if verb == "HELO" {
		return t.answer(StepEHLO, "", "250 "+t.s.o.Hostname)
	}
	lines := []string{t.s.o.Hostname}
	for _, l := range t.extensions() {
		if t.s.o.LowerCase {
			l = strings.ToLower(l)
		}
		lines = append(lines, l)
	}
	var b strings.Builder
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("250" + sep + l)
	}
	return t.answer(StepEHLO, "", b.String())
}

func (t *smtpSession) extensions() []string {
	ext := t.s.o.Extensions
	if ext == nil {
		ext = []string{fmt.Sprintf("SIZE %d", t.s.o.MaxSize), "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"}
	}
	ext = append([]string(nil), ext...)
	if t.s.o.TLS != nil && !t.secure {
		ext = append(ext, "STARTTLS")
	}
	if t.s.o.Passwords != nil && (t.secure || t.s.o.PlainAuth) {
		ext = append(ext, "AUTH "+strings.Join(t.s.o.Mechanisms, " "))
	}
	return ext
}

func (t *smtpSession) upgrade() error {
	if t.s.o.TLS == nil || t.secure {
		return t.write("502 5.5.1 Not offered")
	}
	if err := t.answer(StepSTARTTLS, "", "220 2.0.0 Ready"); err != nil {
		return err
	}
	if !t.startTLS() {
		return errLeave
	}
	return nil
}

func (t *smtpSession) mailFrom(arg string) error {
	address, params, ok := path(arg, "FROM:")
	switch {
	case !ok:
		return t.write("501 5.5.4 Syntax: MAIL FROM:<address>")
	case t.helo == "":
		return t.write("503 5.5.1 Hello first")
	case t.open:
		return t.write("503 5.5.1 Nested MAIL")
	case t.s.o.Passwords != nil && t.login == "" && !t.s.o.OpenRelay:
		return t.write("530 5.7.0 Authentication required")
	}
	t.messages++
	ordinary := "250 2.1.0 Ok"
	var size int64
	for _, p := range strings.Fields(params) {
		_, _ = fmt.Sscanf(strings.ToUpper(p), "SIZE=%d", &size)
	}
	if t.s.o.MaxSize > 0 && size > t.s.o.MaxSize {
		ordinary = "552 5.3.4 Message size exceeds fixed limit"
	}
	positive, err := t.judge(StepMAIL, address, ordinary)
	if positive {
		t.open = true
		t.mail = SMTPMail{Conn: t.number, Helo: t.helo, Login: t.login, Sender: address, Params: params}
	}
	return err
}

func (t *smtpSession) rcptTo(arg string) error {
	address, _, ok := path(arg, "TO:")
	switch {
	case !ok || address == "":
		return t.write("501 5.5.4 Syntax: RCPT TO:<address>")
	case !t.open:
		return t.write("503 5.5.1 MAIL first")
	}
	ordinary := "250 2.1.5 Ok"
	if !t.s.knows(address) {
		ordinary = "550 5.1.1 <" + address + ">: User unknown"
	}
	positive, err := t.judge(StepRCPT, address, ordinary)
	if positive {
		t.mail.Rcpts = append(t.mail.Rcpts, address)
	}
	return err
}

func (t *smtpSession) data() error {
	if !t.open || len(t.mail.Rcpts) == 0 {
		return t.write("503 5.5.1 RCPT first")
	}
	a := t.script(StepDATA, "")
	if a.DropAfter > 0 {
		if err := t.write("354 Go on"); err != nil {
			return err
		}
		_, _ = io.CopyN(io.Discard, t.r, int64(a.DropAfter))
		return errLeave
	}
	positive, err := t.carry(a, "354 End data with <CR><LF>.<CR><LF>")
	if err != nil || !positive {
		return err
	}
	m := t.mail
	t.open = false
	var size int64
	if m.Data, size, m.Bare, err = t.body(); err != nil {
		return err
	}
	ordinary := fmt.Sprintf("250 2.0.0 Ok: queued as C%dM%d", t.number, t.messages)
	if t.s.o.MaxSize > 0 && size > t.s.o.MaxSize {
		ordinary = "552 5.3.4 Message too big"
	}
	if t.s.o.LMTP {
		return t.dotLMTP(m, ordinary)
	}
	return t.dot(m, ordinary)
}

func (t *smtpSession) dot(m SMTPMail, ordinary string) error {
	a := t.script(StepDot, "")
	if a.Keep || positiveReply(a, ordinary) {
		t.s.take(m)
	}
	_, err := t.carry(a, ordinary)
	return err
}

// dotLMTP answers once per recipient (RFC 2033 section 4.2).
func (t *smtpSession) dotLMTP(m SMTPMail, ordinary string) error {
	rcpts := m.Rcpts
	actions := make([]SMTPAction, len(rcpts))
	m.Rcpts = nil
	for i, r := range rcpts {
		actions[i] = t.script(StepDot, r)
		if actions[i].Keep || positiveReply(actions[i], ordinary) {
			m.Rcpts = append(m.Rcpts, r)
		}
	}
	if len(m.Rcpts) > 0 {
		t.s.take(m)
	}
	for _, a := range actions {
		if _, err := t.carry(a, ordinary); err != nil {
			return err
		}
	}
	return nil
}

// body reads up to CRLF.CRLF and un-stuffs dots (RFC 5321 section 4.5.2).
func (t *smtpSession) body() (data []byte, size int64, bare bool, err error) {
	var b bytes.Buffer
	var keep io.Writer = &b
	if t.s.o.Discard {
		keep = io.Discard
	}
	start := true // at the start of a line that CRLF ended
	cr := false   // a full buffer ended between CR and LF
	for {
		frag, err := t.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, 0, false, err
		}
		if start && string(frag) == ".\r\n" {
			return b.Bytes(), size, bare, nil
		}
		if start && frag[0] == '.' {
			frag = frag[1:]
		}
		size += int64(len(frag))
		_, _ = keep.Write(frag)
		whole := err == nil // frag ends with LF
		start = whole && endsCRLF(frag, cr)
		cr = !whole && frag[len(frag)-1] == '\r'
		bare = bare || whole != start || loneCR(frag)
	}
}

// endsCRLF tells whether a line ends with CRLF; cr: a CR came right before it.
func endsCRLF(frag []byte, cr bool) bool {
	return bytes.HasSuffix(frag, crlf) || cr && len(frag) == 1
}

// loneCR tells whether a CR stands in a fragment anywhere but before its end.
func loneCR(frag []byte) bool {
	text := bytes.TrimSuffix(bytes.TrimRight(frag, "\n"), []byte("\r"))
	return bytes.IndexByte(text, '\r') >= 0
}
