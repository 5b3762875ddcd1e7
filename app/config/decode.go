package config

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// decoder fills structs from the tree and notes each value that does not fit.
type decoder struct {
	doc      *document
	cfg      *Config // the result, for defaults that depend on it
	problems []Problem
	meant    []string // paths of keys that were misspelt: not to be called missing
}

func (d *decoder) problem(path string, code Code, args ...any) {
	d.problems = append(d.problems, Problem{Field: path, Line: d.doc.line(path), Code: code, Args: pairs(args)})
}

// pairs makes the Args of a Problem from names and values in turn.
func pairs(args []any) map[string]any {
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i].(string)] = args[i+1]
	}
	return m
}

// table fills the struct v in the order of its fields, so that later tables
// may take their defaults from earlier ones.
func (d *decoder) table(v reflect.Value, m map[string]any, path string) {
	var known []string
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		if key == "-" || key == "" {
			continue
		}
		known = append(known, key)
		if raw, present := m[key]; present {
			d.value(v.Field(i), raw, join(path, key))
		}
	}
	for key := range m {
		if slices.Contains(known, key) {
			continue
		}
		at := join(path, key)
		if near := nearest(key, known); near != "" {
			d.problem(at, CodeUnknownKeyNear, "Key", printable(key), "Near", near)
			d.meant = append(d.meant, join(path, near))
		} else {
			d.problem(at, CodeUnknownKey, "Key", printable(key))
		}
	}
}

// value fills one field from one TOML value.
func (d *decoder) value(v reflect.Value, raw any, path string) {
	if read, code := reader(v.Type()); read != nil {
		d.parsed(v, raw, path, read, code)
		return
	}
	switch v.Kind() {
	case reflect.String:
		if s, ok := d.text(raw, path); ok {
			v.SetString(s)
		}
	case reflect.Int:
		if n, ok := raw.(int64); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			v.SetInt(n)
		} else {
			d.problem(path, CodeTypeNumber)
		}
	case reflect.Bool:
		if b, ok := raw.(bool); ok {
			v.SetBool(b)
		} else {
			d.problem(path, CodeTypeBool)
		}
	case reflect.Slice:
		d.list(v, raw, path)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(v.Elem(), raw, path)
	case reflect.Struct:
		if m, ok := raw.(map[string]any); ok {
			d.table(v, m, path)
		} else {
			d.problem(path, CodeTypeTable, "Key", header(path))
		}
	}
}

// text returns a string without control characters: these values reach
// protocols where a line end would begin a command of its own.
func (d *decoder) text(raw any, path string) (string, bool) {
	s, ok := raw.(string)
	if !ok {
		d.problem(path, CodeTypeText)
		return "", false
	}
	if hasControl(s) {
		d.problem(path, CodeControl)
		return "", false
	}
	return s, true
}

// indexes are the numbers of tables in a path.
var indexes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\[[0-9]+\]`)
})

// header is the path as it stands between the brackets of a table's header.
func header(path string) string { return indexes().ReplaceAllString(path, "") }

// list fills a slice; its elements begin with their defaults.
func (d *decoder) list(v reflect.Value, raw any, path string) {
	elem := v.Type().Elem()
	_, code := reader(elem)
	tables := elem.Kind() == reflect.Struct && code == ""
	items, ok := raw.([]any)
	if !ok {
		if tables {
			d.problem(path, CodeTypeTables, "Key", header(path))
		} else {
			d.problem(path, CodeTypeList)
		}
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, len(items))
	for i, item := range items {
		at := path + "[" + strconv.Itoa(i) + "]"
		e := reflect.New(elem).Elem()
		if tables {
			d.fresh(e)
		}
		d.value(e, item, at)
		// An element with a fault stays, so that the index of those behind it
		// does not move; its own path is reported once only.
		out = reflect.Append(out, e)
	}
	v.Set(out)
}

// fresh sets the defaults of one table of an array of tables.
func (d *decoder) fresh(v reflect.Value) {
	switch v.Interface().(type) {
	case Target:
		v.Set(reflect.ValueOf(NewTarget()))
	case Mailbox:
		v.Set(reflect.ValueOf(NewMailbox(d.cfg.Schedule)))
	}
}

// parsed fills a value that is written as text but is more than that.
func (d *decoder) parsed(v reflect.Value, raw any, path string, read func(string) (any, error), code Code) {
	if code == CodeFirst {
		raw = dateText(raw)
	}
	s, ok := d.text(raw, path)
	if !ok {
		return
	}
	x, err := read(s)
	if err != nil {
		d.problem(path, code, "Value", s)
		return
	}
	v.Set(reflect.ValueOf(x))
}

// dateText accepts a TOML date where a text with a date is wanted.
func dateText(raw any) any {
	switch t := raw.(type) {
	case toml.LocalDate:
		return t.String()
	case toml.LocalDateTime:
		return t.AsTime(time.Local).Format(time.RFC3339)
	case time.Time:
		return t.Format(time.RFC3339)
	}
	return raw
}

// reader returns how the text of a type is read, nil for plain types.
func reader(t reflect.Type) (func(string) (any, error), Code) {
	switch t {
	case reflect.TypeFor[Duration]():
		return func(s string) (any, error) { return ParseDuration(s) }, CodeDuration
	case reflect.TypeFor[Size]():
		return func(s string) (any, error) { return ParseSize(s) }, CodeSize
	case reflect.TypeFor[Clock]():
		return func(s string) (any, error) { return ParseClock(s) }, CodeClock
	case reflect.TypeFor[Day]():
		return func(s string) (any, error) { return ParseDay(s) }, CodeDay
	case reflect.TypeFor[AfterDelivery]():
		return func(s string) (any, error) { return ParseAfterDelivery(s) }, CodeAfterDelivery
	case reflect.TypeFor[FirstCollection]():
		return func(s string) (any, error) { return ParseFirstCollection(s) }, CodeFirst
	}
	return nil, ""
}

// nearest returns the known key that the given one was probably meant to be.
func nearest(key string, known []string) string {
	plain := strings.ToLower(strings.ReplaceAll(key, "-", "_"))
	best, bestDistance := "", 2+len(key)/5
	for _, k := range known {
		if n := distance(plain, k); n < bestDistance {
			best, bestDistance = k, n
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
