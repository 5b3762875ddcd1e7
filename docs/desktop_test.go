package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"postbag/app/i18n"
)

// guide is the page about the program with windows.
func guide(t *testing.T, lang string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(lang, "desktop.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// spoken are the texts of the windows in one language, without the dots of those
// that open something.
func spoken(t *testing.T, lang string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../app/i18n/locales/gui_*." + lang + ".toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no texts: %v", err)
	}
	words := make(map[string]bool)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := toml.Unmarshal(data, &tree); err != nil {
			t.Fatal(err)
		}
		gather(tree, words)
	}
	return words
}

func gather(tree map[string]any, into map[string]bool) {
	for _, v := range tree {
		switch v := v.(type) {
		case string:
			into[strings.TrimSuffix(v, "...")] = true
		case map[string]any:
			gather(v, into)
		}
	}
}

var (
	bold     = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	step     = regexp.MustCompile(`(?m)^\| [1-9] ([^|]+) \|`)
	linkedTo = regexp.MustCompile(`\]\(([^)#]+)`)
)

// TestGuideSpeaksAsTheWindows holds the names of buttons, steps and pages in the
// guide to what the windows show, and its links to what is there.
func TestGuideSpeaksAsTheWindows(t *testing.T) {
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			text, words := guide(t, lang), spoken(t, lang)
			_, body, _ := strings.Cut(text, "\n## ") // behind the list of contents
			named := append(bold.FindAllStringSubmatch(body, -1), step.FindAllStringSubmatch(body, -1)...)
			if len(named) < 15 {
				t.Fatalf("only %d names found: does this test still see them?", len(named))
			}
			for _, m := range named {
				if !words[m[1]] {
					t.Errorf("no window says %q", m[1])
				}
			}
			p := i18n.New(lang)
			for _, page := range []string{"overview", "log", "queue", "mailboxes", "people", "target", "schedule", "settings"} {
				if title := p.T("gui.page." + page); !strings.Contains(body, "\n| "+title+" | ") {
					t.Errorf("the page %q is not explained", title)
				}
			}
			for _, m := range linkedTo.FindAllStringSubmatch(text, -1) {
				if _, err := os.Stat(filepath.Join(lang, m[1])); err != nil {
					t.Errorf("a link leads nowhere: %v", err)
				}
			}
		})
	}
}
