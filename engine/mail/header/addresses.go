package header

import "strings"

// Addresses returns the good addresses of an address list (RFC 5322 section
// 3.4) in their order: comments, quoted local parts, groups and routes are
// understood, encoded words are never decoded. What is broken is passed over
// and the rest still counts (rule 26); an address is taken only when there is
// one way to read it.
func Addresses(value string) []Address {
	s := scanner{in: value}
	s.list()
	return s.out
}

// ParseAddress reads a single address as a person types it, with or without
// angle brackets.
func ParseAddress(text string) (Address, bool) {
	list := Addresses(text)
	if len(list) != 1 {
		return Address{}, false
	}
	return list[0], true
}

// scanner walks over an address list once.
type scanner struct {
	in  string
	pos int
	out []Address

	word   word      // the word that is being read
	words  []Address // good words of this list member, outside of brackets
	angled []Address // good addresses in brackets of this list member
}

// list reads members up to the end of the field.
func (s *scanner) list() {
	for s.pos < len(s.in) {
		switch c := s.in[s.pos]; c {
		case ',', ';':
			s.pos++
			s.member()
		case ':':
			// What stands before a colon names a group, or is "mailto".
			s.pos++
			s.word, s.words, s.angled = word{}, nil, nil
		case '<':
			s.endWord()
			s.pos++
			s.angle()
		case '>':
			s.pos++ // of doubled brackets
		default:
			s.piece(&s.word, s.endWord)
		}
	}
	s.member()
}

// member ends one member of the list. Of "a@x <b@y>" the bracketed counts.
func (s *scanner) member() {
	s.endWord()
	if len(s.angled) > 0 {
		s.out = append(s.out, s.angled...)
	} else {
		s.out = append(s.out, s.words...)
	}
	s.words, s.angled = nil, nil
}

func (s *scanner) endWord() {
	if a, ok := s.word.address(); ok {
		s.words = append(s.words, a)
	}
	s.word = word{}
}

// angle reads what stands in brackets, and ends without the closing one where
// the next member begins.
func (s *scanner) angle() {
	var w word
	blank := func() { w.blank = !w.empty() }
	route := strings.HasPrefix(strings.TrimLeft(s.in[s.pos:], " \t"), "@")
	for s.pos < len(s.in) {
		c := s.in[s.pos]
		if c == '>' || (c == '<' && !w.empty()) || (!route && (c == ',' || c == ';')) {
			break // "<": another bracket opens in "Bob <bob@x <ann@x>"
		}
		switch c {
		case '<', ',':
			s.pos++ // of doubled brackets, of a route
		case ':':
			// The end of a route (RFC 5322 section 4.4), or of "mailto".
			s.pos++
			w, route = word{}, false
		default:
			s.piece(&w, blank)
		}
	}
	if a, ok := w.address(); ok {
		s.angled = append(s.angled, a)
	}
}

// piece reads the next thing that belongs to a word, or calls end at a blank
// that ends it.
func (s *scanner) piece(w *word, end func()) {
	switch c := s.in[s.pos]; c {
	case ' ', '\t', '\r', '\n':
		s.blanks()
		if !w.endsInAt() && !s.next('@') {
			end()
		}
	case '(':
		s.comment(w)
	case '"':
		s.quoted(w)
	case 0x1b:
		n := escape(s.in[s.pos:])
		w.text(s.in[s.pos : s.pos+n])
		s.pos += n
	case '[':
		s.literal(w)
	default:
		w.text(s.in[s.pos : s.pos+1])
		s.pos++
	}
}

func (s *scanner) blanks() {
	for s.pos < len(s.in) && strings.IndexByte(" \t\r\n", s.in[s.pos]) >= 0 {
		s.pos++
	}
}

func (s *scanner) next(c byte) bool { return s.pos < len(s.in) && s.in[s.pos] == c }

// comment passes over a comment, which may hold others.
func (s *scanner) comment(w *word) {
	depth := 0
	for i := s.pos; i < len(s.in); i++ {
		switch s.in[i] {
		case '\\':
			i++
		case 0x1b:
			i += escape(s.in[i:]) - 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.pos = i + 1
				w.gap()
				return
			}
		}
	}
	s.unbalanced(w)
}

// quoted reads a quoted string, of which only a local part's is kept.
func (s *scanner) quoted(w *word) {
	var b strings.Builder
	for i := s.pos + 1; i < len(s.in); i++ {
		switch c := s.in[i]; c {
		case '\\':
			if i++; i < len(s.in) {
				b.WriteByte(s.in[i])
			}
		case 0x1b:
			n := escape(s.in[i:])
			b.WriteString(s.in[i : i+n])
			i += n - 1
		case '"':
			s.pos = i + 1
			w.quote(b.String())
			return
		default:
			b.WriteByte(c)
		}
	}
	s.unbalanced(w)
}

// unbalanced: a quote or comment without an end ends with the field, and a
// bracketed address in it still counts.
func (s *scanner) unbalanced(w *word) {
	rest := s.in[s.pos+1:]
	s.pos = len(s.in)
	*w = word{}
	for {
		_, after, found := strings.Cut(rest, "<")
		if !found {
			return
		}
		inside, tail, closed := strings.Cut(after, ">")
		if i := strings.LastIndexByte(inside, '<'); i >= 0 {
			inside = inside[i+1:]
		}
		if !closed {
			return
		}
		if !strings.ContainsAny(inside, ",;") {
			sub := scanner{in: "<" + inside + ">"}
			sub.list()
			s.angled = append(s.angled, sub.out...)
		}
		rest = tail
	}
}

// literal reads a domain literal (RFC 5322 section 3.4.1).
func (s *scanner) literal(w *word) {
	end := strings.IndexAny(s.in[s.pos:], "] \t<>,;")
	if end < 0 || s.in[s.pos+end] != ']' {
		w.bad = true
		s.pos++
		return
	}
	w.text(s.in[s.pos : s.pos+end+1])
	s.pos += end + 1
}

// escape is the length of an ISO 2022 escape sequence at the start of s; with a
// set of two-byte characters (ESC $) up to the return to ASCII, since their
// bytes look like quotes, brackets and commas.
func escape(s string) int {
	i := 1
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
		i++
	}
	if i < len(s) {
		i++
	}
	if len(s) > 1 && s[1] == '$' {
		if back := strings.Index(s[i:], "\x1b("); back >= 0 {
			return min(i+back+3, len(s))
		}
	}
	return i
}
