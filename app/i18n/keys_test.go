package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"postbag/engine/mail"
)

// sources parses the Go files below the folders of the project that speak to
// people, without tests.
func sources(t *testing.T, dirs ...string) []*ast.File {
	t.Helper()
	var files []*ast.File
	for _, dir := range dirs {
		root := filepath.Join("..", "..", dir)
		if _, err := os.Stat(root); os.IsNotExist(err) {
			continue
		}
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err == nil {
				files = append(files, f)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestEveryTextThatIsAskedForExists(t *testing.T) {
	known := map[string]bool{}
	for _, texts := range readLocales(t)[English] {
		for key := range texts {
			known[key] = true
		}
	}
	asked := 0
	for _, f := range sources(t, "app", "gui", "cmd") {
		ast.Inspect(f, func(n ast.Node) bool {
			key, ok := askedKey(n)
			if !ok {
				return true
			}
			asked++
			if !known[key] {
				t.Errorf("there is no text %q", key)
			}
			return true
		})
	}
	if asked < 50 {
		t.Fatalf("only %d texts are asked for: does this test still see the calls?", asked)
	}
}

// askedKey recognises a call of T or N with the key written out.
func askedKey(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "T" && sel.Sel.Name != "N" {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	key, err := strconv.Unquote(lit.Value)
	return key, err == nil
}

// constants lists the values of the constants of type mail.Code.
func codes(t *testing.T) []mail.Code {
	t.Helper()
	var out []mail.Code
	for _, f := range sources(t, "engine/mail", "app/facts") {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Code") {
				return true
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				word, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, mail.Code(word))
			}
			return true
		})
	}
	if len(out) < 50 {
		t.Fatalf("only %d codes found: does this test still see them?", len(out))
	}
	return out
}

func TestEveryCodeIsExplained(t *testing.T) {
	for _, code := range codes(t) {
		for _, lang := range Languages() {
			p := New(lang)
			for _, side := range []string{"", SideSource, SideTarget} {
				e := p.Fault(&mail.Failure{Code: code, Op: "RETR"}, Context{Side: side, Name: "anne", Host: "pop.isp.test"})
				for _, part := range []string{e.What, e.Meaning, e.Advice} {
					if !isSentence(part) {
						t.Errorf("%s, %s, side %q: %q", code, lang, side, part)
					}
				}
			}
			if code != mail.CodeInternal && !p.Has("fault."+string(code)) {
				t.Errorf("%s has no text in %s", code, lang)
			}
		}
	}
}

func isSentence(text string) bool {
	return text != "" && !strings.Contains(text, "<no value>") && (strings.HasSuffix(text, ".") || strings.HasSuffix(text, ")"))
}

func TestOnlyCodesAreExplained(t *testing.T) {
	known := map[string]bool{}
	for _, code := range codes(t) {
		known[string(code)] = true
	}
	for lang, areas := range readLocales(t) {
		for key := range areas["fault"] {
			for _, prefix := range []string{"fault.", "advice."} {
				if code, ok := strings.CutPrefix(key, prefix); ok && !known[code] {
					t.Errorf("%s: %q explains a code that does not exist", lang, key)
				}
			}
		}
	}
}

func TestEveryMeaningExists(t *testing.T) {
	p := New(English)
	used := map[string]bool{"no_loss": true, "with_provider": true, "waits": true, "waits_for_you": true}
	for code, key := range ownMeaning {
		used[key] = true
		if !p.Has("meaning." + key) {
			t.Errorf("%s: there is no text meaning.%s", code, key)
		}
	}
	for key := range readLocales(t)[English]["fault"] {
		if word, ok := strings.CutPrefix(key, "meaning."); ok && !used[word] {
			t.Errorf("nothing means %q", word)
		}
	}
}

func TestEveryWordOfTheEngineHasItsText(t *testing.T) {
	var keys []string
	for _, s := range mail.States() {
		keys = append(keys, "state."+string(s))
	}
	for _, s := range []mail.AtSource{mail.SourcePresent, mail.SourceDeleted, mail.SourceKept, mail.SourceGone} {
		keys = append(keys, "at_source."+string(s))
	}
	for _, r := range []string{mail.RouteIndividual, mail.RouteEnv, "envelope", mail.RouteReceived, mail.RouteList, mail.RouteResent, mail.RouteToCc, mail.RouteUnknown, mail.RouteLoop} {
		keys = append(keys, "route."+r, "story.routed."+r)
	}
	for _, lang := range Languages() {
		for _, key := range keys {
			if !New(lang).Has(key) {
				t.Errorf("%s lacks %q", lang, key)
			}
		}
	}
}
