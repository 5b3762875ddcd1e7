package sample

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// maker makes one kind of message.
type maker struct {
	kind   string
	weight int
	make   func(*generator) Message
}

// generator holds what the makers share.
type generator struct {
	office Office
	rnd    *rand.Rand
	serial int
	first  int     // First of the message in the making
	past   []draft // messages that may come a second time
	all    []Message
}

// Generate makes n messages. The first ones hold each kind once, as long as n
// allows, and the rest comes as often as in life.
func Generate(seed uint64, n int, office Office) []Message {
	g := &generator{office: office, rnd: rand.New(rand.NewPCG(seed, 42))}
	kinds := makers()
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	for i := range n {
		k := kinds[i%len(kinds)]
		if i >= len(kinds) {
			k = weighted(kinds, g.rnd.IntN(total))
		}
		g.serial++
		g.first = i
		m := k.make(g)
		m.Kind, m.First = k.kind, g.first
		slices.Sort(m.For)
		m.For = slices.Compact(m.For)
		g.all = append(g.all, m)
	}
	return g.all
}

func weighted(kinds []maker, at int) maker {
	for _, k := range kinds {
		if at < k.weight {
			return k
		}
		at -= k.weight
	}
	return kinds[0]
}

// draft is a message before the provider puts its lines on top.
type draft struct {
	fields []string // header lines without line end; folded ones contain CRLF
	body   string
	owner  string // who has it already
	first  int    // where it came first
}

func (d *draft) add(format string, args ...any) {
	d.fields = append(d.fields, fmt.Sprintf(format, args...))
}

// usual is a message from outside with the header fields that all have, a
// Received line of the sender's own included.
func (g *generator) usual(to string) *draft {
	from := g.pick(correspondents())
	d := &draft{body: g.text(g.size())}
	d.add("Received: from [192.168.1.%d] (helo=desk) by out%d.sender.test with esmtpsa id %s;\r\n\t%s", g.rnd.IntN(250)+1, g.rnd.IntN(9), g.id(), g.date())
	d.add("Date: %s", g.date())
	d.add("From: %s", from)
	if to != "" {
		d.add("To: %s", to)
	}
	d.add("Subject: %s", g.pick(subjects()))
	d.add("Message-ID: <%s.%d@sender.test>", g.id(), g.serial)
	d.add("MIME-Version: 1.0")
	d.add("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit")
	return d
}

// wrap lets the provider take the message in: top are its own lines, above and
// below them stands what mail servers write.
func (g *generator) wrap(d *draft, top ...string) []byte {
	var b strings.Builder
	lines := []string{"Return-Path: <" + g.pick([]string{"news@sender.test", "ada@sender.test", "bounce+x=1@list.test"}) + ">"}
	lines = append(lines, top...)
	if g.rnd.IntN(2) == 0 { // an inner server took it from the outer one
		lines = append(lines, fmt.Sprintf("Received: from mx%d.isp.test (mx.isp.test [10.0.0.%d])\r\n\tby store.isp.test (Postfix) with ESMTP id %s;\r\n\t%s",
			g.rnd.IntN(3), g.rnd.IntN(9)+1, g.id(), g.date()))
	}
	lines = append(lines, fmt.Sprintf("Received: from out%d.sender.test (out.sender.test [203.0.113.%d])\r\n\tby mx1.isp.test (Postfix) with ESMTPS id %s;\r\n\t%s",
		g.rnd.IntN(9), g.rnd.IntN(250)+1, g.id(), g.date()))
	for _, l := range append(lines, d.fields...) {
		b.WriteString(l + "\r\n")
	}
	b.WriteString("\r\n" + d.body)
	return []byte(b.String())
}

// envelope is the line in which one of the providers says for whom it took the
// message, and the name of the step that this decides.
func (g *generator) envelope(addresses ...string) (lines []string, route string) {
	names := []string{"X-Original-To", "Envelope-To", "X-Envelope-To", "X-RCPT-TO", "X-Real-To", "Delivered-To"}
	name := names[g.rnd.IntN(len(names))]
	if len(addresses) > 1 {
		name = "Envelope-To" // only Exim puts several into one line (rule 23)
	}
	written := name
	if g.rnd.IntN(4) == 0 {
		written = strings.ToLower(name)
	}
	lines = []string{written + ": " + strings.Join(addresses, ", ")}
	if name == "X-Original-To" {
		lines = append(lines, "Delivered-To: "+g.office.Login+"@isp.test") // rule 22
	}
	return lines, "envelope:" + name
}

// person picks somebody and one of the spellings of the address.
func (g *generator) person() (address, owner string) {
	p := g.pick(g.office.People)
	owner = g.office.Address(p)
	switch g.rnd.IntN(8) {
	case 0:
		return strings.ToUpper(p[:1]) + p[1:] + "@" + strings.ToUpper(g.office.Domain), owner
	case 1:
		return p + "+shop@" + g.office.Domain, owner
	}
	return owner, owner
}

// stranger is an address of our domain that nobody has.
func (g *generator) stranger() string {
	return g.office.Address(g.pick([]string{"ghost", "webmaster", "anne.old", "noreply", "j.doe"}))
}

func (g *generator) unknown() string { return g.office.Address(g.office.Unknown) }

func (g *generator) pick(from []string) string { return from[g.rnd.IntN(len(from))] }

// key picks a key of a map whose order Go does not promise.
func (g *generator) key(keys []string) string {
	slices.Sort(keys)
	return g.pick(keys)
}

func (g *generator) id() string { return fmt.Sprintf("%08X", g.rnd.Uint32()) }

func (g *generator) date() string {
	return fmt.Sprintf("%s, %d Nov 2026 %02d:%02d:%02d +0100",
		[]string{"Mon", "Tue", "Wed", "Thu", "Fri"}[g.serial%5], g.serial%28+1, g.rnd.IntN(24), g.rnd.IntN(60), g.rnd.IntN(60))
}

// size is a length as in life: mostly a few KB, sometimes much.
func (g *generator) size() int {
	switch g.rnd.IntN(40) {
	case 0:
		return 0
	case 1:
		return 100_000 + g.rnd.IntN(100_000)
	case 2, 3, 4:
		return 20_000 + g.rnd.IntN(30_000)
	}
	return 200 + g.rnd.IntN(6_000)
}
