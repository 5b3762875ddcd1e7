package config

import (
	_ "embed"
	"reflect"
	"slices"
	"strings"
)

//go:embed sample.en.toml
var sampleEN string

//go:embed sample.fr.toml
var sampleFR string

// Sample returns a commented file for `config init`, in the language of a tag
// such as "fr" or "fr_CH.UTF-8", English when there is none. It loads without
// a problem; the names in it are examples. Lines that begin with "#" without a
// space behind it are settings with their default, switched off.
func Sample(lang string) []byte {
	if strings.HasPrefix(strings.ToLower(lang), "fr") {
		return []byte(sampleFR)
	}
	return []byte(sampleEN)
}

// Keys lists every key of the file, dotted, in the order of the structs:
// "office.domains", "mailbox.schedule.every".
func Keys() []string { return keysOf(reflect.TypeFor[Config](), "") }

func keysOf(t reflect.Type, path string) []string {
	var keys []string
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("toml")
		if key == "-" {
			continue
		}
		inner := t.Field(i).Type
		read, _ := reader(inner)
		for read == nil && slices.Contains([]reflect.Kind{reflect.Slice, reflect.Pointer}, inner.Kind()) {
			inner = inner.Elem()
			read, _ = reader(inner)
		}
		if inner.Kind() == reflect.Struct && read == nil {
			keys = append(keys, keysOf(inner, join(path, key))...)
		} else {
			keys = append(keys, join(path, key))
		}
	}
	return keys
}
