//go:build linux

package main_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mailtest"
)

// untouched demands that no data folder was made and no server was asked.
func (s *site) untouched(what string) {
	s.t.Helper()
	if _, err := os.Stat(s.data()); !errors.Is(err, fs.ErrNotExist) {
		s.t.Errorf("%s: the data folder was made", what)
	}
	if connections, _ := s.office.Connections(); s.isp.Sessions() != 0 || connections != 0 {
		s.t.Errorf("%s: a server was asked", what)
	}
}

// TestUsage: wrong words end with 2, and nothing was touched.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"", "fetch", "collect Nobody", "check Nobody", "preview Nobody", "preview", "collect --all", "collect --json=perhaps", "log --state lost",
		"log --since yesterday-ish", "log --mailbox Nobody", "queue frob", "queue show", "queue show NONE", "queue retry", "queue retry NONE",
		"queue delete NONE", "queue send-to NONE anne@office.test", "queue send-to NONE", "queue save NONE", "queue save NONE file.eml",
		"mailbox pause", "mailbox pause Nobody", "mailbox resume Nobody", "config", "config frob", "secret set", "secret frob", "version extra",
		"status extra", "run extra", "backup", "--lang xx status", "log --limit -1",
	} {
		s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
		s.add("anne@office.test", "first")
		words := strings.Fields(args)
		r := s.want(2, words...)
		if r.err == "" && r.out == "" {
			t.Errorf("%q says nothing", args)
		}
		if !slices.Contains([]string{"collect", "queue", "mailbox"}, strings.SplitN(args+" ", " ", 2)[0]) {
			s.untouched(args)
		}
		if s.left() != 1 || s.isp.Sessions() != 0 || s.office.Taken() != 0 {
			t.Errorf("%q touched mail", args)
		}
	}
}

// brokenConfigs are configurations that must not be used, with the field and
// the line that are to be named; the plain one has 20 lines before the mailbox.
func brokenConfigs(s *site) map[string]struct {
	text, field string
	line        int
} {
	plain := s.head + s.mailbox
	line := func(text, mark string) int { return 1 + strings.Count(text[:strings.Index(text, mark)], "\n") }
	type broken = struct {
		text, field string
		line        int
	}
	all := map[string]broken{"empty": {"", "version", 1}, "no TOML": {plain + "[[mailbox\n", "", line(plain+"[[mailbox\n", "[[mailbox\n")}}
	change := func(name, from, to, field, mark string) {
		text := strings.Replace(plain, from, to, 1)
		all[name] = broken{text, field, line(text, mark)}
	}
	change("unknown key", "security = \"none\"\n", "security = \"none\"\nsecurty = \"tls\"\n", "mailbox[0].securty", "securty")
	change("wrong type", `security = "none"`, `security = 5`, "mailbox[0].security", "security = 5")
	change("wrong word", `security = "none"`, `security = "ssl"`, "mailbox[0].security", `security = "ssl"`)
	change("bad port", "security = \"none\"\n", "security = \"none\"\nmax_messages_per_session = -1\n", "mailbox[0].max_messages_per_session", "max_messages_per_session")
	change("imap", `kind = "global"`, "kind = \"global\"\nprotocol = \"imap\"", "mailbox[0].protocol", "protocol")
	change("password as secret", `"file:secret"`, `"hunter2"`, "mailbox[0].secret", "hunter2")
	change("unknown recipient outside", "postmaster@office.test", "postmaster@elsewhere.test", "office.unknown_recipient", "unknown_recipient")
	change("no unknown recipient", "unknown_recipient = \"postmaster@office.test\"\n", "", "office.unknown_recipient", "[office]")
	change("list outside", `members = ["anne@office.test", "bob@office.test"]`, `members = ["anne@elsewhere.test"]`, "list[0].members[0]", "members")
	change("bad address", `"claire@office.test"`, `"claire at office"`, "recipient[2].address", "claire at office")
	change("dialup", "[[target]]", "[connection]\nkind = \"dialup\"\n[[target]]", "connection.kind", "dialup")
	return all
}

// TestBrokenConfiguration: exit code 2, each fault with its field and line, for
// every command that reads it, and nothing was touched.
func TestBrokenConfiguration(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	for name, c := range brokenConfigs(s) {
		s.write("postbag.toml", c.text)
		r := s.want(2, "config", "validate", "--json")
		found := false
		for _, o := range r.objects() {
			r.of("problem", o)
			found = found || (o.text("field") == c.field && (c.line == 0 || o.number("line") == c.line))
		}
		if !found {
			t.Errorf("%s: no problem of %q in line %d:\n%s", name, c.field, c.line, r.out)
		}
		if strings.Contains(r.out+r.err, "hunter2") {
			t.Errorf("%s: what may be a password is shown", name)
		}
		for _, command := range []string{"collect", "collect --json", "run", "status", "check", "log", "queue", "mailbox list", "config show", "preview Whole"} {
			s.want(2, strings.Fields(command)...).says("postbag.toml")
			s.untouched(name + ": " + command)
		}
	}
	for _, file := range []string{"missing.toml", ".", "not-utf8.toml"} {
		s.write("not-utf8.toml", "version = 1 # \xff\n")
		for _, command := range []string{"collect", "config validate", "status"} {
			s.want(2, append([]string{"--config", s.path(file)}, strings.Fields(command)...)...)
			s.untouched(file + ": " + command)
		}
	}
}

// TestConfigCommands: init writes a sample that is good once its faults are
// mended, never over a file; show shows no secret.
func TestConfigCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	before, err := os.ReadFile(s.path("postbag.toml"))
	if err != nil {
		t.Fatal(err)
	}
	s.want(2, "config", "init").says("already exists")
	if after, _ := os.ReadFile(s.path("postbag.toml")); string(after) != string(before) {
		t.Error("config init wrote over a file")
	}
	for _, o := range s.want(0, "config", "validate", "--json").objects() {
		if o["warning"] != true { // both servers of the test run on one computer
			t.Errorf("a good configuration has a fault: %v", o)
		}
	}
	s.want(0, "config", "show").says("Whole office", "file:secret", "X-Original-To", "queue_lifetime")
	s.untouched("config")
	if err := os.Remove(s.path("postbag.toml")); err != nil {
		t.Fatal(err)
	}
	s.want(2, "collect").says("no configuration file")
	for _, lang := range []string{"en", "fr"} {
		fresh := filepath.Join("new", lang, "postbag.toml")
		cmd := []string{"config", "init", "--lang", lang, "--config", s.path(fresh)}
		s.want(0, cmd...)
		info, err := os.Stat(s.path(fresh))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the sample: %v %v", info, err)
		}
		if r := s.run("config", "validate", "--json", "--config", s.path(fresh)); r.code != 0 {
			t.Errorf("the sample in %s cannot be used: %s", lang, r.out)
		}
	}
	s.untouched("config init")
}

// TestVersionAndHelp need no configuration.
func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	if err := os.Remove(s.path("postbag.toml")); err != nil {
		t.Fatal(err)
	}
	s.want(0, "version").says("v9.8.7", "abc123", "go1.")
	for _, help := range []string{"--help", "help", "collect --help", "help queue"} {
		if r := s.want(0, strings.Fields(help)...); r.out == "" || r.err != "" {
			t.Errorf("%s: stdout %q, stderr %q", help, r.out, r.err)
		}
	}
	if r := s.run("--lang", "fr", "--help"); !strings.Contains(r.out, "Faire circuler") {
		t.Errorf("French help: %s", r.out)
	}
	s.untouched("help")
}

// TestSecretList shows what can be read, and why the rest cannot.
func TestSecretList(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.want(0, "secret", "list").says("file:secret")
	openToOthers(s)
	s.want(0, "secret", "list").says("file:secret", "can be read by other users")
	s.mailbox = strings.Replace(s.mailbox, "file:secret", "env:POSTBAG_TEST_SECRET", 1)
	s.configure("")
	s.want(0, "secret", "list").says("env:POSTBAG_TEST_SECRET", "A password is missing")
	s.env = []string{"POSTBAG_TEST_SECRET=" + password}
	s.add("anne@office.test", "first")
	s.want(0, "collect")
	s.wantGot("anne@office.test first")
	// An argument can be read by others: a secret is never taken from one.
	s.want(2, "secret", "set", "x", password+"x")
}
