package docs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postbag/app/i18n"
)

var update = flag.Bool("update", false, "write the generated parts of the reference anew")

// page is the reference in one language.
type page struct {
	lang, path, text string
}

// row is a line of a table: its cells, without the spaces around them.
type row []string

// code is the text in backquotes with which the first cell begins, "" without.
func (r row) code() string {
	rest, ok := strings.CutPrefix(r[0], "`")
	if !ok {
		return ""
	}
	code, _, _ := strings.Cut(rest, "`")
	return code
}

func eachPage(t *testing.T, f func(t *testing.T, p page)) {
	t.Helper()
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) { f(t, readPage(t, lang)) })
	}
}

func readPage(t *testing.T, lang string) page {
	t.Helper()
	path := filepath.Join(lang, "reference.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return page{lang: lang, path: path, text: string(text)}
}

var anchor = regexp.MustCompile(`(?m)^<a id="([a-z0-9_-]+)"></a>$`)

// section is the text from an anchor to the next one.
func (p page) section(t *testing.T, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(p.text, `<a id="`+id+`"></a>`)
	if !found {
		t.Fatalf("%s: there is no section %q", p.path, id)
	}
	if next := anchor.FindStringIndex(rest); next != nil {
		rest = rest[:next[0]]
	}
	return rest
}

// rows are the lines of the tables in a text, without titles.
func rows(text string) []row {
	var out []row
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---") {
			continue
		}
		line = strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00")
		var r row
		for _, cell := range strings.Split(line, "|") {
			r = append(r, strings.TrimSpace(strings.ReplaceAll(cell, "\x00", "|")))
		}
		out = append(out, r)
	}
	return out
}

// codes are the words that the first column of a section's tables explains.
func (p page) codes(t *testing.T, id string) []string {
	t.Helper()
	var out []string
	for _, r := range rows(p.section(t, id)) {
		code := r.code()
		if code == "" {
			t.Errorf("%s: section %q: the row %q explains no word", p.path, id, r[0])
		}
		if slices.Contains(out, code) {
			t.Errorf("%s: section %q explains %q twice", p.path, id, code)
		}
		if len(r) < 2 || slices.Contains(r, "") {
			t.Errorf("%s: section %q: %q has an empty cell", p.path, id, code)
		}
		out = append(out, code)
	}
	return out
}

// same compares what is documented with what the program knows.
func same(t *testing.T, what string, documented, known []string) {
	t.Helper()
	if len(known) == 0 {
		t.Fatalf("%s: the program knows none: does this test still find them?", what)
	}
	for _, k := range known {
		if !slices.Contains(documented, k) {
			t.Errorf("%s: %q is not documented", what, k)
		}
	}
	for _, d := range documented {
		if !slices.Contains(known, d) {
			t.Errorf("%s: %q is documented, but the program does not know it", what, d)
		}
	}
}

// TestLanguagesHaveTheSameParts compares the anchors, the headings and the
// first columns of the languages.
func TestLanguagesHaveTheSameParts(t *testing.T) {
	first := outline(readPage(t, i18n.English))
	if len(first) < 200 {
		t.Fatalf("only %d parts were found", len(first))
	}
	for _, lang := range i18n.Languages()[1:] {
		other := outline(readPage(t, lang))
		for i := range max(len(first), len(other)) {
			a, b := at(first, i), at(other, i)
			if a != b {
				t.Fatalf("part %d is %q in English, but %q in %q", i, a, b, lang)
			}
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "missing"
}

// placeholder is a word in capitals that stands for the reader's own, or one
// between angle brackets.
var placeholder = regexp.MustCompile(`[\p{Lu}]{2,}|<[^>]*>|\b[A-Z]\b`)

// outline lists what must be the same in each language.
func outline(p page) []string {
	var out []string
	lines := strings.Split(p.text, "\n")
	for _, line := range lines {
		switch {
		case anchor.MatchString(line):
			out = append(out, line)
		case strings.HasPrefix(line, "#"):
			level, rest, _ := strings.Cut(line, " ")
			out = append(out, level+" "+strings.Join(codeIn(rest), " "))
		case strings.HasPrefix(line, "```"):
			out = append(out, line)
		case strings.HasPrefix(line, "|"):
			cells := strings.Split(line, "|")
			out = append(out, fmt.Sprint(len(cells), codeIn(cells[1])))
		}
	}
	return out
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

func codeIn(text string) []string {
	var out []string
	for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
		out = append(out, placeholder.ReplaceAllString(m[1], "X"))
	}
	return out
}

var link = regexp.MustCompile(`\]\(([^)]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		count := 0
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			count++
			target := m[1]
			switch id, inside := strings.CutPrefix(target, "#"); {
			case inside:
				if strings.Count(p.text, `<a id="`+id+`"></a>`) != 1 {
					t.Errorf("%s: the link to %q leads nowhere, or to two places", p.path, id)
				}
			case strings.HasPrefix(target, "https://"):
			default:
				if _, err := os.Stat(filepath.Join(p.lang, filepath.FromSlash(target))); err != nil {
					t.Errorf("%s: the link to %s leads nowhere", p.path, target)
				}
			}
		}
		if count < 30 {
			t.Errorf("%s: only %d links were found", p.path, count)
		}
	})
}

// notProse is what the rules of spelling do not hold for.
var notProse = regexp.MustCompile("(?s)```.*?```|`[^`]*`|\\]\\([^)]*\\)|<[^>]*>")

// TestFrenchSpacing: a space that does not break before : ; ? ! and inside « ».
func TestFrenchSpacing(t *testing.T) {
	const hard = "\u00a0\u202f"
	wrong := regexp.MustCompile(`[^` + hard + `][;?!»]|«[^` + hard + `]|[^` + hard + `]:(?:\s|\*|$)`)
	text := notProse.ReplaceAllString(readPage(t, i18n.French).text, "x")
	for _, m := range wrong.FindAllStringIndex(text, -1) {
		t.Errorf("%q lacks its space", text[max(0, m[0]-30):min(len(text), m[1]+5)])
	}
}
