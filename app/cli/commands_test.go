package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"postbag/app/facts"
	"postbag/engine/mail"
)

func TestGlobalFlagsStandBeforeAndAfterTheCommand(t *testing.T) {
	for _, line := range []string{
		"--config /c --data /d --lang fr status",
		"status --config /c --data /d --lang fr",
		"--config=/c status --data=/d --lang=fr",
	} {
		f := &fake{status: sampleStatus()}
		r := run(t, f, line)
		if r.code != 0 || f.asked[0] != "open 1 /c /d fr" || !strings.Contains(r.out, "Boîte") {
			t.Errorf("%q: %d %q %q", line, r.code, f.asked, r.out)
		}
	}
}

// A running engine was started in another folder.
func TestPathsAreMadeAbsolute(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	run(t, f, "backup b.tar --config c.toml --data d")
	want := []string{"open 1 " + here + "/c.toml " + here + "/d en", "backup " + here + "/b.tar"}
	if !slices.Equal(f.asked, want) {
		t.Errorf("asked %q, want %q", f.asked, want)
	}
}

func TestLanguageComesFromTheEnvironment(t *testing.T) {
	french := func(e *Env) {
		e.Getenv = func(name string) string { return map[string]string{"LC_ALL": "fr_FR.UTF-8"}[name] }
	}
	if r := run(t, &fake{status: sampleStatus()}, "status", french); !strings.Contains(r.out, "Boîte") {
		t.Errorf("got %q", r.out)
	}
	if r := run(t, &fake{status: sampleStatus()}, "status --lang en", french); !strings.Contains(r.out, "Mailbox") {
		t.Errorf("got %q", r.out)
	}
}

func TestWrongUsageTouchesNothing(t *testing.T) {
	for _, line := range []string{
		"", "nonsense", "queue nonsense", "mailbox", "config", "secret", "status extra", "status --nonsense", "collect --nonsense",
		"--lang de status", "--config= status", "status --data", "log --since yesterday", "log --state gone", "log --limit -1", "log --limit x", "log --csv --json",
		"preview", "preview a b", "preview a --limit 0", "queue show", "queue retry", "queue retry K1 --all", "queue delete", "queue send-to K1",
		"queue save K1", "mailbox pause", "secret set", "secret set env:X", "secret delete file:x", "backup", "completion", "completion tcsh", "demo x", "run x",
		"config validate x", "version x", "repair x", "secret list x",
	} {
		f := &fake{entries: sampleEntries()}
		r := run(t, f, line)
		if r.code != 2 || r.out != "" || r.err == "" {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", line, r.code, r.out, r.err)
		}
		if len(f.asked) > 0 {
			t.Errorf("%q asked %q", line, f.asked)
		}
	}
}

// What each command asks the application for.
func TestCommandsAskForWhatTheySay(t *testing.T) {
	dir := t.TempDir()
	cases := []struct {
		line   string
		access facts.Access
		asked  string
	}{
		{"run", facts.AccessEngine, "run"},
		{"collect", facts.AccessCollect, `collect []`},
		{"collect 'Whole office' Bob", facts.AccessCollect, `collect ["Whole office" "Bob"]`},
		{"check Bob", facts.AccessConfig, `check ["Bob"]`},
		{"preview Bob", facts.AccessConfig, `preview "Bob" 50`},
		{"preview Bob --limit 3", facts.AccessConfig, `preview "Bob" 3`},
		{"log", facts.AccessRead, `log since= search="" state= mailbox="" limit=0`},
		{"log --since 24h --search 'a b' --state delivered --mailbox Bob --limit 5", facts.AccessRead, `log since=2026-03-01T12:05:00Z search="a b" state=delivered mailbox="Bob" limit=5`},
		{"log --since 2026-03-01", facts.AccessRead, `log since=2026-02-28T22:00:00Z search="" state= mailbox="" limit=0`},
		{"queue retry K3", facts.AccessChange, "retry K3"},
		{"queue delete K3", facts.AccessChange, "delete K3"},
		{"queue send-to K3 eve@office.test", facts.AccessChange, "send K3 eve@office.test"},
		{"mailbox pause 'Whole office'", facts.AccessChange, `pause "Whole office"`},
		{"mailbox resume Bob", facts.AccessChange, `resume "Bob"`},
		{"backup " + dir + "/b.tar", facts.AccessRead, "backup " + dir + "/b.tar"},
	}
	for _, c := range cases {
		t.Run(c.line, func(t *testing.T) {
			f := &fake{entries: sampleEntries(), status: sampleStatus()}
			r := run(t, f, c.line+" --config /c --data /d")
			if r.code != 0 {
				t.Fatalf("exit %d: %s", r.code, r.err)
			}
			want := []string{"open " + string(rune('0'+c.access)) + " /c /d en", c.asked}
			if !slices.Equal(f.asked[:2], want) {
				t.Errorf("asked %q, want %q", f.asked, want)
			}
		})
	}
}

func TestErrorsOfTheApplication(t *testing.T) {
	cases := []struct {
		name string
		err  error
		code int
		says []string
	}{
		{"busy", &mail.Failure{Code: facts.CodeBusy, Op: "/d"}, 5, []string{"Another Postbag"}},
		{"no configuration", &mail.Failure{Code: facts.CodeConfigMissing, Op: "/c"}, 2, []string{"There is no configuration file /c.", "postbagd config init"}},
		{"faulty configuration", &facts.ConfigError{Path: "/c", Problems: []facts.Problem{{Field: "mailbox[0].host", Line: 12, Code: "missing", Message: "The host is missing."}}}, 2, []string{"/c:12: mailbox[0].host: The host is missing.", "No mail is lost"}},
		{"damaged store", &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeStoreDamaged, Err: errors.New("malformed")}, 1, []string{"damaged", "No mail is lost", "postbagd repair", "Detail: malformed"}},
		{"unclassified", errors.New("bang\x1b[2J"), 1, []string{"unexpected", "Detail: bang\ufffd[2J"}},
		{"joined", errors.Join(&mail.Failure{Code: facts.CodeBusy}, nil), 5, []string{"Another Postbag"}},
	}
	for _, c := range cases {
		for _, line := range []string{"status", "collect --json", "log --json", "queue list", "check", "run"} {
			r := run(t, &fake{openErr: c.err}, line)
			if r.code != c.code || r.out != "" {
				t.Errorf("%s, %s: exit %d, stdout %q", c.name, line, r.code, r.out)
			}
			for _, s := range c.says {
				if !strings.Contains(r.err, s) {
					t.Errorf("%s, %s: %q lacks %q", c.name, line, r.err, s)
				}
			}
		}
	}
}

func TestAnErrorOfClosingCounts(t *testing.T) {
	r := run(t, &fake{status: sampleStatus(), closeErr: &mail.Failure{Code: mail.CodeDiskFull}}, "status")
	if r.code != 1 || !strings.Contains(r.err, "disk") {
		t.Errorf("%d %q", r.code, r.err)
	}
}

func TestQueueLooksUpBeforeItChanges(t *testing.T) {
	f := &fake{entries: sampleEntries()}
	r := run(t, f, "queue delete K3 K9 K2")
	if r.code != 2 || len(f.asked) != 1 || !strings.Contains(r.err, `"K9"`) {
		t.Errorf("exit %d, asked %q, %q", r.code, f.asked, r.err)
	}
}

func TestQueueAll(t *testing.T) {
	f := &fake{entries: sampleEntries(), errOf: map[string]error{"K2": failure(facts.CodeWrongState)}}
	r := run(t, f, "queue retry --all --json")
	if want := []string{"open 2 ", "retry K3", "retry K2", "retry K1"}; len(f.asked) != 4 || !slices.Equal(f.asked[1:], want[1:]) {
		t.Errorf("asked %q", f.asked)
	}
	if r.code != 0 || strings.Count(r.out, "\n") != 2 {
		t.Errorf("one was overtaken, which is no fault: exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r := run(t, &fake{}, "queue retry --all"); r.code != 0 || !strings.Contains(r.out, "empty") {
		t.Errorf("an empty queue: %d %q", r.code, r.out)
	}
}

func TestQueueThatFailsHalfwayIsNotWrongUsage(t *testing.T) {
	f := &fake{entries: sampleEntries(), errOf: map[string]error{"K2": failure(facts.CodeWrongState)}}
	r := run(t, f, "queue retry K3 K2")
	if r.code != 1 || !strings.Contains(r.out, "K3") || !strings.Contains(r.err, "present state") {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
	}
	f = &fake{entries: sampleEntries(), errOf: map[string]error{"K2": failure(facts.CodeWrongState)}}
	if r := run(t, f, "queue retry K2"); r.code != 2 {
		t.Errorf("nothing was touched: exit %d", r.code)
	}
}

func TestQueueDeleteAllAsksAPerson(t *testing.T) {
	atTerminal := func(e *Env) { e.StdinTerminal = true }
	f := &fake{entries: sampleEntries()}
	if r := run(t, f, "queue delete --all", atTerminal, stdin("n\n")); r.code != 1 || len(f.asked) != 0 {
		t.Errorf("no: exit %d, asked %q", r.code, f.asked)
	}
	for _, c := range []struct {
		line     string
		settings []setting
	}{
		{"queue delete --all", []setting{atTerminal, stdin("y\n")}},
		{"queue delete --all --lang fr", []setting{atTerminal, stdin("oui\n")}},
		{"queue delete --all --yes", []setting{atTerminal}},
		{"queue delete --all", nil}, // a script is not asked
	} {
		f := &fake{entries: sampleEntries()}
		if r := run(t, f, c.line, c.settings...); r.code != 0 || len(f.asked) != 4 {
			t.Errorf("%q: exit %d, asked %q", c.line, r.code, f.asked)
		}
	}
}

func TestQueueSave(t *testing.T) {
	const message = "Subject: x\r\n\r\n\x1b[2J\x00body\r\n"
	path := filepath.Join(t.TempDir(), "m.eml")
	f := &fake{entries: sampleEntries(), bytes: message}
	if r := run(t, f, "queue save K3 "+path); r.code != 0 || r.out != "" {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != message {
		t.Fatalf("%q %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if r := run(t, f, "queue save K3 "+path); r.code != 2 || !strings.Contains(r.err, "already exists") {
		t.Errorf("written over a file: %d %q", r.code, r.err)
	}
	if r := run(t, f, "queue save K3 -"); r.code != 0 || r.out != message {
		t.Errorf("standard output: %d %q", r.code, r.out)
	}
	other := filepath.Join(t.TempDir(), "n.eml")
	if r := run(t, f, "queue save K9 "+other); r.code != 2 {
		t.Errorf("unknown message: %d", r.code)
	}
	f.err = errors.New("read error")
	if r := run(t, f, "queue save K3 "+other); r.code != 1 {
		t.Errorf("read error: %d", r.code)
	}
	if _, err := os.Stat(other); !os.IsNotExist(err) {
		t.Error("half a message was left behind")
	}
}

func TestSecretSet(t *testing.T) {
	cases := []struct {
		name, line string
		settings   []setting
		code       int
		asked      string
	}{
		{"from a pipe", "secret set whole-office", []setting{stdin("geheim\n")}, 0, `set "whole-office" "geheim"`},
		{"one CR LF is cut", "secret set keyring:x", []setting{stdin("geheim\r\n")}, 0, `set "x" "geheim"`},
		{"only one line end", "secret set x", []setting{stdin("a \n\n")}, 0, `set "x" "a \n"`},
		{"without line end", "secret set x", []setting{stdin(" a")}, 0, `set "x" " a"`},
		{"empty", "secret set x", []setting{stdin("\n")}, 2, ""},
		{"too long", "secret set x", []setting{stdin(strings.Repeat("a", secretLimit+1))}, 2, ""},
		{"typed twice", "secret set x", []setting{asking("a", "a")}, 0, `set "x" "a"`},
		{"typed differently", "secret set x", []setting{asking("a", "b")}, 2, ""},
		{"typed empty", "secret set x", []setting{asking("")}, 2, ""},
		{"never from an argument", "secret set x geheim", nil, 2, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{}
			r := run(t, f, c.line, c.settings...)
			if got := strings.Join(f.asked, ";"); r.code != c.code || got != c.asked {
				t.Errorf("exit %d, asked %q; want %d, %q (%s)", r.code, got, c.code, c.asked, r.err)
			}
			if strings.Contains(r.out+r.err, "geheim") && c.code == 0 {
				t.Errorf("the secret is shown: %q %q", r.out, r.err)
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	warning := facts.Problem{Field: "list[0]", Line: 3, Code: "list_empty", Message: "The list is empty.", Warning: true}
	fault := facts.Problem{Field: "mailbox[1].host", Line: 12, Code: "missing", Message: "The host is missing."}
	whole := facts.Problem{Code: "version", Message: "The version is missing."}
	r := run(t, &fake{problems: []facts.Problem{warning, fault, whole}}, "config validate --json --config /c")
	want := `{"field":"list[0]","line":3,"code":"list_empty","message":"The list is empty.","warning":true}
{"field":"mailbox[1].host","line":12,"code":"missing","message":"The host is missing.","warning":false}
{"field":"","line":null,"code":"version","message":"The version is missing.","warning":false}
`
	if r.code != 2 || r.out != want {
		t.Errorf("exit %d\n%s", r.code, r.out)
	}
	r = run(t, &fake{problems: []facts.Problem{fault}}, "config validate --config /c")
	if r.code != 2 || r.out != "/c:12: mailbox[1].host: The host is missing.\n" {
		t.Errorf("exit %d %q", r.code, r.out)
	}
	r = run(t, &fake{problems: []facts.Problem{warning}}, "config validate --config /c")
	if r.code != 0 || !strings.Contains(r.out, "warning: list[0]: The list is empty.") {
		t.Errorf("a warning is no fault: %d %q", r.code, r.out)
	}
	if r = run(t, &fake{}, "config validate --json"); r.code != 0 || r.out != "" {
		t.Errorf("no faults: %d %q", r.code, r.out)
	}
	if r = run(t, &fake{err: failure(facts.CodeConfigMissing)}, "config validate --json"); r.code != 2 || r.out != "" {
		t.Errorf("no file: %d %q", r.code, r.out)
	}
}

func TestConfigInitNeverWritesOverAFile(t *testing.T) {
	r := run(t, &fake{err: &mail.Failure{Code: facts.CodeConfigExists, Op: "/c"}}, "config init --config /c")
	if r.code != 2 || !strings.Contains(r.err, "/c already exists") {
		t.Errorf("%d %q", r.code, r.err)
	}
}

// brokenPipe is the standard output of a program whose reader went away.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestAReaderThatWentAway(t *testing.T) {
	gone := func(e *Env) { e.Stdout = brokenPipe{} }
	many := make([]mail.Entry, 5000)
	f := &fake{entries: many, changed: many, report: facts.CollectReport{Queued: 1, Mailboxes: []facts.MailboxResult{{Mailbox: "Bob", Result: facts.ResultOK}}}}
	if r := run(t, f, "log --json", gone); r.code != 1 || r.err != "" {
		t.Errorf("log: exit %d, %q", r.code, r.err)
	}
	// A collection goes on to its end, but what it did could not be told.
	if r := run(t, f, "collect --json", gone); !slices.Contains(f.asked, "collect done") || r.code != 1 || r.err != "" {
		t.Errorf("collect: exit %d, %q, %q", r.code, r.err, f.asked)
	}
}

func TestACollectionThatFailsTellsWhatItDid(t *testing.T) {
	f := goldenFake()
	f.err = failure(mail.CodeStore)
	if r := run(t, f, "collect --json"); r.code != 1 || !strings.Contains(r.out, `"mailbox":"Bob"`) || !strings.Contains(r.err, "store cannot be read") {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.err)
	}
	if r := run(t, &fake{err: &mail.Failure{Code: facts.CodeUnknownMailbox, Op: "Nobody"}}, "collect Nobody"); r.code != 2 || r.out != "" {
		t.Errorf("exit %d, %q", r.code, r.out)
	}
}

func TestPanicIsNotWrongUsage(t *testing.T) {
	f := &fake{collect: func(context.Context, func(facts.Event)) error { panic("boom") }}
	if r := run(t, f, "collect"); r.code != 1 || !strings.Contains(r.err, "boom") {
		t.Errorf("%d %q", r.code, r.err)
	}
}
