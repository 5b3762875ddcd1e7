package i18n

import (
	"bytes"
	"embed"
	"errors"
	"maps"
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
// its tables is asked for: a command needs two or three of them, and reading all
// would take longer than everything else that its start does.
type texts struct {
	lang string
	once sync.Once

	mu        sync.RWMutex
	bundle    *i18n.Bundle
	localizer *i18n.Localizer
	unseen    []string          // files of which it is not known yet what they have
	files     map[string]string // where a table stands, as far as that is known
	ready     map[string]bool   // tables that were read, or that are nowhere
	read      map[string]bool   // by file
}

func newTexts(lang string) *texts { return &texts{lang: lang} }

// open gets ready for the first text. That the embedded files can be read is
// proven by the tests.
func (t *texts) open() error {
	t.files, t.ready, t.read = make(map[string]string), make(map[string]bool), make(map[string]bool)
	t.bundle = i18n.NewBundle(language.English)
	t.bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	t.localizer = i18n.NewLocalizer(t.bundle, t.lang)
	entries, err := locales.ReadDir("locales")
	for _, e := range entries {
		if _, l, ok := areaOf(e.Name()); ok && l == t.lang {
			t.unseen = append(t.unseen, "locales/"+e.Name())
		}
	}
	return err
}

// find returns the file with a table, "" for none. Every table stands in one.
func (t *texts) find(table string) (file string, err error) {
	for t.files[table] == "" && len(t.unseen) > 0 && err == nil {
		file, t.unseen = t.unseen[0], t.unseen[1:]
		var data []byte
		data, err = locales.ReadFile(file)
		for _, has := range tablesOf(data) {
			t.files[has] = file
		}
	}
	return t.files[table], err
}

// tablesOf names the outermost tables of a file. Every text stands in one of them.
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
	_ = t.need(table)
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.localizer.Localize(c)
}

// need reads the file with a table if it was not read yet.
func (t *texts) need(table string) error {
	t.mu.RLock()
	ready := t.ready[table]
	t.mu.RUnlock()
	if ready {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready[table] = true
	file, err := t.find(table)
	if err != nil || file == "" || t.read[file] {
		return err
	}
	t.read[file] = true
	_, err = t.bundle.LoadMessageFileFS(locales, file)
	return err
}

// readAll reads every file.
func (t *texts) readAll() (err error) {
	t.once.Do(func() { err = t.open() })
	t.mu.Lock()
	_, ferr := t.find("") // of no name: it looks into all
	err = errors.Join(err, ferr)
	tables := slices.Collect(maps.Keys(t.files))
	t.mu.Unlock()
	for _, table := range tables {
		err = errors.Join(err, t.need(table))
	}
	return err
}
