package pop3

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	gopop3 "github.com/knadh/go-pop3"

	"postbag/engine/mail"
	"postbag/engine/mail/tlspolicy"
	"postbag/engine/source"
)

// Session is one signed-in POP3 session.
type Session struct {
	opt      Options
	gate     *gate
	conn     *gopop3.Conn
	caps     capabilities
	askAgain bool // it is not known yet what the server says after the sign-in
	greeting string
	stamp    string // of APOP, "" without
	body     dotReader

	listed  bool
	listing []source.Item // well-formed messages by number, for Delete
	deleted map[int]bool  // numbers marked in this session
}

var _ source.Session = (*Session)(nil)

// Dial connects, secures the line and signs in. All errors are *mail.Failure;
// after a refused certificate tlspolicy.CertificateOf finds in them what the
// server showed, so that a person can be offered to pin it (rule 6). ctx
// governs only this call.
func Dial(ctx context.Context, o Options) (*Session, error) {
	o = o.withDefaults()
	if err := checkOptions(o); err != nil {
		return nil, err
	}
	policy, err := tlspolicy.Config(tlspolicy.Policy{ServerName: o.ServerName, CAFile: o.CAFile, Pin: o.TLSPin})
	if err != nil {
		return nil, err
	}
	raw, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Session{opt: o, gate: newGate(ctx, raw, o), deleted: make(map[int]bool)}
	s.gate.log.hide = hidden(o)
	s.body = dotReader{gate: s.gate, wait: o.Timeouts.Data}
	if err := s.call(ctx, "connect", func() error { return s.establish(policy) }); err != nil {
		return nil, s.gate.fail(mail.AsFailure(err)) // closes, whatever it was
	}
	if s.gate.fault != nil {
		return nil, s.gate.fault
	}
	return s, nil
}

func checkOptions(o Options) error {
	switch o.Security {
	case SecurityTLS, SecuritySTARTTLS, SecurityNone:
		return nil
	}
	return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeInternal, Op: "connect",
		Err: errors.New("unknown kind of security " + strconv.Quote(o.Security))}
}

func connect(caller context.Context, o Options) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(caller, o.Timeouts.Connect)
	defer cancel()
	failure := func(err error, op string) *mail.Failure {
		if caller.Err() != nil {
			return cancelled(op, caller)
		}
		return tlspolicy.Classify(err, op)
	}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
		o.Step("dns")
		// The dialer resolves once more; asking here tells the two steps apart.
		host := hostOnly(o.address())
		if _, err := netip.ParseAddr(host); err != nil {
			if _, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
				return nil, failure(err, "dns")
			}
		}
	}
	o.Step("connect")
	raw, err := dial(ctx, "tcp", o.address())
	if err != nil {
		return nil, failure(err, "connect")
	}
	return raw, nil
}

func hostOnly(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}

// establish secures the line, reads the greeting through go-pop3 and signs in.
func (s *Session) establish(policy *tls.Config) error {
	if s.opt.Security == SecurityTLS {
		if err := s.handshake(policy); err != nil {
			return err
		}
		s.opt.Step("login") // what fails from here on is no fault of TLS
	}
	s.gate.op, s.gate.wait = "greeting", s.opt.Timeouts.Greeting
	conn, err := gopop3.New(gopop3.Opt{Host: s.opt.Host, Port: s.opt.Port, Dialer: oneConn{s.gate}}).NewConn()
	if err != nil {
		if s.gate.fault != nil {
			return s.gate.fault
		}
		if s.gate.last.kind == kindErr {
			return s.masked(greetingRefusal(s.words()))
		}
		return s.gate.protocol("no greeting", s.gate.last.text)
	}
	s.conn, s.greeting = conn, s.said()
	if bytes.IndexByte(s.gate.last.text, '<') >= 0 {
		s.stamp = string(timestamp().Find(s.gate.last.text))
	}
	if s.caps, err = s.askCapabilities(); err != nil {
		return err
	}
	if s.opt.Security == SecuritySTARTTLS {
		if err := s.startTLS(policy); err != nil {
			return err
		}
	}
	if s.opt.Security != SecurityTLS {
		s.opt.Step("login")
	}
	if err := s.signIn(); err != nil {
		return err
	}
	// RFC 2449 section 5: some capabilities hold, or differ, after the sign-in.
	// Where several questions fit into one packet this one goes with the listing.
	if s.askAgain = s.pipelines(); s.askAgain {
		return nil
	}
	after, err := s.askCapabilities()
	if err != nil {
		return err
	}
	s.learn(after)
	return nil
}

// pipelines tells whether several commands may be sent at once.
func (s *Session) pipelines() bool { return s.caps.pipelining && s.opt.Window > 1 }

// oneConn is go-pop3's Dialer: the connection is there already.
type oneConn struct{ conn net.Conn }

func (o oneConn) Dial(string, string) (net.Conn, error) { return o.conn, nil }

// startTLS upgrades the line (RFC 2595 section 4, rule 5).
func (s *Session) startTLS(policy *tls.Config) error {
	missing := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTLSMissing, Op: "STLS"}
	if s.caps.known && !s.caps.stls {
		return missing
	}
	if reply, err := s.command("STLS", "STLS", s.opt.Timeouts.Reply); err != nil {
		if s.gate.fault != nil {
			return err
		}
		missing.Reply = reply
		return missing
	}
	if s.gate.r != s.gate.w {
		// Somebody put answers before the handshake that would count after it.
		return s.gate.protocol("data between the answer to STLS and the handshake", s.gate.buf[s.gate.r:s.gate.w])
	}
	if err := s.handshake(policy); err != nil {
		return err
	}
	// RFC 2595 section 4: forget what was said before and ask again.
	caps, err := s.askCapabilities()
	s.caps = caps
	return err
}

// opTLS is the Op of a failed handshake.
const opTLS = "tls"

func (s *Session) handshake(policy *tls.Config) error {
	s.opt.Step("tls")
	s.gate.op = opTLS
	ctx, cancel := context.WithTimeout(s.gate.ctx, s.opt.Timeouts.Connect)
	defer cancel()
	_ = s.gate.raw.SetDeadline(time.Time{}) // ctx alone limits the handshake
	conn := tls.Client(s.gate.raw, policy)
	if err := conn.HandshakeContext(ctx); err != nil {
		return s.gate.broken(err)
	}
	s.gate.Conn, s.gate.secure = conn, true
	return nil
}

// call runs f, one method of the contract: a context that ends closes the
// connection, so that f returns at once, and the session stays dead.
func (s *Session) call(ctx context.Context, op string, f func() error) error {
	if s.gate.fault != nil {
		return s.gate.fault
	}
	s.gate.op, s.gate.ctx = op, ctx
	if ctx.Err() != nil {
		return s.gate.fail(cancelled(op, ctx))
	}
	stop := context.AfterFunc(ctx, s.gate.abort)
	err := f()
	if !stop() {
		s.gate.fail(cancelled(op, ctx))
	}
	return err
}

// maxReply is how much of a server's words goes into failures and the log.
const maxReply = 500

// words are the last status line, clean but not yet masked: codes and words
// are judged before secrets are hidden in them.
func (s *Session) words() string {
	text := s.gate.last.text
	return printable(string(text[:min(len(text), maxReply)]))
}

// said is words without secrets, fit for people.
func (s *Session) said() string { return s.gate.log.mask(s.words()) }

// masked hides secrets in the reply of f.
func (s *Session) masked(f *mail.Failure) *mail.Failure {
	f.Reply = s.gate.log.mask(f.Reply)
	return f
}

// send writes one command through go-pop3; shown is its form for the transcript.
func (s *Session) send(line, shown string) error {
	s.gate.log.client(shown)
	if err := s.conn.Send(line); err != nil {
		return s.gate.broken(err)
	}
	return nil
}

// answer reads one status line of any kind through go-pop3. go-pop3's own
// verdict is not asked: the gate saw the line first.
func (s *Session) answer(op string, timeout time.Duration) (kind, error) {
	s.gate.op, s.gate.wait = op, timeout
	_, err := s.conn.ReadOne()
	if s.gate.fault != nil {
		return 0, s.gate.fault
	}
	if err != nil && s.gate.last.kind == kindOK {
		return 0, s.gate.broken(err)
	}
	return s.gate.last.kind, nil
}

// status reads the answer to a command that has no challenge. An -ERR is
// returned as a Failure with the server's words, and the session lives.
func (s *Session) status(op string, timeout time.Duration) error {
	k, err := s.answer(op, timeout)
	switch {
	case err != nil:
		return err
	case k == kindOK:
		return nil
	case k == kindErr:
		return s.masked(refusal(op, s.words()))
	}
	return s.gate.protocol("a challenge where none was due", s.gate.last.text)
}

// command sends a command and reads its status line; the text of a refusal is
// returned with the error.
func (s *Session) command(op, line string, timeout time.Duration) (string, error) {
	s.gate.op = op
	if err := s.gate.idle(); err != nil {
		return "", err
	}
	if err := s.send(line, line); err != nil {
		return "", err
	}
	err := s.status(op, timeout)
	if s.gate.fault != nil {
		return "", err
	}
	return s.said(), err
}

// Capabilities implements source.Session.
func (s *Session) Capabilities() source.Capabilities {
	return source.Capabilities{
		Pipelining: s.caps.pipelining, UIDL: s.caps.uidl, TOP: s.caps.top,
		LoginDelay: s.caps.loginDelay, Expire: s.caps.expire, Greeting: s.greeting,
	}
}

// Noop implements source.Session.
func (s *Session) Noop(ctx context.Context) error {
	return s.call(ctx, "NOOP", func() error {
		_, err := s.command("NOOP", "NOOP", s.opt.Timeouts.Reply)
		return err
	})
}

// Quit implements source.Session: only nil, after +OK, makes deletions real
// (RFC 1939 section 6, rule 12). The session is over whatever it returns.
func (s *Session) Quit(ctx context.Context) error {
	err := s.call(ctx, "QUIT", func() error {
		_, err := s.command("QUIT", "QUIT", s.opt.Timeouts.Quit)
		return err
	})
	if s.gate.fault == nil {
		_ = s.gate.Conn.SetDeadline(time.Now().Add(time.Second))
		_ = s.gate.Conn.Close() // with TLS's own farewell
	}
	s.gate.abort()
	if s.gate.fault == nil {
		s.gate.fault = &mail.Failure{Class: mail.Transient, Code: mail.CodeClosed, Op: "QUIT", Err: errors.New("the session is over")}
	}
	return err
}

// Close implements source.Session. It may be called at any time, from any
// goroutine, and more than once.
func (s *Session) Close() error {
	s.gate.abort()
	return nil
}
