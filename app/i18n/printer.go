// Package i18n holds every text of Postbag in every language, for the windows
// and for the command line alike, and writes numbers, sizes and times the way
// the reader is used to. It knows no Fyne.
//
// The texts stand in locales/<area>.<language>.toml. A key is the path of the
// table, for example "fault.auth". Where a number decides the form, the entry
// has the plural forms of CLDR that its language uses ("one", "other").
package i18n

import (
	"maps"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// Args are the values for the places of a text.
type Args = map[string]any

// Printer writes texts in one language. It may be used by many goroutines.
type Printer struct {
	lang  string
	texts *texts
	zone  *time.Location
}

// New returns a Printer for lang, "en" or "fr". With "" the environment
// decides (see FromEnv); an unknown language is English.
func New(lang string) *Printer {
	if lang == "" {
		lang = systemLanguage()
	}
	if !Supported(lang) {
		lang = English
	}
	return &Printer{lang: lang, texts: newTexts(lang), zone: time.Local}
}

// In returns the same Printer for another time zone, for tests.
func (p *Printer) In(zone *time.Location) *Printer {
	q := *p
	q.zone = zone
	return &q
}

// Lang is the language of the Printer, "en" or "fr".
func (p *Printer) Lang() string { return p.lang }

// T returns the text of the key with the places filled in. A key that does not
// exist comes back as it is, so that a gap shows and nothing breaks.
func (p *Printer) T(key string, args ...Args) string {
	return p.localize(key, nil, merge(args))
}

// N returns the form of the text for the number; the place Count is the number
// as the reader writes it.
func (p *Printer) N(key string, number int64, args ...Args) string {
	data := merge(args)
	data["Count"] = p.Number(number)
	// French has a form of its own for whole millions ("1 million de"), which
	// our texts never need: the number is written in figures.
	return p.localize(key, int(min(max(number, -1000), 1000)), data)
}

// Has tells whether there is a text for the key.
func (p *Printer) Has(key string) bool {
	s, err := p.texts.localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: 2})
	return err == nil && s != ""
}

func (p *Printer) localize(key string, plural any, data Args) string {
	s, err := p.texts.localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: plural})
	if s == "" && err != nil {
		return key
	}
	return s
}

func merge(args []Args) Args {
	out := Args{}
	for _, a := range args {
		maps.Copy(out, a)
	}
	return out
}
