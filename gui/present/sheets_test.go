package present

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// sheetConfig sets every kind of value to something else than its default.
const sheetConfig = `version = 1
[office]
domains = ["office.test"]
unknown_recipient = "postmaster@office.test"
administrator = "admin@office.test"
plus_addresses = false
outside_allowed = ["ceo@home.test"]
[schedule]
every = "90m"
days = ["mon", "sat"]
from = "08:00"
to = "18:30"
[connection]
kind = "router"
[[target]]
name = "office"
host = "mail.office.test"
port = 2525
[delivery]
queue_lifetime = "3d"
spool_quota = "1500KB"
[[recipient]]
address = "anne@office.test"
aliases = ["info@office.test", "a@office.test"]
[[recipient]]
address = "bob@office.test"
[[list]]
address = "sales@office.test"
members = ["anne@office.test", "bob@office.test"]
[[list_rule]]
list_id = "nuts.groups.test"
deliver_to = ["anne@office.test"]
[[mailbox]]
name = "Whole office"
id = "whole-office"
host = "pop.isp.test"
username = "office-42"
secret = "keyring:whole-office"
after_delivery = "delete after 14 days"
first_collection = "2026-11-01"
max_message_size = "25MB"
[[mailbox]]
name = "Anne"
id = "anne"
kind = "individual"
host = "pop.isp.test"
username = "anne"
secret = "keyring:anne"
deliver_to = ["anne@office.test"]
[mailbox.schedule]
every = "15m"
[alerts]
command = ["/usr/bin/tell", "a, b"]
`

func sheetsOf(cfg *config.Config) map[string]Sheet {
	return map[string]Sheet{
		"office": OfficeSheet(cfg), "schedule": ScheduleSheet(cfg), "connection": ConnectionSheet(cfg), "delivery": DeliverySheet(cfg),
		"log": LogSheet(cfg), "journal": JournalSheet(cfg), "alerts": AlertsSheet(cfg),
		"target": TargetItems().Open(cfg, 0), "recipient": PeopleItems().Open(cfg, 0), "list": ListItems().Open(cfg, 0),
		"list_rule": RuleItems().Open(cfg, 0), "mailbox": MailboxItems().Open(cfg, 1),
	}
}

func testConfig(t *testing.T) *config.Config {
	t.Helper()
	cfg, problems := config.Parse([]byte(sheetConfig), "")
	if faults := config.Faults(problems); len(faults) > 0 {
		t.Fatal(faults)
	}
	return cfg
}

// Whatever the file can say, a person can set in a window.
func TestEverySettingIsWithinReach(t *testing.T) {
	reach := map[string]bool{
		"version": true, // the program's own
		// Not available in this version: validation refuses them.
		"connection.dialup.entry": true, "connection.dialup.username": true, "connection.dialup.domain": true, "connection.dialup.secret": true,
		"connection.commands.up": true, "connection.commands.down": true,
	}
	for table, sheet := range sheetsOf(testConfig(t)) {
		for _, f := range sheet.Fields() {
			reach[table+"."+f.Key] = true
		}
	}
	for _, key := range config.Keys() {
		if !reach[key] {
			t.Errorf("%s cannot be set in any window", key)
		}
	}
}

func TestEveryFieldHasItsTexts(t *testing.T) {
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		for table, sheet := range sheetsOf(testConfig(t)) {
			for _, f := range sheet.Fields() {
				keys := []string{f.Label}
				if f.Hint != "" {
					keys = append(keys, f.Hint)
				}
				for _, c := range f.Choices {
					if strings.HasPrefix(c.Label, "main.") {
						keys = append(keys, c.Label)
					}
				}
				for _, key := range keys {
					if !p.Has(key) {
						t.Errorf("%s: %s.%s lacks the text %q", lang, table, f.Key, key)
					}
				}
			}
		}
	}
}

// What a field shows, written back, changes nothing.
func TestFieldsRoundTrip(t *testing.T) {
	cfg := testConfig(t)
	for table, sheet := range sheetsOf(cfg) {
		for _, f := range sheet.Fields() {
			if f.Kind == FieldSecret {
				continue
			}
			text := ReadField(sheet.Table(), f.Key)
			switch f.Kind {
			case FieldSpan:
				text = JoinUnit(SplitSpan(text))
			case FieldSize:
				text = JoinUnit(SplitSize(text))
			case FieldAfter:
				text = JoinAfter(SplitAfter(text))
			case FieldFirst:
				text = JoinFirst(SplitFirst(text))
			}
			if code, ok := WriteField(sheet.Table(), f, text); !ok {
				t.Errorf("%s.%s: %q does not go back: %s", table, f.Key, text, code)
			}
		}
		if _, err := sheet.Place(cfg); err != nil {
			t.Errorf("%s: %v", table, err)
		}
	}
	got, want := string(config.Marshal(cfg)), string(config.Marshal(testConfig(t)))
	if got != want {
		t.Errorf("the settings have changed:\n%s\nwere:\n%s", got, want)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ text, number, unit, back string }{
		{"90m", "90", "m", "90m"}, {"60m", "1", "h", "1h"}, {"5d", "5", "d", "5d"}, {"30s", "30", "s", "30s"}, {"0s", "0", "m", "0"},
	} {
		number, unit := SplitSpan(c.text)
		if number != c.number || unit != c.unit || JoinUnit(number, unit) != c.back {
			t.Errorf("%s: %s %s, back %s", c.text, number, unit, JoinUnit(number, unit))
		}
	}
	for _, c := range []struct{ text, number, unit, back string }{
		{"10MB", "10", "MB", "10MB"}, {"2GB", "2", "GB", "2GB"}, {"1500KB", "1500", "KB", "1500KB"}, {"0", "0", "MB", "0"}, {"1234", "1.234", "KB", "1.234KB"},
	} {
		number, unit := SplitSize(c.text)
		if number != c.number || unit != c.unit || JoinUnit(number, unit) != c.back {
			t.Errorf("%s: %s %s, back %s", c.text, number, unit, JoinUnit(number, unit))
		}
	}
	if got := JoinUnit(" 1,5 ", "h"); got != "1.5h" {
		t.Errorf("a decimal comma: %q", got)
	}
}

func TestEnterSaysWhatIsWrong(t *testing.T) {
	cfg := testConfig(t)
	for _, c := range []struct {
		sheet Sheet
		key   string
		text  string
		want  string
	}{
		{TargetItems().Open(cfg, 0), "port", "x", "main.fault.number"},
		{TargetItems().Open(cfg, 0), "port", " ", "main.fault.empty"},
		{MailboxItems().Open(cfg, 0), "first_collection", "soon", "main.fault.date"},
		{ScheduleSheet(cfg), "from", "8h", "config.clock"},
		{DeliverySheet(cfg), "queue_lifetime", "long", "config.duration"},
	} {
		before := ReadField(c.sheet.Table(), c.key)
		i := slices.IndexFunc(c.sheet.Fields(), func(f Field) bool { return f.Key == c.key })
		p := i18n.New("en")
		fault, ok := Enter(p, c.sheet.Table(), c.sheet.Fields()[i], c.text)
		if ok || fault.Key != c.key || fault.Text != p.T(c.want, i18n.Args{"Value": c.text}) {
			t.Errorf("%s = %q: %+v", c.key, c.text, fault)
		}
		if got := ReadField(c.sheet.Table(), c.key); got != before {
			t.Errorf("%s became %q", c.key, got)
		}
	}
}

func TestPlaceRefusesWhatWasChangedElsewhere(t *testing.T) {
	item := MailboxItems().Open(testConfig(t), 0)
	schedule := ScheduleSheet(testConfig(t))
	now := testConfig(t)
	now.Mailboxes[0].Port = 1995
	now.Schedule.From = 60
	for name, place := range map[string]func() error{
		"item":   func() error { _, err := item.Place(now); return err },
		"remove": func() error { return item.Remove(now) },
		"single": func() error { _, err := schedule.Place(now); return err },
	} {
		err := place()
		if f, ok := errors.AsType[*mail.Failure](err); !ok || f.Code != codeChanged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(now.Mailboxes) != 2 || now.Mailboxes[0].Port != 1995 {
		t.Error("the newer settings were written over")
	}
	e := Sentence(i18n.New("en"), ChangedElsewhere(), i18n.Context{})
	if !strings.Contains(e.What, "changed elsewhere") || e.Advice == "" {
		t.Errorf("%+v", e)
	}
}

// Editing a copy changes nothing before it is placed.
func TestEditingTouchesNothing(t *testing.T) {
	cfg := testConfig(t)
	item := ListItems().Open(cfg, 0)
	item.Edited().Members[0] = "eve@office.test"
	if cfg.Lists[0].Members[0] != "anne@office.test" || item.Was().Members[0] != "anne@office.test" {
		t.Error("the list of the settings has changed")
	}
}

func TestNamesFollow(t *testing.T) {
	cfg := testConfig(t)
	anne := PeopleItems().Open(cfg, 0)
	anne.Edited().Address = "anna@office.test"
	if _, err := anne.Place(cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Lists[0].Members[0] != "anna@office.test" || cfg.ListRules[0].DeliverTo[0] != "anna@office.test" || cfg.Mailboxes[1].DeliverTo[0] != "anna@office.test" {
		t.Error("a list, a rule or a mailbox still names the old address")
	}
	cfg.Recipients[1].Target = "office"
	target := TargetItems().Open(cfg, 0)
	target.Edited().Name = "hall"
	if _, err := target.Place(cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Recipients[1].Target != "hall" {
		t.Error("a person still names the old office server")
	}
}

func TestProblemsFindTheirField(t *testing.T) {
	item := MailboxItems().Open(testConfig(t), 1)
	got := FieldProblems(item.Fields(), "mailbox[1]", []facts.Problem{
		{Field: "mailbox[1].host", Message: "a"},
		{Field: "mailbox[1].deliver_to[2]", Message: "b"},
		{Field: "mailbox[1].schedule.from", Message: "c"},
		{Field: "mailbox[1]", Message: "d"},
		{Field: "mailbox[10].host", Message: "e"},
		{Field: "office.unknown_recipient", Message: "f"},
		{Field: "target[0].host", Message: "g", Warning: true},
		{Field: "mailbox[1].port", Message: "h", Warning: true},
	})
	want := []FieldFault{
		{"host", "a", false}, {"deliver_to", "b", false}, {"schedule.from", "c", false}, {"", "d", false},
		{"", "mailbox[10].host: e", false}, {"", "office.unknown_recipient: f", false}, {"port", "h", true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestSecretReferencesAreTheirOwn(t *testing.T) {
	cfg := testConfig(t)
	for _, c := range []struct{ name, want string }{
		{"Bob", "keyring:bob"}, {"Whole office", "keyring:whole-office-2"}, {"ANNE", "keyring:anne-2"}, {"Zoé & Cie", "keyring:zoé-cie"}, {"  ", "keyring:postbag"},
	} {
		if got := NewSecretRef(cfg, c.name); got != c.want {
			t.Errorf("%q: %s, want %s", c.name, got, c.want)
		}
	}
}
