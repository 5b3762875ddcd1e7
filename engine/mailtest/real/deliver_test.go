//go:build linux

package real_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/mailtest/real"
	"postbag/engine/mailtest/sample"
)

const trace = "Received: from pop.isp.test by postbag.office.test with POP3 (Postbag)\r\n\tid X; now\r\nX-Postbag-Loop: 1\r\n"

// target is the office server at addr.
func target(t *testing.T, addr string) deliver.Target {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return deliver.Target{Name: "office", Host: host, Port: n}
}

func connect(t *testing.T, to deliver.Target) *deliver.Conn {
	t.Helper()
	c, err := deliver.Dial(t.Context(), to, deliver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func letter(message []byte, addresses ...string) deliver.Letter {
	l := deliver.Letter{
		Job: mail.Job{ID: "X", Target: "office", Sender: "ada@sender.test", Size: int64(len(message))}, Trace: []byte(trace),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(message)), nil },
	}
	for i, a := range addresses {
		l.Job.Copies = append(l.Job.Copies, mail.Copy{ID: int64(i), Address: a, Attempts: 1})
	}
	return l
}

// verdicts sends a letter and returns what became of each copy.
func verdicts(t *testing.T, c *deliver.Conn, l deliver.Letter) []mail.Verdict {
	t.Helper()
	out, err := c.Send(t.Context(), l)
	if err != nil {
		t.Errorf("send: %v", err)
	}
	var got []mail.Verdict
	for _, o := range out {
		got = append(got, o.Verdict)
	}
	return got
}

// TestPostfixDelivery meets every way of securing the line and signing in, and
// a reply for each recipient. rule 43
func TestPostfixDelivery(t *testing.T) {
	t.Parallel()
	const user, password = "connector", "s3cret é"
	d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{user: password}})
	p := real.StartPostfix(t, real.PostfixOptions{
		Users: []string{"anne@office.test", "late@office.test", "full@office.test"}, Auth: d,
		Replies: map[string]string{"late@office.test": "450 4.2.1 later", "full@office.test": "552 5.2.2 mailbox full"},
	})
	sent := 0
	for _, security := range []string{deliver.SecurityTLS, deliver.SecuritySTARTTLS, deliver.SecurityNone} {
		for _, auth := range []string{deliver.AuthPlain, deliver.AuthLogin, deliver.AuthCRAMMD5, deliver.AuthXOAUTH2} {
			sent++
			t.Run(security+" "+auth, func(t *testing.T) {
				to := target(t, p.Addr)
				if security == deliver.SecurityTLS {
					to = target(t, p.TLSAddr)
				}
				to.Security, to.Auth, to.Username, to.Secret = security, auth, user, password
				to.CAFile, to.ServerName, to.AllowPlaintextPassword = p.CAFile, "mail.office.test", true
				bad := to
				bad.Secret = "wrong"
				if auth == deliver.AuthXOAUTH2 {
					to.Secret = d.Token(user, time.Now().Add(time.Hour))
				}
				m := fmt.Appendf(nil, "Subject: %s %s\r\n\r\nx\r\n", security, auth)
				got := verdicts(t, connect(t, to), letter(m, "anne@office.test", "ghost@office.test", "late@office.test", "full@office.test"))
				want := []mail.Verdict{mail.Accepted, mail.NoSuchUser, mail.Deferred, mail.Refused}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("verdicts %v, want %v", got, want)
				}
				_, err := deliver.Dial(t.Context(), bad, deliver.Options{})
				if f := mail.AsFailure(err); err == nil || f.Class != mail.NeedsUser || f.Code != mail.CodeTargetAuth {
					t.Errorf("wrong password: %v", err)
				}
			})
		}
	}
	p.Settle()
	if n := len(p.Maildir("anne@office.test")); n != sent {
		t.Errorf("anne has %d messages of %d", n, sent)
	}
}

// TestSampleDelivered sends the sample mail as it comes, lone CR and LF and all,
// to a Postfix that refuses a lone LF, and over LMTP to Dovecot. rules 38, 39 and 40
func TestSampleDelivered(t *testing.T) {
	t.Parallel()
	const anne, bob = "anne@office.test", "bob@office.test"
	messages := sample.Generate(21, 120, sample.Default())
	p := real.StartPostfix(t, real.PostfixOptions{Users: []string{anne, bob}})
	d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{anne: "x", bob: "x"}})
	lmtp := target(t, d.LMTPAddr)
	lmtp.Protocol = deliver.ProtocolLMTP
	for name, to := range map[string]deliver.Target{"Postfix": target(t, p.Addr), "Dovecot": lmtp} {
		c := connect(t, to)
		for i, m := range messages {
			if got := verdicts(t, c, letter(m.Bytes, anne, bob)); fmt.Sprint(got) != fmt.Sprint([]mail.Verdict{mail.Accepted, mail.Accepted}) {
				t.Fatalf("%s: message %d (%s): %v", name, i, m.Kind, got)
			}
		}
	}
	for i := range messages {
		messages[i].First, messages[i].For = i, []string{anne, bob}
	}
	p.Settle()
	for name, got := range map[string]map[string][][]byte{
		"Postfix": {anne: p.Maildir(anne), bob: p.Maildir(bob)},
		"Dovecot": {anne: d.Messages(anne), bob: d.Messages(bob)},
	} {
		for _, fault := range sample.Check(messages, got) {
			t.Errorf("%s: %.1500s", name, fault)
		}
	}
}
