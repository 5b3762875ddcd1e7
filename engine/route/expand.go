package route

import (
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// maxDepth is how many aliases and lists may lie on one path (rule 31).
const maxDepth = 10

// copies collects recipients, each once.
type copies struct {
	list    []mail.Recipient
	served  map[string]bool // persons, and mailboxes of targets; made when list is long
	tooDeep []string        // aliases and lists that were not expanded (rule 31)
}

// add takes a recipient unless that person, or that very mailbox of the
// target, is served already.
func (c *copies) add(r mail.Recipient) {
	if c.has(r) {
		return
	}
	c.list = append(c.list, r)
	switch {
	case c.served != nil:
		c.remember(r)
	case len(c.list) > 8:
		c.served = map[string]bool{}
		for _, have := range c.list {
			c.remember(have)
		}
	}
}

func (c *copies) has(r mail.Recipient) bool {
	if c.served != nil {
		return c.served[r.Person] || c.served[mailbox(r)]
	}
	for _, have := range c.list {
		if have.Person == r.Person || (have.Target == r.Target && strings.EqualFold(have.Address, r.Address)) {
			return true
		}
	}
	return false
}

func (c *copies) remember(r mail.Recipient) { c.served[r.Person], c.served[mailbox(r)] = true, true }

// mailbox is what RCPT TO names at the target. No Person holds a NUL.
func mailbox(r mail.Recipient) string { return r.Target + "\x00" + strings.ToLower(r.Address) }

// expand adds the people behind an address: aliases, then lists, by the
// shortest path, so that each alias and list is opened once, cycles end and the
// work is bounded (rule 31). It returns how many people stand behind it.
func (b *book) expand(c *copies, from name, asked string) (found int) {
	type step struct {
		name
		depth int // aliases and lists on the path before it
	}
	queue := []step{{name: from}}
	var seen map[string]bool // not needed for a person, the usual case
	for i := 0; i < len(queue); i++ {
		s := queue[i]
		e := b.entries[s.key]
		if e == nil || !e.expands {
			if e != nil && s.depth > 0 {
				s.name = e.name // rule 27: aliases and lists use the spelling of the configuration
			}
			c.add(b.recipient(s.name, e, asked))
			found++
			continue
		}
		if s.depth >= maxDepth {
			c.tooDeep = append(c.tooDeep, e.addr.String())
			continue
		}
		if seen == nil {
			seen = map[string]bool{from.key: true}
		}
		for _, n := range e.next {
			if !seen[n.key] {
				seen[n.key] = true
				queue = append(queue, step{n, s.depth + 1})
			}
		}
	}
	return found
}

// recipient is the copy for one person; e is nil for one that is not listed.
func (b *book) recipient(n name, e *entry, asked string) mail.Recipient {
	r := mail.Recipient{Address: n.addr.String(), Person: n.key, For: asked}
	r.Outside = !b.inside(n.addr) // rule 33
	if e != nil && e.deliverAs.key != "" {
		r.Address = e.deliverAs.addr.String()
		r.Outside = r.Outside || b.outside[e.deliverAs.key]
	}
	r.Target = b.targetOf(n, e)
	return r
}

// targetOf names the target: the person's own, else the one that takes the
// domain of deliver_as by name, else that of the address, else the default.
func (b *book) targetOf(n name, e *entry) string {
	if e != nil && e.target != "" {
		return e.target
	}
	if e != nil && e.deliverAs.key != "" {
		if t, ok := b.byDomain[header.DomainKey(e.deliverAs.addr.Domain)]; ok {
			return t
		}
	}
	if t, ok := b.byDomain[header.DomainKey(n.addr.Domain)]; ok {
		return t
	}
	return b.target
}

// addUnknown adds the unknown recipient's copy: one, however many addresses
// were unknown. When the office made the address an alias or a list, its people
// get it; an empty list never leaves the message to nobody.
func (b *book) addUnknown(c *copies, asked string) {
	if b.unknown.key == "" {
		return
	}
	var u copies
	b.expand(&u, b.unknown, asked)
	if len(u.list) == 0 {
		u.add(b.recipient(b.unknown, nil, asked))
	}
	for _, r := range u.list {
		r.Unknown = true
		c.add(r)
	}
}
