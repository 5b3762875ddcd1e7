package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Load reads and checks the file at path. Every fault is reported, sorted by
// line. The Config is never nil when err is nil, but must not be used when
// Faults(problems) is not empty. err tells that the file could not be read; it
// wraps fs.ErrNotExist when there is none. Nothing is ever written.
func Load(path string) (*Config, []Problem, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	cfg, problems := Parse(data, filepath.Dir(path))
	return cfg, problems, nil
}

// Parse is Load for the bytes of a file that belongs into the folder dir.
func Parse(data []byte, dir string) (*Config, []Problem) {
	cfg := Defaults()
	cfg.Dir = dir
	doc, problems := parse(data)
	if doc == nil {
		return cfg, problems
	}
	whole := len(problems) == 0
	if p, newer := checkVersion(doc); p != nil && (whole || newer) {
		problems = append(problems, *p)
		if newer {
			return cfg, problems // its keys mean nothing to this version
		}
	}
	d := &decoder{doc: doc, cfg: cfg}
	d.table(reflect.ValueOf(cfg).Elem(), doc.root, "")
	bad := map[string]bool{}
	for _, p := range d.problems {
		bad[p.Field] = true
	}
	for _, path := range d.meant {
		bad[path] = true
	}
	problems = append(problems, d.problems...)
	cfg.noteOwn(doc)
	c := &checker{cfg: cfg, doc: doc, bad: bad}
	checkPorts(c)
	cfg.complete()
	if whole {
		// With keys that could not be read, what is missing cannot be told.
		problems = append(problems, c.problems...)
		problems = append(problems, check(cfg, doc, bad)...)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Field, b.Field)
	})
	return cfg, problems
}

// noteOwn records which defaults the mailboxes do not take.
func (c *Config) noteOwn(doc *document) {
	for i := range c.Mailboxes {
		base := at("mailbox", i)
		c.Mailboxes[i].OwnSchedule = doc.has(base + ".schedule")
		c.Mailboxes[i].IDGiven = doc.has(base + ".id")
	}
}

// checkVersion returns what is wrong with the version; newer tells that the
// rest of the file cannot be judged.
func checkVersion(doc *document) (p *Problem, newer bool) {
	raw, present := doc.root["version"]
	if !present {
		return &Problem{Field: "version", Line: 1, Code: CodeVersionMissing}, false
	}
	n, isNumber := raw.(int64)
	if !isNumber || n == 1 {
		return nil, false // the decoder reports the type
	}
	return &Problem{Field: "version", Line: doc.line("version"), Code: CodeVersionUnknown, Args: map[string]any{"Got": n, "Want": 1}}, true
}
