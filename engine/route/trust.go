package route

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"postbag/engine/mail/header"
)

// trust is the block of a header that the provider wrote (rule 21).
type trust struct {
	end   int         // fields before this index are the provider's
	first bool        // no Received at all: only the topmost occurrence of a field counts
	lines []traceLine // the Received lines that were read, from the top
}

// traceLine is a Received line of the walk.
type traceLine struct {
	received
	field int  // index in the header
	isp   bool // written by the provider
}

// writer says whose a Received line is.
type writer int

const (
	foreign writer = iota
	provider
	inner // its "by" means something inside one network only, or is missing
)

// walk reads the Received lines from the top as far as the message stayed
// inside the provider. Below the first line that took it from outside the
// sender may have written anything.
func (h hosts) walk(fields []header.Field) trust {
	t := trust{end: len(fields)}
	w := walker{hosts: h, certified: !h.set}
	named := false
	for i, f := range fields {
		if !f.Is("Received") {
			continue
		}
		rec := parseReceived(f.Value)
		named = named || rec.by != ""
		if h.any {
			t.lines = append(t.lines, traceLine{rec, i, true})
			continue
		}
		who := w.whose(rec)
		w.certified = w.certified || who == provider
		t.lines = append(t.lines, traceLine{rec, i, who == provider || (who == inner && !h.set && rec.by != "")})
		if who == foreign || !w.inside(rec) {
			t.end = i
			break
		}
	}
	t.bound(named, h, w.certified)
	return t
}

// bound limits what is trusted when no line of the provider certifies it.
func (t *trust) bound(named bool, h hosts, certified bool) {
	switch {
	case !named && !h.set:
		t.first = true // no Received, or qmail's without any host
	case !certified && !h.any:
		// isp_hosts is set and no line of the provider stands on top: nothing
		// shows where its block ends.
		t.end, t.lines = 0, nil
	}
}

// walker is the state of a walk.
type walker struct {
	hosts
	certified bool   // a line of the provider was seen, or whoever is on top is the provider
	site      string // isp_hosts is not set: the provider's registrable domain, once known
}

// whose tells who wrote a line. Lines whose "by" is missing (qmail), a private
// address (Gmail, Yahoo) or a bare name (LMTP stores) cannot be told apart from
// other sites' lines; they are passed through, but prove nothing.
func (w *walker) whose(r received) writer {
	by := strings.Trim(r.by, "[]")
	if addr, ok := parseAddr(r.by); ok {
		switch {
		case w.listed(addr):
			return provider
		case internal(addr):
			return inner
		}
		return w.siteIs(addr.String())
	}
	by = header.DomainKey(by)
	switch {
	case w.set && w.named(by):
		return provider
	case by == "" || innerName(by):
		return inner
	}
	return w.siteIs(by)
}

// siteIs judges a public "by" by isp_hosts, or without them by the line on top.
func (w *walker) siteIs(by string) writer {
	if w.set {
		return foreign // listed names and addresses are found before
	}
	site := registrable(by)
	if w.site == "" {
		w.site = site
	}
	if site == w.site {
		return provider
	}
	return foreign
}

// inside tells whether a line says that the message came from inside: nothing
// after "from", LMTP, or a host of the provider. An address decides over a name
// and a HELO name alone proves nothing (rule 21).
func (w *walker) inside(r received) bool {
	switch {
	case r.twice:
		return false
	case !r.hasFrom || r.local():
		return true
	}
	addrs, host := r.origin()
	for _, a := range addrs {
		if !internal(a) && !w.listed(a) {
			return false
		}
	}
	if len(addrs) > 0 {
		return true
	}
	host = header.DomainKey(host)
	switch {
	case host == "":
		return false
	case loopbackName(host):
		return true
	case w.set:
		return w.named(host)
	}
	return w.site != "" && registrable(host) == w.site
}

func (h hosts) listed(a netip.Addr) bool {
	for _, have := range h.addrs {
		if have == a {
			return true
		}
	}
	return false
}

// named: isp.test in isp_hosts means mx1.isp.test too, by whole labels.
func (h hosts) named(host string) bool {
	for _, n := range h.names {
		if host == n || (n != "" && strings.HasSuffix(host, "."+n)) {
			return true
		}
	}
	return false
}

// internal tells whether an address belongs to no one in particular: private,
// loopback or link-local.
func internal(a netip.Addr) bool {
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return true
	}
	// QUIRK Gmail writes its own 10.x addresses as 6to4 ("by 2002:a05:...").
	if b := a.As16(); a.Is6() && b[0] == 0x20 && b[1] == 0x02 {
		return internal(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return false
}

func loopbackName(host string) bool {
	return host == "localhost" || host == "localhost.localdomain" || strings.HasSuffix(host, ".localhost")
}

// innerName tells whether a host name says nothing outside its own network: a
// bare name, or one under a name that is never registered (RFC 6761, 6762, 8375).
func innerName(host string) bool {
	if !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range []string{".localdomain", ".localhost", ".local", ".lan", ".internal", ".intern", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// registrable is the domain under which a host is registered; the host itself
// when there is none above it.
func registrable(host string) string {
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}
