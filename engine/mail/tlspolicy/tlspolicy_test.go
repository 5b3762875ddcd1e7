package tlspolicy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postbag/engine/mail"
)

func makeCert(t *testing.T, host string, notAfter time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, file
}

func shake(t *testing.T, server *tls.Config, p Policy) error {
	t.Helper()
	c, err := Config(p)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, err := l.Accept()
		if err != nil {
			return
		}
		defer b.Close()
		_, _ = io.Copy(io.Discard, tls.Server(b, server))
	}()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	err = tls.Client(a, c).HandshakeContext(t.Context())
	a.Close()
	<-done
	return err
}

// rule 5: TLS >= 1.2, the name verified. rule 6: a bad certificate stops, a pin cures.
func TestRule6_CertificateFaults(t *testing.T) {
	good, ca := makeCert(t, "mail.office.test", time.Now().Add(time.Hour))
	old, oldCA := makeCert(t, "mail.office.test", time.Now().Add(-time.Hour))
	pin := Fingerprint(good.Leaf)
	oldPin := Fingerprint(old.Leaf)
	tests := []struct {
		name string
		cert tls.Certificate
		max  uint16
		p    Policy
		want mail.Code
	}{
		{"good", good, 0, Policy{ServerName: "mail.office.test", CAFile: ca}, ""},
		{"trailing dot", good, 0, Policy{ServerName: "mail.office.test.", CAFile: ca}, ""},
		{"untrusted", good, 0, Policy{ServerName: "mail.office.test"}, mail.CodeTLSUntrusted},
		{"name", good, 0, Policy{ServerName: "other.office.test", CAFile: ca}, mail.CodeTLSName},
		{"expired", old, 0, Policy{ServerName: "mail.office.test", CAFile: oldCA}, mail.CodeTLSExpired},
		{"pinned", good, 0, Policy{ServerName: "other.test", Pin: pin}, ""},
		{"pinned upper case", good, 0, Policy{Pin: strings.ToUpper(pin)}, ""},
		{"pinned expired", old, 0, Policy{ServerName: "other.test", Pin: oldPin}, ""},
		{"changed pin", good, 0, Policy{ServerName: "mail.office.test", CAFile: ca, Pin: oldPin}, mail.CodeTLSPin},
		{"old protocol", good, tls.VersionTLS11, Policy{ServerName: "mail.office.test", CAFile: ca}, mail.CodeTLS},
		{"malformed pin", good, 0, Policy{Pin: "sha256:12"}, mail.CodeTLSPin},
		{"no CA file", good, 0, Policy{CAFile: filepath.Join(t.TempDir(), "none")}, mail.CodeTLSUntrusted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := shake(t, &tls.Config{Certificates: []tls.Certificate{tt.cert}, MinVersion: tls.VersionTLS10, MaxVersion: tt.max}, tt.p)
			f := Classify(err, "tls")
			if tt.want == "" {
				if f != nil {
					t.Fatalf("unexpected %v", f)
				}
				return
			}
			if f == nil || f.Code != tt.want {
				t.Fatalf("got %v, want %s", f, tt.want)
			}
			if tt.want == mail.CodeTLS {
				return
			}
			if f.Class != mail.NeedsUser {
				t.Errorf("class %v", f.Class)
			}
			if shown, ok := CertificateOf(f); ok && shown.Fingerprint != Fingerprint(tt.cert.Leaf) {
				t.Errorf("fingerprint %s", shown.Fingerprint)
			} else if !ok && f.Op == "tls" {
				t.Error("the certificate shown is not exposed")
			}
		})
	}
}

func TestClassifyNetwork(t *testing.T) {
	dial := func(e error) error { return &net.OpError{Op: "dial", Err: e} }
	tests := []struct {
		err  error
		want mail.Code
	}{
		{dial(&net.DNSError{IsNotFound: true}), mail.CodeDNS},
		{dial(&net.DNSError{IsTimeout: true}), mail.CodeTimeout},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), mail.CodeConnect},
		{dial(context.DeadlineExceeded), mail.CodeTimeout},
		{context.Canceled, mail.CodeCancelled},
		{os.ErrDeadlineExceeded, mail.CodeTimeout},
		{io.EOF, mail.CodeClosed},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, mail.CodeClosed},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, mail.CodeTLS},
		{tls.AlertError(40), mail.CodeTLS},
		{errors.New("odd"), mail.CodeTLS},
	}
	for _, tt := range tests {
		if f := Classify(tt.err, "x"); f.Code != tt.want || f.Op != "x" || !errors.Is(f, tt.err) {
			t.Errorf("%v: %v, want %s", tt.err, f, tt.want)
		}
	}
	own := &mail.Failure{Code: mail.CodeAuth}
	if Classify(own, "x") != own {
		t.Error("a Failure must stay as it is")
	}
	if Classify(nil, "x") != nil {
		t.Error("nil must stay nil")
	}
}
