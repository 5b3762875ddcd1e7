package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
)

// SMTPStep names a point of an SMTP or LMTP session at which a script may act.
type SMTPStep string

// The steps of a session. Dot is the end of the message data.
const (
	StepGreeting SMTPStep = "greeting"
	StepEHLO     SMTPStep = "EHLO" // also LHLO and HELO
	StepSTARTTLS SMTPStep = "STARTTLS"
	StepAUTH     SMTPStep = "AUTH" // after the last line of the client
	StepMAIL     SMTPStep = "MAIL"
	StepRCPT     SMTPStep = "RCPT"
	StepDATA     SMTPStep = "DATA"
	StepDot      SMTPStep = "."
	StepRSET     SMTPStep = "RSET"
	StepQUIT     SMTPStep = "QUIT"
)

// SMTPEvent tells a script where a session is.
type SMTPEvent struct {
	Step    SMTPStep
	Conn    int    // 1 for the first connection that the server ever took
	Message int    // transactions begun on this connection, 1 from the first MAIL
	Address string // of MAIL and RCPT; for LMTP's Dot the recipient whose turn it is
}

// SMTPAction is what happens instead of the ordinary answer; the zero value
// leaves the ordinary answer.
type SMTPAction struct {
	Reply     string          // sent as it is, CRLF added; lines are separated by "\n"
	Drop      bool            // close: after Reply when there is one, else without a word
	Silent    bool            // no answer at all, until the client leaves or the server closes
	Keep      bool            // at Dot with Drop or Silent: the message was taken nevertheless
	DropAfter int             // at DATA: 354, then close after so many octets of data
	Wait      <-chan struct{} // the answer, ordinary or not, waits for this (or for Close)
}

// SMTPOptions describe a scripted office server.
type SMTPOptions struct {
	Addr        string            // default "127.0.0.1:0"
	Hostname    string            // default "mail.office.test"
	LMTP        bool              // LHLO, and one reply per recipient after the data
	TLS         *tls.Config       // offers STARTTLS, or TLS from the first byte
	ImplicitTLS bool              //
	Users       []string          // known recipients, compared without case; nil: everybody
	Passwords   map[string]string // AUTH is offered and, unless OpenRelay, demanded
	Mechanisms  []string          // default PLAIN LOGIN CRAM-MD5 XOAUTH2
	OpenRelay   bool              // AUTH is offered but not demanded
	PlainAuth   bool              // AUTH is offered on an unencrypted line too
	Extensions  []string          // lines of EHLO; nil: SIZE 8BITMIME SMTPUTF8 ENHANCEDSTATUSCODES
	LowerCase   bool              // the lines of EHLO in lower case
	MaxSize     int64             // 552 above it, 0: no limit
	MaxConns    int               // 421 beyond, 0: no limit
	Discard     bool              // count messages, do not keep their octets
	Script      func(SMTPEvent) SMTPAction
}

// SMTPMail is one message that the server took.
type SMTPMail struct {
	Conn   int      // connection number, 1 = first
	Helo   string   // name that the client gave
	Login  string   // user that signed in, "" = none
	Sender string   // "" = <>
	Params string   // parameters of MAIL, as sent
	Rcpts  []string // the accepted ones; with LMTP those answered 250 after the data
	Data   []byte   // dots un-stuffed, every other octet as sent
	Bare   bool     // a CR or LF stood alone in the data (rule 39)
}

// SMTP is an office server on loopback that takes mail by SMTP or LMTP and
// fails on command. It serves the tests and the demo.
type SMTP struct {
	o        SMTPOptions
	listener net.Listener
	users    map[string]bool
	closed   chan struct{}
	wg       sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	total    int
	most     int
	mails    []SMTPMail
	taken    int
	commands []string
	changed  chan struct{} // closed and replaced whenever a message was taken
}

// NewSMTP starts a server.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0" // tests never listen on the network
	}
	if o.Hostname == "" {
		o.Hostname = "mail.office.test"
	}
	if o.Mechanisms == nil {
		o.Mechanisms = []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"}
	}
	if o.ImplicitTLS && o.TLS == nil {
		return nil, errors.New("mailtest: ImplicitTLS without TLS")
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	s := &SMTP{
		o: o, listener: l, closed: make(chan struct{}),
		conns: make(map[net.Conn]bool), changed: make(chan struct{}),
	}
	if o.Users != nil {
		s.users = make(map[string]bool, len(o.Users))
		for _, u := range o.Users {
			s.users[strings.ToLower(u)] = true
		}
	}
	s.wg.Go(s.accept)
	return s, nil
}

// Addr returns the address that the server listens on, as host:port.
func (s *SMTP) Addr() string { return s.listener.Addr().String() }

// Host returns the address without the port.
func (s *SMTP) Host() string { return "127.0.0.1" }

// Port returns the port that the server listens on.
func (s *SMTP) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Script replaces the script; nil makes the server behave from now on.
func (s *SMTP) Script(script func(SMTPEvent) SMTPAction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Script = script
}

// Close ends the server and all its sessions.
func (s *SMTP) Close() error {
	s.mu.Lock()
	select {
	case <-s.closed:
		s.mu.Unlock()
		return nil
	default:
		close(s.closed)
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	err := s.listener.Close()
	s.wg.Wait()
	return err
}

// Mails returns the messages taken so far.
func (s *SMTP) Mails() []SMTPMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Taken counts the messages taken so far, kept or discarded.
func (s *SMTP) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// WaitTaken returns when n messages were taken.
func (s *SMTP) WaitTaken(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		taken, changed := s.taken, s.changed
		s.mu.Unlock()
		if taken >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Commands returns every command line seen, of all connections in the order
// of their arrival, with the payload of AUTH.
func (s *SMTP) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Count tells how many commands began with the verb.
func (s *SMTP) Count(verb string) int {
	n := 0
	for _, c := range s.Commands() {
		if len(c) >= len(verb) && strings.EqualFold(c[:len(verb)], verb) {
			n++
		}
	}
	return n
}

// Connections returns how many connections were ever taken, and how many were
// open at the same time at most.
func (s *SMTP) Connections() (total, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total, s.most
}

func (s *SMTP) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		number, open, ok := s.enter(c)
		if !ok {
			_ = c.Close()
			return
		}
		s.wg.Go(func() {
			defer s.leave(c)
			newSMTPSession(s, c, number).serve(s.o.MaxConns > 0 && open > s.o.MaxConns)
		})
	}
}

func (s *SMTP) enter(c net.Conn) (number, open int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return 0, 0, false
	default:
	}
	s.total++
	s.conns[c] = true
	s.most = max(s.most, len(s.conns))
	return s.total, len(s.conns), true
}

func (s *SMTP) leave(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

func (s *SMTP) saw(command string) {
	s.mu.Lock()
	s.commands = append(s.commands, command)
	s.mu.Unlock()
}

func (s *SMTP) take(m SMTPMail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	if !s.o.Discard {
		s.mails = append(s.mails, m)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *SMTP) knows(address string) bool {
	return s.users == nil || s.users[strings.ToLower(address)]
}

// OnStep is a script that acts at every event of one step.
func OnStep(step SMTPStep, a SMTPAction) func(SMTPEvent) SMTPAction {
	return func(e SMTPEvent) SMTPAction {
		if e.Step == step {
			return a
		}
		return SMTPAction{}
	}
}
