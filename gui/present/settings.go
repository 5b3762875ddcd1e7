package present

import (
	"fmt"
	"reflect"
	"strings"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// FieldKind says how a setting is entered.
type FieldKind int

// The kinds of fields.
const (
	FieldText   FieldKind = iota
	FieldNumber           // a whole number
	FieldSwitch           // "true" or "false"
	FieldChoice           // one of Choices
	FieldLines            // a list, one entry a line
	FieldWords            // a list, one entry a line or with commas or semicolons between
	FieldSpan             // number and unit of time, see SplitSpan
	FieldSize             // number and unit of size, see SplitSize
	FieldClock            // a time of day
	FieldDays             // days of the week, one a line: "mon"
	FieldAfter            // config.AfterDelivery
	FieldFirst            // config.FirstCollection
	FieldSecret           // a password to be typed; it stands in no table, only its reference does
)

// Choice is one of the values of a field.
type Choice struct {
	Value string // as in the file
	Label string // key of its text
}

// Field is one setting of a sheet.
type Field struct {
	Key     string // path below the table of the file: "host", "schedule.every"
	Label   string // key of its text
	Hint    string // key of a text below it, "" for none
	Kind    FieldKind
	Choices []Choice
	More    bool                               // for the person who helps: behind "More settings"
	When    func(get func(string) string) bool // shown only then; nil: always
}

// FieldFault is what is wrong with one field.
type FieldFault struct {
	Key     string // of the Field, "" when it is about the whole
	Text    string
	Warning bool
}

// ReadField returns a setting as a field holds it. Table points to a struct of
// package config, key is dotted.
func ReadField(table any, key string) string {
	v := fieldOf(reflect.ValueOf(table).Elem(), key)
	switch x := v.Interface().(type) {
	case []string:
		return strings.Join(x, "\n")
	case []config.Day:
		var days []string
		for _, d := range x {
			days = append(days, d.String())
		}
		return strings.Join(days, "\n")
	}
	return fmt.Sprint(v.Interface())
}

// WriteField puts the text of a field into the struct. The error is a code of
// package config, for its sentence; then nothing was changed.
func WriteField(table any, f Field, text string) (config.Code, bool) {
	v := fieldOf(reflect.ValueOf(table).Elem(), f.Key)
	if f.Kind == FieldWords {
		text = strings.Join(Words(text), "\n")
	}
	value, code := parseField(v.Type(), text)
	if code != "" {
		return code, false
	}
	v.Set(value)
	return "", true
}

// fieldOf finds a field by the keys of the file, or by its name in Go where the
// file has no key of its own.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for part := range strings.SplitSeq(key, ".") {
		found := false
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Tag.Get("toml") == part || f.Name == part {
				v, found = v.Field(i), true
				break
			}
		}
		if !found {
			panic("present: no setting " + key) // a slip in a table of this package: its tests walk them all
		}
	}
	return v
}

// FieldProblems sorts the problems of a draft to the fields of the table at
// prefix, for example "mailbox[2]". What belongs elsewhere goes to the whole,
// with the place named.
func FieldProblems(fields []Field, prefix string, problems []facts.Problem) []FieldFault {
	var out []FieldFault
	for _, p := range problems {
		fault := FieldFault{Text: p.Message, Warning: p.Warning}
		rest, inside := strings.CutPrefix(p.Field, prefix)
		if rest, ok := strings.CutPrefix(rest, "."); ok && inside {
			fault.Key = keyOf(fields, rest)
		}
		if !inside && p.Warning {
			continue // of another part: the whole file is not on this page
		}
		if fault.Key == "" && p.Field != "" && p.Field != prefix {
			fault.Text = p.Field + ": " + p.Message
		}
		out = append(out, fault)
	}
	return out
}

// keyOf finds the field that a path of the file belongs to: "domains[1]" is
// the second line of "domains".
func keyOf(fields []Field, path string) string {
	path, _, _ = strings.Cut(path, "[")
	for _, f := range fields {
		if f.Key == path {
			return f.Key
		}
	}
	return ""
}

// Sheet is one table of the settings that is being edited: a copy that nothing
// else sees until it is placed.
type Sheet interface {
	Fields() []Field
	Table() any // pointer to the copy
	// Place puts the copy into a configuration just read and returns the path of
	// the table. ErrChanged: it was changed elsewhere meanwhile.
	Place(cfg *config.Config) (prefix string, err error)
}

// ChangedElsewhere is the error of a sheet whose table another program, or
// another page, has changed since it was read.
func ChangedElsewhere() error {
	return &mail.Failure{Class: mail.NeedsUser, Code: codeChanged}
}

// codeChanged has its sentence here, not among the faults of the engine.
const codeChanged mail.Code = "changed_elsewhere"

// Sentence is what to tell of an error of the backend.
func Sentence(p *i18n.Printer, err error, about i18n.Context) i18n.Explanation {
	f := mail.AsFailure(err)
	if f != nil && f.Code == codeChanged {
		return i18n.Explanation{What: p.T("main.changed_elsewhere.what"), Meaning: p.T("main.changed_elsewhere.meaning"), Advice: p.T("main.changed_elsewhere.advice")}
	}
	if c, ok := err.(*facts.ConfigError); ok {
		e := i18n.Explanation{What: p.T("main.config.refused"), Meaning: p.T("meaning.no_loss"), Advice: p.T("main.config.mend")}
		for _, problem := range c.Problems {
			if !problem.Warning {
				e.Detail = strings.TrimPrefix(problem.Field+": "+problem.Message, ": ")
				break
			}
		}
		return e
	}
	return p.Fault(f, about)
}

// Enter writes what a person typed into the table; when it does not fit, the
// fault says why and nothing was changed.
func Enter(p *i18n.Printer, table any, f Field, text string) (FieldFault, bool) {
	code, ok := WriteField(table, f, text)
	if ok {
		return FieldFault{}, true
	}
	if strings.TrimSpace(text) == "" {
		return FieldFault{Key: f.Key, Text: p.T("main.fault.empty")}, false
	}
	if code == config.CodeTypeNumber {
		return FieldFault{Key: f.Key, Text: p.T("main.fault.number")}, false
	}
	if code == config.CodeFirst {
		return FieldFault{Key: f.Key, Text: p.T("main.fault.date", i18n.Args{"Value": strings.TrimSpace(text)})}, false
	}
	return FieldFault{Key: f.Key, Text: p.T("config."+string(code), i18n.Args{"Value": strings.TrimSpace(text)})}, false
}

// NoConfigYet tells whether the settings could not be read because there are
// none yet, so that the defaults are a good beginning.
func NoConfigYet(err error) bool {
	return err != nil && mail.AsFailure(err).Code == facts.CodeConfigMissing
}

// Reasons joins the sentences of problems that are no warnings.
func Reasons(problems []facts.Problem) string {
	var out []string
	for _, p := range problems {
		if !p.Warning {
			out = append(out, p.Message)
		}
	}
	return strings.Join(out, "\n")
}
