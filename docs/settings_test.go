package docs

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postbag/app/config"
	"postbag/app/i18n"
)

// required are the settings without a default.
var required = []string{
	"version", "office.domains", "target.host", "recipient.address", "list.address", "list_rule.deliver_to",
	"mailbox.name", "mailbox.host", "mailbox.username", "mailbox.secret",
}

// derived are the settings whose default follows from others, with what the
// column must name.
var derived = map[string]string{
	"office.administrator": "`unknown_recipient`",
	"target.name":          "`host`",
	"target.port":          "security",
	"mailbox.port":         "security",
	"mailbox.id":           "",
}

// setting is a documented setting.
type setting struct {
	key        string // dotted
	def, about string
}

var tableName = regexp.MustCompile("`\\[+([a-z_.]+)\\]+`")

// settings reads the sections of the settings; the heading of each names its
// tables, and the first column the keys.
func settings(t *testing.T, p page) []setting {
	t.Helper()
	var out []setting
	for _, m := range anchor.FindAllStringSubmatch(p.text, -1) {
		if !strings.HasPrefix(m[1], "set-") {
			continue
		}
		text := p.section(t, m[1])
		heading, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
		tables := []string{""}
		if names := tableName.FindAllStringSubmatch(heading, -1); len(names) > 0 {
			tables = nil
			for _, n := range names {
				tables = append(tables, n[1]+".")
			}
		}
		for _, r := range rows(text) {
			if len(r) != 3 || r.code() == "" || r[1] == "" || r[2] == "" {
				t.Errorf("%s: %s: the row %q is not whole", p.path, m[1], r)
				continue
			}
			for _, prefix := range tables {
				out = append(out, setting{prefix + r.code(), r[1], r[2]})
			}
		}
	}
	return out
}

func TestEverySettingIsExplainedOnce(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		var documented []string
		for _, s := range settings(t, p) {
			if slices.Contains(documented, s.key) {
				t.Errorf("%s explains %s twice", p.path, s.key)
			}
			documented = append(documented, s.key)
		}
		same(t, p.path, documented, config.Keys())
	})
}

func TestDefaultsAreThoseOfTheProgram(t *testing.T) {
	word := map[string]string{i18n.English: "required", i18n.French: "obligatoire"}
	known := defaults(t)
	eachPage(t, func(t *testing.T, p page) {
		for _, s := range settings(t, p) {
			want, ok := known[s.key]
			_, follows := derived[s.key]
			switch {
			case slices.Contains(required, s.key):
				want = word[p.lang]
			case follows:
				if strings.Contains(s.def, derived[s.key]) {
					continue
				}
				want = derived[s.key]
			case !ok:
				continue // another test tells of settings that do not exist
			default:
				want = "`" + want + "`"
			}
			if s.def != want {
				t.Errorf("%s: the default of %s is %s, documented is %s", p.path, s.key, want, s.def)
			}
		}
	})
}

// TestRequiredSettingsAreMissed: what the reference calls required is missed in
// a file without it, and nothing else is.
func TestRequiredSettingsAreMissed(t *testing.T) {
	_, problems := config.Parse([]byte("[office]\n[[target]]\n[[recipient]]\n[[list]]\n[[list_rule]]\nlist_id = \"a.test\"\n[[mailbox]]\n"), t.TempDir())
	var missed []string
	for _, pr := range problems {
		if pr.Code == config.CodeRequired || pr.Code == config.CodeVersionMissing {
			missed = append(missed, regexp.MustCompile(`\[\d+\]`).ReplaceAllString(pr.Field, ""))
		}
	}
	same(t, "required settings", required, missed)
}

// TestPortsAreThoseOfTheProgram looks for the port of each kind of security.
func TestPortsAreThoseOfTheProgram(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		for _, s := range settings(t, p) {
			for _, security := range []string{config.SecurityTLS, config.SecurityStartTLS, config.SecurityNone} {
				var port int
				switch s.key {
				case "target.port":
					port = config.TargetPort(config.SMTP, security)
				case "mailbox.port":
					port = config.MailboxPort(config.POP3, security)
				default:
					continue
				}
				ports := regexp.MustCompile("`" + security + "`[^0-9]*" + strconv.Itoa(port) + `\b`)
				if !ports.MatchString(s.about) {
					t.Errorf("%s: %s does not say that the port is %d with %s", p.path, s.key, port, security)
				}
			}
			if s.key == "target.port" && !strings.Contains(s.about, strconv.Itoa(config.TargetPort(config.LMTP, config.SecurityNone))) {
				t.Errorf("%s: the port of LMTP is missing", p.path)
			}
		}
	})
}

// defaults are the values of an empty file, as they are written in one.
func defaults(t *testing.T) map[string]string {
	t.Helper()
	cfg := config.Defaults()
	out := map[string]string{}
	collect(t, out, reflect.ValueOf(*cfg), "")
	collect(t, out, reflect.ValueOf(config.NewTarget()), "target")
	collect(t, out, reflect.ValueOf(config.Recipient{}), "recipient")
	collect(t, out, reflect.ValueOf(config.List{}), "list")
	collect(t, out, reflect.ValueOf(config.ListRule{}), "list_rule")
	collect(t, out, reflect.ValueOf(config.NewMailbox(cfg.Schedule)), "mailbox")
	return out
}

func collect(t *testing.T, out map[string]string, v reflect.Value, path string) {
	t.Helper()
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		if key == "-" {
			continue
		}
		if path != "" {
			key = path + "." + key
		}
		f := v.Field(i)
		if f.Kind() == reflect.Pointer {
			f = reflect.New(f.Type().Elem()).Elem()
		}
		_, text := f.Interface().(fmt.Stringer)
		switch {
		case f.Kind() == reflect.Struct && !text:
			collect(t, out, f, key)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
		default:
			out[key] = literal(t, f)
		}
	}
}

// literal writes a value as TOML.
func literal(t *testing.T, v reflect.Value) string {
	t.Helper()
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return strconv.Quote(s.String())
	}
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Bool, reflect.Int:
		return fmt.Sprint(v.Interface())
	case reflect.Slice:
		var items []string
		for i := range v.Len() {
			items = append(items, literal(t, v.Index(i)))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	t.Fatalf("no literal for a %v", v.Type())
	return ""
}

// TestSampleSettingsExist: the settings that the text shows in TOML are ones of
// the program.
func TestSampleSettingsExist(t *testing.T) {
	assignment := regexp.MustCompile("`?\\b([a-z_]+) = (\"|\\[)")
	eachPage(t, func(t *testing.T, p page) {
		found := 0
		for _, m := range assignment.FindAllStringSubmatch(p.text, -1) {
			found++
			if !slices.ContainsFunc(config.Keys(), func(k string) bool { return k == m[1] || strings.HasSuffix(k, "."+m[1]) }) {
				t.Errorf("%s shows a setting %q", p.path, m[1])
			}
		}
		if found < 5 {
			t.Errorf("%s: only %d settings were found in samples", p.path, found)
		}
	})
}
