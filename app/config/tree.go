package config

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFile bounds the file: thousands of recipients need less than a megabyte.
const maxFile = 8 << 20

// maxSyntax bounds how many faults of syntax are looked for.
const maxSyntax = 20

// document is a parsed file: the values, and the line of every path.
type document struct {
	root  map[string]any
	lines map[string]int
}

// line returns the line of the path or of what encloses it; 1 when nothing does.
func (d *document) line(path string) int {
	if d == nil {
		return 0
	}
	for path != "" {
		if n, known := d.lines[path]; known {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

// has tells whether the path stands in the file.
func (d *document) has(path string) bool {
	if d == nil {
		return false
	}
	_, known := d.lines[path]
	return known
}

// parse reads the bytes of a file. After a fault of syntax the document holds
// what could be read beside it, nil when that would be guesswork.
func parse(data []byte) (*document, []Problem) {
	if len(data) > maxFile {
		return nil, []Problem{{Line: 1, Code: CodeTooLarge, Args: map[string]any{"Limit": Size(maxFile).String()}}}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // some editors begin UTF-8 with a mark
	if n := badText(data); n > 0 {
		return nil, []Problem{{Line: n, Code: CodeEncoding}}
	}
	data = slices.Clone(data)
	var problems []Problem
	for len(problems) < maxSyntax {
		root := map[string]any{}
		err := toml.Unmarshal(data, &root)
		if err == nil {
			return &document{root: root, lines: locate(data).lines}, problems
		}
		p, offset := syntaxProblem(err, data)
		problems = append(problems, p)
		if !blank(data, offset) {
			break
		}
	}
	return nil, problems
}

// badText returns the first line that is no UTF-8 or holds a NUL, 0 without one.
func badText(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || r == 0 {
			return 1 + bytes.Count(data[:i], []byte("\n"))
		}
		i += size
	}
	return 0
}

// syntaxProblem words an error of the parser and returns where its line begins.
func syntaxProblem(err error, data []byte) (Problem, int) {
	p := Problem{Line: 1, Code: CodeSyntax, Args: map[string]any{"Detail": err.Error()}}
	de, ok := errors.AsType[*toml.DecodeError](err)
	if !ok {
		return p, -1
	}
	p.Args["Detail"] = strings.TrimPrefix(de.Error(), "toml: ")
	p.Line, _ = de.Position()
	offset := 0
	for n := 1; n < p.Line; n++ {
		i := bytes.IndexByte(data[offset:], '\n')
		if i < 0 {
			break
		}
		offset += i + 1
	}
	if key := wholeKey().FindSubmatch(lineAt(data, offset)); key != nil {
		p.Field = join(locate(data[:offset]).prefix, string(key[1]))
	}
	return p, offset
}

func lineAt(data []byte, offset int) []byte {
	line, _, _ := bytes.Cut(data[offset:], []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// wholeKey is a line that holds one key with a value on the same line: it can
// be left out without changing the meaning of the others.
var wholeKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[ \t]*([A-Za-z0-9_-]+)[ \t]*=[^\[{]*$`)
})

// blank overwrites the line at the offset with spaces, so that the faults below
// it can be found too. It refuses what might change the meaning of other lines.
func blank(data []byte, offset int) bool {
	if offset < 0 {
		return false
	}
	line := lineAt(data, offset)
	if !wholeKey().Match(line) || bytes.Contains(line, []byte(`"""`)) || bytes.Contains(line, []byte(`'''`)) {
		return false
	}
	for i := range line {
		line[i] = ' '
	}
	return true
}

// locator notes the line of every key, table and list element.
type locator struct {
	lines  map[string]int
	starts []int          // offsets where lines begin
	tables map[string]int // how many tables an array of tables has so far
	prefix string         // path of the table that is open
}

// locate walks a document up to its end or its first fault.
func locate(data []byte) *locator {
	l := &locator{lines: map[string]int{}, tables: map[string]int{}, starts: []int{0}}
	for i, c := range data {
		if c == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	p := unstable.Parser{}
	p.Reset(data)
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			l.prefix = l.header(e)
		case unstable.KeyValue:
			l.keyValue(l.prefix, e)
		}
	}
	return l
}

func (l *locator) lineOf(offset uint32) int {
	return sort.SearchInts(l.starts, int(offset)+1)
}

// set keeps the first line of a path: a table may be opened by its children.
func (l *locator) set(path string, n int) {
	if _, known := l.lines[path]; !known {
		l.lines[path] = n
	}
}

// header notes [a.b] or [[a.b]] and returns the path that its keys belong to.
func (l *locator) header(e *unstable.Node) string {
	path := ""
	it := e.Key()
	for it.Next() {
		k := it.Node()
		path = join(path, string(k.Data))
		n := l.lineOf(k.Raw.Offset)
		l.set(path, n)
		if e.Kind == unstable.ArrayTable && it.IsLast() {
			l.tables[path]++
		}
		if count := l.tables[path]; count > 0 {
			path += "[" + strconv.Itoa(count-1) + "]"
			l.set(path, n)
		}
	}
	return path
}

func (l *locator) keyValue(prefix string, e *unstable.Node) {
	n := 0
	it := e.Key()
	for it.Next() {
		k := it.Node()
		prefix = join(prefix, string(k.Data))
		n = l.lineOf(k.Raw.Offset)
		l.set(prefix, n)
	}
	l.value(prefix, e.Value(), n)
}

// value notes what lies inside a list or an inline table. n is the line of the key.
func (l *locator) value(path string, v *unstable.Node, n int) {
	it := v.Children()
	switch v.Kind {
	case unstable.Array:
		for i := 0; it.Next(); i++ {
			at := path + "[" + strconv.Itoa(i) + "]"
			c := it.Node()
			if c.Raw.Length > 0 {
				n = l.lineOf(c.Raw.Offset)
			}
			l.set(at, n)
			l.value(at, c, n)
		}
	case unstable.InlineTable:
		for it.Next() {
			if c := it.Node(); c.Kind == unstable.KeyValue {
				l.keyValue(path, c)
			}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
