// Package tell writes facts for people, for the command line and for the windows
// alike: the steps of a message's way in words, the journal as a table for a
// spreadsheet, and text from mail and servers without anything that could steer
// a terminal or mislead a reader.
package tell

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe replaces what a terminal would obey or a window show misleadingly; line
// ends stay. The result is valid UTF-8.
func Safe(text string) string {
	if IsPlain(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case r == '\n':
			b.WriteByte('\n')
		case r == '\t':
			b.WriteByte(' ')
		case Steers(r):
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Line is safe for a value within a line: no line ends, one space for several.
func Line(text string) string {
	if IsPlain(text) && !strings.ContainsAny(text, "\n") && !strings.Contains(text, "  ") {
		return strings.TrimSpace(text)
	}
	return strings.Join(strings.Fields(Safe(text)), " ")
}

// Sentence is Line for words of our own, with a value in them: a space that holds
// words together stays, as French puts it before a colon.
func Sentence(text string) string {
	return strings.Join(strings.FieldsFunc(Safe(text), func(r rune) bool {
		return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f'
	}), " ")
}

// IsPlain tells whether text is printable ASCII and line ends.
func IsPlain(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c >= 0x7f || c < 0x20 && c != '\n' {
			return false
		}
	}
	return true
}

// Steers tells whether a terminal would obey the rune (C0, DEL, C1) or show the
// text after it in another order or not at all (Unicode bidirectional
// overrides and isolates, line separators, byte order mark).
func Steers(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	case r == 0x2028, r == 0x2029, r == 0xfeff:
		return true
	}
	return false
}
