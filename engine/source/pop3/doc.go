// Package pop3 is a source.Session over POP3 (RFC 1939): go-pop3 speaks the
// commands, this package owns the line below and above it.
//
//	Session   List, Fetch, Top, Delete, Noop, Quit: checks, order, pipelining
//	go-pop3   Send, ReadOne
//	gate      one status line at a time, line limit, deadlines, transcript
//	TLS       implicit, or after STLS (RFC 2595)
//	TCP
//
// The gate hands go-pop3 one status line and never a byte more, so that what
// follows a status line (a listing, a message) is read here, from the gate
// itself: listings line by line, so that a malformed one is reported and
// passed over, messages through a strict dot reader, streamed, byte for byte.
//
// Any error that is not a parsed -ERR ends the session: nothing may be deleted
// over a connection that may be out of step.
package pop3
