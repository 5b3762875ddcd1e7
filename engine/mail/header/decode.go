package header

import (
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"

	"postbag/engine/mail"
)

// maxShown bounds what lists show of a field, in octets.
const maxShown = 1000

// Decode returns a field's value for people: encoded words decoded (RFC 2047),
// one line, valid UTF-8, no control characters, at most 1,000 octets.
func Decode(value string) string {
	if len(value) > 16*maxShown {
		value = value[:16*maxShown]
	}
	dec := mime.WordDecoder{CharsetReader: charset.Reader}
	text := value
	if strings.Contains(value, "=?") {
		if d, err := dec.DecodeHeader(value); err == nil {
			text = d
		}
	}
	return clean(text)
}

// clean makes one line of valid UTF-8. What is no UTF-8 is read as Windows-1252,
// which is what unlabelled 8-bit headers of the west are.
func clean(text string) string {
	if !utf8.ValidString(text) {
		if d, err := charmap.Windows1252.NewDecoder().String(text); err == nil {
			text = d
		}
	}
	var b strings.Builder
	b.Grow(min(len(text), maxShown)) // a copy: what lists show does not hold the header
	blank := true
	for _, r := range text {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == ' ':
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
			continue
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d':
			continue // also those that turn the direction of text around
		}
		if b.Len() >= maxShown {
			break
		}
		blank = false
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}

// Summarize returns what lists show of a message.
func Summarize(h Header) mail.Summary {
	return mail.Summary{
		MessageID: messageID(h.Get("Message-ID")),
		From:      Decode(h.Get("From")),
		Subject:   Decode(h.Get("Subject")),
	}
}

// messageID is the identifier with its angle brackets, "" without one.
func messageID(value string) string {
	value = clean(value)
	open := strings.IndexByte(value, '<')
	if open >= 0 {
		if end := strings.IndexByte(value[open:], '>'); end > 0 {
			return value[open : open+end+1]
		}
	}
	if value == "" {
		return ""
	}
	// QUIRK some programs leave the brackets out.
	return "<" + strings.Trim(strings.ReplaceAll(value, " ", ""), "<>") + ">"
}
