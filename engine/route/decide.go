package route

import (
	"strconv"
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// finding is what one step of rule 18 yields.
type finding struct {
	route     string
	evidence  string
	envelope  bool    // each stranger counts (rule 18)
	known     []match // known recipients, aliases and lists
	strangers []string
	seen      map[string]bool // both, so that a thousand addresses are no million comparisons
}

// match is a known address and how the message wrote it.
type match struct {
	name
	asked string
}

// decides: an address in the accepted domains was found, known or not.
func (f finding) decides() bool { return len(f.known) > 0 || len(f.strangers) > 0 }

// message is a header with the block of it that the provider wrote.
type message struct {
	header.Header
	trust
}

// Decide tells for whom a message is and who sent it. For a global mailbox
// there is at least one recipient; for an individual one there is none only
// when nobody is left of deliver_to and the office has no unknown recipient.
func (c *Rules) Decide(h header.Header) mail.Decision {
	m := message{h, c.hosts.walk(h.Fields)}
	d := mail.Decision{Sender: m.sender()} // rule 41
	if c.individual {
		c.settle(&d, c.fixed())
	} else {
		c.settle(&d, c.find(m, &d))
	}
	c.router.loop(&d, h)
	return d
}

// fixed is the answer of an individual mailbox: no header has a say (rule 17).
func (c *Rules) fixed() finding {
	f := finding{route: mail.RouteIndividual}
	for _, n := range c.deliverTo {
		f.known = append(f.known, match{n, n.addr.String()})
	}
	return f
}

// find asks the steps of rule 18 in their order; the first that decides wins,
// so that an envelope header is never joined by To and Cc (rule 19).
func (c *Rules) find(m message, d *mail.Decision) finding {
	for _, step := range []func(message) finding{c.envelope, c.receivedFor, c.mailingLists, c.resent, c.toCc} {
		if f := step(m); f.decides() {
			return f
		}
	}
	for _, name := range c.headers {
		if len(occurrences(m.Fields[:m.end], name)) == 0 && m.Has(name) {
			d.Notes = append(d.Notes, name+" was ignored: the provider did not write it")
		}
	}
	return finding{route: mail.RouteUnknown} // rule 30
}

// settle turns a finding into recipients (rules 18, 30 and 31).
func (c *Rules) settle(d *mail.Decision, f finding) {
	b := c.router.book
	var got copies
	var empty []string
	for _, k := range f.known {
		if b.expand(&got, k.name, k.asked) == 0 {
			empty = append(empty, k.asked)
		}
	}
	d.Route, d.Evidence = f.route, evidence(f.evidence)
	nobody := len(got.list) == 0
	unserved := len(f.strangers) + len(empty)
	if nobody || (f.envelope && unserved > 0) {
		before, asked := len(got.list), ""
		if len(f.strangers) > 0 {
			asked = f.strangers[0]
		}
		b.addUnknown(&got, asked)
		if len(got.list) > before {
			d.Reason = reason(f.strangers, empty, c.individual)
		}
	}
	if nobody {
		d.Route = mail.RouteUnknown
	}
	d.Recipients = got.list
	d.Notes = append(d.Notes, notes(f.strangers, " is unknown")...)
	d.Notes = append(d.Notes, notes(empty, " leads to nobody")...)
	d.Notes = append(d.Notes, notes(got.tooDeep, " was not opened: more than 10 aliases and lists lead to it")...) // rule 31
}

// judge sorts addresses of a header: what is foreign falls out, prefix (of
// envelope headers only), subdomain and tag are cut in this order (rule 25).
func (c *Rules) judge(f *finding, addrs []header.Address, prefix string) {
	b := c.router.book
	for _, a := range addrs {
		asked := a.String()
		a.Local = cutPrefix(a.Local, prefix)
		a, ok := b.accepted(a, c.subdomains)
		if !ok {
			continue
		}
		n, known := b.resolve(a)
		if !known {
			f.stranger(asked)
			continue
		}
		if f.first(n.key) {
			f.known = append(f.known, match{n, asked})
		}
	}
}

func (f *finding) stranger(asked string) {
	if f.first(" " + strings.ToLower(asked)) { // no key begins with a blank
		f.strangers = append(f.strangers, asked)
	}
}

// first tells whether the key was not met before.
func (f *finding) first(key string) bool {
	if f.seen[key] {
		return false
	}
	if f.seen == nil {
		f.seen = make(map[string]bool)
	}
	f.seen[key] = true
	return true
}

// cutPrefix: prefixes are compared without case (rule 25).
func cutPrefix(local, prefix string) string {
	if prefix != "" && len(local) > len(prefix) && strings.EqualFold(local[:len(prefix)], prefix) {
		return local[len(prefix):]
	}
	return local
}

// loop marks a message that was here before, or that went round often (rule
// 36): it goes to quarantine with its recipients.
func (r *Router) loop(d *mail.Decision, h header.Header) {
	hops := 0
	for _, f := range h.Fields {
		switch {
		case f.Is("Received"):
			hops++
		case r.loopID != "" && f.Is("X-Postbag-Loop") && strings.EqualFold(f.Value, r.loopID):
			d.Loop, d.Evidence = true, evidence(f.Name+": "+f.Value)
		}
	}
	if hops > r.received {
		d.Loop = true
		d.Notes = append(d.Notes, strconv.Itoa(hops)+" Received lines, at most "+strconv.Itoa(r.received)+" are allowed")
	}
	if d.Loop {
		d.Route = mail.RouteLoop
	}
}
