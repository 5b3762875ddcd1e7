package mailtest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// POP3Options say what a POP3 server can do. The zero value has USER and PASS,
// CAPA, UIDL, TOP, PIPELINING and response codes, and lets one session at a
// time into a mailbox, as RFC 1939 demands.
type POP3Options struct {
	Users map[string]string // password, or OAuth token, by user name

	Certificate *tls.Certificate
	ImplicitTLS bool // speak TLS from the first octet; needs Certificate
	STLS        bool // offer STLS; needs Certificate
	PlainTLS    bool // refuse USER, PLAIN and LOGIN on an unencrypted line

	NoCAPA, NoUIDL, NoTOP, NoPipelining bool
	NoUser                              bool     // USER and PASS are unknown commands
	NoCodes                             bool     // no response codes such as [AUTH]
	SASL                                []string // mechanisms of AUTH: PLAIN, LOGIN, CRAM-MD5, XOAUTH2
	NoInitialResponse                   bool     // RFC 1734: an initial response is passed over
	APOP                                bool
	LoginDelay                          time.Duration // announced and enforced
	Expire                              string
	Greeting                            string // whole first line, "" is a usual one
	Shared                              bool   // any number of sessions in one mailbox

	// Fault chooses what goes wrong with a command; nil: nothing. It is called
	// by the goroutine of each session.
	Fault func(POP3Command) *POP3Fault

	// Line may change a line of LIST ("1 120") or UIDL ("1 abc") before it is
	// sent; with "" it is left out.
	Line func(verb string, number int, line string) string

	// Record keeps what clients said for Commands; a long-running server does without.
	Record bool

	Now func() time.Time // nil: time.Now
}

// POP3Command is one line of a client. Verb is in upper case; the pseudo
// command "GREETING" stands for the moment after the connection was made, and
// "AUTH-LINE" for an answer to a challenge.
type POP3Command struct {
	Session int // counts connections from 1
	User    string
	Verb    string
	Arg     string
	Nth     int  // how often this session has seen Verb, from 1
	Secure  bool // came through TLS
}

// POP3Message is one message of a mailbox.
type POP3Message struct {
	UID   string
	Bytes []byte
}

type storedMessage struct {
	uid  string
	raw  []byte
	wire []byte // dots stuffed, with its last CRLF, without the terminator
}

type pop3Mailbox struct {
	messages  []*storedMessage
	locked    bool
	nextUID   int
	lastLogin time.Time
}

// POP3 is a scripted POP3 server on loopback.
type POP3 struct {
	opt      POP3Options
	listener net.Listener
	wg       sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	conns     map[net.Conn]bool
	sessions  int
	mailboxes map[string]*pop3Mailbox
	commands  []POP3Command
	fault     func(POP3Command) *POP3Fault
}

// NewPOP3 starts a server on a free port of 127.0.0.1. Close ends it.
func NewPOP3(o POP3Options) (*POP3, error) {
	if (o.ImplicitTLS || o.STLS) && o.Certificate == nil {
		return nil, errors.New("mailtest: TLS needs a certificate")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mailtest: %w", err)
	}
	p := &POP3{
		opt: o, listener: l, fault: o.Fault,
		conns: make(map[net.Conn]bool), mailboxes: make(map[string]*pop3Mailbox),
	}
	for user := range o.Users {
		p.mailboxes[user] = &pop3Mailbox{}
	}
	p.wg.Add(1)
	go p.accept()
	return p, nil
}

// Addr returns host:port.
func (p *POP3) Addr() string { return p.listener.Addr().String() }

// Host returns the address without the port.
func (p *POP3) Host() string { return "127.0.0.1" }

// Port returns the port.
func (p *POP3) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Close ends the server and all its sessions and waits for them.
func (p *POP3) Close() error {
	p.mu.Lock()
	p.closed = true
	conns := slices.Collect(maps.Keys(p.conns))
	p.mu.Unlock()
	err := p.listener.Close()
	for _, c := range conns {
		_ = c.Close()
	}
	p.wg.Wait()
	return err
}

// AddMessage puts a message into the mailbox of user and returns its unique
// id, a new one when uid is "". Bytes are kept as they are: a server sends
// lone LFs as they came, stuffs dots after CRLF and ends the last line.
func (p *POP3) AddMessage(user, uid string, raw []byte) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.box(user)
	box.nextUID++
	if uid == "" {
		uid = fmt.Sprintf("%08x%04x", 0x5eed0000+len(user), box.nextUID)
	}
	box.messages = append(box.messages, &storedMessage{uid: uid, raw: raw, wire: stuff(raw)})
	return uid
}

func (p *POP3) box(user string) *pop3Mailbox {
	box := p.mailboxes[user]
	if box == nil {
		box = &pop3Mailbox{}
		p.mailboxes[user] = box
	}
	return box
}

// Messages returns what lies in the mailbox of user now.
func (p *POP3) Messages(user string) []POP3Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []POP3Message
	for _, m := range p.box(user).messages {
		out = append(out, POP3Message{UID: m.uid, Bytes: m.raw})
	}
	return out
}

// Renumber gives every message of user a new unique id, as providers do when
// they move to another server.
func (p *POP3) Renumber(user string, uid func(i int, old string) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.box(user)
	for i, m := range box.messages {
		box.messages[i] = &storedMessage{uid: uid(i, m.uid), raw: m.raw, wire: m.wire}
	}
}

// Clear empties the mailbox of user.
func (p *POP3) Clear(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.box(user).messages = nil
}

// Script replaces POP3Options.Fault from the next command on.
func (p *POP3) Script(fault func(POP3Command) *POP3Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// Commands returns what all clients have said so far, when Record is set.
func (p *POP3) Commands() []POP3Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.commands)
}

// Transcript returns Commands as lines "verb argument".
func (p *POP3) Transcript() []string {
	var out []string
	for _, c := range p.Commands() {
		out = append(out, strings.TrimSpace(c.Verb+" "+c.Arg))
	}
	return out
}

// Sessions returns how many connections were made.
func (p *POP3) Sessions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions
}

func (p *POP3) accept() {
	defer p.wg.Done()
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			_ = c.Close()
			return
		}
		p.sessions++
		s := newPOP3Session(p, c, p.sessions)
		p.conns[c] = true
		p.wg.Add(1)
		p.mu.Unlock()
		go func() {
			defer p.wg.Done()
			s.serve()
			_ = c.Close()
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		}()
	}
}

// notice records a command and returns the fault for it.
func (p *POP3) notice(c POP3Command) *POP3Fault {
	p.mu.Lock()
	if p.opt.Record {
		p.commands = append(p.commands, c)
	}
	fault := p.fault
	p.mu.Unlock()
	if fault == nil {
		return nil
	}
	return fault(c)
}

// enter locks the mailbox of user and returns what lies in it, or the refusal.
func (p *POP3) enter(user string) (messages []*storedMessage, refusal string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.box(user)
	now := p.opt.Now()
	if box.locked && !p.opt.Shared {
		return nil, "[IN-USE] mailbox is locked by another session"
	}
	if d := p.opt.LoginDelay; d > 0 && !box.lastLogin.IsZero() && now.Sub(box.lastLogin) < d {
		return nil, "[LOGIN-DELAY] minimum time between mail checks violation"
	}
	box.locked, box.lastLogin = true, now
	return slices.Clone(box.messages), ""
}

// leave unlocks the mailbox and removes the given messages from it.
func (p *POP3) leave(user string, deleted map[*storedMessage]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.box(user)
	box.locked = false
	if len(deleted) > 0 {
		box.messages = slices.DeleteFunc(box.messages, func(m *storedMessage) bool { return deleted[m] })
	}
}

// stuff returns the octets as RFC 1939 section 3 sends them, without the
// terminator: a dot at the beginning of a line is doubled, the last line ends
// with CRLF. A message without any octet is sent as none.
func stuff(raw []byte) []byte {
	out := raw
	if bytes.HasPrefix(raw, []byte(".")) || bytes.Contains(raw, []byte("\r\n.")) {
		out = bytes.ReplaceAll(raw, []byte("\r\n."), []byte("\r\n.."))
		if raw[0] == '.' {
			out = append([]byte("."), out...)
		}
	}
	if len(out) > 0 && !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(slices.Clip(out), "\r\n"...)
	}
	return out
}
