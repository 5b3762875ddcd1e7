package present

import (
	"slices"
	"strings"
	"testing"

	"postbag/app/facts"
)

// Settings that are there and cannot be used are not the same as none: icon and
// overview say so, name the line, and lead to what mends it.
func TestUnusableSettings(t *testing.T) {
	broken := &facts.ConfigError{Path: "postbag.toml", Problems: []facts.Problem{{Line: 12, Message: "Not a port."}}}
	for lang, want := range map[string]string{"en": "The settings cannot be used", "fr": "Les réglages sont inutilisables"} {
		p := trayPrinter(lang)
		tray := NewTray()
		tray.Know(facts.Status{}, broken, false, false)
		v := tray.View(p, trayNow())
		if v.Headline() != want || v.Shape != ShapeTrouble || !tray.Configured() {
			t.Errorf("%s: the icon says %q", lang, v.Headline())
		}
		if !slices.ContainsFunc(v.Items, func(it TrayItem) bool { return it.Action == ActionWizard && !it.Disabled }) {
			t.Errorf("%s: the icon does not offer the wizard", lang)
		}
		o := overview(lang, func(f *OverviewFacts) { f.Fault = broken })
		if len(o.Attention) != 1 {
			t.Fatalf("%+v", o.Attention)
		}
		if a := o.Attention[0]; a.What != want || a.Mend != MendWizard || !strings.Contains(a.Meaning, "postbag.toml") || !strings.Contains(a.Detail, "12") {
			t.Errorf("%s: %+v", lang, a)
		}
	}
}
