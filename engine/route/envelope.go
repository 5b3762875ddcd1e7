package route

import (
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// occurrences are the lines of one header; lines that follow each other
// directly are one occurrence (rule 20).
func occurrences(fields []header.Field, name string) [][]header.Field {
	var out [][]header.Field
	for i := 0; i < len(fields); i++ {
		if !fields[i].Is(name) {
			continue
		}
		start := i
		for i+1 < len(fields) && fields[i+1].Is(name) {
			i++
		}
		out = append(out, fields[start:i+1])
	}
	return out
}

// envelope is step (b): the configured envelope headers in their order, in the
// block that the provider wrote (rules 20 to 23).
func (c *Rules) envelope(m message) finding {
	for _, name := range c.headers {
		all := occurrences(m.Fields[:m.end], name)
		if m.first && len(all) > 1 {
			all = all[:1] // rule 21: without any Received
		}
		if len(all) < c.occurrence {
			continue // rule 20: fewer occurrences than asked for
		}
		for _, lines := range all[c.occurrence-1:] {
			f := finding{route: mail.RouteEnvelope + name, envelope: true}
			own := c.readEnvelope(&f, lines)
			if f.decides() {
				return f
			}
			if !own {
				break
			}
			// rule 22: only the mailbox's own login: the next occurrence may know more
		}
	}
	return finding{}
}

// readEnvelope reads one occurrence as an address list (rule 23) and tells
// whether the mailbox's own login stood in it (rule 22).
func (c *Rules) readEnvelope(f *finding, lines []header.Field) (own bool) {
	for _, l := range lines {
		value := l.Value
		if c.login.ownBare(value) {
			own = true
			continue
		}
		if c.pattern != nil {
			group := c.pattern.FindStringSubmatch(value)
			if group == nil {
				own = own || c.onlyOwn(header.Addresses(value))
				continue
			}
			value = group[1]
			if c.login.ownBare(value) {
				own = true
				continue
			}
		}
		addrs, mine := c.dropOwn(header.Addresses(value))
		own = own || mine
		before := len(f.known) + len(f.strangers)
		c.judge(f, addrs, c.prefix)
		if len(f.known)+len(f.strangers) > before && f.evidence == "" {
			f.evidence = l.Name + ": " + l.Value
		}
	}
	return own
}

// dropOwn takes the mailbox's own login out of the addresses, as they stand
// before anything is cut (rule 22).
func (c *Rules) dropOwn(addrs []header.Address) (rest []header.Address, own bool) {
	for _, a := range addrs {
		if c.login.own(a, c.router.book) {
			own = true
			continue
		}
		rest = append(rest, a)
	}
	return rest, own
}

func (c *Rules) onlyOwn(addrs []header.Address) bool {
	rest, own := c.dropOwn(addrs)
	return own && len(rest) == 0
}

// receivedFor is step (c): the one "for" of the topmost Received line, or of
// the one below those to be skipped, when the provider wrote it (rule 24).
func (c *Rules) receivedFor(m message) finding {
	if !c.received || c.skip >= len(m.lines) {
		return finding{}
	}
	line := m.lines[c.skip]
	if !line.isp {
		return finding{}
	}
	a, ok := line.recipient()
	if !ok || c.login.own(a, c.router.book) { // rule 22
		return finding{}
	}
	value := m.Fields[line.field].Value
	f := finding{route: mail.RouteReceived, envelope: true, evidence: "Received: " + value}
	c.judge(&f, []header.Address{a}, "")
	return f
}

// sender is the envelope sender (rule 41): the Return-Path that the provider
// wrote, "" for <> and for one that cannot be read; else the author's address.
func (m message) sender() string {
	for _, f := range m.Fields[:m.end] {
		if f.Is("Return-Path") {
			return firstAddress(f.Value)
		}
	}
	for _, name := range []string{"Sender", "From"} {
		for _, v := range m.Values(name) {
			if s := firstAddress(v); s != "" {
				return s
			}
		}
	}
	return ""
}

// firstAddress is the first address that MAIL FROM can carry.
func firstAddress(value string) string {
	for _, a := range header.Addresses(value) {
		if writable(a) && !strings.ContainsAny(a.Domain, " <>()\",;:\\@") {
			return a.String()
		}
	}
	return ""
}
