package deliver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"postbag/engine/mail"
	"postbag/engine/mail/tlspolicy"
)

// Conn is one connection to a Target, ready for transactions. It is used by
// one goroutine at a time.
type Conn struct {
	t      Target
	o      Options
	raw    net.Conn // below TLS
	w      *wire
	c      *smtp.Client
	log    *transcript
	secure bool
	helo   string
	dead   bool          // no transaction any more
	body   *bufio.Reader // lent to the encoder
	away   time.Duration // how long the answer to EHLO took

	ahead     *ahead // what was begun behind the last final dot
	doubted   bool   // the last message was not taken, and nothing was said since
	ungrouped bool   // it broke because commands went out together
}

// Dial connects, encrypts, greets and signs in. All errors are *mail.Failure
// about the target; none is about a message. Cancelling ctx ends it at once.
func Dial(ctx context.Context, t Target, o Options) (*Conn, error) {
	c := &Conn{t: t, o: o.withDefaults(), log: newTranscript(o.Transcript, o.number)}
	if err := c.dial(ctx); err != nil {
		c.drop()
		if ctx.Err() != nil {
			return nil, &mail.Failure{Class: mail.Transient, Code: mail.CodeCancelled, Op: mail.AsFailure(err).Op, Err: context.Cause(ctx)}
		}
		return nil, err
	}
	return c, nil
}

func (c *Conn) dial(ctx context.Context) error {
	policy := tlspolicy.Policy{ServerName: c.t.ServerName, CAFile: c.t.CAFile, Pin: c.t.TLSPin}
	if policy.ServerName == "" {
		policy.ServerName = c.t.Host
	}
	cfg, err := tlspolicy.Config(policy)
	if err != nil {
		return c.step("tls", "", mail.AsFailure(err))
	}
	// One message is one or two records instead of a dozen small ones.
	cfg.DynamicRecordSizingDisabled = true
	if err := c.connect(ctx); err != nil {
		return err
	}
	if c.t.Security == SecurityTLS {
		if err := c.handshake(ctx, "tls", cfg); err != nil {
			return err
		}
	} else {
		c.use(c.raw)
	}
	defer c.watch(ctx)()
	if err := c.hello(); err != nil {
		return err
	}
	if c.t.Security == SecuritySTARTTLS {
		if err := c.startTLS(ctx, cfg); err != nil {
			return err
		}
		defer c.watch(ctx)() // of the encrypted connection
		if err := c.ehlo(); err != nil {
			return c.step("ehlo", "", c.fault(OpEHLO, err))
		}
	}
	return c.auth()
}

// step reports a finished step; err keeps its type nil when f is nil.
func (c *Conn) step(name, detail string, f *mail.Failure) error {
	if f == nil {
		c.o.Step(name, detail, nil)
		return nil
	}
	c.o.Step(name, detail, f)
	return f
}

func (c *Conn) connect(ctx context.Context) error {
	raw, err := c.o.Dial(ctx, "tcp", c.t.address())
	if err != nil {
		f := tlspolicy.Classify(err, "connect")
		if f.Code == mail.CodeDNS {
			f.Op = "dns"
			return c.step("dns", c.t.Host, f)
		}
		c.o.Step("dns", c.t.Host, nil)
		return c.step("connect", c.t.address(), f)
	}
	c.raw = raw
	c.o.Step("dns", c.t.Host, nil)
	return c.step("connect", raw.RemoteAddr().String(), nil)
}

func (c *Conn) use(conn net.Conn) {
	c.w = newWire(conn, c.o.Timeouts.Block, c.log)
	c.w.ack = acknowledger(c.raw)
	if c.t.lmtp() {
		c.c = smtp.NewClientLMTP(c.w)
	} else {
		c.c = smtp.NewClient(c.w)
	}
}

func (c *Conn) handshake(ctx context.Context, step string, cfg *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeouts.Handshake)
	defer cancel()
	conn := tls.Client(c.raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return c.step(step, "", tlspolicy.Classify(err, step))
	}
	c.secure = true
	c.use(conn)
	state := conn.ConnectionState()
	return c.step(step, tls.VersionName(state.Version)+" "+tlspolicy.Fingerprint(state.PeerCertificates[0]), nil)
}

// watch ends the I/O of the connection when ctx ends; the caller defers what
// it returns. While a final dot is under way its reply is still awaited.
func (c *Conn) watch(ctx context.Context) (release func()) {
	w := c.w
	stop := context.AfterFunc(ctx, func() { w.stop(context.Cause(ctx), c.o.Timeouts.StopDot) })
	return func() { stop() }
}

// hello awaits the greeting and says EHLO or LHLO; go-smtp falls back to HELO.
func (c *Conn) hello() error {
	c.w.expect(c.o.Timeouts.Greeting)
	greeting, err := c.w.reply()
	if err != nil {
		return c.step("ehlo", "", c.fault(OpGreeting, err))
	}
	if greeting.Code != 220 {
		return c.step("ehlo", "", greetingFault(greeting))
	}
	c.helo = heloName(c.t.HeloName, c.raw.LocalAddr())
	if err := c.ehlo(); err != nil {
		return c.step("ehlo", "", c.fault(OpEHLO, err))
	}
	return c.step("ehlo", greeting.String(), nil)
}

func (c *Conn) ehlo() error {
	c.w.rest = []byte("220 replayed\r\n") // go-smtp wants to read the greeting itself
	c.w.expect(c.o.Timeouts.Command)
	c.w.upper = true
	began := time.Now()
	defer func() { c.w.upper, c.away = false, time.Since(began) }()
	return c.c.Hello(c.helo)
}

// greetingFault: RFC 5321 section 3.1, 554 "no SMTP service here".
func greetingFault(r Reply) *mail.Failure {
	f := &mail.Failure{Class: mail.Transient, Code: mail.CodeTargetBusy, Op: OpGreeting, Reply: r.String()}
	if r.Code/100 != 4 {
		f.Class, f.Code = mail.NeedsUser, mail.CodeGreeting
	}
	return f
}

// startTLS is RFC 3207; without it nothing is sent (RFC 8314 section 3).
func (c *Conn) startTLS(ctx context.Context, cfg *tls.Config) error {
	if ok, _ := c.c.Extension("STARTTLS"); !ok {
		return c.step("starttls", "", &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTLSMissing, Op: OpSTARTTLS})
	}
	r, err := c.w.command("STARTTLS", c.o.Timeouts.Command)
	if err != nil {
		return c.step("starttls", "", c.fault(OpSTARTTLS, err))
	}
	if r.Code != 220 {
		f := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTLSMissing, Op: OpSTARTTLS, Reply: r.String()}
		if r.Code/100 == 4 { // 454 TLS not available due to temporary reason
			f.Class, f.Code = mail.Transient, mail.CodeTargetBusy
		}
		return c.step("starttls", "", f)
	}
	if c.w.buffered() {
		// Whoever put commands behind the reply wants them taken for encrypted ones.
		return c.step("starttls", "", &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeProtocol, Op: OpSTARTTLS,
			Err: errors.New("octets before the handshake")})
	}
	// RFC 3207 section 4.2: what EHLO told before is forgotten, it is said again.
	return c.handshake(ctx, "starttls", cfg)
}

// auth signs in as the Target says (RFC 4954).
func (c *Conn) auth() error {
	if c.t.Auth == "" || c.t.Auth == AuthNone {
		return nil
	}
	client, name, clear, err := mechanism(c.t)
	if err != nil {
		return c.step("auth", "", &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTargetAuth, Op: OpAUTH, Err: err})
	}
	if clear && !c.secure && !c.t.AllowPlaintextPassword {
		return c.step("auth", name, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodePlaintext, Op: OpAUTH}) // rule 5
	}
	if !c.c.SupportsAuth(name) {
		_, offered := c.c.Extension("AUTH")
		return c.step("auth", name, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeNoMechanism, Op: OpAUTH,
			Err: fmt.Errorf("%s is not offered (%q is)", name, offered)})
	}
	c.log.secret = true
	c.w.expect(c.o.Timeouts.Command)
	err = c.c.Auth(client)
	c.log.secret = false
	if err != nil {
		return c.step("auth", name, c.authFault(err))
	}
	return c.step("auth", name, nil)
}

// authFault: RFC 4954 section 6. What is no 4xx is taken for a refusal of the
// sign-in, so that a password is never tried again and again.
func (c *Conn) authFault(err error) *mail.Failure {
	r, ok := replyOf(err)
	if !ok {
		return c.fault(OpAUTH, err)
	}
	f := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTargetAuth, Op: OpAUTH, Reply: r.String()}
	if r.Code/100 == 4 {
		f.Class, f.Code = mail.Transient, mail.CodeTargetBusy
	}
	return f
}

// fault makes a Failure of what a step before the first transaction met.
func (c *Conn) fault(op string, err error) *mail.Failure {
	if r, ok := replyOf(err); ok {
		f := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeRefused, Op: op, Reply: r.String()}
		switch {
		case r.Code/100 == 4:
			f.Class, f.Code = mail.Transient, mail.CodeTargetBusy
		case needsAuth(r):
			f.Code = mail.CodeTargetAuth
		}
		return f
	}
	return connFault(op, err)
}

// connFault is for errors that are no reply: the connection is dead.
func connFault(op string, err error) *mail.Failure {
	f := tlspolicy.Classify(err, op)
	switch {
	case f.Code == mail.CodeTLS && !isTLS(err), errors.Is(err, errProtocol):
		f.Class, f.Code = mail.Transient, mail.CodeProtocol
	}
	return f
}

func isTLS(err error) bool {
	_, alert := errors.AsType[tls.AlertError](err)
	_, op := errors.AsType[*net.OpError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return alert || op || record
}

// heloName is RFC 5321 section 4.1.4: a full name, else the address in brackets.
func heloName(configured string, local net.Addr) string {
	if validHelo(configured) {
		return configured
	}
	if name, err := os.Hostname(); err == nil && strings.Contains(strings.Trim(name, "."), ".") && validHelo(name) {
		return name
	}
	host, _, err := net.SplitHostPort(local.String())
	ip := net.ParseIP(host)
	switch {
	case err != nil || ip == nil:
		return "localhost"
	case ip.To4() != nil:
		return "[" + ip.To4().String() + "]"
	}
	return "[IPv6:" + ip.String() + "]"
}

func validHelo(name string) bool {
	if name == "" || len(name) > 255 {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
