// Package source knows what to collect from a mailbox at the provider and when
// it may be deleted there. Session is the contract of the protocols below it.
package source

import (
	"context"
	"io"
	"time"
)

// Item is one message of the listing of one session.
type Item struct {
	Number int    // message number, valid in this session only (RFC 1939 section 4)
	UID    string // UIDL, "" when the server has none or its line was malformed
	Size   int64  // octets as LIST says, a hint only (rule 10); -1 unknown
}

// Listing is what STAT, LIST and UIDL told.
type Listing struct {
	Items   []Item   // in the order of their numbers, well-formed lines only
	HasUIDL bool     // the server has UIDL
	Faults  []string // malformed lines, in words for the log (rule 2); their numbers are not in Items
	Count   int      // messages as STAT says
	Size    int64    // octets as STAT says
}

// Capabilities is what the server said about itself; what differs after the
// sign-in (RFC 2449 section 5) may be known only once the listing was asked for.
type Capabilities struct {
	Pipelining bool
	UIDL       bool
	TOP        bool
	LoginDelay time.Duration // 0 without LOGIN-DELAY (RFC 2449 section 6.5)
	Expire     string        // raw argument of EXPIRE, "" without
	Greeting   string        // first line of the server, without "+OK"
}

// Session is one signed-in session with one mailbox. All errors are
// *mail.Failure. After an error that is not about one message the session is
// dead: only Close may follow, so that nothing is deleted by accident. A
// Session is used by one goroutine; cancelling the context of a call makes it
// return within a second and ends the session.
type Session interface {
	Capabilities() Capabilities

	// List asks STAT, LIST and UIDL.
	List(ctx context.Context) (Listing, error)

	// Fetch asks for the items in the order given, pipelined where the server
	// can, and calls each once per item in that order. body yields the message
	// with dots un-stuffed, byte for byte, CRLF line ends as sent, and io.EOF
	// only after the terminating dot; it must be read to its end or to an
	// error. At most limit octets are handed out per message (0: no limit),
	// then body fails with CodeTooBig and the session is dead. When the server
	// refuses one message, body is nil and err says why; the session lives.
	// An error returned by each ends the session.
	Fetch(ctx context.Context, items []Item, limit int64, each func(item Item, body io.Reader, err error) error) error

	// Top asks for the header and the first lines of the body; limit octets at most.
	Top(ctx context.Context, number, lines int, limit int64) ([]byte, error)

	// Delete marks the items, pipelined where the server can, after checking
	// their numbers against this session's UIDL listing (rule 12). It returns
	// those that the server acknowledged; a refused one is left out and the
	// session lives. Nothing is deleted before Quit returned nil.
	Delete(ctx context.Context, items []Item) ([]Item, error)

	// Noop keeps the session alive.
	Noop(ctx context.Context) error

	// Quit ends the session; only nil, after +OK, makes deletions real.
	Quit(ctx context.Context) error

	// Close drops the connection without QUIT: nothing is deleted.
	Close() error
}
