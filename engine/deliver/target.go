package deliver

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"

	"postbag/engine/mail"
)

// Words of Target.
const (
	ProtocolSMTP = "smtp"
	ProtocolLMTP = "lmtp"

	SecurityTLS      = "tls"
	SecuritySTARTTLS = "starttls"
	SecurityNone     = "none"

	AuthNone    = "none"
	AuthPlain   = "plain"
	AuthLogin   = "login"
	AuthCRAMMD5 = "cram-md5"
	AuthXOAUTH2 = "xoauth2"
)

// Target is one office server. The words of Protocol, Security and Auth are
// those of the configuration; empty ones mean smtp, none and none.
type Target struct {
	Name, Host                 string
	Port                       int
	Protocol, Security, Auth   string
	Username, Secret           string // Secret is the password, or the OAuth token for xoauth2
	ServerName, CAFile, TLSPin string // see tlspolicy.Policy; ServerName "" = Host
	AllowPlaintextPassword     bool   // rule 5
	Connections                int    // 0: adapts between 2 and 8
	Sender                     string // rule 41: envelope sender when the original one is refused
	HeloName                   string // "": the host name if it is a full one, else the address in brackets
}

func (t Target) address() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }
func (t Target) lmtp() bool      { return t.Protocol == ProtocolLMTP }

// Timeouts limit how long a server may be silent. The zero value of a field
// means its default. RFC 5321 section 4.5.3.2 gives the lower bounds (rule 46).
type Timeouts struct {
	Connect   time.Duration // TCP connection to one address; 30 s
	Handshake time.Duration // TLS; 1 min
	Greeting  time.Duration // 4.5.3.2.1: 5 min
	Command   time.Duration // EHLO, STARTTLS, AUTH, RSET; 5 min
	Mail      time.Duration // 4.5.3.2.2: 5 min
	Rcpt      time.Duration // 4.5.3.2.3: 5 min
	Data      time.Duration // 4.5.3.2.4: 2 min
	Block     time.Duration // 4.5.3.2.5: 3 min, for every write
	FinalDot  time.Duration // 4.5.3.2.6: 10 min
	StopDot   time.Duration // rule 9: the same while the program stops; 20 s
	Quit      time.Duration // the message is safe by then; 2 s
	Behind    time.Duration // for commands behind a final dot, until such were answered once; 30 s
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&t.Connect, 30*time.Second)
	set(&t.Handshake, time.Minute)
	set(&t.Greeting, 5*time.Minute)
	set(&t.Command, 5*time.Minute)
	set(&t.Mail, 5*time.Minute)
	set(&t.Rcpt, 5*time.Minute)
	set(&t.Data, 2*time.Minute)
	set(&t.Block, 3*time.Minute)
	set(&t.FinalDot, 10*time.Minute)
	set(&t.StopDot, 20*time.Second)
	set(&t.Quit, 2*time.Second)
	set(&t.Behind, 30*time.Second)
	return t
}

// Options are what a Conn needs besides its Target; the zero value works.
type Options struct {
	Timeouts   Timeouts
	Dial       func(ctx context.Context, network, address string) (net.Conn, error)
	Log        *slog.Logger
	Transcript io.Writer // whole lines of the session, without passwords and message data; shared by the connections of a Pool
	// Step is told each finished step of Dial for the command check: dns,
	// connect, tls, ehlo, starttls, auth. detail is free text of the server or
	// the protocol version; err is nil or the *mail.Failure that Dial returns.
	Step func(step, detail string, err error)

	number   int       // of the connection in its pool
	grouping *grouping // of the pool: MAIL, RCPT and DATA together
	behind   *grouping // of the pool: the same behind a final dot
}

func (o Options) withDefaults() Options {
	o.Timeouts = o.Timeouts.withDefaults()
	if o.Dial == nil {
		d := &net.Dialer{Timeout: o.Timeouts.Connect}
		o.Dial = d.DialContext
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Step == nil {
		o.Step = func(string, string, error) {}
	}
	if o.grouping == nil {
		o.grouping = new(grouping)
	}
	if o.behind == nil {
		o.behind = new(grouping)
	}
	return o
}

// Letter is one message for Conn.Send.
type Letter struct {
	Job mail.Job
	// Trace is prepended to the message: whole header lines with CRLF ends.
	Trace []byte
	// Open yields the stored message; it is called once per transaction and
	// the reader is closed in the end.
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Barrier, if not nil, is called before the final dot is sent. When it
	// fails the dot is not sent and the connection is dropped.
	Barrier func(ctx context.Context) error
	// Next, if not nil, is called when the final dot is about to be sent, and
	// yields the letter that will be given to Send next, if that is known. Where
	// the server allows it, its MAIL, RCPT and DATA go out behind the dot.
	Next func() (Letter, bool)
}
