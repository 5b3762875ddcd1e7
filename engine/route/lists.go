package route

import (
	"net/url"
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// listRule is a ListRule ready for use.
type listRule struct {
	id, post, contains string // lower case, one is set
	to                 []name
}

func (b *book) listRule(l ListRule) (listRule, error) {
	r := listRule{
		id:       listID(l.ListID),
		post:     postKey(l.ListPost),
		contains: strings.ToLower(strings.TrimSpace(l.ToContains)),
	}
	var err error
	r.to, err = b.destinations(l.DeliverTo)
	return r, err
}

// mailingLists is step (d). A message that several rules match goes to the
// people of all of them: nobody who asked for a list misses a message of it.
func (c *Rules) mailingLists(m message) finding {
	f := finding{route: mail.RouteList}
	for _, r := range c.router.listRules {
		line, ok := r.match(m.Fields)
		if !ok {
			continue
		}
		if f.evidence == "" {
			f.evidence = line.Name + ": " + line.Value
		}
		for _, n := range r.to {
			if f.first(n.key) {
				f.known = append(f.known, match{n, n.addr.String()})
			}
		}
	}
	return f
}

// match finds the line of the header that a rule speaks of.
func (r listRule) match(fields []header.Field) (header.Field, bool) {
	for _, f := range fields {
		switch {
		case r.id != "" && f.Is("List-Id") && listID(f.Value) == r.id,
			r.post != "" && f.Is("List-Post") && posts(f.Value, r.post),
			r.contains != "" && (f.Is("To") || f.Is("Cc")) && contains(f.Value, r.contains):
			return f, true
		}
	}
	return header.Field{}, false
}

// listID is the id inside the angle brackets of List-Id (RFC 2919 section 3),
// the whole value without them. The phrase before may be quoted and hold
// brackets itself, so that the last pair counts.
func listID(value string) string {
	if i := strings.LastIndexByte(value, '<'); i >= 0 {
		id, _, _ := strings.Cut(value[i+1:], ">")
		value = id
	}
	return strings.ToLower(strings.TrimSpace(value))
}

// postKey reads the list_post of a rule, with or without "mailto:".
func postKey(value string) string {
	value = strings.Trim(strings.TrimSpace(value), "<>")
	if value == "" {
		return ""
	}
	if key := mailtoKey(value); key != "" {
		return key
	}
	if a, ok := header.ParseAddress(value); ok {
		return a.Key()
	}
	return strings.ToLower(value)
}

// posts tells whether List-Post (RFC 2369 section 3.4) names the address.
func posts(value, key string) bool {
	for _, part := range strings.Split(value, "<") {
		inside, _, _ := strings.Cut(part, ">")
		if mailtoKey(strings.TrimSpace(inside)) == key {
			return true
		}
	}
	for _, a := range header.Addresses(value) {
		if a.Key() == key {
			return true
		}
	}
	return false
}

// mailtoKey reads "mailto:address?subject=..." (RFC 6068).
func mailtoKey(uri string) string {
	if len(uri) < 7 || !strings.EqualFold(uri[:7], "mailto:") {
		return ""
	}
	to, _, _ := strings.Cut(uri[7:], "?")
	if plain, err := url.PathUnescape(to); err == nil {
		to = plain
	}
	if a, ok := header.ParseAddress(to); ok {
		return a.Key()
	}
	return ""
}

func contains(value, lower string) bool {
	if strings.Contains(strings.ToLower(value), lower) {
		return true
	}
	return strings.Contains(value, "=?") && strings.Contains(strings.ToLower(header.Decode(value)), lower)
}
