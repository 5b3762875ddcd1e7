package pop3

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

func TestGreetings(t *testing.T) {
	tests := []struct {
		greeting string
		code     mail.Code // "" = signed in
		class    mail.Class
		text     string
	}{
		{"+OK", "", 0, ""},
		{"+OK ready", "", 0, "ready"},
		{"+OK\tready", "", 0, "ready"},
		{"+ok ready", "", 0, "ready"},
		{"+OKready", "", 0, "ready"},
		{"-ERR no service for you", mail.CodeGreeting, mail.Transient, ""},
		{"-ERR", mail.CodeGreeting, mail.Transient, ""},
		{"-ERR [SYS/TEMP] overloaded", mail.CodeSysTemp, mail.Transient, ""},
		{"-ERR [SYS/PERM] closed for good", mail.CodeSysPerm, mail.NeedsUser, ""},
		{"-ERR [LOGIN-DELAY] too soon", mail.CodeLoginDelay, mail.Transient, ""},
		{"220 this is SMTP", mail.CodeProtocol, mail.Transient, ""},
		{"+", mail.CodeProtocol, mail.Transient, ""},
	}
	for _, tt := range tests {
		t.Run(tt.greeting, func(t *testing.T) {
			p := serve(t, mailtest.POP3Options{Greeting: tt.greeting})
			s, err := Dial(t.Context(), options(p))
			if tt.code != "" {
				want(t, err, tt.code, tt.class)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Capabilities().Greeting; got != tt.text {
				t.Errorf("%q", got)
			}
			_ = s.Close()
		})
	}
}

// A failed Dial leaves no connection behind.
func TestDialLeavesNoSocket(t *testing.T) {
	for _, greeting := range []string{"-ERR no", "hello", "+OK ready"} {
		p := serve(t, mailtest.POP3Options{Greeting: greeting})
		o := options(p)
		o.Password = "wrong"
		var conn *closingConn
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			conn = &closingConn{Conn: c}
			return conn, err
		}
		if _, err := Dial(t.Context(), o); err == nil {
			t.Fatal("signed in")
		}
		if !conn.closed {
			t.Error(greeting, "leaks its connection")
		}
	}
}

type closingConn struct {
	net.Conn
	closed bool
}

func (c *closingConn) Close() error {
	c.closed = true
	return c.Conn.Close()
}

func TestCapabilities(t *testing.T) {
	p := serve(t, mailtest.POP3Options{LoginDelay: 90 * time.Second, Expire: "30 USER", NoTOP: true})
	c := dial(t, options(p)).Capabilities()
	if !c.Pipelining || !c.UIDL || c.TOP || c.LoginDelay != 90*time.Second || c.Expire != "30 USER" {
		t.Errorf("%+v", c)
	}
	p = serve(t, mailtest.POP3Options{NoCAPA: true})
	c = dial(t, options(p)).Capabilities()
	if c.Pipelining || c.UIDL || c.TOP || c.LoginDelay != 0 {
		t.Errorf("%+v", c)
	}
	// What holds after the sign-in counts.
	p = serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("CAPA", 2, mailtest.POP3Reply("+OK\r\ntop\r\nLOGIN-DELAY x\r\n\r\nSASL\r\nEXPIRE\r\n."))})
	s := dial(t, options(p))
	if _, err := s.List(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = s.Capabilities()
	if c.Pipelining || c.UIDL || !c.TOP || c.LoginDelay != 0 {
		t.Errorf("%+v", c)
	}
}

// Where several commands go in one packet, what holds after the sign-in is asked
// for together with the listing.
func TestCapabilitiesAreAskedForWithTheListing(t *testing.T) {
	for _, tt := range []struct {
		options           mailtest.POP3Options
		signedIn, listing []string
	}{
		{mailtest.POP3Options{}, []string{"CAPA"}, []string{"CAPA", "STAT", "LIST", "UIDL"}},
		{mailtest.POP3Options{NoPipelining: true}, []string{"CAPA", "CAPA"}, []string{"STAT", "LIST", "UIDL"}},
	} {
		p := serve(t, tt.options)
		s := dial(t, options(p))
		signedIn := asked(p)
		if _, err := s.List(t.Context()); err != nil {
			t.Fatal(err)
		}
		if listing := asked(p)[len(signedIn):]; !slices.Equal(signedIn, tt.signedIn) || !slices.Equal(listing, tt.listing) {
			t.Errorf("%v, %v, want %v, %v", signedIn, listing, tt.signedIn, tt.listing)
		}
	}
}

// asked are the commands so far but those of the sign-in.
func asked(p *mailtest.POP3) (verbs []string) {
	for _, c := range p.Commands() {
		switch c.Verb {
		case "GREETING", "USER", "PASS", "AUTH":
		default:
			verbs = append(verbs, c.Verb)
		}
	}
	return verbs
}

// rule 9: one session per mailbox, LOGIN-DELAY respected by the words of the server.
func TestRule9_InUseAndLoginDelay(t *testing.T) {
	p := serve(t, mailtest.POP3Options{})
	first := dial(t, options(p))
	_, err := Dial(t.Context(), options(p))
	want(t, err, mail.CodeInUse, mail.Transient)
	if err := first.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	dial(t, options(p))

	p = serve(t, mailtest.POP3Options{LoginDelay: time.Hour})
	if err := dial(t, options(p)).Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = Dial(t.Context(), options(p))
	want(t, err, mail.CodeLoginDelay, mail.Transient)
}

func TestConnectFaults(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	_, err = Dial(t.Context(), Options{Host: "127.0.0.1", Port: port, Security: SecurityNone})
	want(t, err, mail.CodeConnect, mail.Transient)

	unknown := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
	}
	_, err = Dial(t.Context(), Options{Host: "pop.nowhere.test", Dial: unknown})
	want(t, err, mail.CodeDNS, mail.Transient)

	_, err = Dial(t.Context(), Options{Host: "x", Security: "ssl"})
	want(t, err, mail.CodeInternal, mail.NeedsUser)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Dial(ctx, Options{Host: "127.0.0.1", Port: port})
	want(t, err, mail.CodeCancelled, mail.Transient)

	slow := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	_, err = Dial(t.Context(), Options{Host: "x", Dial: slow, Timeouts: Timeouts{Connect: time.Millisecond}})
	want(t, err, mail.CodeTimeout, mail.Transient)
}

func TestSteps(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	for _, tt := range []struct {
		server   mailtest.POP3Options
		security string
		password string
		steps    string
	}{
		{mailtest.POP3Options{}, SecurityNone, testPassword, "dns connect login"},
		{mailtest.POP3Options{ImplicitTLS: true}, SecurityTLS, testPassword, "dns connect tls login"},
		{mailtest.POP3Options{STLS: true}, SecuritySTARTTLS, testPassword, "dns connect tls login"},
		{mailtest.POP3Options{}, SecurityTLS, testPassword, "dns connect tls"},
		{mailtest.POP3Options{}, SecurityNone, "wrong", "dns connect login"},
		{mailtest.POP3Options{Greeting: "-ERR"}, SecurityNone, testPassword, "dns connect"},
		{mailtest.POP3Options{Greeting: "-ERR", ImplicitTLS: true}, SecurityTLS, testPassword, "dns connect tls login"},
	} {
		tt.server.Certificate = cert
		p := serve(t, tt.server)
		var steps []string
		o := options(p)
		o.Security, o.TLSPin, o.Password = tt.security, pinOf(cert), tt.password
		o.Step = func(s string) { steps = append(steps, s) }
		if s, err := Dial(t.Context(), o); err == nil {
			_ = s.Close()
		}
		if !slices.Equal(steps, strings.Fields(tt.steps)) {
			t.Errorf("%q, want %s", steps, tt.steps)
		}
	}
}

// The context of a call governs that call only.
func TestContextOfOneCall(t *testing.T) {
	p := serve(t, mailtest.POP3Options{}, "one\r\n")
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Dial(ctx, options(p))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	list(t, s)
	if err := s.Noop(ctx); err == nil {
		t.Fatal("a cancelled call succeeded")
	} else {
		want(t, err, mail.CodeCancelled, mail.Transient)
	}
	wantDead(t, s)
}

func TestSessionCap(t *testing.T) { // rule 9: a cap per session
	p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("NOOP", 1, mailtest.POP3Silent())})
	s := dial(t, options(p))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	want(t, s.Noop(ctx), mail.CodeTimeout, mail.Transient)
	wantDead(t, s)
}

func TestCloseFromAnotherGoroutine(t *testing.T) {
	var s *Session
	p := serve(t, mailtest.POP3Options{})
	s = dial(t, options(p))
	p.Script(func(mailtest.POP3Command) *mailtest.POP3Fault {
		go s.Close()
		return mailtest.POP3Silent()
	})
	want(t, s.Noop(t.Context()), mail.CodeClosed, mail.Transient)
	_ = s.Close()
}
