package route

import (
	"net/netip"
	"strings"

	"postbag/engine/mail/header"
)

// received is what a Received line says (RFC 5321 section 4.4), as far as
// routing and trust need it.
type received struct {
	from         string // the HELO name, mostly; proves nothing
	hasFrom      bool
	fromComments []string // what the writer put in parentheses after it
	by           string
	with         string
	forWords     []string
	twice        bool // from, by or with come twice: somebody tampered with the line
}

// parseReceived reads a Received line. It never fails: what is missing stays empty.
func parseReceived(value string) received {
	var r received
	clause := ""
	s := tokens{in: value}
	for {
		word, comment, ok := s.next()
		if !ok {
			// After the date's semicolon nothing but a date may follow.
			r.twice = r.twice || strings.Contains(strings.ToLower(s.in[min(s.pos, len(s.in)):]), " by ")
			return r
		}
		if comment {
			if clause == "from" {
				r.fromComments = append(r.fromComments, word)
			}
			continue
		}
		k := word
		if len(k) <= len("from") { // no clause has a longer name
			k = strings.ToLower(k)
		}
		switch k {
		case "from", "by", "via", "with", "id", "for":
			clause = k
			r.begin(k)
		default:
			r.add(clause, word)
		}
	}
}

func (r *received) begin(clause string) {
	switch clause {
	case "from":
		r.twice = r.twice || r.hasFrom
		r.hasFrom = true
	case "by":
		r.twice = r.twice || r.by != ""
		r.by = ""
	case "with":
		r.twice = r.twice || r.with != ""
		r.with = ""
	}
}

// add takes the first word of a clause, and every word of "for".
func (r *received) add(clause, word string) {
	switch clause {
	case "from":
		if r.from == "" {
			r.from = word
		}
	case "by":
		if r.by == "" {
			r.by = strings.TrimRight(word, ".,")
		}
	case "with":
		if r.with == "" {
			r.with = strings.ToLower(word)
		}
	case "for":
		r.forWords = append(r.forWords, word)
	}
}

// recipient returns the one address after "for" (rule 24). The angle brackets
// may be missing; with several addresses none counts.
func (r received) recipient() (header.Address, bool) {
	var found []header.Address
	for _, w := range r.forWords {
		found = append(found, header.Addresses(w)...)
	}
	if len(found) != 1 {
		return header.Address{}, false
	}
	return found[0], true
}

// local tells whether the message was handed over inside one system: "with
// LMTP" (RFC 3848, RFC 6531) or Exim's "with local".
func (r received) local() bool {
	with := strings.TrimPrefix(r.with, "utf8")
	return strings.HasPrefix(with, "lmtp") || with == "local" || strings.HasPrefix(with, "local-")
}

// origin returns the addresses, or else the host name, that the writer noted in
// parentheses after "from". The name is "" when the writer doubted it.
func (r received) origin() (addrs []netip.Addr, host string) {
	helo := false
	for i, c := range r.fromComments {
		a, h, name := readOrigin(c)
		addrs = append(addrs, a...)
		helo = helo || h
		if i == 0 {
			host = name
		}
	}
	if len(addrs) == 0 && helo {
		// QUIRK Exim without a name, "from [192.0.2.1] (helo=x)", and Yahoo: the
		// HELO is in the parentheses and the address stands before them.
		if a, ok := parseAddr(r.from); ok {
			addrs = append(addrs, a)
		}
	}
	return addrs, host
}

// readOrigin reads one comment after "from": Postfix "name [address]", Sendmail
// "user@name [address] (may be forged)", Exim "[address] helo=x", qmail "HELO x"
// and then "user@address", Exchange "address".
func readOrigin(comment string) (addrs []netip.Addr, helo bool, host string) {
	lower := strings.ToLower(comment)
	forged := strings.Contains(lower, "forged") // rule 21: voids the name
	names := 0
	skip := false
	for _, w := range strings.Fields(lower) {
		switch {
		case skip:
			skip = false // the word after HELO is the sender's
		case w == "helo" || w == "ehlo":
			helo, skip = true, true
		case strings.HasPrefix(w, "helo=") || strings.HasPrefix(w, "ehlo="):
			helo = true
		default:
			if i := strings.LastIndexByte(w, '@'); i >= 0 {
				w = w[i+1:] // of ident
			}
			if a, ok := parseAddr(w); ok {
				addrs = append(addrs, a)
			} else if names++; names == 1 {
				host = strings.TrimRight(w, ".,;")
			}
		}
	}
	if forged || names != 1 {
		host = ""
	}
	return addrs, helo, host
}

// parseAddr reads an IP address with or without brackets, "IPv6:" and a port.
func parseAddr(s string) (netip.Addr, bool) {
	if strings.HasPrefix(s, "[") {
		inside, _, closed := strings.Cut(s[1:], "]")
		if !closed {
			return netip.Addr{}, false
		}
		s = inside
	}
	if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
		s = s[5:]
	}
	s = strings.TrimRight(s, ".,;")
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// tokens cuts a Received line into words and comments, up to its date.
type tokens struct {
	in  string
	pos int
}

func (t *tokens) next() (text string, comment, ok bool) {
	for t.pos < len(t.in) && strings.IndexByte(" \t\r\n,", t.in[t.pos]) >= 0 {
		t.pos++
	}
	if t.pos >= len(t.in) || t.in[t.pos] == ';' {
		return "", false, false // the date follows
	}
	if t.in[t.pos] == '(' {
		return t.comment(), true, true
	}
	return t.word(), false, true
}

// comment reads a comment, which may hold others; one without an end ends with
// the line.
func (t *tokens) comment() string {
	depth, start, nested := 0, t.pos+1, false
	for ; t.pos < len(t.in); t.pos++ {
		switch t.in[t.pos] {
		case '\\':
			t.pos++
		case '(':
			depth++
			nested = nested || depth > 1
		case ')':
			if depth--; depth == 0 {
				t.pos++
				text := t.in[start : t.pos-1]
				if nested { // words must not hang together over an inner comment
					text = strings.NewReplacer("(", " ", ")", " ").Replace(text)
				}
				return text
			}
		}
	}
	t.pos = len(t.in)
	return t.in[min(start, len(t.in)):]
}

// word reads up to a blank; brackets and quotes hold their blanks together.
func (t *tokens) word() string {
	start, quoted, angle := t.pos, false, false
	for ; t.pos < len(t.in); t.pos++ {
		switch c := t.in[t.pos]; {
		case c == '\\' && quoted:
			t.pos++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case angle:
		case strings.IndexByte(" \t\r\n,;(", c) >= 0:
			return t.in[start:t.pos]
		}
	}
	t.pos = min(t.pos, len(t.in))
	return t.in[start:t.pos]
}
