package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/app/i18n"
	"postbag/engine/mail"
)

// TestMain plays the administrator's command when it is started as one: the
// arguments are a marker, what to do, and a file.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "play-command" {
		os.Exit(play(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

func play(what, file string) int {
	switch what {
	case "fail":
		return 7
	case "hang":
		<-time.After(time.Minute)
	case "deaf":
		return 0
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 8
	}
	fmt.Println("what the command writes goes nowhere")
	if err := os.WriteFile(file, []byte(string(in)+"--\n"+strings.Join(os.Environ(), "\n")), 0o600); err != nil {
		return 9
	}
	return 0
}

func command(t *testing.T, what, file string, change func(*CommandOptions)) *Command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := CommandOptions{
		Command: []string{self, "play-command", what, file},
		Texts:   i18n.New("en"),
		Now:     func() time.Time { return time.Date(2026, 11, 20, 10, 12, 30, 0, time.UTC) },
		Env:     []string{"PATH=/bin", "HOME=/home/anne", "LC_ALL=fr_FR.UTF-8", "MAIL_PASSWORD=hunter22", "AWS_TOKEN=x", "LANG=secret-by-name", "=odd", "NOEQUALS"},
		Secret:  []string{"LANG"},
	}
	if change != nil {
		change(&o)
	}
	c, err := NewCommand(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCommandReadsFixedWordsAndNumbers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "said")
	evil := mail.Code("550 no\ntext=$(rm -rf /)")
	c := command(t, "write", file, nil)
	cases := []struct {
		alert Alert
		want  string
	}{
		{Alert{Cause: "$(x) anne@office.test", Kind: Quarantine, Code: mail.CodeMailboxFull, Count: 3, Since: time.Date(2026, 11, 20, 11, 0, 0, 0, time.FixedZone("", 3600))},
			"alert=1\nstate=begin\nkind=quarantine\ncode=mailbox_full\ncount=3\nsince=2026-11-20T10:00:00Z\nminutes=12\ntext=3 messages are set aside, because they could not be delivered. They are not lost: look at them in the queue.\n"},
		{Alert{Cause: "x", Kind: "forged\nkind", Code: evil, Count: -1},
			"alert=1\nstate=begin\nkind=internal\ncode=none\ncount=0\nsince=2026-11-20T10:12:30Z\nminutes=0\ntext=Something unexpected happened in Postbag. No mail is lost: look in the delivery log.\n"},
		{Alert{Cause: "x", Kind: TargetDown, Over: true, Since: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)},
			"alert=1\nstate=over\nkind=target_down\ncode=none\ncount=0\nsince=2026-11-20T10:00:00Z\nminutes=12\ntext=The office server takes mail again. What waited is being delivered.\n"},
	}
	for _, k := range cases {
		if err := c.Tell(t.Context(), k.alert); err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, env, _ := strings.Cut(string(said), "--\n")
		if in != k.want {
			t.Errorf("read\n%s\nwant\n%s", in, k.want)
		}
		got := strings.Split(env, "\n")
		got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(strings.ToUpper(s), "SYSTEMROOT=") }) // Go adds it on Windows
		slices.Sort(got)
		if want := []string{"HOME=/home/anne", "LC_ALL=fr_FR.UTF-8", "PATH=/bin"}; !slices.Equal(got, slices.Concat(want)) && !hasPWD(got, want) {
			t.Errorf("environment %q", got)
		}
	}
}

// hasPWD allows for PWD, which os/exec adds with a working directory.
func hasPWD(got, want []string) bool {
	rest := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return strings.HasPrefix(s, "PWD=") })
	return slices.Equal(rest, want)
}

func TestCommandFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "said")
	if err := command(t, "fail", file, nil).Tell(t.Context(), Alert{Kind: Disk}); err == nil || !strings.Contains(err.Error(), "status 7") {
		t.Errorf("a failing command: %v", err)
	}
	begin := time.Now()
	err := command(t, "hang", file, func(o *CommandOptions) { o.Timeout = 100 * time.Millisecond }).Tell(t.Context(), Alert{Kind: Disk})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 20*time.Second {
		t.Errorf("a hanging command: %v after %v", err, time.Since(begin))
	}
	if err := command(t, "deaf", file, nil).Tell(t.Context(), Alert{Kind: Disk}); err != nil {
		t.Errorf("a command that does not read: %v", err)
	}
	missing := command(t, "", file, func(o *CommandOptions) {
		o.Command = []string{filepath.Join(t.TempDir(), "no-such"), "secret-argument"}
	})
	if err := missing.Tell(t.Context(), Alert{Kind: Disk}); err == nil || strings.Contains(err.Error(), "secret-argument") {
		t.Errorf("a missing command: %v", err)
	}
	for _, empty := range [][]string{nil, {}, {""}} {
		if _, err := NewCommand(CommandOptions{Command: empty}); err == nil {
			t.Errorf("%q was taken", empty)
		}
	}
}

// Every kind has its sentences in both languages, and they hold nothing but
// words and the number.
func TestTexts(t *testing.T) {
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		for _, key := range Keys() {
			if !p.Has(key) {
				t.Errorf("%s: no text for %s", lang, key)
			}
		}
		seen := map[string]string{}
		for _, k := range Kinds() {
			for _, a := range []Alert{{Kind: k, Count: 1}, {Kind: k, Count: 1234}, {Kind: k, Over: true}} {
				text := a.Text(p)
				if strings.ContainsAny(text, "\n\r{}<>$`;|&") || strings.HasPrefix(text, "notify.") || text == "" {
					t.Errorf("%s %s: %q", lang, k, text)
				}
				if k.Counted() && !a.Over && !strings.HasPrefix(text, "1") {
					t.Errorf("%s %s: no number in %q", lang, k, text)
				}
				seen[text] = string(k)
			}
		}
		if len(seen) < 25 {
			t.Errorf("%s: only %d sentences", lang, len(seen))
		}
	}
	if en, fr := (Alert{Kind: Disk}).Text(i18n.New("en")), (Alert{Kind: Disk}).Text(i18n.New("fr")); en == fr {
		t.Errorf("both languages say %q", en)
	}
}
