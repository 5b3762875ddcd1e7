// Package tlspolicy is the one TLS policy of both sides of the engine: TLS 1.2
// or better (RFC 8314 section 4.1), the name verified, further roots from a
// file, or one pinned certificate instead of all that (rules 5 and 6). It also
// tells which fault a handshake met and which certificate was shown, so that a
// person can be offered to pin that one, and never to ignore all.
package tlspolicy

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"postbag/engine/mail"
)

// PinPrefix begins every pin: "sha256:" + 64 hex digits of the SHA-256 of the
// DER form of the server's own certificate.
const PinPrefix = "sha256:"

// Policy says which certificate is good.
type Policy struct {
	ServerName string // name or address that the certificate must carry
	CAFile     string // PEM file with further roots beside the system's, "" = none
	Pin        string // PinPrefix + hex; replaces the checks of name, date and authority
}

// Config returns a client configuration that obeys p. The errors are
// *mail.Failure of class NeedsUser: an unreadable CA file or a malformed pin.
func Config(p Policy) (*tls.Config, error) {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// RFC 6066 section 3: the name is sent without the trailing dot.
		ServerName: strings.TrimSuffix(p.ServerName, "."),
	}
	if p.Pin != "" {
		want, err := ParsePin(p.Pin)
		if err != nil {
			return nil, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTLSPin, Op: "tls_pin", Err: err}
		}
		// The pin is compared below, on resumed sessions too; nothing else is asked.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return checkPin(want, s) }
		return c, nil
	}
	if p.CAFile != "" {
		pool, err := roots(p.CAFile)
		if err != nil {
			return nil, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTLSUntrusted, Op: "ca_file", Err: err}
		}
		c.RootCAs = pool
	}
	return c, nil
}

// Fingerprint returns the pin of a certificate.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return PinPrefix + hex.EncodeToString(sum[:])
}

// ParsePin returns the 32 octets of a pin. Upper case and colons between the
// octets, as openssl prints them, are forgiven.
func ParsePin(pin string) ([]byte, error) {
	pin = strings.TrimSpace(pin)
	if len(pin) < len(PinPrefix) || !strings.EqualFold(pin[:len(PinPrefix)], PinPrefix) {
		return nil, fmt.Errorf("a pin begins with %q", PinPrefix)
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(pin[len(PinPrefix):], ":", ""))
	if err != nil {
		return nil, fmt.Errorf("the pin is not hexadecimal: %w", err)
	}
	if len(sum) != sha256.Size {
		return nil, fmt.Errorf("the pin has %d octets instead of %d", len(sum), sha256.Size)
	}
	return sum, nil
}

func checkPin(want []byte, s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return &PinError{}
	}
	leaf := s.PeerCertificates[0]
	got := sha256.Sum256(leaf.Raw)
	if subtle.ConstantTimeCompare(want, got[:]) == 1 {
		return nil
	}
	return &PinError{Certificate: leaf}
}

func roots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read roots: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without roots of its own still has the user's
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in " + file)
	}
	return pool, nil
}

// PinError tells that the server showed another certificate than the pinned
// one; Certificate is nil when it showed none.
type PinError struct{ Certificate *x509.Certificate }

// Error returns a line for the log.
func (e *PinError) Error() string {
	if e.Certificate == nil {
		return "no certificate where a pinned one was expected"
	}
	return "not the pinned certificate, but " + Fingerprint(e.Certificate)
}

// Presented describes the certificate that a server showed in a handshake that
// failed, for the person who must decide whether to pin it.
type Presented struct {
	Fingerprint string // as tls_pin takes it
	Subject     string
	Issuer      string
	Names       []string // DNS names and addresses
	NotBefore   time.Time
	NotAfter    time.Time
}

// CertificateOf returns the certificate that the server showed when err comes
// from a handshake that refused it.
func CertificateOf(err error) (Presented, bool) {
	leaf := presented(err)
	if leaf == nil {
		return Presented{}, false
	}
	names := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return Presented{
		Fingerprint: Fingerprint(leaf), Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(),
		Names: names, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
	}, true
}

func presented(err error) *x509.Certificate {
	if p, ok := errors.AsType[*PinError](err); ok {
		return p.Certificate
	}
	if v, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(v.UnverifiedCertificates) > 0 {
		return v.UnverifiedCertificates[0]
	}
	return nil
}
