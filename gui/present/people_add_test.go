package present

import (
	"errors"
	"testing"

	"postbag/app/config"
	"postbag/app/i18n"
)

func TestReadPeople(t *testing.T) {
	cfg := config.Defaults()
	cfg.Office.Domains = []string{"office.test"}
	got, err := ReadPeople(cfg, "anne@office.test\n", []byte("Name;E-mail;Other\nCarl;carl@office.test;c@office.test\nAnne;ANNE@office.test;\nZoe;zoe@else.test;\n"))
	if err != nil || got.Text != "anne@office.test\ncarl@office.test, c@office.test" || got.People != 1 || got.Known != 1 || got.Outside != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	p := i18n.New("en")
	if s := ImportText(p, got.WizardImport, nil); s == "" || s == ImportText(p, WizardImport{}, nil) {
		t.Error(s)
	}
	_, none := ReadPeople(cfg, "", []byte("Name;Phone\n"))
	if a, b := ImportText(p, WizardImport{}, none), ImportText(p, WizardImport{}, FileFault("", errors.New("disk"))); a == b || a == "" || b == "" {
		t.Errorf("%q, %q", a, b)
	}
}
