package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"postbag/engine/mail"
)

// searchText is what a message is found by: sender, subject, Message-ID and
// everybody it is for.
func searchText(sum mail.Summary, recipients []mail.Recipient) string {
	var b strings.Builder
	b.Grow(len(sum.From) + len(sum.Subject) + len(sum.MessageID) + 40*len(recipients) + 8)
	add := func(s string) {
		if s != "" {
			b.WriteString(s)
			b.WriteByte('\n')
		}
	}
	add(sum.From)
	add(sum.Subject)
	add(sum.MessageID)
	for _, r := range recipients {
		add(r.Address)
		if !strings.EqualFold(r.Person, r.Address) {
			add(r.Person)
		}
		if !strings.EqualFold(r.For, r.Address) && !strings.EqualFold(r.For, r.Person) {
			add(r.For)
		}
	}
	return b.String()
}

// matchExpression turns what a person typed into an FTS5 expression in which
// nothing is an operator: every word must occur, the beginning of one is
// enough, and "anne@office" is a phrase. "" when there is no word in it.
func matchExpression(text string) string {
	var terms []string
	for _, w := range strings.Fields(text) {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			w = strings.ReplaceAll(strings.ReplaceAll(w, "\x00", ""), `"`, `""`)
			terms = append(terms, `"`+w+`"*`)
		}
	}
	return strings.Join(terms, " ")
}

// containsAll tells whether every word, in lower case, occurs somewhere in the
// text, in any case.
func containsAll(words []string, text string) bool {
	plain := isASCII(text)
	for _, w := range words {
		if !containsWord(w, text, plain) {
			return false
		}
	}
	return true
}

// containsWord is strings.Contains(strings.ToLower(text), word), which would make
// every text anew; plain tells that the text is ASCII.
func containsWord(word, text string, plain bool) bool {
	switch {
	case !isASCII(word):
		return !plain && strings.Contains(strings.ToLower(text), word)
	case containsASCII(word, text):
		return true
	}
	// Of all other letters two alone become ASCII in lower case: the sign of the
	// kelvin and the dotted capital I.
	return !plain && strings.ContainsAny(text, "\u212a\u0130") && strings.Contains(strings.ToLower(text), word)
}

// containsASCII looks for a word of ASCII in lower case.
func containsASCII(word, text string) bool {
	if word == "" {
		return true
	}
	for i := range len(text) - len(word) + 1 {
		n := 0
		for n < len(word) && lower(text[i+n]) == word[n] {
			n++
		}
		if n == len(word) {
			return true
		}
	}
	return false
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
