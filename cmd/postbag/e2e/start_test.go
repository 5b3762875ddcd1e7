//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postbag/app/i18n"
	"postbag/engine/mailtest/real"
	"postbag/gui/present"
)

// What can stand in the way of a start ends in a clear sentence, in the
// language of the person, with the exit code of postbagd; never in a panic.
func TestStartWithout(t *testing.T) {
	for _, c := range []struct {
		name    string
		without parts
		want    present.Obstacle
	}{
		{"display", parts{noDisplay: true, noBus: true}, present.NoDisplay},
		{"display but a session", parts{noDisplay: true, noTray: true, noKeyring: true}, present.NoDisplay},
		{"OpenGL", parts{noGL: true, noBus: true}, present.NoOpenGL},
		{"OpenGL but a session", parts{noGL: true, noKeyring: true}, present.NoOpenGL},
	} {
		for lang, env := range map[string]string{"en": "en_GB.UTF-8", "fr": "fr_FR.UTF-8"} {
			t.Run(c.name+" "+lang, func(t *testing.T) {
				d := newDesktop(t, env, c.without)
				f := newFakeOffice(t, d, "file:secret")
				p := d.start(build(t, "plain"), f.args()...)
				if code := p.wait(); code != 1 || !strings.Contains(p.out.String(), c.want.Sentence(i18n.New(lang))) {
					t.Errorf("ended with %d:\n%s", code, p.out)
				}
				if f.isp.Sessions() != 0 {
					t.Error("the provider was called all the same")
				}
			})
		}
	}
}

// A display that is named but not there is as good as none.
func TestStartWithADisplayThatIsGone(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noDisplay: true, noBus: true})
	d.env = append(d.env, "DISPLAY=:4711")
	f := newFakeOffice(t, d, "file:secret")
	p := d.start(build(t, "plain"), f.args()...)
	if code := p.wait(); code != 1 || !strings.Contains(p.out.String(), present.NoDisplay.Sentence(i18n.New("en"))) {
		t.Errorf("ended with %d:\n%s", code, p.out)
	}
}

// A wrong argument is told, and nothing is touched.
func TestStartWithAWrongArgument(t *testing.T) {
	d := newDesktop(t, "fr_FR.UTF-8", parts{noDisplay: true, noBus: true})
	data := filepath.Join(d.dir, "data")
	p := d.start(build(t, "plain"), "--data", data, "--colour", "pink")
	if code := p.wait(); code != 2 || !strings.Contains(p.out.String(), present.Usage.Sentence(i18n.New("fr"))) {
		t.Errorf("ended with %d:\n%s", code, p.out)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the data folder was made")
	}
}

// With damaged settings the window says what is wrong and where; the settings
// stay as they are, and nothing is collected.
func TestStartWithDamagedSettings(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")
	text, err := os.ReadFile(f.conf)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "\nport = \"many\"\n"...)
	if err := os.WriteFile(f.conf, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := d.start(build(t, "race"), f.args()...)
	d.window("Postbag")
	d.watcher.waitHeadline("that something is wrong", func(s string) bool { return s != "" && !strings.HasPrefix(s, "Stopped") })
	d.settle()
	d.shot("Overview - Postbag", "damaged-settings")
	if after, err := os.ReadFile(f.conf); err != nil || string(after) != string(text) {
		t.Errorf("the settings were changed: %v", err)
	}
	if f.isp.Sessions() != 0 {
		t.Error("the provider was called all the same")
	}
	d.keys("ctrl+q")
	if code := p.wait(); code != 0 {
		t.Errorf("ended with %d:\n%s", code, p.out)
	}
}

// Without a keyring a collection says which password cannot be read and why;
// the mail stays with the provider, and nobody waits for a prompt.
func TestStartWithoutKeyring(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "keyring:office")
	f.isp.AddMessage(account, "u1", message(1, "anne@office.test", "One"))
	d.start(build(t, "race"), f.args()...)
	d.window("Overview - Postbag")
	d.watcher.choose("Collect now")
	want := "Whole office: The keyring of this computer is locked, missing, or does not answer."
	d.watcher.waitHeadline(want, func(s string) bool { return s == want })
	real.Eventually(t, effectLimit, "the message near the clock", func() bool { return len(d.watcher.messages()) == 1 })
	d.settle()
	d.shot("Overview - Postbag", "no-keyring")
	if n := len(f.isp.Messages(account)); n != 1 {
		t.Errorf("%d messages are left with the provider", n)
	}
}

// Two programs that start at the same moment end as one.
func TestStartTwiceAtOnce(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")
	binary := build(t, "plain")
	all := []*program{d.start(binary, f.args()...), d.start(binary, f.args()...), d.start(binary, f.args()...)}
	d.window("Overview - Postbag")
	real.Eventually(t, startLimit, "all but one to end", func() bool {
		n := 0
		for _, p := range all {
			if p.running() {
				n++
			}
		}
		return n == 1
	})
	for _, p := range all {
		if !p.running() && p.wait() != 0 {
			t.Errorf("ended with %d: %s", p.wait(), p.out)
		}
	}
}
