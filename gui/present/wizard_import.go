package present

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"postbag/app/config"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// WizardImport says what an imported list brought.
type WizardImport struct {
	People  int // taken
	Further int // addresses of people who were there already
	Known   int // addresses that were there already
	Outside int // addresses that are not in the domains
}

// ErrNoPeople says that a file holds no address at all.
var ErrNoPeople = errors.New("no e-mail address in the file")

// MaxImport bounds a file of contacts, in octets.
const MaxImport = 8 << 20

// Import reads the bytes of a CSV file, as address books export it, and appends
// the people in the accepted domains. Each line is a person; the columns need
// no names and no order. A further address of somebody who is there already goes
// to that person.
func (w *Wizard) Import(data []byte) (WizardImport, error) {
	lines := strings.Split(strings.TrimRight(w.Office.People, "\r\n"), "\n")
	owner := map[string]int{} // the line of everybody who is there
	old, _ := ParsePeople(w.Office.People)
	for _, p := range old {
		for _, a := range append([]string{p.Address}, p.Aliases...) {
			owner[config.Canonical(a)] = p.Line - 1
		}
	}
	var out WizardImport
	found := 0
	for _, row := range withoutOthers(csvRows(decodeText(data))) {
		at := -1
		var mine []string
		for _, a := range rowAddresses(row) {
			found++
			line, known := owner[config.Canonical(a)]
			switch {
			case !w.inside(a):
				out.Outside++
			case known:
				out.Known++
				at = line
			default:
				mine = append(mine, a)
			}
		}
		if len(mine) == 0 {
			continue
		}
		if at >= 0 && strings.Count(lines[at], "<") < 2 && !strings.Contains(lines[at], ";") { // one person's line
			out.Further += len(mine)
			lines[at] += ", " + strings.Join(mine, ", ")
		} else {
			out.People++
			at = len(lines)
			lines = append(lines, strings.Join(mine, ", "))
		}
		for _, a := range mine {
			owner[config.Canonical(a)] = at
		}
	}
	if found == 0 {
		return out, ErrNoPeople
	}
	w.Office.People = strings.Trim(strings.Join(lines, "\n"), "\n")
	return out, nil
}

// rowAddresses are the addresses of a line of the file, each once.
func rowAddresses(row []string) []string {
	var out []string
	for _, cell := range row {
		found, _ := addressesIn(cell)
		for _, a := range found {
			if !slices.ContainsFunc(out, func(o string) bool { return config.Canonical(o) == config.Canonical(a) }) {
				out = append(out, a)
			}
		}
	}
	return out
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

// withoutOthers empties the columns that name somebody else than the person of
// the line: mail for Anne must not go to her manager because a list of the staff
// has a column for him. A first line without any address holds the names of the
// columns.
func withoutOthers(rows [][]string) [][]string {
	if len(rows) == 0 || slices.ContainsFunc(rows[0], func(c string) bool { return strings.Contains(c, "@") }) {
		return rows
	}
	var others []int
	for i, name := range rows[0] {
		name = strings.ToLower(name)
		if slices.ContainsFunc(otherPeople, func(word string) bool { return strings.Contains(name, word) }) {
			others = append(others, i)
		}
	}
	for _, row := range rows {
		for _, i := range others {
			if i < len(row) {
				row[i] = ""
			}
		}
	}
	return rows
}

// otherPeople are the words in the names of such columns, as Outlook, Google,
// Active Directory and spreadsheets have them.
var otherPeople = []string{
	"manager", "assistant", "supervisor", "reports to", "referred by", "secretary", "notes", "comment", "remark",
	"responsable", "supérieur", "hiérarchi", "secrétaire", "référent", "remarque",
}

// csvRows reads a CSV file with whatever separator it has (RFC 4180 with the
// liberties that spreadsheets take).
func csvRows(text string) [][]string {
	comma := ','
	first, rest, _ := strings.Cut(text, "\n")
	if mark, is := strings.CutPrefix(strings.TrimRight(first, "\r"), "sep="); is && len(mark) == 1 && strings.Contains(",;\t|", mark) {
		// Excel's own first line.
		comma, text = rune(mark[0]), rest
	} else {
		for _, c := range []rune{';', '\t'} {
			if strings.Count(first, string(c)) > strings.Count(first, string(comma)) {
				comma = c
			}
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

// decodeText reads UTF-8 and UTF-16 by their marks, UTF-8 without one, and else
// Windows-1252, which spreadsheets write where they are not told otherwise.
func decodeText(data []byte) string {
	plain := encoding.Nop
	if !utf8.Valid(data) {
		plain = charmap.Windows1252
	}
	text, _, err := transform.Bytes(unicode.BOMOverride(plain.NewDecoder()), data)
	if err != nil {
		return string(data)
	}
	return string(text)
}

// ImportText says what Import did, in the user's words.
func ImportText(p *i18n.Printer, got WizardImport, err error) string {
	switch {
	case errors.Is(err, ErrNoPeople):
		return p.T("wizard.office.import_empty")
	case err != nil:
		return p.Fault(mail.AsFailure(err), i18n.Context{}).What
	}
	text := p.N("wizard.office.imported", int64(got.People))
	if got.Further > 0 {
		text += " " + p.N("wizard.office.import_further", int64(got.Further))
	}
	if got.Known > 0 {
		text += " " + p.N("wizard.office.import_known", int64(got.Known))
	}
	if got.Outside > 0 {
		text += " " + p.N("wizard.office.import_outside", int64(got.Outside))
	}
	return text
}
