package present

import (
	"testing"

	"postbag/app/config"
	"postbag/app/i18n"
)

// Keys that the wizard puts together from a word have a text in each language.
func TestEveryKeyThatTheWizardComposesExists(t *testing.T) {
	var keys []string
	add := func(prefix, suffix string, words ...string) {
		for _, w := range words {
			keys = append(keys, prefix+w+suffix)
		}
	}
	for _, s := range WizardSteps() {
		add("wizard.step.", "", s.Key())
		add("wizard.", ".heading", s.Key())
		add("wizard.", ".question", s.Key())
	}
	for d := range 7 {
		add("wizard.day.", "", config.Day(d).String())
		add("wizard.day_short.", "", config.Day(d).String())
	}
	add("wizard.security.", "", config.SecurityTLS, config.SecurityStartTLS, config.SecurityNone)
	add("wizard.schedule.first.", "", WizardFirstAll, WizardFirstNew, WizardFirstSince)
	add("wizard.schedule.after.", "", WizardAfterDelete, WizardAfterDays, WizardAfterKeep)
	add("wizard.start.", "", (&Wizard{Autostart: true}).startKey(), (&Wizard{}).startKey())
	add("wizard.line.", "", "permanent", "router", "dialup")
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		for _, key := range keys {
			if !p.Has(key) {
				t.Errorf("%s: there is no text %q", lang, key)
			}
		}
	}
}
