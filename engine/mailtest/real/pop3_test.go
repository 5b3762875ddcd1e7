//go:build linux

package real_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest/conformance"
	"postbag/engine/mailtest/real"
	"postbag/engine/source"
	"postbag/engine/source/pop3"
)

// pop3Options are those of one way to Dovecot.
func pop3Options(t *testing.T, d *real.Dovecot, security, auth, user, password string) pop3.Options {
	t.Helper()
	addr := d.POP3Addr
	if security == pop3.SecurityTLS {
		addr = d.POP3SAddr
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return pop3.Options{
		Host: host, Port: n, Security: security, CAFile: d.CAFile, ServerName: "pop.isp.test",
		Auth: auth, Username: user, Password: password, AllowPlaintextPassword: true,
	}
}

// TestDovecotPOP3 runs the suite of the fake against Dovecot, for each way of
// securing the line, with an empty mailbox for each part.
func TestDovecotPOP3(t *testing.T) {
	t.Parallel()
	users := map[string]string{}
	for i := range 60 {
		users[fmt.Sprintf("user%d", i)] = "secret"
	}
	d := real.StartDovecot(t, real.DovecotOptions{Users: users})
	next := 0
	for _, security := range []string{pop3.SecurityTLS, pop3.SecuritySTARTTLS, pop3.SecurityNone} {
		t.Run(security, func(t *testing.T) {
			conformance.Source(t, func(t *testing.T) conformance.SourceServer {
				user := fmt.Sprintf("user%d", next)
				next++
				o := pop3Options(t, d, security, pop3.AuthAuto, user, "secret")
				return conformance.SourceServer{
					Open:  func(ctx context.Context) (source.Session, error) { return pop3.Dial(ctx, o) },
					Add:   func(message []byte) { d.AddMessage(user, message) },
					Count: func() int { return d.Count(user) },
				}
			})
		})
	}
}

// TestDovecotSignIn tries every sign-in, with a good and with a bad password.
// rules 5, 7 and 8
func TestDovecotSignIn(t *testing.T) {
	t.Parallel()
	const user, password = "anne", "s3cret ~é"
	d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{user: password}})
	d.AddMessage(user, []byte("Subject: x\r\n\r\nHello\r\n"))
	ways := []string{pop3.AuthAuto, pop3.AuthUser, pop3.AuthAPOP, pop3.AuthPlain, pop3.AuthLogin, pop3.AuthCRAMMD5, pop3.AuthXOAUTH2}
	for _, auth := range ways {
		for _, security := range []string{pop3.SecurityTLS, pop3.SecurityNone} {
			t.Run(auth+" "+security, func(t *testing.T) {
				good, bad := password, "wrong"
				if auth == pop3.AuthXOAUTH2 {
					good, bad = d.Token(user, time.Now().Add(time.Hour)), d.Token(user, time.Now().Add(-time.Hour))
				}
				s, err := pop3.Dial(t.Context(), pop3Options(t, d, security, auth, user, good))
				if err != nil {
					t.Fatal(err)
				}
				if l, err := s.List(t.Context()); err != nil || l.Count != 1 {
					t.Errorf("%+v, %v", l, err)
				}
				if err := s.Quit(t.Context()); err != nil {
					t.Error(err)
				}
				_, err = pop3.Dial(t.Context(), pop3Options(t, d, security, auth, user, bad))
				if f := mail.AsFailure(err); err == nil || f.Class != mail.NeedsUser || f.Code != mail.CodeAuth {
					t.Errorf("wrong password: %v", err)
				}
			})
		}
	}
}

// TestDovecotInUse meets a mailbox that another session holds. rule 8
func TestDovecotInUse(t *testing.T) {
	t.Parallel()
	d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{"anne": "x"}, LockSession: true})
	o := pop3Options(t, d, pop3.SecurityTLS, pop3.AuthAuto, "anne", "x")
	first, err := pop3.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	_, err = pop3.Dial(t.Context(), o)
	if f := mail.AsFailure(err); err == nil || f.Class != mail.Transient || f.Code != mail.CodeInUse {
		t.Errorf("a second session: %v", err)
	}
}
