package pop3

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// The values of Options.Security.
const (
	SecurityTLS      = "tls"      // implicit TLS, port 995 (RFC 8314)
	SecuritySTARTTLS = "starttls" // STLS on port 110 is mandatory (RFC 2595 section 4)
	SecurityNone     = "none"     // an unencrypted line
)

// The values of Options.Auth.
const (
	AuthAuto    = "auto"     // the best that the server offers
	AuthUser    = "user"     // USER and PASS (RFC 1939 section 7)
	AuthAPOP    = "apop"     // RFC 1939 section 7
	AuthPlain   = "plain"    // SASL PLAIN (RFC 4616)
	AuthLogin   = "login"    // SASL LOGIN
	AuthCRAMMD5 = "cram-md5" // SASL CRAM-MD5 (RFC 2195)
	AuthXOAUTH2 = "xoauth2"  // SASL XOAUTH2, Password is the access token
)

// Options describe one mailbox at a provider.
type Options struct {
	Host     string
	Port     int    // 0: 995 with SecurityTLS, else 110
	Security string // "" is SecurityTLS

	ServerName string // name that the certificate must carry, "" is Host
	CAFile     string // PEM file with further roots
	TLSPin     string // "sha256:" + hex of the DER leaf; replaces name and date checks

	Username string
	Password string // or the OAuth access token
	Auth     string // "" is AuthAuto

	// AllowPlaintextPassword permits USER/PASS, PLAIN, LOGIN and XOAUTH2 over
	// an unencrypted line (rule 5).
	AllowPlaintextPassword bool

	Timeouts Timeouts
	MaxLine  int // octets of a status or listing line, 0: 8192
	MaxItems int // messages of one listing, 0: 500,000; further ones wait for the next session
	Window   int // commands under way where the server has PIPELINING, 0: 64; 1 switches pipelining off

	Log *slog.Logger

	// Transcript gets each line with "C: " or "S: " before it, passwords
	// hidden, listings and messages left out (their size is noted).
	Transcript io.Writer

	// Dial replaces the name's lookup and the dial of TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Step is called when a step of the sign-in begins: "dns", "connect",
	// "tls", "login". When Dial fails, the last step begun is the one that
	// failed.
	Step func(step string)
}

// Timeouts limit how long the server may be silent. Each counts anew with
// every line, and with every read of a message body (rule 9); the cap for a
// whole session is the caller's context.
type Timeouts struct {
	Connect  time.Duration // name, TCP and each TLS handshake; default 30 s
	Greeting time.Duration // servers look the client up and slow it down first; default 60 s
	Login    time.Duration // servers delay wrong passwords and wait for the mailbox lock; default 90 s
	Reply    time.Duration // any other status line, and every write; default 60 s
	List     time.Duration // first line of LIST and UIDL: some servers read every message first; default 3 min
	Data     time.Duration // each read within a message; default 60 s
	Quit     time.Duration // the server removes the messages before it answers; default 3 min
}

func orDefault(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

func (o Options) withDefaults() Options {
	if o.Security == "" {
		o.Security = SecurityTLS
	}
	if o.Auth == "" {
		o.Auth = AuthAuto
	}
	if o.Port == 0 {
		o.Port = 110
		if o.Security == SecurityTLS {
			o.Port = 995
		}
	}
	if o.ServerName == "" {
		o.ServerName = o.Host
	}
	if o.MaxLine <= 0 {
		o.MaxLine = 8192
	}
	o.MaxLine = min(max(o.MaxLine, 512), bufferSize/2)
	if o.MaxItems <= 0 {
		o.MaxItems = 500_000
	}
	if o.Window <= 0 {
		o.Window = 64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	t := &o.Timeouts
	orDefault(&t.Connect, 30*time.Second)
	orDefault(&t.Greeting, 60*time.Second)
	orDefault(&t.Login, 90*time.Second)
	orDefault(&t.Reply, 60*time.Second)
	orDefault(&t.List, 3*time.Minute)
	orDefault(&t.Data, 60*time.Second)
	orDefault(&t.Quit, 3*time.Minute)
	return o
}

// Address is where Dial connects to, as host:port.
func (o Options) Address() string { return o.withDefaults().address() }

func (o Options) address() string {
	host := strings.TrimSuffix(strings.TrimPrefix(o.Host, "["), "]")
	return net.JoinHostPort(host, strconv.Itoa(o.Port))
}
