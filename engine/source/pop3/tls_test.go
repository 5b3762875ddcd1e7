package pop3

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mail/tlspolicy"
	"postbag/engine/mailtest"
)

func pinOf(cert *tls.Certificate) string { return tlspolicy.Fingerprint(cert.Leaf) }

func rootsFile(t *testing.T, pem []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// rules 5, 6: every fault of a certificate stops the mailbox before a password
// is said; the certificate shown can be pinned; a changed pin stops again.
func TestRule6_Certificates(t *testing.T) {
	good, roots := certificate(t, mailtest.CertificateOptions{})
	other, otherRoots := certificate(t, mailtest.CertificateOptions{Hosts: []string{"pop.elsewhere.test"}})
	old, oldRoots := certificate(t, mailtest.CertificateOptions{NotAfter: time.Now().Add(-time.Minute)})
	early, earlyRoots := certificate(t, mailtest.CertificateOptions{NotBefore: time.Now().Add(time.Hour), NotAfter: time.Now().Add(2 * time.Hour)})
	tests := []struct {
		name  string
		cert  *tls.Certificate
		roots []byte
		sni   string
		pin   string
		code  mail.Code
	}{
		{"trusted", good, roots, "", "", ""},
		{"untrusted", good, nil, "", "", mail.CodeTLSUntrusted},
		{"other root", good, otherRoots, "", "", mail.CodeTLSUntrusted},
		{"name", other, otherRoots, "", "", mail.CodeTLSName},
		{"server_name", other, otherRoots, "pop.elsewhere.test", "", ""},
		{"expired", old, oldRoots, "", "", mail.CodeTLSExpired},
		{"not yet valid", early, earlyRoots, "", "", mail.CodeTLSExpired},
		{"pinned, untrusted", good, nil, "", pinOf(good), ""},
		{"pinned, other name", other, nil, "", pinOf(other), ""},
		{"pinned, expired", old, nil, "", pinOf(old), ""},
		{"changed", good, roots, "", pinOf(other), mail.CodeTLSPin},
		{"malformed pin", good, roots, "", "sha256:xyz", mail.CodeTLSPin},
	}
	for _, security := range []string{SecurityTLS, SecuritySTARTTLS} {
		for _, tt := range tests {
			t.Run(security+" "+tt.name, func(t *testing.T) {
				p := serve(t, mailtest.POP3Options{Certificate: tt.cert, ImplicitTLS: security == SecurityTLS, STLS: security == SecuritySTARTTLS})
				o := options(p)
				o.Security, o.ServerName, o.TLSPin, o.AllowPlaintextPassword = security, tt.sni, tt.pin, false
				if tt.roots != nil {
					o.CAFile = rootsFile(t, tt.roots)
				}
				s, err := Dial(t.Context(), o)
				if tt.code == "" {
					if err != nil {
						t.Fatal(err)
					}
					_ = s.Close()
					return
				}
				f := want(t, err, tt.code, mail.NeedsUser)
				if said(p, "USER")+said(p, "AUTH") > 0 {
					t.Fatal("signed in over a bad line")
				}
				if tt.name == "malformed pin" {
					return
				}
				shown, ok := tlspolicy.CertificateOf(f)
				if !ok || shown.Fingerprint != pinOf(tt.cert) {
					t.Fatalf("no fingerprint to offer: %+v %v", shown, ok)
				}
				o.TLSPin = shown.Fingerprint // what "pin this" does
				again, err := Dial(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				_ = again.Close()
			})
		}
	}
}

// rule 5: TLS 1.2 or better.
func TestRule5_NoOldTLS(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("+OK\r\n"))
			_ = c.Close()
		}
	}()
	_, err = Dial(t.Context(), Options{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLSPin: pinOf(cert), Username: "u", Password: "p"})
	if f := mail.AsFailure(err); f == nil || f.Code != mail.CodeTLS {
		t.Fatal(err)
	}
}

// rule 5: STLS is mandatory where it is asked for, what was said before it
// does not count, and CAPA is asked again.
func TestRule5_STLS(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	t.Run("not offered", func(t *testing.T) {
		p := serve(t, mailtest.POP3Options{})
		o := options(p)
		o.Security = SecuritySTARTTLS
		_, err := Dial(t.Context(), o)
		want(t, err, mail.CodeTLSMissing, mail.NeedsUser)
		if leaked(p) {
			t.Fatal("password told")
		}
	})
	t.Run("offered and refused", func(t *testing.T) {
		p := serve(t, mailtest.POP3Options{STLS: true, Certificate: cert, Fault: mailtest.OnPOP3("STLS", 1, mailtest.POP3Reply("-ERR no"))})
		o := options(p)
		o.Security = SecuritySTARTTLS
		_, err := Dial(t.Context(), o)
		if f := want(t, err, mail.CodeTLSMissing, mail.NeedsUser); f.Reply != "no" {
			t.Error(f)
		}
	})
	t.Run("no CAPA", func(t *testing.T) {
		p := serve(t, mailtest.POP3Options{STLS: true, NoCAPA: true, Certificate: cert})
		o := options(p)
		o.Security, o.TLSPin = SecuritySTARTTLS, pinOf(cert)
		dial(t, o)
	})
	t.Run("capabilities forgotten", func(t *testing.T) {
		// Before the handshake somebody offers what the server does not have.
		script := func(c mailtest.POP3Command) *mailtest.POP3Fault {
			if c.Verb == "CAPA" && !c.Secure {
				return mailtest.POP3Raw("+OK\r\nSTLS\r\nSASL XOAUTH2\r\nLOGIN-DELAY 86400\r\n.\r\n")
			}
			return nil
		}
		p := serve(t, mailtest.POP3Options{STLS: true, Certificate: cert, Fault: script})
		o := options(p)
		o.Security, o.TLSPin = SecuritySTARTTLS, pinOf(cert)
		s := dial(t, o)
		if _, err := s.List(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := s.Capabilities(); c.LoginDelay != 0 || !c.UIDL {
			t.Errorf("%+v", c)
		}
		var capa []bool
		for _, c := range p.Commands() {
			if c.Verb == "CAPA" {
				capa = append(capa, c.Secure)
			}
			if (c.Verb == "USER" || c.Verb == "PASS") && !c.Secure {
				t.Error("signed in before TLS")
			}
		}
		if !slices.Equal(capa, []bool{false, true, true}) {
			t.Errorf("CAPA %v", capa)
		}
	})
	t.Run("answers put before the handshake", func(t *testing.T) {
		p := serve(t, mailtest.POP3Options{STLS: true, Certificate: cert,
			Fault: mailtest.OnPOP3("HANDSHAKE", 1, mailtest.POP3Then("+OK\r\n+OK signed in\r\n"))})
		o := options(p)
		o.Security, o.TLSPin = SecuritySTARTTLS, pinOf(cert)
		_, err := Dial(t.Context(), o)
		f := mail.AsFailure(err)
		// Usually seen in the buffer; in a later packet they break the handshake.
		if f == nil || f.Code != mail.CodeProtocol && f.Code != mail.CodeTLS {
			t.Fatal(err)
		}
		if leaked(p) {
			t.Fatal("password told")
		}
	})
}

func TestWrongPortForTLS(t *testing.T) {
	p := serve(t, mailtest.POP3Options{})
	o := options(p)
	o.Security = SecurityTLS
	_, err := Dial(t.Context(), o)
	want(t, err, mail.CodeTLS, mail.NeedsUser)
}

// rule 9: a server that says nothing in the handshake.
func TestRule9_SilentHandshake(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := Options{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Timeouts: Timeouts{Connect: 100 * time.Millisecond}}
	_, err = Dial(t.Context(), o)
	want(t, err, mail.CodeTimeout, mail.Transient)

	ctx, cancel := context.WithCancel(t.Context())
	o.Timeouts = Timeouts{}
	o.Step = func(step string) {
		if step == "tls" {
			cancel()
		}
	}
	_, err = Dial(ctx, o)
	want(t, err, mail.CodeCancelled, mail.Transient)
}
