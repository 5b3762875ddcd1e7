package config

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/pelletier/go-toml/v2"
)

// texts reads the sentences of one language, by code.
func texts(t *testing.T, lang string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "i18n", "locales", "config."+lang+".toml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Config map[string]string `toml:"config"`
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Config
}

// plainSpace finds a space that French wants not to break.
var plainSpace = regexp.MustCompile(` [:;?!»]|« `)

func TestEveryCodeHasASentence(t *testing.T) {
	for _, lang := range []string{"en", "fr"} {
		sentences := texts(t, lang)
		for _, code := range Codes() {
			if sentences[string(code)] == "" {
				t.Errorf("%s: no sentence for %s", lang, code)
			}
			delete(sentences, string(code))
		}
		for code, s := range sentences {
			t.Errorf("%s: %s is no code: %s", lang, code, s)
		}
	}
	for code, s := range texts(t, "fr") {
		if plainSpace.MatchString(s) {
			t.Errorf("%s: a space that may break: %s", code, s)
		}
	}
}

// Each problem that the tests can provoke fills its sentence in both languages.
func TestSentencesFindTheirVariables(t *testing.T) {
	seen := map[Code]bool{}
	inputs := []string{manyFaults, "version = 9", "version = 1\n[log]\nlevel = x", "\xff", strings.Repeat("#", maxFile+1),
		"version = 1\nofice = 1\ncolour = 2\n[office]\nplus_addresses = 1\ndomains = \"x\"\n[[mailbox]]\nid = \"x\"\n[[mailbox]]\nid = \"X\"\n",
		good + "[[mailbox]]\nfirst_collection = \"old\"\n"}
	for _, c := range checks {
		inputs = append(inputs, c.text)
	}
	en, fr := texts(t, "en"), texts(t, "fr")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "empty.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inputs = append(inputs, added(inTarget, `ca_file = "empty.pem"`))
	for _, text := range inputs {
		_, problems := Parse([]byte(text), dir)
		for _, p := range problems {
			seen[p.Code] = true
			for _, s := range []string{en[string(p.Code)], fr[string(p.Code)]} {
				tmpl, err := template.New("").Option("missingkey=error").Parse(s)
				if err == nil {
					err = tmpl.Execute(io.Discard, p.Args)
				}
				if err != nil {
					t.Errorf("%s: %v", p.Code, err)
				}
			}
		}
	}
	for _, code := range []Code{CodeAfterDelivery, CodeListDeep} { // these have tests of their own
		seen[code] = true
	}
	for _, code := range Codes() {
		if !seen[code] {
			t.Errorf("no test provokes %s", code)
		}
	}
}
