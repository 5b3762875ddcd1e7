package tlspolicy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"postbag/engine/mail"
)

// Classify turns the error of a dial, of a handshake or of the connection
// below into a Failure with the given Op; nil stays nil, a Failure stays as it
// is. Certificate faults need a person (rule 6); everything else is transient.
// When the server showed a certificate that was refused, CertificateOf finds
// it in the Failure.
func Classify(err error, op string) *mail.Failure {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*mail.Failure](err); ok {
		return f
	}
	f := &mail.Failure{Class: mail.Transient, Op: op, Err: err}
	if code, ok := certificateCode(err); ok {
		f.Class, f.Code = mail.NeedsUser, code
		return f
	}
	f.Code = networkCode(err)
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		// The port does not speak TLS: the setting "security" is wrong.
		f.Class = mail.NeedsUser
	}
	return f
}

func certificateCode(err error) (mail.Code, bool) {
	if _, ok := errors.AsType[*PinError](err); ok {
		return mail.CodeTLSPin, true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return mail.CodeTLSName, true
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired {
			return mail.CodeTLSExpired, true
		}
		return mail.CodeTLSUntrusted, true
	}
	// Unknown authority, weak signature, no system roots, and the wordings of
	// the verifiers of Windows and macOS.
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return mail.CodeTLSUntrusted, true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return mail.CodeTLSUntrusted, true
	}
	return "", false
}

func networkCode(err error) mail.Code {
	if errors.Is(err, context.Canceled) {
		return mail.CodeCancelled
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && !e.IsTimeout {
		return mail.CodeDNS
	}
	if isTimeout(err) {
		return mail.CodeTimeout
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return mail.CodeConnect
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return mail.CodeTLS
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return mail.CodeTLS
	}
	if isClosed(err) {
		return mail.CodeClosed
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "remote error" || e.Op == "local error") {
		return mail.CodeTLS // crypto/tls wraps the alerts it got and sent so
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return mail.CodeClosed
	}
	return mail.CodeTLS
}

func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func isClosed(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
