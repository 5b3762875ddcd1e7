package route

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"postbag/engine/mail/header"
)

// name is an address with the key that its other spellings share.
type name struct {
	key  string
	addr header.Address
}

func nameOf(a header.Address) name { return name{key: a.Key(), addr: a} }

// entry is an address that the configuration lists in full.
type entry struct {
	name
	next      []name // members of a list, the person of an alias
	expands   bool   // an alias or a list
	deliverAs name   // the address that the target knows, zero: the address itself
	target    string // "": by the domain
}

// book is all that is known about addresses.
type book struct {
	domains  map[string]bool // accepted, as DomainKey
	outside  map[string]bool // allowed, as Key (rule 33)
	entries  map[string]*entry
	people   bool // there is a list of the people: others are unknown
	plus     bool
	unknown  name // zero without an unknown recipient
	byDomain map[string]string
	target   string // the default
}

func newBook(o Office) (*book, error) {
	b := &book{
		domains: map[string]bool{}, outside: map[string]bool{}, entries: map[string]*entry{},
		people: len(o.Recipients) > 0, plus: o.PlusAddresses, byDomain: map[string]string{},
	}
	for _, d := range o.Domains {
		if d = domainKey(d); d != "" { // rule 28
			b.domains[d] = true
		}
	}
	b.targets(o.Targets)
	for _, s := range o.OutsideAllowed {
		a, err := parse(s)
		if err != nil {
			return nil, fmt.Errorf("outside_allowed: %w", err)
		}
		b.outside[a.Key()] = true
	}
	for _, step := range []func(Office) error{b.addPeople, b.addLists, b.setUnknown, b.addMembers} {
		if err := step(o); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// domainKey: "@office.test" means office.test (rule 28).
func domainKey(d string) string {
	return header.DomainKey(strings.TrimPrefix(strings.TrimSpace(d), "@"))
}

func (b *book) targets(targets []TargetDomain) {
	haveDefault := false
	for _, t := range targets {
		if len(t.Domains) == 0 && !haveDefault {
			b.target, haveDefault = t.Name, true
		}
		for _, d := range t.Domains {
			d = domainKey(d)
			if _, taken := b.byDomain[d]; !taken { // the first matching domain wins
				b.byDomain[d] = t.Name
			}
		}
	}
}

func parse(s string) (header.Address, error) {
	a, ok := header.ParseAddress(s)
	if !ok || !writable(a) {
		return header.Address{}, fmt.Errorf("%q: %w", s, errAddress)
	}
	return a, nil
}

// writable tells whether an address can stand in an SMTP command at all (RFC
// 5321 section 4.5.3.1.3 for the length, RFC 6531 for UTF-8).
func writable(a header.Address) bool {
	if a.IsZero() || a.Local == "" || len(a.Local)+1+len(a.Domain) > 254 {
		return false
	}
	return !control(a.Local) && !control(a.Domain) && utf8.ValidString(a.Local) && utf8.ValidString(a.Domain)
}

// control tells whether s holds a control character of ASCII or Latin 1.
func control(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || (r >= 0x7f && r < 0xa0) }) >= 0
}

func (b *book) inside(a header.Address) bool { return b.domains[header.DomainKey(a.Domain)] } // rule 28

// allowed: mail may be given to this address (rule 33).
func (b *book) allowed(n name) bool { return b.inside(n.addr) || b.outside[n.key] }

// take lists an address in full.
func (b *book) take(e *entry) error {
	if !b.allowed(e.name) {
		return fmt.Errorf("%s: %w", e.addr, errOutside)
	}
	if other, taken := b.entries[e.key]; taken {
		if len(e.next) == 1 && e.next[0].key == other.key {
			return nil // an alias of itself
		}
		return fmt.Errorf("%s is listed twice", e.addr)
	}
	b.entries[e.key] = e
	return nil
}

func (b *book) addPeople(o Office) error {
	for _, p := range o.Recipients {
		a, err := parse(p.Address)
		if err != nil {
			return fmt.Errorf("recipient: %w", err)
		}
		person := &entry{name: nameOf(a), target: p.Target}
		if p.DeliverAs != "" {
			as, err := parse(p.DeliverAs)
			if err != nil {
				return fmt.Errorf("recipient %s: deliver_as: %w", a, err)
			}
			person.deliverAs = nameOf(as)
		}
		if err := b.take(person); err != nil {
			return fmt.Errorf("recipient: %w", err)
		}
		for _, s := range p.Aliases {
			alias, err := parse(s)
			if err == nil {
				err = b.take(&entry{name: nameOf(alias), next: []name{person.name}, expands: true})
			}
			if err != nil {
				return fmt.Errorf("recipient %s: alias: %w", a, err)
			}
		}
	}
	return nil
}

func (b *book) addLists(o Office) error {
	for _, l := range o.Lists {
		a, err := parse(l.Address)
		if err == nil {
			err = b.take(&entry{name: nameOf(a), expands: true})
		}
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
	}
	return nil
}

// setUnknown: the unknown recipient is known as a recipient by itself, unless
// the office lists the address as a person, an alias or a list already.
func (b *book) setUnknown(o Office) error {
	if strings.TrimSpace(o.UnknownRecipient) == "" {
		return nil
	}
	a, err := parse(o.UnknownRecipient)
	if err != nil {
		return fmt.Errorf("unknown_recipient: %w", err)
	}
	if !b.inside(a) {
		return fmt.Errorf("unknown_recipient %s: outside the accepted domains", a) // rule 32
	}
	b.unknown = nameOf(a)
	if b.entries[b.unknown.key] == nil {
		b.entries[b.unknown.key] = &entry{name: b.unknown}
	}
	return nil
}

// addMembers comes last: members may name lists that follow.
func (b *book) addMembers(o Office) error {
	for _, l := range o.Lists {
		a, err := parse(l.Address)
		if err != nil {
			return err
		}
		members, err := b.destinations(l.Members)
		if err != nil {
			return fmt.Errorf("list %s: %w", a, err)
		}
		b.entries[a.Key()].next = members
	}
	return nil
}

// destinations reads addresses that mail is to be given to.
func (b *book) destinations(list []string) ([]name, error) {
	out := make([]name, 0, len(list))
	for _, s := range list {
		a, err := parse(s)
		if err != nil {
			return nil, err
		}
		n, err := b.destination(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		out = append(out, n)
	}
	return out, nil
}

// destination finds whom an address of the configuration means. One that
// nobody has is taken as it stands: a person wrote it, and the office server
// may know more than the list of the people.
func (b *book) destination(a header.Address) (name, error) {
	if !writable(a) {
		return name{}, errAddress
	}
	if n, known := b.resolve(a); known {
		return n, nil
	}
	n := nameOf(a)
	if !b.allowed(n) {
		return name{}, errOutside
	}
	return n, nil
}

// resolve finds a known recipient by an address (rules 25 and 27). The spelling
// of the address is kept. Tags are cut from the right until somebody appears;
// without a list of the people everybody in the domains is known and nothing is
// cut.
func (b *book) resolve(a header.Address) (name, bool) {
	n := nameOf(a)
	if !writable(a) {
		return n, false
	}
	if b.entries[n.key] != nil {
		return n, true
	}
	if !b.inside(a) {
		return n, false
	}
	if !b.people {
		return n, true
	}
	for b.plus {
		i := strings.LastIndexByte(a.Local, '+')
		if i <= 0 {
			break
		}
		a.Local = a.Local[:i]
		if cut := nameOf(a); b.entries[cut.key] != nil {
			return cut, true
		}
	}
	return n, false
}

// accepted tells whether an address of a header counts: in the accepted domains
// or listed in full (rule 28). With subdomains cut, the longest accepted domain
// that it ends with by whole labels takes its place (rule 25).
func (b *book) accepted(a header.Address, subdomains bool) (header.Address, bool) {
	if b.inside(a) || b.entries[a.Key()] != nil {
		return a, true
	}
	if !subdomains {
		return a, false
	}
	domain, spelled := header.DomainKey(a.Domain), a.Domain
	for {
		_, rest, found := strings.Cut(domain, ".")
		if !found {
			return a, false
		}
		domain = rest
		if _, after, ok := strings.Cut(spelled, "."); ok {
			spelled = after
		}
		if b.domains[domain] {
			if header.DomainKey(spelled) != domain {
				spelled = domain // dots of another script do not part the same labels
			}
			a.Domain = spelled
			return a, true
		}
	}
}
