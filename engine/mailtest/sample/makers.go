package sample

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// makers lists the kinds of messages and how often each comes.
func makers() []maker { return slices.Concat(byEnvelope(), byHeader(), odd()) }

// byEnvelope are messages for which the provider noted the envelope.
func byEnvelope() []maker {
	return []maker{
		{"envelope", 30, func(g *generator) Message {
			address, owner := g.person()
			return g.taken(g.usual(g.office.Address(g.pick(g.office.People))), []string{owner}, address)
		}},
		{"bcc", 6, func(g *generator) Message { // named by the envelope only
			address, owner := g.person()
			return g.taken(g.usual("undisclosed-recipients:;"), []string{owner}, address)
		}},
		{"envelope with several", 4, severalRecipients},
		{"envelope for a stranger", 3, func(g *generator) Message {
			m := g.taken(g.usual(g.office.Address("anne")), []string{g.unknown()}, g.stranger())
			m.Route = "unknown"
			return m
		}},
		{"envelope for a stranger and a person", 2, func(g *generator) Message {
			address, owner := g.person()
			return g.taken(g.usual(""), []string{owner, g.unknown()}, address, g.stranger())
		}},
		{"forged envelope", 3, forged},
		{"alias", 4, func(g *generator) Message {
			alias := g.key(slices.Collect(maps.Keys(g.office.Aliases)))
			return g.taken(g.usual(g.office.Address(alias)), []string{g.office.Address(g.office.Aliases[alias])}, g.office.Address(alias))
		}},
		{"distribution list", 4, func(g *generator) Message {
			list := g.key(slices.Collect(maps.Keys(g.office.Lists)))
			return g.taken(g.usual(g.office.Address(list)), g.members(list), g.office.Address(list))
		}},
		{"same message again", 3, again},
		{"one copy for each recipient", 2, fanOut},
		{"attachment", 6, func(g *generator) Message {
			address, owner := g.person()
			d := g.usual("")
			kind, body := g.attachment(g.rnd.IntN(60_000))
			d.fields[len(d.fields)-1], d.body = "Content-Type: "+kind, body
			return g.taken(d, []string{owner}, address)
		}},
	}
}

// byHeader are messages that only what their author wrote can route.
func byHeader() []maker {
	return []maker{
		{"to and cc", 10, toAndCc},
		{"to a stranger only", 2, func(g *generator) Message {
			return Message{Bytes: g.wrap(g.usual(g.stranger())), For: []string{g.unknown()}, Route: "unknown"}
		}},
		{"group and comments", 2, func(g *generator) Message {
			address, owner := g.person()
			d := g.usual(fmt.Sprintf("The team: <%s> (at work, (really)),\r\n \"Smith; Jane\" <jane@elsewhere.test>;", address))
			return Message{Bytes: g.wrap(d), For: []string{owner}, Route: "to_cc"}
		}},
		{"mailing list", 5, mailingList},
		{"nobody named", 3, func(g *generator) Message {
			d := g.usual(g.pick([]string{"undisclosed-recipients:;", "everybody@elsewhere.test", "<>", "anne@notoffice.test"}))
			return Message{Bytes: g.wrap(d), For: []string{g.unknown()}, Route: "unknown"}
		}},
		{"resent", 2, resent},
	}
}

// odd are messages with something in them that standards forbid.
func odd() []maker {
	return []maker{
		{"latin-1 without a word", 3, func(g *generator) Message {
			return g.odd(func(d *draft) { d.add("X-Note: d\xe9j\xe0 vu"); d.body += "Caf\xe9 cr\xe8me\r\n" })
		}},
		{"line of 5,000 characters", 2, func(g *generator) Message {
			return g.odd(func(d *draft) { d.body += strings.Repeat("0123456789", 500) + "\r\nend\r\n" })
		}},
		{"header line of 900 characters", 1, func(g *generator) Message {
			return g.odd(func(d *draft) { d.add("X-Long: %s", strings.Repeat("abcdefghi ", 90)) })
		}},
		{"many references", 2, func(g *generator) Message {
			return g.odd(func(d *draft) { d.add("References:%s", strings.Repeat("\r\n <0123456789abcdef@sender.test>", 60)) })
		}},
		{"lone LF", 2, func(g *generator) Message {
			return g.odd(func(d *draft) { d.body += "a lone LF\nand a trap:\n.\nstill the same message\r\n" })
		}},
		{"lone CR", 1, func(g *generator) Message {
			return g.odd(func(d *draft) { d.body += "one\rtwo\r\n" })
		}},
		{"no line end at the end", 2, func(g *generator) Message {
			return g.odd(func(d *draft) { d.body += "the last line" })
		}},
		{"no body", 1, func(g *generator) Message { return g.odd(func(d *draft) { d.body = "" }) }},
		{"no header", 1, func(g *generator) Message {
			return Message{Bytes: []byte("\r\n" + g.text(300)), For: []string{g.unknown()}, Route: "unknown"}
		}},
		{"no header, no empty line", 1, func(g *generator) Message {
			return Message{
				Bytes: fmt.Appendf(nil, "Hello,\r\nmessage %d has no header at all.\r\n\r\nBye\r\n", g.serial),
				For:   []string{g.unknown()}, Route: "unknown",
			}
		}},
		{"zero bytes", 0, func(g *generator) Message { // once: a second one would be its duplicate
			return Message{For: []string{g.unknown()}, Route: "unknown"}
		}},
		{"NUL bytes", 1, func(g *generator) Message {
			return g.odd(func(d *draft) { d.body += "before\x00after\r\n\x00\r\n" })
		}},
		{"junk between the fields", 1, func(g *generator) Message {
			return g.odd(func(d *draft) { d.add("X-Empty:"); d.add("X-Tab:\tvalue\r\n\t\tmore") })
		}},
	}
}

// taken is a message that the provider took in for the addresses.
func (g *generator) taken(d *draft, owners []string, addresses ...string) Message {
	lines, route := g.envelope(addresses...)
	if len(owners) == 1 {
		g.past = append(g.past, draft{fields: d.fields, body: d.body, owner: owners[0], first: g.first})
	}
	return Message{Bytes: g.wrap(d, lines...), For: slices.Clone(owners), Route: route}
}

// odd is a usual message for one person with something strange in it.
func (g *generator) odd(change func(*draft)) Message {
	address, owner := g.person()
	d := g.usual(address)
	change(d)
	return g.taken(d, []string{owner}, address)
}

func (g *generator) members(list string) []string {
	var all []string
	for _, m := range g.office.Lists[list] {
		all = append(all, g.office.Address(m))
	}
	return all
}

func severalRecipients(g *generator) Message {
	a, ownerA := g.person()
	b, ownerB := g.person()
	return g.taken(g.usual("team@elsewhere.test"), []string{ownerA, ownerB}, a, "someone@elsewhere.test", b)
}

// forged has envelope headers of the sender's own below the provider's block
// (rule 21): they must not decide.
func forged(g *generator) Message {
	address, owner := g.person()
	d := g.usual(g.office.Address("bob"))
	d.fields = slices.Insert(d.fields, 1, "X-Original-To: "+g.office.Address("claire"), "Envelope-To: "+g.office.Address("dieter"))
	return g.taken(d, []string{owner}, address)
}

func toAndCc(g *generator) Message {
	a, ownerA := g.person()
	b, ownerB := g.person()
	d := g.usual(fmt.Sprintf("\"Smith, Jane\" <jane@elsewhere.test>, %s", a))
	d.add("Cc: =?utf-8?Q?Andr=C3=A9?= <%s>,\r\n\t%s", b, g.stranger())
	return Message{Bytes: g.wrap(d), For: []string{ownerA, ownerB}, Route: "to_cc"}
}

func mailingList(g *generator) Message {
	id := g.key(slices.Collect(maps.Keys(g.office.ListIDs)))
	d := g.usual("golang-nuts@googlegroups.test")
	d.add("List-Id: The list <%s>", id)
	d.add("Precedence: list")
	return Message{Bytes: g.wrap(d), For: []string{g.office.Address(g.office.ListIDs[id])}, Route: "list"}
}

func resent(g *generator) Message {
	address, owner := g.person()
	d := g.usual(g.office.Address("anne"))
	d.fields = slices.Insert(d.fields, 1, "Resent-From: <joe@sender.test>", "Resent-To: "+address, "Resent-Date: "+g.date())
	return Message{Bytes: g.wrap(d), For: []string{owner}, Route: "resent"}
}

// again is a message that came before, for the same person: a duplicate.
func again(g *generator) Message {
	if len(g.past) == 0 {
		return g.odd(func(*draft) {})
	}
	d := g.past[g.rnd.IntN(len(g.past))]
	g.first = d.first
	lines, route := g.envelope(d.owner)
	return Message{Bytes: g.wrap(&d, lines...), Route: route}
}

// fanOut is a message that came before, taken in for somebody else: no
// duplicate, since that person has none yet.
func fanOut(g *generator) Message {
	for i, d := range g.past {
		p := g.office.Address(g.pick(g.office.People))
		if p == d.owner {
			continue
		}
		g.past = slices.Delete(g.past, i, i+1) // else a third copy could go to either
		g.first = d.first
		lines, route := g.envelope(p)
		return Message{Bytes: g.wrap(&d, lines...), For: []string{p}, Route: route}
	}
	return g.odd(func(*draft) {})
}
