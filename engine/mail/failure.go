package mail

import (
	"errors"
	"fmt"
	"strings"
)

// Class says who can mend a failure. The zero value is Transient: what nobody
// classified is tried again, so that mail is retried and not lost.
type Class int

// The classes of failure.
const (
	Transient Class = iota // time mends it: try again later
	Permanent              // this message will never pass as it is
	NeedsUser              // a person must change something first
	Internal               // a fault of this program or this computer
)

// String returns the word used in logs.
func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case NeedsUser:
		return "needs_user"
	case Internal:
		return "internal"
	}
	return "transient"
}

// Code is a stable word for a kind of failure. The sentence that a person
// reads, and the advice, are found in the translation files under
// "fault.<code>" and "advice.<code>".
type Code string

// Codes of failures on the way to and from a server.
const (
	CodeDNS           Code = "dns"               // the host name is unknown
	CodeConnect       Code = "connect"           // refused or unreachable
	CodeTimeout       Code = "timeout"           // the server stopped answering
	CodeClosed        Code = "closed"            // the server closed the connection
	CodeGreeting      Code = "greeting"          // the server greeted with a refusal
	CodeProtocol      Code = "protocol"          // an answer that the protocol does not allow
	CodeTLS           Code = "tls"               // the handshake failed
	CodeTLSUntrusted  Code = "tls_untrusted"     // unknown authority
	CodeTLSName       Code = "tls_name"          // the certificate is for another name
	CodeTLSExpired    Code = "tls_expired"       // expired or not yet valid
	CodeTLSPin        Code = "tls_pin"           // another certificate than the pinned one
	CodeTLSMissing    Code = "tls_missing"       // STLS/STARTTLS demanded but not offered
	CodePlaintext     Code = "plaintext_refused" // a password would go over an unencrypted line
	CodeNoMechanism   Code = "no_mechanism"      // no common way to sign in
	CodeAuth          Code = "auth"              // user name or password refused
	CodeInUse         Code = "in_use"            // mailbox locked by another session, [IN-USE]
	CodeLoginDelay    Code = "login_delay"       // asked too soon, [LOGIN-DELAY]
	CodeSysTemp       Code = "sys_temp"          // [SYS/TEMP]
	CodeSysPerm       Code = "sys_perm"          // [SYS/PERM]
	CodeRefused       Code = "refused"           // a command was refused, no more is known
	CodeCancelled     Code = "cancelled"         // this program was asked to stop
	CodeNoUIDL        Code = "no_uidl"           // after_delivery keeps mail, but the server has no UIDL
	CodeSuspended     Code = "suspended"         // three wrong passwords
	CodePaused        Code = "paused"            // by hand
	CodeRenumbered    Code = "renumbered"        // most UIDLs changed at once: the provider moved the mailbox (rule 4)
	CodeSecretMissing Code = "secret_missing"    // the secret reference finds nothing
	CodeSecretOpen    Code = "secret_open"       // the secret file can be read by others
	CodeSecretLocked  Code = "secret_locked"     // keyring not there, locked or not answering
	CodeSecretTooLong Code = "secret_too_long"   // Windows keeps 2,560 bytes at most
	CodeSecretBad     Code = "secret_bad"        // no reference, or a value that cannot be a password
)

// Codes of failures at the office server.
const (
	CodeTargetBusy    Code = "target_busy"    // 421, or 4xx before MAIL FROM
	CodeTargetAuth    Code = "target_auth"    // 535, 530
	CodeSender        Code = "sender_refused" // 5xx to MAIL FROM
	CodeRelay         Code = "relay_denied"   // 5.7.x again and again
	CodeDeferred      Code = "deferred"       // 4xx
	CodeUnknownUser   Code = "unknown_user"   // 550, 551, 553 with 5.1.x or bare
	CodeMailboxFull   Code = "mailbox_full"   // 5.2.2
	CodeTooLarge      Code = "too_large"      // 5.3.4, 552
	CodeContent       Code = "content"        // 5.6.x, 554 after DATA
	CodePolicy        Code = "policy"         // 5.7.x
	CodeRejected      Code = "rejected"       // any other 5xx
	CodeNoReply       Code = "no_reply"       // no answer after the final dot: possible duplicate
	CodeLifetime      Code = "lifetime"       // queued for longer than queue_lifetime
	CodeLoop          Code = "loop"           // our own trace header, or over 100 Received lines
	CodeTargetMissing Code = "target_missing" // the configuration no longer names the target
)

// Codes of failures of this computer.
const (
	CodeDiskFull     Code = "disk_full"
	CodeSpoolFull    Code = "spool_full" // spool_quota reached
	CodeStoreDamaged Code = "store_damaged"
	CodeStoreNewer   Code = "store_newer" // written by a newer version
	CodeStore        Code = "store"
	CodeInternal     Code = "internal"
	CodeTooBig       Code = "too_big"
)

// Failure is the one error of the protocols and of the store: who can mend it
// (Class), what it is (Code), what was being done (Op, for example "RETR" or
// "RCPT TO"), the server's own words (Reply, one line without CR LF, may be
// empty) and the cause.
type Failure struct {
	Class Class
	Code  Code
	Op    string
	Reply string
	Err   error
}

// Error returns a line for the log, never meant for people.
func (f *Failure) Error() string {
	var b strings.Builder
	if f.Op != "" {
		fmt.Fprintf(&b, "%s: ", f.Op)
	}
	b.WriteString(string(f.Code))
	if f.Reply != "" {
		fmt.Fprintf(&b, ": %q", f.Reply)
	}
	if f.Err != nil {
		fmt.Fprintf(&b, ": %v", f.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// AsFailure returns the Failure inside err. An error that nobody classified
// becomes a transient internal one; nil stays nil.
func AsFailure(err error) *Failure {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Class: Transient, Code: CodeInternal, Err: err}
}
