package header

import (
	"strings"

	"golang.org/x/net/idna"
)

// Address is an addr-spec (RFC 5322 section 3.4.1) in its original spelling. A
// quoted local part is kept without its quotes and escapes.
type Address struct {
	Local  string
	Domain string // without trailing dot
}

// String writes the address as RCPT TO wants it: quotes where they are needed.
func (a Address) String() string { return quoteLocal(a.Local) + "@" + a.Domain }

// Key is what two spellings of one address have in common: lower case, domain
// in A-form (rule 27).
func (a Address) Key() string { return strings.ToLower(a.Local) + "@" + DomainKey(a.Domain) }

// IsZero tells whether there is no address.
func (a Address) IsZero() bool { return a.Domain == "" }

// DomainKey is a domain in lower case A-form (rule 27), without trailing dot.
func DomainKey(domain string) string {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if isASCII(domain) {
		return domain
	}
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		return strings.ToLower(a)
	}
	return domain
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// quoteLocal puts a local part into quotes unless it is a dot-atom.
func quoteLocal(local string) string {
	plain := local != ""
	for i := 0; i < len(local); i++ {
		if !isAtext(local[i]) && local[i] != '.' {
			plain = false
		}
	}
	// QUIRK a..b and .a are no dot-atoms, yet real mailboxes bear such names and
	// servers know them without quotes.
	if plain {
		return local
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(local); i++ {
		if local[i] == '"' || local[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isAtext: RFC 5322 section 3.2.3, with RFC 6532 any octet beyond ASCII.
func isAtext(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}
