package present

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

func TestObstaclesHaveSentences(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for _, o := range []Obstacle{NoDisplay, NoOpenGL, NoTray, Raised, Deaf, Usage} {
			s := o.Sentence(i18n.New(lang))
			if s == string(o) || len(s) < 40 {
				t.Errorf("%s, %s: %q", lang, o, s)
			}
		}
		for _, o := range []Obstacle{NoDisplay, NoOpenGL} {
			if s := o.Sentence(i18n.New(lang)); !strings.Contains(s, "postbagd") {
				t.Errorf("%s, %s does not name the way out: %q", lang, o, s)
			}
		}
	}
}

func TestStartBanner(t *testing.T) {
	p := i18n.New("en")
	if b, ok := StartBanner(p, nil, "f"); ok {
		t.Errorf("no fault, yet %+v", b)
	}
	if b, ok := StartBanner(p, &mail.Failure{Code: facts.CodeConfigMissing}, "f"); ok {
		t.Errorf("the first start is no fault, yet %+v", b)
	}
	b, ok := StartBanner(p, &facts.ConfigError{Path: "f", Problems: []facts.Problem{
		{Field: "a", Line: 3, Message: "That is a warning.", Warning: true},
		{Field: "mailbox[0].port", Line: 12, Message: "Not a port."},
		{Field: "office", Message: "No domain."},
	}}, "/etc/postbag.toml")
	if !ok || !b.Wizard || b.File != "/etc/postbag.toml" || !strings.Contains(b.What, "/etc/postbag.toml") || !strings.Contains(b.What, "No mail is lost") {
		t.Errorf("banner %+v", b)
	}
	if want := "line 12: Not a port.\noffice: No domain."; b.Detail != want {
		t.Errorf("detail %q, want %q", b.Detail, want)
	}
	b, ok = StartBanner(p, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeStoreDamaged, Op: "store"}, "f")
	if !ok || b.Wizard || !strings.Contains(b.What, "damaged") {
		t.Errorf("banner %+v", b)
	}
}

func TestLookIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if l, err := LoadLook(dir); err != nil || l != DefaultLook() {
		t.Fatalf("without a file: %+v, %v", l, err)
	}
	want := Look{Language: "fr", Theme: ThemeDark, TrayIcon: TrayMonochrome, NoTray: true}
	if err := want.Save(dir); err != nil {
		t.Fatal(err)
	}
	if l, err := LoadLook(dir); err != nil || l != want {
		t.Errorf("read back: %+v, %v", l, err)
	}
}

func TestLookOfADamagedFile(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text  string
		fault bool
		want  Look
	}{
		{"theme = [", true, DefaultLook()},
		{"theme = 'pink'\nlanguage = 'tlh'\ntray_icon = 'none'\n", false, DefaultLook()},
		{"language = 'fr'\nfuture = 1\n", false, Look{Language: "fr", Theme: ThemeSystem, TrayIcon: TrayColour}},
	} {
		if err := os.WriteFile(filepath.Join(dir, "desktop.toml"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := LoadLook(dir)
		if l != c.want || (err != nil) != c.fault {
			t.Errorf("%q: %+v, %v", c.text, l, err)
		}
	}
}
