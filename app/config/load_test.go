package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// good is a configuration without any problem; line numbers start at 1.
const good = `version = 1
[office]
domains = ["office.test"]
unknown_recipient = "postmaster@office.test"
[[target]]
host = "mail.office.test"
[[mailbox]]
name = "Whole office"
host = "pop.isp.test"
username = "office-42"
secret = "keyring:whole-office"
`

// brief writes a problem as "line field code".
func brief(p Problem) string {
	s := fmt.Sprintf("%d %s %s", p.Line, p.Field, p.Code)
	if p.Warning {
		s += " (warning)"
	}
	return s
}

func briefs(problems []Problem) []string {
	out := []string{}
	for _, p := range problems {
		out = append(out, brief(p))
	}
	return out
}

func TestGoodHasDefaults(t *testing.T) {
	cfg, problems := Parse([]byte(good), "/etc/postbag")
	if len(problems) > 0 {
		t.Fatal(briefs(problems))
	}
	m, tg := cfg.Mailboxes[0], cfg.Targets[0]
	if m.Port != 995 || m.Kind != Global || m.ID != "whole-office" || m.Auth != AuthAuto || !m.Enabled || m.EnvelopeOccurrence != 1 {
		t.Errorf("mailbox: %+v", m)
	}
	if !reflect.DeepEqual(m.EnvelopeHeaders, DefaultEnvelopeHeaders()) {
		t.Errorf("rule 20: %v", m.EnvelopeHeaders)
	}
	if tg.Port != 25 || tg.Name != "mail.office.test" || tg.Protocol != SMTP || tg.Security != SecurityNone || tg.Auth != AuthNone {
		t.Errorf("target: %+v", tg)
	}
	if cfg.Office.Administrator != "postmaster@office.test" || !cfg.Office.PlusAddresses {
		t.Errorf("office: %+v", cfg.Office)
	}
	s := m.Schedule
	if s.Every.D() != time.Hour || len(s.Days) != 5 || s.From != 0 || s.To != 24*60 || m.OwnSchedule {
		t.Errorf("schedule: %+v", s)
	}
	d := cfg.Delivery
	if d.QueueLifetime.D() != 120*time.Hour || d.SpoolQuota != 2e9 || d.DuplicateWindow.D() != 720*time.Hour {
		t.Errorf("delivery: %+v", d)
	}
	if cfg.Path("ca.pem") != filepath.Join("/etc/postbag", "ca.pem") {
		t.Error("path", cfg.Path("ca.pem"))
	}
}

func TestPortsBySecurity(t *testing.T) {
	for _, c := range []struct {
		line          string
		target, boxes int
	}{
		{`security = "tls"`, 465, 995},
		{`security = "starttls"`, 587, 110},
		{`security = "none"`, 25, 110},
	} {
		text := strings.ReplaceAll(good, "host =", c.line+"\nhost =")
		cfg, problems := Parse([]byte(text), "")
		if len(Faults(problems)) > 0 || cfg.Targets[0].Port != c.target || cfg.Mailboxes[0].Port != c.boxes {
			t.Errorf("%s: %d %d %v", c.line, cfg.Targets[0].Port, cfg.Mailboxes[0].Port, briefs(problems))
		}
	}
	cfg, _ := Parse([]byte(strings.Replace(good, "[[mailbox]]", "protocol = \"lmtp\"\n[[mailbox]]", 1)), "")
	if cfg.Targets[0].Port != 24 {
		t.Error("lmtp", cfg.Targets[0].Port)
	}
}

func TestScheduleIsInheritedKeyByKey(t *testing.T) {
	text := good + "[mailbox.schedule]\nevery = \"5m\"\nfrom = \"22:00\"\nto = \"06:30\"\n[schedule]\ndays = [\"Sunday\", \"sat\"]\n"
	cfg, problems := Parse([]byte(text), "")
	s := cfg.Mailboxes[0].Schedule
	if len(problems) > 0 || s.Every.D() != 5*time.Minute || s.From != 22*60 || s.To != 390 || len(s.Days) != 2 || s.Days[0].String() != "sun" {
		t.Errorf("%+v %v", s, briefs(problems))
	}
	if cfg.Schedule.Every.D() != time.Hour || !cfg.Mailboxes[0].OwnSchedule {
		t.Errorf("%+v", cfg.Schedule)
	}
}

// TestContractFile reads the page that scripts rely on, every key set.
func TestContractFile(t *testing.T) {
	cfg, problems, err := Load("testdata/contract.toml")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, briefs(problems))
	}
	m := cfg.Mailboxes[1]
	if m.AfterDelivery.Days != 14 || m.FirstCollection.Since.IsZero() || m.MaxMessageSize != 25e6 || m.MaxBytes != 1e9 || m.ID != "anne" || !m.IDGiven {
		t.Errorf("%+v", m)
	}
	if cfg.Targets[0].TLSPin != "sha256:"+strings.Repeat("0a", 32) {
		t.Error(cfg.Targets[0].TLSPin)
	}
	if got := cfg.SecretRefs(); !reflect.DeepEqual(got, []string{"env:OFFICE", "keyring:whole-office", "file:anne.secret"}) {
		t.Error(got)
	}
}

const manyFaults = `version = 1
colour = "blue"
[office]
domains = ["office test", 5]
unknown_recipent = "postmaster@office.test"
[[target]]
host = "mail.office.test:25"
port = "25"
[schedule]
every = "often"
[[mailbox]]
name = "A\tB"
host = 7
username = "x"
secret = "hunter2"
kind = "globall"
after_delivery = "sometimes"
schedule = "daily"
port = 0
[log]
levle = "info"
`

func TestEveryFaultAtOnce(t *testing.T) {
	_, problems := Parse([]byte(manyFaults), "")
	want := []string{
		"2 colour unknown_key",
		"4 office.domains[0] domain",
		"4 office.domains[1] type_text",
		"5 office.unknown_recipent unknown_key_near",
		"7 target[0].host host_port",
		"8 target[0].port type_number",
		"10 schedule.every duration",
		"12 mailbox[0].name control",
		"13 mailbox[0].host type_text",
		"15 mailbox[0].secret secret_ref",
		"16 mailbox[0].kind choice",
		"17 mailbox[0].after_delivery after_delivery",
		"18 mailbox[0].schedule type_table",
		"19 mailbox[0].port range",
		"21 log.levle unknown_key_near",
	}
	got := briefs(problems)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, p := range problems {
		if strings.Contains(p.String(), "hunter2") {
			t.Error("a password is shown: ", p)
		}
	}
}

func TestSyntax(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unquoted", "version = 1\n[office]\ndomains = [\"a.test\"]\nunknown_recipient = post@a.test\n[log]\nx = 1\n", "4 office.unknown_recipient syntax|6 log.x unknown_key"},
		{"two", "version = 1\n[log]\nlevel = info\nmax_size = 10MB\n", "3 log.level syntax|4 log.max_size syntax"},
		{"header", "version = 1\n[log\nlevel = 1\n", "2  syntax"},
		{"duplicate key", "version = 1\n[log]\nlevel = \"info\"\nlevel = \"warn\"\n", "4 log.level syntax"},
		{"open string", "version = 1\n[alerts]\ncommand = [\"a\n", "3  syntax"},
		{"latin-1", "version = 1\n[log]\nlevel = \"\xe9\"\n", "3  encoding"},
		{"utf-16", "\xff\xfev\x00e\x00", "1  encoding"},
		{"newer", "version = 2\nnothing = true\n", "1 version version_unknown"},
	} {
		_, problems := Parse([]byte(c.text), "")
		if got := strings.Join(briefs(problems), "|"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestByteOrderMarkAndCRLF(t *testing.T) {
	text := "\xef\xbb\xbf" + strings.ReplaceAll(good, "\n", "\r\n")
	if _, problems := Parse([]byte(text), ""); len(problems) > 0 {
		t.Error(briefs(problems))
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, _, err := Load(filepath.Join(t.TempDir(), "none.toml"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestDamagedFileIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postbag.toml")
	damaged := []byte(good + "\x00\x00\x00")
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems, err := Load(path)
	if err != nil || len(Faults(problems)) == 0 {
		t.Error(err, briefs(problems))
	}
	if now, _ := os.ReadFile(path); string(now) != string(damaged) {
		t.Error("the file was touched")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("version = 1\n[[list]]\naddress='a@b.test'\nmembers=['a@b.test']\n"))
	f.Add([]byte("mailbox = [{name = 1}, [2], {schedule = {every = []}}]"))
	f.Add([]byte("a.b.c = 1\n[[a.b]]\n[a.\"x.y\"[0]]"))
	f.Add([]byte("[office]\ndomains = [\"@\", \"xn--\", \"..\"]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, problems := Parse(data, "/nowhere")
		lines := strings.Count(string(data), "\n") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines {
				t.Errorf("line %d of %d: %v", p.Line, lines, p)
			}
		}
		if cfg == nil {
			t.Fatal("no configuration")
		}
		if len(Faults(problems)) > 0 {
			return
		}
		again, more := Parse(Marshal(cfg), "/nowhere")
		if len(Faults(more)) > 0 {
			t.Fatalf("not readable any more: %v\n%s", briefs(more), Marshal(cfg))
		}
		for i := range cfg.Mailboxes {
			cfg.Mailboxes[i].IDGiven = true // ids are always written
		}
		if !reflect.DeepEqual(cfg, again) {
			t.Errorf("changed by writing:\n%s", Marshal(cfg))
		}
	})
}
