package route

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"postbag/engine/mail/header"
)

// Mailbox is what routing must know about a mailbox at the provider. The fields
// have the names of the configuration.
type Mailbox struct {
	ID, Name string
	Kind     string // "global" or "individual"

	DeliverTo []string // individual mailboxes
	Username  string   // the login, which is no routing information (rule 22)

	EnvelopeHeaders    []string // in the order in which they are asked
	EnvelopeOccurrence int      // 1 = topmost; 0 is 1
	EnvelopePrefix     string
	EnvelopePattern    string // RE2 with a group 1; "": none
	StripSubdomains    bool
	ISPHosts           []string // rule 21; ["*"] switches the check off
	ReceivedFor        bool
	ReceivedSkip       int
	UseBcc             bool
}

// Rules are the rules of one mailbox. They are immutable and safe for
// concurrent use.
type Rules struct {
	router     *Router
	individual bool
	deliverTo  []name

	headers    []string
	occurrence int
	prefix     string
	pattern    *regexp.Regexp
	subdomains bool
	login      login
	hosts      hosts
	received   bool
	skip       int
	bcc        bool
}

// Compile builds the Rules of a mailbox. It fails when a global mailbox would
// have no unknown recipient (rule 32), when deliver_to names nobody that mail
// may be given to, and when a setting cannot be used.
func (r *Router) Compile(m Mailbox) (*Rules, error) {
	c := &Rules{
		router: r, headers: m.EnvelopeHeaders, occurrence: max(m.EnvelopeOccurrence, 1), prefix: m.EnvelopePrefix,
		subdomains: m.StripSubdomains, login: loginOf(m.Username), hosts: hostsOf(m.ISPHosts),
		received: m.ReceivedFor, skip: m.ReceivedSkip, bcc: m.UseBcc,
	}
	if m.EnvelopeOccurrence < 0 || m.ReceivedSkip < 0 {
		return nil, fmt.Errorf("envelope_occurrence %d, received_skip %d: negative", m.EnvelopeOccurrence, m.ReceivedSkip)
	}
	switch m.Kind {
	case "global":
		if r.book.unknown.key == "" {
			return nil, fmt.Errorf("a global mailbox needs an unknown recipient") // rule 32
		}
	case "individual":
		c.individual = true
		to, err := r.book.destinations(m.DeliverTo)
		if err != nil {
			return nil, fmt.Errorf("deliver_to: %w", err)
		}
		if len(to) == 0 {
			return nil, fmt.Errorf("deliver_to is empty")
		}
		c.deliverTo = to
	default:
		return nil, fmt.Errorf("kind %q", m.Kind)
	}
	if m.EnvelopePattern != "" {
		re, err := regexp.Compile(m.EnvelopePattern)
		if err != nil {
			return nil, fmt.Errorf("envelope_pattern: %w", err)
		}
		if re.NumSubexp() < 1 {
			return nil, fmt.Errorf("envelope_pattern has no group 1")
		}
		c.pattern = re
	}
	return c, nil
}

// login is the mailbox's own login, in the forms in which a provider writes it.
type login struct {
	local  string // lower case
	domain string // as DomainKey; "" when the login has none
}

func loginOf(username string) login {
	u := strings.ToLower(strings.TrimSpace(username))
	i := strings.LastIndexByte(u, '@')
	if i < 0 {
		i = strings.LastIndexByte(u, '%') // QUIRK office%isp.test, where "@" cannot be typed
	}
	if i <= 0 || i == len(u)-1 {
		return login{local: u}
	}
	return login{local: u[:i], domain: header.DomainKey(u[i+1:])}
}

// own tells whether an envelope address is the mailbox's own login or address
// (rule 22). A login without a domain is the address office-42@ any domain,
// unless the office lists that address as somebody's.
func (l login) own(a header.Address, b *book) bool {
	if l.local == "" || !strings.EqualFold(a.Local, l.local) {
		return false
	}
	if l.domain != "" {
		return header.DomainKey(a.Domain) == l.domain
	}
	return b.entries[a.Key()] == nil
}

// ownBare tells whether the value of an envelope header is the bare login.
func (l login) ownBare(value string) bool {
	v := strings.ToLower(strings.Trim(value, "<> \t"))
	return l.local != "" && (v == l.local || (l.domain != "" && v == l.local+"%"+l.domain))
}

// hosts says which hosts are the provider's (rule 21).
type hosts struct {
	any   bool // ["*"]: the check is off
	set   bool // isp_hosts is set
	names []string
	addrs []netip.Addr
}

func hostsOf(list []string) hosts {
	var h hosts
	for _, s := range list {
		s = strings.TrimSpace(s)
		switch addr, ok := parseAddr(s); {
		case s == "":
		case s == "*":
			h.any, h.set = true, true
		case ok:
			h.set, h.addrs = true, append(h.addrs, addr)
		default:
			h.set = true
			h.names = append(h.names, domainKey(strings.TrimPrefix(strings.TrimPrefix(s, "*"), ".")))
		}
	}
	return h
}
