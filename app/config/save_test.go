package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSaveAndLoadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postbag.toml")
	cfg, problems, err := Load("testdata/contract.toml")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	if err := Save(path, cfg); err != nil {
		t.Fatal(err)
	}
	again, problems, err := Load(path)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, briefs(problems))
	}
	again.Dir = cfg.Dir
	if !reflect.DeepEqual(cfg, again) {
		t.Errorf("got\n%+v\nwant\n%+v", again, cfg)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

func TestSaveRefusesWhatLoadWould(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postbag.toml")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, _ := Load(path)
	cfg.Mailboxes[0].Username = "x\r\nDELE 1"
	err := Save(path, cfg)
	if e, ok := errors.AsType[*Invalid](err); !ok || len(e.Problems) != 1 || e.Problems[0].Code != CodeControl {
		t.Error(err)
	}
	if now, _ := os.ReadFile(path); string(now) != good {
		t.Error("the old file is gone")
	}
}

func TestSaveKeepsASymbolicLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.toml"), filepath.Join(dir, "postbag.toml")
	if err := os.WriteFile(real, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	cfg, _, _ := Load(link)
	cfg.Log.Level = "debug"
	if err := Save(link, cfg); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(real); !strings.Contains(string(text), `level = "debug"`) {
		t.Error(string(text))
	}
	if info, _ := os.Lstat(link); info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
}

func TestSaveKeepsTheFileWithComments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postbag.toml")
	if err := Init(path, Sample("en")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second file has no comments and must not take the place of the first
		cfg, _, _ := Load(path)
		if err := Save(path, cfg); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(path + ".bak"); err != nil || string(kept) != string(Sample("en")) {
		t.Error(err, string(kept))
	}
}

func TestSaveFails(t *testing.T) {
	cfg, _ := Parse([]byte(good), "")
	inTheWay := filepath.Join(t.TempDir(), "postbag") // a file where the folder belongs
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Save(filepath.Join(inTheWay, "postbag.toml"), cfg); err == nil {
		t.Error("written into a file")
	}
}

// A rename in the program must not move the state of the mailbox.
func TestSaveWritesTheID(t *testing.T) {
	cfg, _ := Parse([]byte(good), "")
	cfg.Mailboxes[0].Name = "Everybody"
	again, _ := Parse(Marshal(cfg), "")
	if again.Mailboxes[0].ID != "whole-office" || !again.Mailboxes[0].IDGiven {
		t.Errorf("%+v", again.Mailboxes[0])
	}
}

func TestShowIsCompleteAndLoads(t *testing.T) {
	cfg, _ := Parse([]byte(good), "")
	text := string(Show(cfg))
	for _, want := range []string{"port = 995", "port = 25", `every = "60m"`, `queue_lifetime = "5d"`, `spool_quota = "2GB"`,
		`keep = "365d"`, `secret = "keyring:whole-office"`, `to = "24:00"`, `administrator = "postmaster@office.test"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if _, problems := Parse([]byte(text), ""); len(problems) > 0 {
		t.Error(briefs(problems))
	}
}

func TestInitNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "postbag.toml")
	if err := Init(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := Init(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "first" {
		t.Error(string(text))
	}
}

// The sample is valid but for what only the user knows, in each language.
func TestSample(t *testing.T) {
	for _, lang := range []string{"en", "fr", "fr_CH.UTF-8", "de", ""} {
		cfg, problems := Parse(Sample(lang), "")
		if len(problems) > 0 {
			t.Errorf("%s: %v", lang, briefs(problems))
		}
		if len(cfg.Mailboxes) != 1 || len(cfg.Targets) != 1 {
			t.Errorf("%s: %+v", lang, cfg)
		}
		if french := strings.Contains(string(Sample(lang)), "fournisseur"); french != strings.HasPrefix(lang, "fr") {
			t.Errorf("%q: the wrong language", lang)
		}
	}
}

// Each line of the sample that is switched off shows the default, and works
// when it is switched on.
func TestSampleSwitchedOn(t *testing.T) {
	for _, lang := range []string{"en", "fr"} {
		var on []string
		for line := range strings.Lines(string(Sample(lang))) {
			if rest, found := strings.CutPrefix(line, "#"); found && !strings.HasPrefix(rest, " ") {
				line = rest
			}
			on = append(on, line)
		}
		text := strings.Join(on, "")
		_, problems := Parse([]byte(text), "")
		if len(Faults(problems)) > 0 {
			t.Errorf("%s: %v\n%s", lang, briefs(problems), text)
		}
		for _, key := range Keys() {
			if !strings.Contains(text, key[strings.LastIndex(key, ".")+1:]) {
				t.Errorf("%s: %s is missing", lang, key)
			}
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"60m": time.Hour, "5d": 120 * time.Hour, "14 days": 336 * time.Hour, "1h 30m": 90 * time.Minute, "1h30m": 90 * time.Minute,
		"2 Weeks": 336 * time.Hour, "1.5h": 90 * time.Minute, "0": 0, " 10 min ": 10 * time.Minute, "90 seconds": 90 * time.Second,
	} {
		if got, err := ParseDuration(text); err != nil || got.D() != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "d", "-5d", "5x", "5d 3", "1e9d", "999999999999d", "1..5h", "5d,3h", "."} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "2GB": 2e9, "10MB": 10e6, "1 kb": 1000, "1.5MB": 15e5, "1024": 1024, "1KiB": 1024, "5B": 5} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1XB", "1MB2", "99999999999999999999", "1 2"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestClocks(t *testing.T) {
	for text, want := range map[string]Clock{"00:00": 0, "24:00": 1440, "8:05": 485, "23:59": 1439} {
		if got, err := ParseClock(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "24:01", "12", "12:60", "12:5", "-1:00", "a:bc", "012:00", "12:00:00", "+1:00"} {
		if got, err := ParseClock(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestAfterDeliveryAndFirstCollection(t *testing.T) {
	for text, want := range map[string]AfterDelivery{
		"delete": {}, "Keep": {Keep: true}, "delete after 14 days": {Days: 14}, "delete  after 1 day": {Days: 1}, "delete after 2 weeks": {Days: 14},
	} {
		if got, err := ParseAfterDelivery(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "never", "delete after", "delete after 0 days", "delete after 14", "delete after 36 hours", "delete after 99999999 days"} {
		if got, err := ParseAfterDelivery(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	for _, text := range []string{"all", "new", "2026-11-01", "2026-11-01T10:00:00Z"} {
		if got, err := ParseFirstCollection(text); err != nil || got.String() != text {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "old", "2026-13-01", "01.11.2026"} {
		if got, err := ParseFirstCollection(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
