package docs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// words are the few words of the generated tables.
type words struct{ code, kind, message, fault, warning, what, advice string }

func wordsOf(lang string) words {
	if lang == i18n.French {
		return words{"Code", "Genre", "Message", "faute", "avertissement", "Ce qui s'est passé", "Ce qu'il faut faire"}
	}
	return words{"Code", "Kind", "Message", "fault", "warning", "What happened", "What to do"}
}

// TestGeneratedTables compares the lists of messages with the program's own
// words; -update writes them.
func TestGeneratedTables(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		want := p.text
		for name, table := range map[string]string{"validation": validation(t, p.lang), "faults": faults(t, p.lang)} {
			begin := "<!-- generated: " + name + " -->\n"
			head, rest, found := strings.Cut(want, begin)
			_, tail, closed := strings.Cut(rest, "<!-- end -->")
			if !found || !closed {
				t.Fatalf("%s: there is no place for the table %q", p.path, name)
			}
			want = head + begin + table + "<!-- end -->" + tail
		}
		if want == p.text {
			return
		}
		if !*update {
			t.Fatalf("%s does not have the program's words: go test ./docs -update", p.path)
		}
		if err := os.WriteFile(p.path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	})
}

// table writes a table of Markdown.
func table(titles []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(titles)
	b.WriteString(strings.Repeat("|---", len(titles)) + "|\n")
	for _, r := range rows {
		for i := range r {
			r[i] = strings.ReplaceAll(r[i], "|", `\|`)
		}
		line(r)
	}
	return b.String()
}

// validation lists the codes of config validate with their sentences.
func validation(t *testing.T, lang string) string {
	names := constantNames(t, "app/config", "Code")
	kinds := map[string]map[string]bool{}
	for _, method := range []string{"warn", "fault"} {
		for _, name := range calledWith(t, "app/config", method, "Code") {
			if kinds[names[name]] == nil {
				kinds[names[name]] = map[string]bool{}
			}
			kinds[names[name]][method] = true
		}
	}
	p, w := i18n.New(lang), wordsOf(lang)
	var rows [][]string
	for _, code := range config.Codes() {
		kind := w.fault
		if k := kinds[string(code)]; k["warn"] && !k["fault"] {
			kind = w.warning
		}
		rows = append(rows, []string{"`" + string(code) + "`", kind, p.T("config."+string(code), dots("Detail", "Limit", "Key", "Near", "Got", "Want",
			"Value", "Choices", "Min", "Max", "Path", "Other", "Name"))})
	}
	if len(kinds) < 30 {
		t.Fatalf("only %d codes are reported by app/config: does this test still see the calls?", len(kinds))
	}
	return table([]string{w.code, w.kind, w.message}, rows)
}

func dots(names ...string) i18n.Args {
	args := i18n.Args{}
	for _, n := range names {
		args[n] = "…"
	}
	return args
}

// faultCodes are the codes of failures, those of the engine first.
func faultCodes(t *testing.T) []string {
	ofApp := constants(t, "app/facts", "Code")
	ofEngine := slices.DeleteFunc(constants(t, "engine/mail", "Code"), func(c string) bool { return slices.Contains(ofApp, c) })
	return append(ofEngine, ofApp...)
}

// faults lists the codes of failures with what the program says about them.
func faults(t *testing.T, lang string) string {
	p, w := i18n.New(lang), wordsOf(lang)
	var rows [][]string
	for _, code := range faultCodes(t) {
		if !p.Has("fault." + code) {
			t.Errorf("the code %q has no sentence in %q", code, lang)
		}
		f := &mail.Failure{Code: mail.Code(code)}
		switch f.Code {
		case facts.CodeUnknownMailbox, facts.CodeUnknownMessage, facts.CodeNotFound, facts.CodeAddress:
			f.Op = "…"
		}
		e := p.Fault(f, i18n.Context{})
		rows = append(rows, []string{"`" + code + "`", e.What, e.Advice})
	}
	return table([]string{w.code, w.what, w.advice}, rows)
}
