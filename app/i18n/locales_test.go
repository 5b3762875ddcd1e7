package i18n

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// text is one message of a locale file: its plural forms, or "other" alone.
type text map[string]string

// readLocales returns the texts by language, area and key.
func readLocales(t *testing.T) map[string]map[string]map[string]text {
	t.Helper()
	out := map[string]map[string]map[string]text{}
	entries, err := locales.ReadDir("locales")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		area, lang, ok := areaOf(e.Name())
		if !ok || !Supported(lang) {
			t.Fatalf("locales/%s is not <area>.<language>.toml", e.Name())
		}
		data, err := locales.ReadFile("locales/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := toml.Unmarshal(data, &tree); err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		texts := map[string]text{}
		flatten(tree, "", texts)
		if out[lang] == nil {
			out[lang] = map[string]map[string]text{}
		}
		out[lang][area] = texts
	}
	return out
}

func flatten(tree map[string]any, prefix string, into map[string]text) {
	if forms, ok := pluralForms(tree); ok {
		into[strings.TrimSuffix(prefix, ".")] = forms
		return
	}
	for k, v := range tree {
		switch v := v.(type) {
		case string:
			into[prefix+k] = text{"other": v}
		case map[string]any:
			flatten(v, prefix+k+".", into)
		}
	}
}

func pluralForms(tree map[string]any) (text, bool) {
	if _, ok := tree["other"].(string); !ok {
		return nil, false
	}
	forms := text{}
	for k, v := range tree {
		if k != "description" {
			forms[k], _ = v.(string)
		}
	}
	return forms, true
}

func TestEveryTextIsInEveryLanguage(t *testing.T) {
	all := readLocales(t)
	for _, lang := range Languages() {
		if !slices.Equal(sortedKeys(all[lang]), sortedKeys(all[English])) {
			t.Fatalf("areas of %s: %v, of %s: %v", lang, sortedKeys(all[lang]), English, sortedKeys(all[English]))
		}
		for area, texts := range all[lang] {
			for key, forms := range texts {
				twin, ok := all[English][area][key]
				if !ok {
					t.Errorf("%s.%s.toml: %q is not in English", area, lang, key)
					continue
				}
				if !slices.Equal(sortedKeys(forms), sortedKeys(twin)) {
					t.Errorf("%q: forms %v in %s, %v in English", key, sortedKeys(forms), lang, sortedKeys(twin))
				}
			}
			for key := range all[English][area] {
				if _, ok := texts[key]; !ok {
					t.Errorf("%s.%s.toml lacks %q", area, lang, key)
				}
			}
		}
	}
}

// The library refuses a file where a key is also a word of its own, such as
// "description": then the whole area would be missing.
func TestEveryFileLoads(t *testing.T) {
	for _, lang := range Languages() {
		if err := newTexts(lang).readAll(); err != nil {
			t.Errorf("%s: %v", lang, err)
		}
		p := New(lang)
		for _, texts := range readLocales(t)[lang] {
			for key, forms := range texts {
				if forms["other"] != "" && !p.Has(key) {
					t.Errorf("%s: %q is in the file and cannot be found", lang, key)
				}
			}
		}
	}
}

func TestNoKeyIsInTwoAreas(t *testing.T) {
	where := map[string]string{}
	for area, texts := range readLocales(t)[English] {
		for key := range texts {
			if other, ok := where[key]; ok {
				t.Errorf("%q is in %s and %s: one of them is lost", key, area, other)
			}
			where[key] = area
		}
	}
}

// place finds the places of a template, also inside {{if}}.
var place = regexp.MustCompile(`\.([A-Z][A-Za-z]*)`)

// placesOf lists the places of all forms. Count may be missing in the form for
// one ("one message").
func placesOf(forms text) []string {
	found := map[string]bool{}
	for _, form := range forms {
		for _, action := range regexp.MustCompile(`\{\{[^}]*\}\}`).FindAllString(form, -1) {
			for _, m := range place.FindAllStringSubmatch(action, -1) {
				found[m[1]] = true
			}
		}
	}
	return sortedKeys(found)
}

func TestPlacesAreEqualInAllLanguages(t *testing.T) {
	all := readLocales(t)
	for _, lang := range Languages() {
		for area, texts := range all[lang] {
			for key, forms := range texts {
				got, want := placesOf(forms), placesOf(all[English][area][key])
				// "The server" and "server" are one place in two spellings.
				if !slices.Equal(oneServer(got), oneServer(want)) {
					t.Errorf("%s, %q: places %v, in English %v", lang, key, got, want)
				}
			}
		}
	}
}

func oneServer(places []string) []string {
	var out []string
	for _, p := range places {
		if p == "TheServer" {
			p = "Server"
		}
		out = append(out, p)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestPluralFormsAreThoseOfTheLanguage(t *testing.T) {
	for lang, areas := range readLocales(t) {
		for area, texts := range areas {
			for key, forms := range texts {
				if names := sortedKeys(forms); len(names) > 1 && !slices.Equal(names, []string{"one", "other"}) {
					t.Errorf("%s.%s.toml, %q: forms %v", area, lang, key, names)
				}
			}
		}
	}
}

// The words of LOOK: no exclamation marks, no apologies.
func TestToneOfTexts(t *testing.T) {
	for lang, areas := range readLocales(t) {
		for area, texts := range areas {
			for key, forms := range texts {
				for _, form := range forms {
					if strings.Contains(strings.ReplaceAll(form, "!!", ""), "!") {
						t.Errorf("%s.%s.toml, %q: exclamation mark in %q", area, lang, key, form)
					}
					for _, word := range []string{"sorry", "unfortunately", "désolé", "malheureusement", "oups", "please try"} {
						if strings.Contains(strings.ToLower(form), word) {
							t.Errorf("%s.%s.toml, %q: %q in %q", area, lang, key, word, form)
						}
					}
				}
			}
		}
	}
}

var (
	// A plain space before the signs that French sets apart, or inside guillemets.
	frenchPlainSpace = regexp.MustCompile(` [:;?!»]|« `)
	// None at all: a sign that follows a letter directly. Times, addresses,
	// references (keyring:REF), paths and templates have theirs without a space.
	frenchNoSpace = regexp.MustCompile(`[\p{L})»][;?!](\s|$)|[\p{L})»]:(\s|$)|«[^\x{a0}\x{202f}]|[^\x{a0}\x{202f}]»`)
)

func TestFrenchTypography(t *testing.T) {
	for area, texts := range readLocales(t)[French] {
		for key, forms := range texts {
			for _, form := range forms {
				if m := frenchPlainSpace.FindString(form); m != "" {
					t.Errorf("%s.fr.toml, %q: a space that breaks the line (%q) in %q", area, key, m, form)
				}
				if m := frenchNoSpace.FindString(form); m != "" {
					t.Errorf("%s.fr.toml, %q: no space (%q) in %q", area, key, m, form)
				}
			}
		}
	}
}

func TestFrenchTypographyCheckFindsFaults(t *testing.T) {
	for _, bad := range []string{"Détail : x", "Quoi ?", "« x »", "Détail: x", "Quoi?", "«x»"} {
		if !frenchPlainSpace.MatchString(bad) && !frenchNoSpace.MatchString(bad) {
			t.Errorf("%q passes", bad)
		}
	}
	for _, good := range []string{"Détail\u00a0: x", "Quoi\u00a0?", "«\u00a0x\u00a0»", "à 14:05:02", "keyring:REF"} {
		if frenchPlainSpace.MatchString(good) || frenchNoSpace.MatchString(good) {
			t.Errorf("%q does not pass", good)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// A text is looked for in the one file that has its table.
func TestEveryTableStandsInOneFile(t *testing.T) {
	for lang, areas := range readLocales(t) {
		in := map[string]string{}
		for area, texts := range areas {
			for key := range texts {
				table, _, _ := strings.Cut(key, ".")
				if other := in[table]; other != "" && other != area {
					t.Errorf("%s: the table %q stands in %q and in %q", lang, table, other, area)
				}
				in[table] = area
			}
		}
	}
}
