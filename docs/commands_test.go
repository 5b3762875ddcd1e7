package docs

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/app/cli"
	"postbag/app/facts"
	"postbag/app/i18n"
)

// program is an application that only says what it is: help needs no more.
type program struct{ cli.Application }

func (program) Build() facts.Build { return facts.Build{Version: "test"} }

// help runs "help COMMAND" and returns what it prints and the exit code.
func help(t *testing.T, lang string, words ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := cli.Main(cli.Env{
		Args: slices.Concat([]string{"help", "--lang", lang}, words), Stdin: strings.NewReader(""), Stdout: &out, Stderr: io.Discard,
		Getenv: func(string) string { return "" }, Now: time.Now, Zone: time.UTC,
	}, program{})
	return out.String(), code
}

var (
	helpCommand = regexp.MustCompile(`(?m)^  ([a-z-]+)  +\S`)
	helpFlag    = regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`)
)

// helped is a command as its help shows it.
type helped struct {
	path  string   // "queue retry"
	flags []string // its own, and those that it hands down
	leaf  bool
}

// walk reads the help of a command and of all below it.
func walk(t *testing.T, lang string, path ...string) []helped {
	t.Helper()
	text, code := help(t, lang, path...)
	if code != 0 {
		t.Fatalf("help %v ends with %d", path, code)
	}
	p := i18n.New(lang)
	own, _, _ := strings.Cut(text, p.T("cli.help.global"))
	h := helped{path: strings.Join(path, " "), leaf: true}
	for _, m := range helpFlag.FindAllStringSubmatch(text, -1) {
		h.flags = append(h.flags, m[1])
	}
	var below []helped
	if strings.Contains(own, " "+p.T("cli.help.command_word")+"\n") {
		h.leaf = false
		for _, m := range helpCommand.FindAllStringSubmatch(own, -1) {
			below = append(below, walk(t, lang, append(slices.Clone(path), m[1])...)...)
		}
	}
	return append([]helped{h}, below...)
}

// section of a command in the reference: the path and its text.
var commandHeading = regexp.MustCompile("(?m)^### `([a-z]+)[^`]*`$")

// documentedCommands maps each top command to its section's text.
func documentedCommands(t *testing.T, p page) map[string]string {
	t.Helper()
	text := p.section(t, "commands")
	out := map[string]string{}
	heads := commandHeading.FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		out[text[h[2]:h[3]]] = text[h[1]:end]
	}
	return out
}

// pathOf is the command in "queue retry NUMBER...".
func pathOf(code string) string {
	var words []string
	for _, w := range strings.Fields(code) {
		if w != strings.ToLower(w) || strings.ContainsAny(w, "[|") {
			break
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func TestEveryCommandAndOptionIsDocumented(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		all := walk(t, p.lang)
		if len(all) < 25 {
			t.Fatalf("the help shows only %d commands", len(all))
		}
		global := all[0].flags
		var known []string
		flags := map[string][]string{} // top command -> options of it and all below
		for _, h := range all[1:] {
			top, _, _ := strings.Cut(h.path, " ")
			if h.leaf || h.path == top {
				known = append(known, h.path)
			}
			for _, f := range h.flags {
				if !slices.Contains(global, f) && !slices.Contains(flags[top], f) {
					flags[top] = append(flags[top], f)
				}
			}
		}
		known = append(known, "help", "man") // hidden, see TestHiddenCommandsExist
		var documented []string
		for top, text := range documentedCommands(t, p) {
			documented = append(documented, top)
			var options []string
			for _, r := range rows(text) {
				if option, ok := strings.CutPrefix(r.code(), "--"); ok {
					options = append(options, strings.Fields(option)[0])
					continue
				}
				documented = append(documented, pathOf(r.code()))
			}
			slices.Sort(options)
			slices.Sort(flags[top])
			if !slices.Equal(options, flags[top]) {
				t.Errorf("%s: %s has the options %v, documented are %v", p.path, top, flags[top], options)
			}
		}
		same(t, p.path, documented, known)
		sameGlobal(t, p, global)
	})
}

// sameGlobal compares the options that are understood everywhere.
func sameGlobal(t *testing.T, p page, global []string) {
	t.Helper()
	before, _, _ := strings.Cut(p.section(t, "commands"), "\n### ")
	var options []string
	for _, r := range rows(before) {
		options = append(options, strings.TrimPrefix(strings.Fields(r.code())[0], "--"))
	}
	same(t, p.path, options, global)
}

func TestHiddenCommandsExist(t *testing.T) {
	for _, name := range []string{"help", "man"} {
		if text, code := help(t, i18n.English, name); code != 0 || !strings.Contains(text, "postbagd "+name) {
			t.Errorf("help %s ends with %d: %s", name, code, text)
		}
	}
}

// TestMentionedCommandsExist looks at every command that the text tells the
// reader to type.
func TestMentionedCommandsExist(t *testing.T) {
	mention := regexp.MustCompile(`(?m)^(?:sudo .*)?postbagd((?: [a-z][a-z-]*)+)`)
	fence := regexp.MustCompile("(?s)```.*?```")
	eachPage(t, func(t *testing.T, p page) {
		found := 0
		text := fence.FindAllString(p.text, -1)
		for _, m := range codeSpan.FindAllStringSubmatch(fence.ReplaceAllString(p.text, ""), -1) {
			text = append(text, strings.Join(strings.Fields(m[1]), " "))
		}
		for _, m := range mention.FindAllStringSubmatch(strings.Join(text, "\n"), -1) {
			found++
			if _, code := help(t, p.lang, strings.Fields(m[1])...); code != 0 {
				t.Errorf("%s: there is no command %q", p.path, m[0])
			}
		}
		if found < 20 {
			t.Errorf("%s: only %d commands were found", p.path, found)
		}
	})
}
