package route

import (
	"errors"
	"fmt"
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// maxReceived is how many Received lines a message may bring when the office
// does not say otherwise (rule 36, RFC 5321 section 6.3).
const maxReceived = 100

// Office is what routing must know about the office as a whole.
type Office struct {
	Domains          []string // accepted domains; a leading "@" is forgiven
	UnknownRecipient string   // "" only without a global mailbox
	PlusAddresses    bool     // anne+shop@ is anne@ when the full address is unknown
	OutsideAllowed   []string // addresses outside the domains that mail may be given to (rule 33)
	Recipients       []Person // the people; when there are any, others in the domains are unknown
	Lists            []List
	ListRules        []ListRule
	Targets          []TargetDomain // in the order of the configuration
	InstallationID   string         // value of our X-Postbag-Loop (rule 36); "": not looked for
	MaxReceived      int            // Received lines a message may bring; 0: 100
}

// Person is a recipient of the office.
type Person struct {
	Address   string
	Aliases   []string
	Target    string // name of a target, "": by the domain
	DeliverAs string // the address that the target knows, "": Address
}

// List is a distribution list.
type List struct {
	Address string
	Members []string
}

// ListRule gives a mailing list to people (rule 18d). One of the first three is set.
type ListRule struct {
	ListID     string // the whole id of List-Id, without case
	ListPost   string // the address of List-Post
	ToContains string // a part of To or Cc, without case
	DeliverTo  []string
}

// TargetDomain is what routing must know about a target.
type TargetDomain struct {
	Name    string
	Domains []string // none: the default target
}

// Router knows the people of an office. It is immutable and safe for
// concurrent use.
type Router struct {
	book      *book
	listRules []listRule
	loopID    string
	received  int
}

// New builds a Router. It fails when the office names an address that cannot
// be read, that is taken twice, or that lies outside the domains without being
// allowed (rule 33).
func New(o Office) (*Router, error) {
	b, err := newBook(o)
	if err != nil {
		return nil, err
	}
	r := &Router{book: b, loopID: strings.TrimSpace(o.InstallationID), received: o.MaxReceived}
	if r.received <= 0 {
		r.received = maxReceived
	}
	for i, l := range o.ListRules {
		compiled, err := b.listRule(l)
		if err != nil {
			return nil, fmt.Errorf("list rule %d: %w", i+1, err)
		}
		r.listRules = append(r.listRules, compiled)
	}
	return r, nil
}

// Lookup returns who gets the mail when a person names an address: aliases,
// lists, deliver_as and targets applied, each Person once. An address in the
// accepted domains that nobody has is returned as it stands; one outside that
// is not allowed (rule 33), or that cannot be read, yields nothing.
func (r *Router) Lookup(address string) []mail.Recipient {
	a, ok := header.ParseAddress(address)
	if !ok {
		return nil
	}
	n, err := r.book.destination(a)
	if err != nil {
		return nil
	}
	var c copies
	r.book.expand(&c, n, a.String())
	return c.list
}

// Unknown returns the copies for the unknown recipient: one, unless the office
// made him a list. It is empty without an unknown recipient.
func (r *Router) Unknown() []mail.Recipient {
	var c copies
	r.book.addUnknown(&c, "")
	return c.list
}

var (
	errAddress = errors.New("no address")
	errOutside = errors.New("outside the accepted domains and not allowed by name") // rule 33
)
