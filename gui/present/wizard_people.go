package present

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

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
		case angled:
			for _, a := range found {
				people = append(people, WizardPerson{Address: a, Line: i + 1})
			}
		case len(found) > 0:
			people = append(people, WizardPerson{Address: found[0], Aliases: found[1:], Line: i + 1})
		}
	}
	return people, bad
}

// addressesIn finds the addresses of a line; angled tells that they stand in
// angle brackets.
func addressesIn(line string) (found []string, angled bool) {
	angled = strings.Contains(line, "<") && strings.Contains(line, ">")
	if angled {
		for _, part := range strings.Split(line, "<")[1:] {
			inside, _, closed := strings.Cut(part, ">")
			if inside = cleanAddress(inside); closed && strings.Contains(inside, "@") {
				found = append(found, inside)
			}
		}
		return found, true
	}
	seen := map[string]bool{}
	for _, word := range splitWords(line) {
		word = cleanAddress(word)
		if key := config.Canonical(word); strings.Contains(word, "@") && !seen[key] {
			seen[key] = true
			found = append(found, word)
		}
	}
	return found, false
}

// cleanAddress takes off what lists put around an address.
func cleanAddress(s string) string {
	s = strings.Trim(s, " \t\r\"'()[]<>\u00a0")
	return strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "MAILTO:")
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

// WizardImport says what an imported list brought.
type WizardImport struct {
	People  int // taken
	Known   int // were there already
	Outside int // addresses that are not in the domains
}

// ErrNoPeople says that a file holds no address at all.
var ErrNoPeople = errors.New("no e-mail address in the file")

// MaxImport bounds a file of contacts, in octets.
const MaxImport = 8 << 20

// Import reads the bytes of a CSV file, as address books export it, and appends
// the people in the accepted domains. Each line is a person; the columns need
// no names and no order.
func (w *Wizard) Import(data []byte) (WizardImport, error) {
	rows := csvRows(decodeText(data))
	taken := map[string]bool{}
	old, _ := ParsePeople(w.Office.People)
	for _, p := range old {
		for _, a := range append([]string{p.Address}, p.Aliases...) {
			taken[config.Canonical(a)] = true
		}
	}
	var out WizardImport
	var fresh []config.Recipient
	any := false
	for _, row := range rows {
		var mine []string
		for _, cell := range row {
			found, _ := addressesIn(cell)
			for _, a := range found {
				any = true
				switch key := config.Canonical(a); {
				case !w.inside(a):
					out.Outside++
				case taken[key]:
					out.Known++
				default:
					taken[key] = true
					mine = append(mine, a)
				}
			}
		}
		if len(mine) > 0 {
			fresh = append(fresh, config.Recipient{Address: mine[0], Aliases: mine[1:]})
		}
	}
	if !any {
		return out, ErrNoPeople
	}
	out.People = len(fresh)
	w.Office.People = strings.Trim(strings.TrimRight(w.Office.People, "\n")+"\n"+FormatPeople(fresh), "\n")
	return out, nil
}

// inside tells whether an address is in the accepted domains; as long as none
// is given every address is.
func (w *Wizard) inside(address string) bool {
	domains := splitWords(w.Office.Domains)
	if len(domains) == 0 {
		return true
	}
	return slices.ContainsFunc(domains, func(d string) bool {
		return strings.HasSuffix(config.Canonical(address), config.Canonical("x@" + strings.TrimPrefix(d, "@"))[1:])
	})
}

// csvRows reads a CSV file with whatever separator it has (RFC 4180 with the
// liberties that spreadsheets take).
func csvRows(text string) [][]string {
	first, _, _ := strings.Cut(text, "\n")
	comma := ','
	for _, c := range []rune{';', '\t'} {
		if strings.Count(first, string(c)) > strings.Count(first, string(comma)) {
			comma = c
		}
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	var rows [][]string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err == nil || len(row) > 0 {
			rows = append(rows, row)
			continue
		}
		// Not CSV: line by line is better than nothing.
		rows = rows[:0]
		for _, line := range strings.Split(text, "\n") {
			rows = append(rows, []string{line})
		}
		return rows
	}
}

// decodeText reads UTF-8 and UTF-16 with their marks, and else takes the bytes
// for Latin-1: addresses are ASCII in all of them.
func decodeText(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return string(data[3:])
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		units := make([]uint16, 0, len(data)/2)
		for i := 2; i+1 < len(data); i += 2 {
			lo, hi := data[i], data[i+1]
			if data[0] == 0xfe {
				lo, hi = hi, lo
			}
			units = append(units, uint16(lo)|uint16(hi)<<8)
		}
		return string(utf16.Decode(units))
	case utf8.Valid(data):
		return string(data)
	}
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return string(runes)
}
