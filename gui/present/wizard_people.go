package present

import (
	"strings"

	"postbag/app/config"
)

// WizardPerson is one line of the list of people.
type WizardPerson struct {
	Address string
	Aliases []string
	Line    int // from 1
}

// ParsePeople reads a list of people, one a line: the address, then further
// addresses of the same person, separated by commas, semicolons, tabs or
// spaces. Names are passed over. In "Anne <anne@office.test>; Bob
// <bob@office.test>", as mail programs copy it, each is a person of their own.
// bad are the numbers of lines that hold something, but no address.
func ParsePeople(text string) (people []WizardPerson, bad []int) {
	for i, line := range strings.Split(text, "\n") {
		found, angled := addressesIn(line)
		switch {
		case len(found) == 0 && strings.TrimSpace(line) != "":
			bad = append(bad, i+1)
		case angled > 1 || angled == 1 && strings.Contains(line, ";"):
			for _, a := range found {
				people = append(people, WizardPerson{Address: a, Line: i + 1})
			}
		case len(found) > 0:
			people = append(people, WizardPerson{Address: found[0], Aliases: found[1:], Line: i + 1})
		}
	}
	return people, bad
}

// addressesIn finds the addresses of a line, each once; angled counts those in
// angle brackets. What stands before a bracket is a name, also when it looks
// like an address.
func addressesIn(line string) (found []string, angled int) {
	seen := map[string]bool{}
	take := func(word string) bool {
		word = cleanAddress(word)
		key := config.Canonical(word)
		if !strings.Contains(word, "@") || seen[key] {
			return false
		}
		seen[key] = true
		found = append(found, word)
		return true
	}
	for _, part := range splitMailboxes(line) {
		_, rest, named := strings.Cut(part, "<")
		for named {
			inside, after, closed := strings.Cut(rest, ">")
			if closed && take(inside) {
				angled++
			}
			part = after
			_, rest, named = strings.Cut(after, "<")
		}
		for _, word := range splitWords(part) {
			take(word)
		}
	}
	return found, angled
}

// splitMailboxes splits a line at commas, semicolons and tabs, but not inside a
// quoted name: "Martin, Anne" <anne@office.test>.
func splitMailboxes(line string) []string {
	quoted := false
	return strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ',' || r == ';' || r == '\t')
	})
}

// cleanAddress takes off what lists put around an address, and the word before
// it: "mailto:", or "smtp:" in what Exchange exports. What is no address for
// mail is "".
func cleanAddress(s string) string {
	for {
		s = strings.Trim(s, " \t\r\"'()[]<>\u00a0")
		word, rest, is := strings.Cut(s, ":")
		if !is || strings.Contains(word, "@") {
			return s
		}
		switch strings.ToLower(word) {
		case "sip", "x400", "x500", "eum":
			return ""
		}
		s = rest
	}
}

// FormatPeople writes a list that ParsePeople reads.
func FormatPeople(list []config.Recipient) string {
	lines := make([]string, len(list))
	for i, r := range list {
		lines[i] = strings.Join(append([]string{r.Address}, r.Aliases...), ", ")
	}
	return strings.Join(lines, "\n")
}

// Addresses lists every person of the page, for a choice.
func (o *WizardPeople) Addresses() []string {
	people, _ := ParsePeople(o.People)
	out := make([]string, 0, len(people))
	for _, p := range people {
		out = append(out, p.Address)
	}
	return out
}
