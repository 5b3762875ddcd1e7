package notify

import (
	"os"
	"slices"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// No text of ours stands in the translations without being used.
func TestNoTextIsUnused(t *testing.T) {
	data, err := os.ReadFile("../i18n/locales/notify.en.toml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for name, value := range tree {
			key := prefix + name
			if sub, ok := value.(map[string]any); ok {
				if _, plural := sub["other"]; !plural {
					walk(key+".", sub)
					continue
				}
			}
			count++
			if !slices.Contains(Keys(), key) {
				t.Errorf("nothing uses %q", key)
			}
		}
	}
	walk("", tree)
	if count != len(Keys()) {
		t.Errorf("%d texts for %d keys", count, len(Keys()))
	}
}
