package store

import (
	"strings"
	"unicode"

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

// containsAll tells whether every word occurs somewhere in the texts, in any
// case.
func containsAll(words []string, texts ...string) bool {
	for _, w := range words {
		found := false
		for _, t := range texts {
			if strings.Contains(strings.ToLower(t), w) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
