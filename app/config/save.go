package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// Save writes the configuration to path, readable by its owner only. A reader
// sees the old file or the new one, also after a crash. What Load would refuse
// is not written: the error is then *Invalid. Values that equal their default
// are left out, save the ids of mailboxes, which a change of name must not move.
// Comments of a person are not carried over: the file that held them is kept
// beside the new one, with ".bak" behind its name; so is a file that could not
// be used. The folder is made when missing.
func Save(path string, cfg *Config) error {
	text := Marshal(cfg)
	dir := filepath.Dir(path)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if _, problems := Parse(text, dir); len(Faults(problems)) > 0 {
		return &Invalid{Problems: Faults(problems)}
	}
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = keepOld(path)
	}
	if err == nil {
		err = writeAtomic(path, text)
	}
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// comment is a line of a person's own.
var comment = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*#`)
})

// keepOld copies a file with comments, or one that nobody could use and that
// somebody may want to mend, to path.bak.
func keepOld(path string) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, problems := Parse(old, filepath.Dir(path)); !comment().Match(old) && len(Faults(problems)) == 0 {
		return nil
	}
	return writeAtomic(path+".bak", old)
}

// Init writes a new file and refuses to touch one that is there: the error
// then wraps fs.ErrExist. Its folder is made when missing.
func Init(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path) // half a file would be worse than none
		return fmt.Errorf("configuration: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// writeAtomic writes beside the file and renames. A symbolic link stays one.
func writeAtomic(path string, data []byte) (err error) {
	if target, linkErr := filepath.EvalSymlinks(path); linkErr == nil {
		path = target
	} else if !errors.Is(linkErr, fs.ErrNotExist) {
		return linkErr
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name durable. Windows has no such call.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Marshal writes the configuration as TOML, without the values that equal
// their default.
func Marshal(cfg *Config) []byte { return encode(cfg, false) }

// Show writes the effective settings as TOML, defaults included. Secrets are
// references and stay so.
func Show(cfg *Config) []byte { return encode(cfg, true) }

func encode(cfg *Config, all bool) []byte {
	e := &encoder{all: all, cfg: cfg}
	base := Defaults()
	if cfg.Office.UnknownRecipient != "" {
		base.Office.Administrator = cfg.Office.UnknownRecipient
	}
	e.line("version", reflect.ValueOf(cfg.Version))
	v, d := reflect.ValueOf(cfg).Elem(), reflect.ValueOf(base).Elem()
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		switch f := v.Field(i); {
		case key == "-" || key == "version":
		case f.Kind() == reflect.Struct:
			e.table(key, f, d.Field(i))
		default:
			for n := range f.Len() {
				e.array(key, f.Index(n))
			}
		}
	}
	return e.out.Bytes()
}

type encoder struct {
	out bytes.Buffer
	cfg *Config
	all bool // also what equals its default
}

func (e *encoder) line(key string, v reflect.Value) {
	fmt.Fprintf(&e.out, "%s = %s\n", key, literal(v))
}

// table writes [name], nothing at all when every value equals its default.
func (e *encoder) table(name string, v, defaults reflect.Value) {
	start := e.out.Len()
	fmt.Fprintf(&e.out, "\n[%s]\n", name)
	if e.fields(v, defaults) == 0 {
		e.out.Truncate(start)
	}
}

// array writes one [[name]] with its sub-table.
func (e *encoder) array(name string, v reflect.Value) {
	fmt.Fprintf(&e.out, "\n[[%s]]\n", name)
	switch x := v.Interface().(type) {
	case Target:
		d := NewTarget()
		d.Port, d.Name = TargetPort(x.Protocol, x.Security), x.Host
		e.fields(v, reflect.ValueOf(d))
	case Mailbox:
		d := NewMailbox(e.cfg.Schedule)
		d.Port = MailboxPort(x.Protocol, x.Security)
		e.fields(v, reflect.ValueOf(d))
		if x.OwnSchedule || e.all {
			fmt.Fprintf(&e.out, "\n[%s.schedule]\n", name)
			(&encoder{all: true}).into(e, reflect.ValueOf(x.Schedule))
		}
	default:
		e.fields(v, reflect.Zero(v.Type()))
	}
}

// into writes every field of a sub-table into the text of e.
func (sub *encoder) into(e *encoder, v reflect.Value) {
	sub.fields(v, reflect.Zero(v.Type()))
	e.out.Write(sub.out.Bytes())
}

// fields writes the fields of a struct that differ from the defaults and
// returns how many.
func (e *encoder) fields(v, defaults reflect.Value) int {
	n := 0
	_, isMailbox := v.Interface().(Mailbox)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		if key == "-" || isMailbox && key == "schedule" {
			continue
		}
		f := v.Field(i)
		same := reflect.DeepEqual(f.Interface(), defaults.Field(i).Interface())
		if f.Kind() == reflect.Slice && f.Len() == 0 && defaults.Field(i).Len() == 0 {
			same = true
		}
		if f.Kind() == reflect.Pointer && f.IsNil() || same && !e.all {
			continue
		}
		e.line(key, f)
		n++
	}
	return n
}

// literal writes a value as TOML.
func literal(v reflect.Value) string {
	if read, _ := reader(v.Type()); read != nil {
		return quote(fmt.Sprint(v.Interface()))
	}
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Pointer:
		return literal(v.Elem())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = literal(v.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Struct: // an inline table
		var parts []string
		for i := range v.NumField() {
			parts = append(parts, v.Type().Field(i).Tag.Get("toml")+" = "+literal(v.Field(i)))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return `""`
}

// quote writes a basic string (TOML 1.0, section String).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
