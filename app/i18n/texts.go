package i18n

import (
	"bytes"
	"embed"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

//go:embed locales/*.toml
var locales embed.FS

// texts are the texts of one language. A file is read when the first text of
// one of its tables is asked for: a command needs two or three of them, and
// reading all would take longer than everything else that its start does.
type texts struct {
	lang  string
	once  sync.Once
	files map[string][]string // by the first part of a key

	mu        sync.RWMutex
	bundle    *i18n.Bundle
	localizer *i18n.Localizer
	read      map[string]bool // by file
}

func newTexts(lang string) *texts { return &texts{lang: lang} }

// open finds out which file has which table, before the first text is asked
// for. That the embedded files can be read is proven by the tests.
func (t *texts) open() (err error) {
	t.files, t.read = make(map[string][]string), make(map[string]bool)
	t.bundle = i18n.NewBundle(language.English)
	t.bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	t.localizer = i18n.NewLocalizer(t.bundle, t.lang)
	entries, err := locales.ReadDir("locales")
	for _, e := range entries {
		if _, l, ok := areaOf(e.Name()); !ok || l != t.lang {
			continue
		}
		file := "locales/" + e.Name()
		data, readErr := locales.ReadFile(file)
		err = errors.Join(err, readErr)
		for _, table := range tablesOf(data) {
			t.files[table] = append(t.files[table], file)
		}
	}
	return err
}

// tablesOf names the outermost tables of a file. Every text stands in one.
func tablesOf(data []byte) []string {
	var out []string
	for line := range bytes.Lines(data) {
		if line[0] != '[' {
			continue
		}
		name := bytes.TrimLeft(line, "[ ")
		if end := bytes.IndexAny(name, ".] "); end > 0 && !slices.Contains(out, string(name[:end])) {
			out = append(out, string(name[:end]))
		}
	}
	return out
}

// localize is Localize of the texts' language.
func (t *texts) localize(c *i18n.LocalizeConfig) (string, error) {
	t.once.Do(func() { _ = t.open() })
	table, _, _ := strings.Cut(c.MessageID, ".")
	_ = t.need(t.files[table])
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.localizer.Localize(c)
}

// need reads the files that were not read yet.
func (t *texts) need(files []string) error {
	t.mu.RLock()
	missing := slices.ContainsFunc(files, func(f string) bool { return !t.read[f] })
	t.mu.RUnlock()
	if !missing {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, f := range files {
		if !t.read[f] {
			t.read[f] = true
			_, err := t.bundle.LoadMessageFileFS(locales, f)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// readAll reads every file.
func (t *texts) readAll() error {
	var errs []error
	t.once.Do(func() { errs = append(errs, t.open()) })
	for _, files := range t.files {
		errs = append(errs, t.need(files))
	}
	return errors.Join(errs...)
}
