package pop3

import (
	"io"
	"strings"
	"unicode"
)

// transcript writes down what was said, without secrets and without mail.
type transcript struct {
	w    io.Writer
	hide []string // secrets in every form in which a server could repeat them
}

// client writes a command; shown is its masked form.
func (t *transcript) client(shown string) {
	if t.w != nil {
		t.write("C: ", shown)
	}
}

func (t *transcript) server(line []byte) {
	if t.w != nil {
		t.write("S: ", t.mask(printable(string(line))))
	}
}

func (t *transcript) note(text string) {
	if t.w != nil {
		t.write("-- ", text)
	}
}

func (t *transcript) write(who, text string) {
	_, _ = io.WriteString(t.w, who+text+"\n") // a transcript that cannot be written stops no mail
}

// mask hides secrets that a server repeats. Very short ones stay: hiding each
// "a" would tell more than it hides.
func (t *transcript) mask(s string) string {
	for _, h := range t.hide {
		if len(h) > 2 {
			s = strings.ReplaceAll(s, h, "****")
		}
	}
	return s
}

// printable makes one clean line of what a server said: control characters
// and broken UTF-8 become "?".
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.TrimSpace(s))
}
