package mailtest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// errHangUp ends a session.
var errHangUp = errors.New("mailtest: hang up")

type pop3Session struct {
	server *POP3
	id     int
	raw    net.Conn
	secure bool
	r      *bufio.Reader
	w      *bufio.Writer
	cut    *cutWriter

	stamp    string // of APOP
	name     string // told by USER
	user     string // signed in
	messages []*storedMessage
	deleted  map[*storedMessage]bool
	count    map[string]int
}

func newPOP3Session(p *POP3, c net.Conn, id int) *pop3Session {
	s := &pop3Session{
		server: p, id: id, raw: c,
		stamp: fmt.Sprintf("<%d.%d@isp.test>", id, p.Port()),
		count: make(map[string]int), deleted: make(map[*storedMessage]bool),
	}
	s.wrap(c)
	return s
}

func (s *pop3Session) wrap(c net.Conn) {
	s.cut = &cutWriter{conn: c, left: -1}
	s.r = bufio.NewReaderSize(c, 4096)
	s.w = bufio.NewWriterSize(s.cut, 64<<10)
}

// serve runs the session to its end. A session that ends without QUIT deletes
// nothing (RFC 1939 section 6).
func (s *pop3Session) serve() {
	defer func() {
		if s.user != "" {
			s.server.leave(s.user, nil)
		}
	}()
	if s.server.opt.ImplicitTLS {
		if err := s.startTLS(); err != nil {
			return
		}
	}
	err := s.handle("GREETING", "", (*pop3Session).greet)
	for err == nil {
		if s.r.Buffered() == 0 || s.server.opt.NoPipelining {
			if err = s.w.Flush(); err != nil {
				break
			}
		}
		err = s.command()
	}
	_ = s.w.Flush()
	if errors.Is(err, errHangUp) {
		hangUp(s.raw)
	}
}

func (s *pop3Session) startTLS() error {
	c := tls.Server(s.raw, &tls.Config{Certificates: []tls.Certificate{*s.server.opt.Certificate}, MinVersion: tls.VersionTLS12})
	if err := c.Handshake(); err != nil {
		return err
	}
	s.secure = true
	s.wrap(c)
	return nil
}

func (s *pop3Session) readLine() (string, error) {
	line, err := s.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

func (s *pop3Session) command() error {
	line, err := s.readLine()
	if err != nil {
		return err
	}
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	run := pop3Verbs[verb]
	if run == nil {
		run = func(s *pop3Session, _ string) error { return s.err("unknown command") }
	}
	return s.handle(verb, arg, run)
}

// pop3Verbs are the commands. AUTH and STLS run a dialogue of their own.
var pop3Verbs = map[string]func(*pop3Session, string) error{
	"CAPA": (*pop3Session).capa, "STLS": (*pop3Session).stls, "USER": (*pop3Session).userCmd,
	"PASS": (*pop3Session).pass, "APOP": (*pop3Session).apop, "AUTH": (*pop3Session).auth,
	"STAT": (*pop3Session).stat, "LIST": (*pop3Session).list, "UIDL": (*pop3Session).uidl,
	"RETR": (*pop3Session).retr, "TOP": (*pop3Session).top, "DELE": (*pop3Session).dele,
	"NOOP": (*pop3Session).noop, "RSET": (*pop3Session).rset, "QUIT": (*pop3Session).quit,
}

// handle runs one command, or what the script puts in its place.
func (s *pop3Session) handle(verb, arg string, run func(*pop3Session, string) error) error {
	s.count[verb]++
	user := s.user
	if user == "" {
		user = s.name
	}
	f := s.server.notice(POP3Command{Session: s.id, User: user, Verb: verb, Arg: arg, Nth: s.count[verb], Secure: s.secure})
	switch {
	case f == nil:
		return run(s, arg)
	case f.drop:
		return errHangUp
	case f.silent:
		_ = s.w.Flush()
		_, _ = io.Copy(io.Discard, s.r)
		return io.EOF
	case f.stream != nil:
		_ = s.w.Flush()
		_ = f.stream(s.cut)
		return errHangUp
	case f.instead:
		_, err := s.w.WriteString(f.text)
		return err
	}
	return s.faulty(f, arg, run)
}

// faulty runs the command with its answer cut short or followed by more.
func (s *pop3Session) faulty(f *POP3Fault, arg string, run func(*pop3Session, string) error) error {
	if f.cut >= 0 {
		if err := s.w.Flush(); err != nil {
			return err
		}
		s.cut.left = f.cut
		_ = run(s, arg)
		_ = s.w.Flush()
		return errHangUp
	}
	if err := run(s, arg); err != nil {
		return err
	}
	_, err := s.w.WriteString(f.then)
	return err
}

func (s *pop3Session) ok(text string) error { return s.say("+OK", text) }

// err answers -ERR; a response code at the beginning of text is left out when
// the server has none.
func (s *pop3Session) err(text string) error {
	if i := strings.Index(text, "] "); i >= 0 && s.server.opt.NoCodes && text[0] == '[' {
		text = text[i+2:]
	}
	return s.say("-ERR", text)
}

func (s *pop3Session) say(status, text string) error {
	if text != "" {
		status += " " + text
	}
	_, err := s.w.WriteString(status + "\r\n")
	return err
}

func (s *pop3Session) greet(string) error {
	if g := s.server.opt.Greeting; g != "" {
		_, err := s.w.WriteString(g + "\r\n")
		return err
	}
	text := "POP3 server ready"
	if s.server.opt.APOP {
		text += " " + s.stamp
	}
	return s.ok(text)
}

func (s *pop3Session) capa(string) error {
	o := s.server.opt
	if o.NoCAPA {
		return s.err("unknown command")
	}
	lines := []string{"+OK"}
	add := func(have bool, line string) {
		if have {
			lines = append(lines, line)
		}
	}
	add(!o.NoUser && !(o.PlainTLS && !s.secure), "USER")
	add(len(o.SASL) > 0, "SASL "+strings.Join(o.SASL, " "))
	add(o.STLS && !s.secure, "STLS")
	add(!o.NoTOP, "TOP")
	add(!o.NoUIDL, "UIDL")
	add(!o.NoPipelining, "PIPELINING")
	add(!o.NoCodes, "RESP-CODES")
	add(!o.NoCodes, "AUTH-RESP-CODE")
	add(o.LoginDelay > 0, fmt.Sprintf("LOGIN-DELAY %d", int(o.LoginDelay.Seconds())))
	add(o.Expire != "", "EXPIRE "+o.Expire)
	_, err := s.w.WriteString(strings.Join(lines, "\r\n") + "\r\n.\r\n")
	return err
}

func (s *pop3Session) stls(string) error {
	if !s.server.opt.STLS || s.secure {
		return s.err("STLS is not available")
	}
	if err := s.ok("begin TLS"); err != nil {
		return err
	}
	// What a script adds must leave with this answer: handshake in the next step.
	if f := s.server.notice(POP3Command{Session: s.id, Verb: "HANDSHAKE", Nth: 1}); f != nil {
		_, _ = s.w.WriteString(f.then)
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	return s.startTLS()
}

func (s *pop3Session) noop(string) error { return s.ok("") }

func (s *pop3Session) quit(string) error {
	if s.user != "" {
		s.server.leave(s.user, s.deleted) // real, and unlocked, before the client hears of it
		s.user = ""
	}
	if err := s.ok("bye"); err != nil {
		return err
	}
	return io.EOF
}

// message returns the message that the first word of arg names, or refuses.
func (s *pop3Session) message(arg string) (*storedMessage, int) {
	word, _, _ := strings.Cut(arg, " ")
	n, err := strconv.Atoi(word)
	if s.user == "" || err != nil || n < 1 || n > len(s.messages) || s.deleted[s.messages[n-1]] {
		return nil, 0
	}
	return s.messages[n-1], n
}

func (s *pop3Session) retr(arg string) error {
	m, _ := s.message(arg)
	if m == nil {
		return s.err("no such message")
	}
	return s.multi(m.wire)
}

func (s *pop3Session) multi(wire []byte) error {
	_, _ = s.w.WriteString("+OK\r\n")
	_, _ = s.w.Write(wire)
	_, err := s.w.WriteString(".\r\n")
	return err
}

func (s *pop3Session) top(arg string) error {
	m, _ := s.message(arg)
	_, count, _ := strings.Cut(arg, " ")
	lines, err := strconv.Atoi(count)
	if m == nil || err != nil || lines < 0 || s.server.opt.NoTOP {
		return s.err("no such message")
	}
	head, body, found := bytes.Cut(m.wire, []byte("\r\n\r\n"))
	if !found {
		return s.multi(m.wire)
	}
	end := len(head) + 4
	for ; lines > 0 && len(body) > 0; lines-- {
		i := bytes.IndexByte(body, '\n') + 1
		if i == 0 {
			i = len(body)
		}
		end, body = end+i, body[i:]
	}
	return s.multi(m.wire[:end])
}
