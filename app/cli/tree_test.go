package cli

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

func testSession(lang string) *session {
	return newSession(Env{
		Args: []string{"--lang", lang}, Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{},
		Getenv: func(string) string { return "" }, Zone: now.Location(),
	}, goldenFake())
}

// described are the commands with their texts.
func described(s *session) *cobra.Command {
	root := s.tree()
	s.describe(root)
	return root
}

func walk(c *cobra.Command, each func(*cobra.Command)) {
	each(c)
	for _, sub := range c.Commands() {
		walk(sub, each)
	}
}

func TestEveryCommandAndFlagHasItsTexts(t *testing.T) {
	for _, lang := range i18n.Languages() {
		walk(described(testSession(lang)), func(c *cobra.Command) {
			if c.Short == "" || strings.HasPrefix(c.Short, "cmd.") {
				t.Errorf("%s, %s: no text %q", lang, c.CommandPath(), c.Short)
			}
			if strings.Contains(c.Long+c.Example, "{{") || strings.Contains(c.Long+c.Example, "<no value>") {
				t.Errorf("%s, %s: %q", lang, c.CommandPath(), c.Long)
			}
			c.Flags().VisitAll(func(f *pflag.Flag) {
				if f.Usage == "" || strings.HasPrefix(f.Usage, "flag.") || strings.Contains(f.Usage, "<no value>") {
					t.Errorf("%s, %s --%s: %q", lang, c.CommandPath(), f.Name, f.Usage)
				}
			})
		})
	}
}

// Every command of the contract is there, with the flags it names.
func TestContractCommands(t *testing.T) {
	root := testSession("en").tree()
	for line, flags := range map[string]string{
		"demo": "", "run": "", "collect": "json", "check": "json", "preview": "json limit", "log": "json since search state mailbox",
		"queue": "json", "queue list": "json", "queue show": "json", "queue retry": "json all", "queue delete": "json all", "queue send-to": "json", "queue save": "json",
		"mailbox list": "json", "mailbox pause": "json", "mailbox resume": "json", "status": "json",
		"config init": "", "config validate": "json", "config show": "", "secret set": "", "secret delete": "", "secret list": "",
		"backup": "", "repair": "", "version": "", "completion": "",
	} {
		c, rest, err := root.Find(strings.Fields(line))
		if err != nil || len(rest) > 0 {
			t.Errorf("%q: %v %q", line, err, rest)
			continue
		}
		for _, name := range append(strings.Fields(flags), "config", "data", "lang", "help") {
			if c.Flag(name) == nil && c.InheritedFlags().Lookup(name) == nil {
				t.Errorf("%q has no --%s", line, name)
			}
		}
	}
}

func TestHintsAreForCodesThatExist(t *testing.T) {
	p := i18n.New("en")
	for _, code := range []mail.Code{facts.CodeConfigMissing, mail.CodeSuspended, mail.CodeSecretMissing, mail.CodeAuth, mail.CodeStoreDamaged, facts.CodeUnknownMailbox, facts.CodeUnknownMessage, mail.CodePaused} {
		if !p.Has("hint." + string(code)) {
			t.Errorf("no hint for %s", code)
		}
	}
}

func TestEventsStepsAndResultsHaveTheirWords(t *testing.T) {
	for _, lang := range i18n.Languages() {
		s := testSession(lang)
		for _, kind := range []string{facts.EventStarted, facts.EventStopping, facts.EventMailboxStart, facts.EventMailboxEnd, facts.EventTargetDown, facts.EventTargetUp} {
			text := eventText(s.p, facts.Event{Kind: kind, Mailbox: "Bob", Target: "office", Result: &facts.MailboxResult{}, Fault: &facts.Fault{Code: mail.CodeConnect}})
			if text == "" || strings.Contains(text, "event.") || strings.Contains(text, "<no value>") {
				t.Errorf("%s, %s: %q", lang, kind, text)
			}
		}
		for _, stage := range []string{"servers", "collect", "deliver", "done"} {
			if eventText(s.p, facts.Event{Kind: facts.EventStage, Stage: stage}) == "" {
				t.Errorf("%s: no text for the stage %s", lang, stage)
			}
		}
		for _, word := range []string{facts.ResultOK, facts.ResultTemporary, facts.ResultNeedsUser, facts.ResultFailed, facts.ResultSkipped} {
			if !s.p.Has("result." + word) {
				t.Errorf("%s: no word for %s", lang, word)
			}
		}
		for _, word := range []string{"dns", "connect", "tls", "login", "stat", "uidl", "ehlo", "starttls", "auth", "rcpt"} {
			if !s.p.Has("check.step." + word) {
				t.Errorf("%s: no word for the step %s", lang, word)
			}
		}
		for _, word := range []string{facts.EngineRunning, facts.EngineStopped} {
			if !s.p.Has("status.engine." + word) {
				t.Errorf("%s: no word for %s", lang, word)
			}
		}
	}
}

// Every kind of step that app/facts names has a sentence.
func TestEveryStepHasItsSentence(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "facts", "facts.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Step") {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		for _, lang := range i18n.Languages() {
			if !i18n.New(lang).Has("story."+kind) && kind != facts.StepRouted {
				t.Errorf("%s: no sentence for the step %s", lang, kind)
			}
		}
		return true
	})
	if found < 10 {
		t.Fatalf("only %d steps found: does this test still see them?", found)
	}
}

// The objects have exactly the promised fields, and those that were added.
func TestJSONFields(t *testing.T) {
	entry := "at_source attempts from id mailbox message_id next_attempt reason recipients route size state subject time uid"
	mailbox := "code collected enabled error id kind last name next paused protocol result suspended"
	cases := map[string][]string{
		"collect --json":            {entry, entry, "advice code error mailbox new result", "advice code error mailbox new result"},
		"log --json":                {entry, entry, entry},
		"queue --json":              {entry, entry, entry},
		"queue show K3 --json":      {entry + " story"},
		"queue retry K3 --json":     {entry},
		"check --json":              {"advice detail ok step subject", "advice detail ok step subject", "advice detail ok step subject"},
		"preview Bob --json":        {"from recipients route size subject uid", "from recipients route size subject uid", "envelope_header verdict"},
		"status --json":             {"balance engine mailboxes targets"},
		"mailbox list --json":       {mailbox, mailbox, mailbox},
		"mailbox resume Bob --json": {mailbox},
		"config validate --json":    {"code field line message warning"},
	}
	for line, want := range cases {
		t.Run(line, func(t *testing.T) {
			r := run(t, goldenFake(), line)
			lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
			if len(lines) != len(want) {
				t.Fatalf("%d lines: %q", len(lines), r.out)
			}
			for i, l := range lines {
				var o map[string]any
				if err := json.Unmarshal([]byte(l), &o); err != nil {
					t.Fatal(err)
				}
				var names []string
				for k := range o {
					names = append(names, k)
				}
				slices.Sort(names)
				fields := strings.Fields(want[i])
				slices.Sort(fields)
				if !slices.Equal(names, fields) {
					t.Errorf("line %d: %v, want %v", i+1, names, fields)
				}
			}
		})
	}
}

// rule 49: the balance sheet has every state, and seen is their sum.
func TestRule49_StatusBalances(t *testing.T) {
	r := run(t, &fake{status: sampleStatus()}, "status --json")
	var o struct {
		Balance map[string]int64 `json:"balance"`
	}
	if err := json.Unmarshal([]byte(r.out), &o); err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, s := range mail.States() {
		n, ok := o.Balance[string(s)]
		if !ok {
			t.Errorf("%s is missing", s)
		}
		sum += n
	}
	if o.Balance["seen"] != sum || sum != 4711 || len(o.Balance) != len(mail.States())+1 {
		t.Errorf("%v", o.Balance)
	}
}

func TestProgressBarOnATerminal(t *testing.T) {
	f := goldenFake()
	r := run(t, f, "collect --json", terminal(100))
	if strings.Contains(r.err, "\x1b") || strings.Contains(r.out, "\r") {
		t.Errorf("escape sequences: %q", r.err)
	}
	if !strings.Contains(r.err, "3 fetched, 0 handed over") || !strings.Contains(r.err, "[") {
		t.Errorf("no bar: %q", r.err)
	}
	if plain := run(t, goldenFake(), "collect"); strings.Contains(plain.err+plain.out, "\r") || !strings.Contains(plain.err, "Whole office: connecting to pop.isp.test\n") {
		t.Errorf("plain lines: %q", plain.err)
	}
}

// Events come from several goroutines at once.
func TestProgressFromManyGoroutines(t *testing.T) {
	s := testSession("en")
	s.env.StderrWidth = 80
	pr := s.startProgress()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				pr.event(facts.Event{Kind: facts.EventFetched, Mailbox: string(rune('A' + i)), Done: n, Total: 50})
				pr.event(facts.Event{Kind: facts.EventDelivered, Done: n, Total: 50})
				pr.event(facts.Event{Kind: facts.EventMailboxStart, Mailbox: "x"})
				s.say("line")
			}
		})
	}
	wg.Wait()
	pr.close()
	pr.event(facts.Event{Kind: facts.EventFetched, Mailbox: "late", Done: 1, Total: 1})
}

func TestMailCannotSteerTheTerminal(t *testing.T) {
	evil := "\x1b]0;owned\a\u202e\u009b31m\r\n$ forged line"
	e := mail.Entry{
		ID: "K1", Time: now, From: evil, Subject: evil, Reason: evil, MessageID: evil, Mailbox: evil, State: mail.Queued, Route: "envelope:" + evil,
		Recipients: []mail.EntryRecipient{{Address: evil, State: mail.Queued, Reply: evil}},
	}
	f := goldenFake()
	f.entries, f.changed = []mail.Entry{e}, []mail.Entry{e}
	f.story = []facts.Step{{Kind: facts.StepDelivered, Address: evil, Reply: evil, Detail: evil, Host: evil}}
	f.demo.Messages = f.entries
	f.preview = []facts.PreviewLine{{From: evil, Subject: evil, Recipients: []string{evil}, Route: "envelope:" + evil}}
	f.verdict.EnvelopeHeader = evil
	f.steps = []facts.CheckStep{{Subject: evil, Step: "login", Detail: evil, Fault: &facts.Fault{Code: mail.CodeAuth, Reply: evil, Detail: evil}}}
	f.report.Mailboxes = []facts.MailboxResult{{Mailbox: evil, Host: evil, Result: "failed", Fault: &facts.Fault{Code: mail.CodeAuth, Reply: evil}}}
	for _, line := range []string{"log", "log --json", "log --csv", "queue", "queue show K1", "queue show K1 --json", "queue retry K1", "demo", "preview x", "preview x --json", "check", "check --json", "collect", "collect --json"} {
		r := run(t, f, line)
		if bad := strings.IndexFunc(r.out+r.err, func(c rune) bool { return c != '\n' && c != '\r' && tell.Steers(c) }); bad >= 0 {
			t.Errorf("%s: %q", line, (r.out + r.err)[bad:])
		}
		if strings.Contains(r.out+r.err, "\n$ forged") {
			t.Errorf("%s: a line of its own: %q", line, r.out+r.err)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := run(t, &fake{}, "completion "+shell); r.code != 0 || !strings.Contains(r.out, "postbagd") {
			t.Errorf("%s: exit %d, %d octets", shell, r.code, len(r.out))
		}
	}
	f := goldenFake()
	if r := run(t, f, "__complete collect W"); !strings.HasPrefix(r.out, "Whole office\n") {
		t.Errorf("mailboxes: %q", r.out)
	}
	if r := run(t, f, "__complete queue show K"); !strings.HasPrefix(r.out, "K3\nK2\nK1\n") {
		t.Errorf("messages: %q", r.out)
	}
	if r := run(t, &fake{openErr: failure(facts.CodeConfigMissing)}, "__complete collect W"); !strings.HasPrefix(r.out, ":4\n") {
		t.Errorf("without an answer: %q", r.out)
	}
}

func TestBashAcceptsTheCompletionScript(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal("bash is missing: install the package bash")
	}
	cmd := exec.Command(bash, "-n")
	cmd.Stdin = strings.NewReader(run(t, &fake{}, "completion bash").out)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestManPage(t *testing.T) {
	for _, lang := range i18n.Languages() {
		r := run(t, &fake{}, "man --lang "+lang)
		if r.code != 0 || !strings.HasPrefix(r.out, ".TH \"POSTBAGD\" \"1\"") {
			t.Errorf("%s: %d %q", lang, r.code, r.out[:min(80, len(r.out))])
		}
		if strings.Contains(r.out, "/home/anne") || strings.Contains(r.out, "<no value>") {
			t.Errorf("%s: the page names this computer", lang)
		}
		walk(described(testSession(lang)), func(c *cobra.Command) {
			name := strings.ReplaceAll(strings.TrimPrefix(c.CommandPath(), Name+" "), "-", `\-`)
			if c.IsAvailableCommand() && c.HasParent() && c.Name() != "help" && !strings.Contains(r.out, "\n.B "+name) {
				t.Errorf("%s: %s is missing", lang, name)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	if r := run(t, &fake{}, "version"); r.code != 0 || !strings.HasPrefix(r.out, "postbagd 0.1.0 (abc1234) go1.") {
		t.Errorf("%d %q", r.code, r.out)
	}
}

func TestDataFolder(t *testing.T) {
	cases := []struct {
		goos string
		env  map[string]string
		want string
	}{
		{"linux", map[string]string{"HOME": "/home/anne"}, "/home/anne/.local/share/postbag"},
		{"linux", map[string]string{"HOME": "/home/anne", "XDG_DATA_HOME": "/x"}, "/x/postbag"},
		{"linux", map[string]string{"HOME": "/home/anne", "XDG_DATA_HOME": "relative"}, "/home/anne/.local/share/postbag"},
		{"darwin", map[string]string{"HOME": "/Users/anne"}, "/Users/anne/Library/Application Support/postbag"},
		{"windows", map[string]string{"LocalAppData": "/C/Local"}, "/C/Local/postbag"},
		{"linux", nil, "postbag-data"},
	}
	for _, c := range cases {
		if got := dataFolder(c.goos, func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%s %v: %q", c.goos, c.env, got)
		}
	}
	service := func(k string) string {
		return map[string]string{"CONFIGURATION_DIRECTORY": "/etc/postbag:/etc/other", "STATE_DIRECTORY": "/var/lib/postbag"}[k]
	}
	if defaultConfig(service) != "/etc/postbag/postbag.toml" || defaultData(service) != "/var/lib/postbag" {
		t.Errorf("service: %s %s", defaultConfig(service), defaultData(service))
	}
}
