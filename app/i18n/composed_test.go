package i18n

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// literals are all texts in quotes of the sources.
func literals(t *testing.T, dirs ...string) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	for _, f := range sources(t, dirs...) {
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					words[s] = true
				}
			}
			return true
		})
	}
	return words
}

// composed tells whether the sources can put the key together: of a beginning
// up to a point, a word and perhaps an end from a point on, each of which
// stands somewhere in quotes.
func composed(key string, words map[string]bool) bool {
	for i := range key {
		if key[i] != '.' {
			continue
		}
		if words[key[:i]] && words[key[i:]] {
			return true
		}
		if !words[key[:i+1]] {
			continue
		}
		rest := key[i+1:]
		if words[rest] {
			return true
		}
		for j := range rest {
			if rest[j] == '.' && words[rest[:j]] && words[rest[j:]] {
				return true
			}
		}
	}
	return false
}

// keys are those of English, with the words that they begin with.
func keys(t *testing.T) (known, roots map[string]bool) {
	t.Helper()
	known, roots = map[string]bool{}, map[string]bool{}
	for _, texts := range readLocales(t)[English] {
		for key := range texts {
			known[key] = true
			root, _, _ := strings.Cut(key, ".")
			roots[root] = true
		}
	}
	return known, roots
}

// A text that nothing can ask for is one that somebody translates in vain.
func TestNoTextIsUnused(t *testing.T) {
	words := literals(t, "app", "gui", "cmd", "engine")
	known, _ := keys(t)
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if !words[key] && !composed(key, words) {
			t.Errorf("nothing uses %q", key)
		}
	}
	for _, unused := range []string{"gui.nobody_asks", "wizard.step.nowhere", "state.lost_for_ever", "cmd.nothing.short"} {
		if words[unused] || composed(unused, words) {
			t.Errorf("%q passes for used: this test sees nothing", unused)
		}
	}
}

// notKeys look like keys and are none: fields of the settings, a host.
func notKeys() []string { return []string{"log.level", "log.max_size", "mailbox.org"} }

// lacks tells that a word in quotes asks for a text that does not exist. Names
// of commands stand without their "cmd." in front.
func lacks(word string, known, roots map[string]bool) bool {
	root, rest, ok := strings.Cut(word, ".")
	if !ok || rest == "" || !roots[root] || strings.ContainsAny(word, " /\n%\u00a0") || slices.Contains(notKeys(), word) {
		return false
	}
	if known[word] || known["cmd."+word+".short"] {
		return false
	}
	for key := range known { // the beginning of keys that are put together
		if after, ok := strings.CutPrefix(key, strings.TrimSuffix(word, ".")); ok && after[0] == '.' {
			return false
		}
	}
	return true
}

// A word that has the form of a key is one, also where it goes through a
// variable or is put together before it is asked for.
func TestEveryWordOfTheFormOfAKeyIsOne(t *testing.T) {
	known, roots := keys(t)
	seen := 0
	for word := range literals(t, "app", "gui", "cmd") {
		if known[word] {
			seen++
		}
		if lacks(word, known, roots) {
			t.Errorf("there is no text %q", word)
		}
	}
	if seen < 500 {
		t.Fatalf("only %d keys in the sources: does this test still see them?", seen)
	}
	for _, word := range []string{"gui.tray.no_such", "wizard.nothing.", "cmd.nothing"} {
		if !lacks(word, known, roots) {
			t.Errorf("%q passes for a key: this test sees nothing", word)
		}
	}
}
