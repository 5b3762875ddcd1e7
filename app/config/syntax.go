package config

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// toASCII maps a domain to its lower case A-form as a resolver would (UTS #46,
// non-transitional). Underscores and hyphens anywhere pass: such hosts exist.
var toASCII = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false))

// ASCIIDomain returns the lower case A-form of a domain, a leading "@" and a
// trailing dot removed, and whether it is one (RFC 5890 section 2.3.2.1,
// RFC 1123 section 2.1; at most 253 octets, labels of at most 63).
func ASCIIDomain(s string) (string, bool) {
	s, err := toASCII.ToASCII(cleanDomain(s))
	if err != nil || s == "" || len(s) > 253 {
		return "", false
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if !validLabel(l) {
			return "", false
		}
	}
	// A last label of digits only is an IPv4 address, never a domain (RFC 3696 section 2).
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", false
	}
	return s, true
}

func validLabel(l string) bool {
	if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
		return false
	}
	for i := range len(l) {
		c := l[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// cleanDomain forgives a leading "@" and a trailing dot.
func cleanDomain(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "@")
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// validHost tells whether s is an IP address or a host name.
func validHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	_, ok := ASCIIDomain(s)
	return ok && !strings.HasPrefix(s, "@")
}

// cleanHost returns the form in which a host is dialled: A-form in lower case,
// an IPv6 address without brackets. What is no host stays as it is.
func cleanHost(s string) string {
	bare := strings.TrimSpace(s)
	if strings.HasPrefix(bare, "[") && strings.HasSuffix(bare, "]") {
		bare = bare[1 : len(bare)-1]
	}
	if a, err := netip.ParseAddr(bare); err == nil {
		return a.String()
	}
	if d, ok := ASCIIDomain(bare); ok && !strings.HasPrefix(bare, "@") {
		return d
	}
	return s
}

// hostWithPort tells whether s looks like host:port.
func hostWithPort(s string) bool {
	host, port, found := strings.Cut(s, ":")
	return found && port != "" && strings.Trim(port, "0123456789") == "" && validHost(host)
}

// cleanPin lower-cases the digits and drops the colons that openssl prints.
func cleanPin(s string) string {
	scheme, digits, found := strings.Cut(strings.TrimSpace(s), ":")
	if !found {
		return s
	}
	return strings.ToLower(scheme) + ":" + strings.ToLower(strings.ReplaceAll(digits, ":", ""))
}

func validPin(s string) bool {
	digits, found := strings.CutPrefix(s, "sha256:")
	raw, err := hex.DecodeString(digits)
	return found && err == nil && len(raw) == 32
}

// atext are the characters of an unquoted local part (RFC 5322 section 3.2.3).
// Dots may stand anywhere: real addresses have two in a row.
const atext = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~."

// validAddress tells whether s is local@domain as RCPT TO takes it: RFC 5321
// section 4.1.2, with UTF-8 as in RFC 6531 section 3.3, without address literals.
func validAddress(s string) bool {
	local, domain := cutAddress(s)
	if len(s) > 254 || strings.TrimSpace(s) != s || strings.HasPrefix(domain, "@") || strings.HasSuffix(domain, ".") {
		return false
	}
	_, ok := ASCIIDomain(domain)
	return ok && validLocal(local)
}

func validLocal(local string) bool {
	if local == "" || len(local) > 64 {
		return false
	}
	if len(local) >= 2 && local[0] == '"' && local[len(local)-1] == '"' {
		return validQuoted(local[1 : len(local)-1])
	}
	for _, r := range local {
		if r < utf8.RuneSelf && !strings.ContainsRune(atext, r) || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// validQuoted checks what stands between the quotes (qtextSMTP, quoted-pairSMTP).
func validQuoted(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c < ' ' || c == 0x7f:
			return false
		case c == '\\':
			i++
			if i == len(s) || s[i] < ' ' || s[i] > '~' {
				return false
			}
		}
	}
	return true
}

// cutAddress splits at the last "@"; both parts are "" without one.
func cutAddress(s string) (local, domain string) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", ""
	}
	return s[:i], s[i+1:]
}

// Canonical returns the form in which addresses are compared (rule 27): the
// local part in lower case, unquoted where it needs no quotes, and the domain
// in A-form.
func Canonical(address string) string {
	local, domain := cutAddress(address)
	if ascii, ok := ASCIIDomain(domain); ok {
		domain = ascii
	}
	if inner := strings.Trim(local, `"`); len(local) == len(inner)+2 && inner != "" && strings.Trim(inner, atext) == "" {
		local = inner
	}
	return strings.ToLower(local) + "@" + domain
}

// validHeaderName checks a field name (RFC 5322 section 3.6.8, ftext).
func validHeaderName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ':' {
			return false
		}
	}
	return s != ""
}

// hasControl finds C0 and C1 control characters, DEL, and the line and
// paragraph separators.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// printable makes text of the file safe to show.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
