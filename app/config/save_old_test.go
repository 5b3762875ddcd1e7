package config

import (
	"os"
	"path/filepath"
	"testing"
)

// The first settings of a user, written by the wizard, have no folder yet.
func TestSaveMakesTheFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "postbag", "postbag.toml")
	cfg := Defaults()
	cfg.Office.Domains = []string{"office.test"}
	target := NewTarget()
	target.Name, target.Host, target.Port = "office", "mail.office.test", 25
	cfg.Targets = []Target{target}
	if err := Save(path, cfg); err != nil {
		t.Fatal(err)
	}
	if _, problems, err := Load(path); err != nil || len(Faults(problems)) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("folder %v, %v", info.Mode(), err)
	}
}

// A damaged file may hold the only copy of somebody's work.
func TestSaveKeepsAFileThatCouldNotBeUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postbag.toml")
	damaged := []byte("version = 1\n[office\ndomains = [\"office.test\"]\n")
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.Office.Domains = []string{"office.test"}
	target := NewTarget()
	target.Name, target.Host, target.Port = "office", "mail.office.test", 25
	cfg.Targets = []Target{target}
	if err := Save(path, cfg); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(path + ".bak")
	if err != nil || string(kept) != string(damaged) {
		t.Errorf("kept %q, %v", kept, err)
	}
}
