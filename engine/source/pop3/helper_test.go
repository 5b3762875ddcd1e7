package pop3

import (
	"context"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/source"
)

const (
	testUser     = "office-42"
	testPassword = "sEcret-word 42"
)

// serve starts a server with the mailbox office-42 and the given messages.
func serve(t testing.TB, o mailtest.POP3Options, messages ...string) *mailtest.POP3 {
	t.Helper()
	if o.Users == nil {
		o.Users = map[string]string{testUser: testPassword}
	}
	o.Record = true
	p, err := mailtest.NewPOP3(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for _, m := range messages {
		p.AddMessage(testUser, "", []byte(m))
	}
	return p
}

// options reach p over an unencrypted line, with short timeouts.
func options(p *mailtest.POP3) Options {
	short := 5 * time.Second
	return Options{
		Host: p.Host(), Port: p.Port(), Security: SecurityNone, AllowPlaintextPassword: true,
		Username: testUser, Password: testPassword,
		Timeouts: Timeouts{Connect: short, Greeting: short, Login: short, Reply: short, List: short, Data: short, Quit: short},
	}
}

func dial(t testing.TB, o Options) *Session {
	t.Helper()
	s, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func list(t testing.TB, s *Session) source.Listing {
	t.Helper()
	l, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fetchAll returns the bodies, or the error text of refused messages.
func fetchAll(ctx context.Context, s *Session, items []source.Item) ([]string, error) {
	var out []string
	err := s.Fetch(ctx, items, 0, func(_ source.Item, body io.Reader, err error) error {
		if err != nil {
			out = append(out, "refused: "+mail.AsFailure(err).Reply)
			return nil
		}
		data, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		out = append(out, string(data))
		return nil
	})
	return out, err
}

// want checks code and class of an error.
func want(t testing.TB, err error, code mail.Code, class mail.Class) *mail.Failure {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", code)
	}
	f, ok := err.(*mail.Failure)
	if !ok {
		t.Fatalf("%T %v is no *mail.Failure", err, err)
	}
	if f.Code != code || f.Class != class {
		t.Fatalf("got %s %s (%v), want %s %s", f.Class, f.Code, f, class, code)
	}
	return f
}

// wantDead checks that nothing can be said in the session any more.
func wantDead(t testing.TB, s *Session) {
	t.Helper()
	if err := s.Noop(t.Context()); err == nil {
		t.Fatal("NOOP in a dead session")
	}
	if done, err := s.Delete(t.Context(), []source.Item{{Number: 1}}); err == nil || len(done) > 0 {
		t.Fatal("DELE in a dead session")
	}
	if err := s.Quit(t.Context()); err == nil {
		t.Fatal("QUIT in a dead session")
	}
}

func certificate(t testing.TB, o mailtest.CertificateOptions) (*tls.Certificate, []byte) {
	t.Helper()
	cert, roots, err := mailtest.NewCertificate(o)
	if err != nil {
		t.Fatal(err)
	}
	return &cert, roots
}

func said(p *mailtest.POP3, verb string) int {
	n := 0
	for _, c := range p.Commands() {
		if c.Verb == verb {
			n++
		}
	}
	return n
}

// leaked tells whether the password went over the line in a form that others can read.
func leaked(p *mailtest.POP3) bool {
	for _, line := range p.Transcript() {
		if strings.Contains(line, testPassword) {
			return true
		}
	}
	return false
}
