package header

import "strings"

// word is a run of text that may be one addr-spec.
type word struct {
	local, domain []byte
	at            int  // how many unquoted "@"
	bad           bool // there is no one way to read it
	quotedWhole   bool // the local part is one quoted string
	parts         int  // pieces of text so far
	gapped        bool // a comment stood after the last piece
	blank         bool // a blank stood after the last piece, inside of brackets
}

func (w *word) empty() bool { return w.parts == 0 && !w.bad }

func (w *word) endsInAt() bool { return w.at == 1 && len(w.domain) == 0 && !w.bad }

// text adds characters outside of quotes.
func (w *word) text(s string) {
	if w.gapped && joins(w.last(), s[0]) {
		w.bad = true // a comment inside an atom
	}
	if w.quotedWhole && w.at == 0 && s[0] != '@' && s[0] != '.' {
		w.bad = true // "a"b@x
	}
	w.bad = w.bad || w.blank
	w.gapped = false
	w.parts++
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '@':
			w.at++
		case w.at == 0:
			w.local = append(w.local, c)
		default:
			w.domain = append(w.domain, c)
		}
	}
	w.bad = w.bad || w.at > 1
}

// last is the last character, '@' when the domain is about to begin.
func (w *word) last() byte {
	switch {
	case w.at > 0 && len(w.domain) > 0:
		return w.domain[len(w.domain)-1]
	case w.at > 0 || len(w.local) == 0:
		return '@'
	}
	return w.local[len(w.local)-1]
}

// joins tells whether two characters with nothing between them are one atom.
func joins(a, b byte) bool { return a != '@' && a != '.' && b != '@' && b != '.' }

// gap notes a comment.
func (w *word) gap() { w.gapped = w.gapped || !w.empty() }

// quote adds a quoted string.
func (w *word) quote(s string) {
	if w.blank || w.at > 0 || (len(w.local) > 0 && w.local[len(w.local)-1] != '.') {
		w.bad = true
	}
	w.parts++
	w.gapped = false
	w.quotedWhole = true
	w.local = append(w.local, s...)
}

// address is the word read as an addr-spec.
func (w *word) address() (Address, bool) {
	if w.bad || w.at != 1 {
		return Address{}, false
	}
	local, domain := string(w.local), string(w.domain)
	if !w.quotedWhole {
		if strings.HasPrefix(local, "'") && strings.HasSuffix(domain, "'") {
			local, domain = local[1:], domain[:len(domain)-1]
		}
		if !goodLocal(local) {
			return Address{}, false
		}
	}
	domain = strings.TrimSuffix(domain, ".")
	if local == "" || len(local)+len(domain) > 900 || hasControl(local) || !goodDomain(domain) {
		return Address{}, false
	}
	return Address{Local: local, Domain: domain}, true
}

func goodLocal(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isAtext(s[i]) && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// goodDomain: labels of letters, digits, "-" and "_", or a literal.
func goodDomain(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") && len(s) > 2 {
		return !hasControl(s)
	}
	if s == "" || len(s) > 255 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.IndexFunc(label, noLabel) >= 0 {
			return false
		}
	}
	return true
}

// noLabel tells whether a character cannot stand in a domain; beyond ASCII all
// can (RFC 5890).
func noLabel(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r >= 0x80:
		return false
	}
	return true
}
