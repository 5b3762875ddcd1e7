//go:build linux

package real_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"strings"
	"testing"
	"time"

	"postbag/engine/mailtest/real"
)

// line speaks a line protocol the way a person with telnet would.
type line struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string, conf *tls.Config) *line {
	t.Helper()
	var c net.Conn
	var err error
	if conf != nil {
		c, err = tls.Dial("tcp", addr, conf)
	} else {
		c, err = net.Dial("tcp", addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	l := &line{t: t, c: c, r: bufio.NewReader(c)}
	l.read()
	return l
}

// w writes to the server with a buffer.
func (l *line) w() *bufio.Writer { return bufio.NewWriter(l.c) }

func (l *line) read() string {
	l.t.Helper()
	_ = l.c.SetReadDeadline(time.Now().Add(20 * time.Second))
	s, err := l.r.ReadString('\n')
	if err != nil {
		l.t.Fatalf("read: %v", err)
	}
	return strings.TrimRight(s, "\r\n")
}

func (l *line) ask(command, want string) string {
	l.t.Helper()
	if _, err := fmt.Fprintf(l.c, "%s\r\n", command); err != nil {
		l.t.Fatal(err)
	}
	got := l.read()
	if !strings.HasPrefix(got, want) {
		l.t.Fatalf("%q: got %q, want %q...", command, got, want)
	}
	return got
}

func roots(t *testing.T, file, name string) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in CAFile")
	}
	return &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12}
}

func TestDovecot(t *testing.T) {
	t.Parallel()
	d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{"office-42": "secret", "anne": "s3cret é"}})
	for i := range 12 {
		d.AddMessage("office-42", fmt.Appendf(nil, "Subject: %d\r\n\r\nHello\r\n", i))
	}
	if n := d.Count("office-42"); n != 12 {
		t.Fatalf("Count = %d, want 12", n)
	}

	t.Run("POP3S keeps the order and deletes at QUIT", func(t *testing.T) {
		l := dial(t, d.POP3SAddr, roots(t, d.CAFile, "pop.isp.test"))
		l.ask("USER office-42", "+OK")
		l.ask("PASS secret", "+OK")
		l.ask("STAT", "+OK 12 ")
		l.ask("RETR 11", "+OK")
		if got := l.read(); got != "Subject: 10" {
			t.Errorf("message 11 is %q", got)
		}
		for l.read() != "." {
		}
		l.ask("DELE 1", "+OK")
		l.ask("QUIT", "+OK")
		real.Eventually(t, 10*time.Second, "the deletion", func() bool { return d.Count("office-42") == 11 })
	})
	t.Run("STLS", func(t *testing.T) {
		l := dial(t, d.POP3Addr, nil)
		l.ask("STLS", "+OK")
		c := tls.Client(l.c, roots(t, d.CAFile, "127.0.0.1"))
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("wrong passwords are refused at once", func(t *testing.T) {
		start := time.Now()
		for range 5 {
			l := dial(t, d.POP3Addr, nil)
			l.ask("USER anne", "+OK")
			l.ask("PASS wrong", "-ERR [AUTH]")
		}
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("five wrong passwords took %v", took)
		}
	})
	t.Run("XOAUTH2", func(t *testing.T) {
		good := xoauth2("anne", d.Token("anne", time.Now().Add(time.Hour)))
		dial(t, d.POP3Addr, nil).ask("AUTH XOAUTH2 "+good, "+OK")
		l := dial(t, d.POP3Addr, nil)
		bad := xoauth2("anne", d.Token("anne", time.Now().Add(-time.Hour)))
		l.ask("AUTH XOAUTH2 "+bad, "+ ") // the fault as JSON
		l.ask("", "-ERR")
	})
	t.Run("LMTP", func(t *testing.T) {
		before := d.Count("anne")
		l := dial(t, d.LMTPAddr, nil)
		l.ask("LHLO test", "250")
		for strings.HasPrefix(l.read(), "250-") {
		}
		l.ask("MAIL FROM:<a@b.test>", "250")
		l.ask("RCPT TO:<anne>", "250")
		l.ask("RCPT TO:<ghost>", "550")
		l.ask("DATA", "354")
		l.ask("Subject: x\r\n\r\nHello\r\n.", "250")
		if got := d.Count("anne"); got != before+1 {
			t.Errorf("LMTP delivered %d messages", got-before)
		}
	})
	t.Run("stop and start", func(t *testing.T) {
		d.Stop()
		if c, err := net.Dial("tcp", d.POP3Addr); err == nil {
			_ = c.Close()
			t.Fatal("still answers after Stop")
		}
		d.Start()
		dial(t, d.POP3Addr, nil).ask("QUIT", "+OK")
	})
}

func xoauth2(user, token string) string {
	return base64.StdEncoding.EncodeToString([]byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01"))
}

func TestPostfix(t *testing.T) {
	t.Parallel()
	p := real.StartPostfix(t, real.PostfixOptions{
		Users:   []string{"anne@office.test", "bob@office.test", "late@office.test"},
		Replies: map[string]string{"late@office.test": "450 4.2.1 come back later"},
	})
	l := dial(t, p.Addr, nil)
	l.ask("HELO test", "250")
	l.ask("MAIL FROM:<>", "250")
	l.ask("RCPT TO:<anne@office.test>", "250")
	l.ask("RCPT TO:<ghost@office.test>", "550 5.1.1")
	l.ask("RCPT TO:<late@office.test>", "450 4.2.1 ")
	l.ask("RCPT TO:<x@elsewhere.test>", "554 5.7.1")
	l.ask("DATA", "354")
	l.ask("Subject: x\r\n\r\n..dot\r\n.", "250")
	p.Settle()
	got := p.Maildir("anne@office.test")
	if len(got) != 1 || !strings.HasSuffix(string(got[0]), "Subject: x\n\n.dot\n") {
		t.Fatalf("anne has %q", got)
	}
	if n := len(p.Maildir("bob@office.test")); n != 0 {
		t.Errorf("bob has %d messages", n)
	}
	// rule 39: the office server refuses a lone LF.
	l.ask("MAIL FROM:<>", "250")
	l.ask("RCPT TO:<anne@office.test>", "250")
	l.ask("DATA", "354")
	l.ask("Subject: x\n\r\n.", "550 5.5.2")

	p.Stop()
	if c, err := net.Dial("tcp", p.Addr); err == nil {
		_ = c.Close()
		t.Fatal("still answers after Stop")
	}
	p.Start()
	dial(t, p.TLSAddr, roots(t, p.CAFile, "mail.office.test")).ask("QUIT", "221")
}

func TestPostfixAuth(t *testing.T) {
	t.Parallel()
	d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{"connector": "secret"}})
	p := real.StartPostfix(t, real.PostfixOptions{Users: []string{"anne@office.test"}, Auth: d, TLSOnly: true})
	c, err := smtp.Dial(p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if ok, _ := c.Extension("AUTH"); ok {
		t.Error("AUTH is offered before STARTTLS")
	}
	if err := c.StartTLS(roots(t, p.CAFile, "mail.office.test")); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@b.test"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("anne@office.test"); err == nil {
		t.Error("a recipient is accepted without a sign-in")
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := c.Auth(smtp.CRAMMD5Auth("connector", "secret")); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("a@b.test"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("anne@office.test"); err != nil {
		t.Error(err)
	}
}
