package present

import (
	"fmt"
	"reflect"
	"slices"

	"postbag/app/config"
)

// single is a sheet for a table that the file has once, such as [schedule].
type single[T any] struct {
	table  string
	fields []Field
	at     func(*config.Config) *T
	was    T
	edited T
}

func newSingle[T any](cfg *config.Config, table string, fields []Field, at func(*config.Config) *T) *single[T] {
	s := &single[T]{table: table, fields: fields, at: at, was: *at(cfg)}
	s.edited = cloneTable(s.was)
	return s
}

func (s *single[T]) Fields() []Field { return s.fields }
func (s *single[T]) Table() any      { return &s.edited }

func (s *single[T]) Place(cfg *config.Config) (string, error) {
	if !sameTable(*s.at(cfg), s.was) {
		return "", ChangedElsewhere()
	}
	*s.at(cfg) = s.edited
	return s.table, nil
}

// Collection is an array of tables of the file, such as [[mailbox]], of which a
// page lists the names and edits one at a time.
type Collection[T any] struct {
	Table  string                               // "mailbox"
	Items  func(*config.Config) *[]T            // where they stand
	Name   func(T) string                       // what a list shows
	New    func(*config.Config) T               // what "Add" begins with
	Fields func(*config.Config) []Field         // may offer what the configuration names
	Follow func(cfg *config.Config, old, now T) // puts right what names the item elsewhere; may be nil
}

// Item is the sheet of one item, a new one with at below zero.
type Item[T any] struct {
	of     *Collection[T]
	fields []Field
	fresh  bool
	was    T
	edited T
}

// Open makes the sheet of the item at the given place, or of a new one when at
// is below zero.
func (c *Collection[T]) Open(cfg *config.Config, at int) *Item[T] {
	it := &Item[T]{of: c, fields: c.Fields(cfg), fresh: at < 0}
	if it.fresh {
		it.was = c.New(cfg)
	} else {
		it.was = (*c.Items(cfg))[at]
	}
	it.edited = cloneTable(it.was)
	return it
}

// Fields lists the settings.
func (it *Item[T]) Fields() []Field { return it.fields }

// Table is the copy that is edited, a *T.
func (it *Item[T]) Table() any { return &it.edited }

// Edited is the copy that is edited.
func (it *Item[T]) Edited() *T { return &it.edited }

// Was is the item as it stands in the file.
func (it *Item[T]) Was() *T { return &it.was }

// Fresh tells whether the item is not in the file yet.
func (it *Item[T]) Fresh() bool { return it.fresh }

// Place puts the item into a configuration that was just read.
func (it *Item[T]) Place(cfg *config.Config) (string, error) {
	items := it.of.Items(cfg)
	if it.fresh {
		*items = append(*items, it.edited)
		return fmt.Sprintf("%s[%d]", it.of.Table, len(*items)-1), nil
	}
	i := it.find(*items)
	if i < 0 {
		return "", ChangedElsewhere()
	}
	(*items)[i] = it.edited
	if it.of.Follow != nil {
		it.of.Follow(cfg, it.was, it.edited)
	}
	return fmt.Sprintf("%s[%d]", it.of.Table, i), nil
}

// Remove takes the item out of a configuration that was just read.
func (it *Item[T]) Remove(cfg *config.Config) error {
	items := it.of.Items(cfg)
	i := it.find(*items)
	if i < 0 {
		return ChangedElsewhere()
	}
	*items = slices.Delete(*items, i, i+1)
	return nil
}

func (it *Item[T]) find(items []T) int {
	return slices.IndexFunc(items, func(x T) bool { return sameTable(x, it.was) })
}

// Names lists the items as a page shows them.
func (c *Collection[T]) Names(cfg *config.Config) []string {
	var names []string
	for _, x := range *c.Items(cfg) {
		names = append(names, c.Name(x))
	}
	return names
}

// sameTable compares two tables by what they say; a missing list is an empty one.
func sameTable[T any](a, b T) bool {
	return equalValues(reflect.ValueOf(a), reflect.ValueOf(b))
}

func equalValues(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equalValues(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.Type().PkgPath() != reflect.TypeFor[config.Config]().PkgPath() {
			return reflect.DeepEqual(a.Interface(), b.Interface())
		}
		if s, ok := a.Interface().(fmt.Stringer); ok {
			return s.String() == b.Interface().(fmt.Stringer).String()
		}
		for i := range a.NumField() {
			if !equalValues(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// cloneTable copies a table with its lists, so that editing changes nothing else.
func cloneTable[T any](x T) T {
	v := reflect.ValueOf(&x).Elem()
	cloneLists(v)
	return x
}

func cloneLists(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case !f.CanSet():
		case f.Kind() == reflect.Slice && !f.IsNil():
			c := reflect.MakeSlice(f.Type(), f.Len(), f.Len())
			reflect.Copy(c, f)
			f.Set(c)
		case f.Kind() == reflect.Struct:
			cloneLists(f)
		}
	}
}
