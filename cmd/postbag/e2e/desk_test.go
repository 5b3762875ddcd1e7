//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postbag/engine/mailtest"
	"postbag/engine/mailtest/real"
)

// fakeOffice is a provider and an office server in this process, with settings
// that are ready to use.
type fakeOffice struct {
	isp    *mailtest.POP3
	server *mailtest.SMTP
	conf   string
	data   string
}

// newFakeOffice starts both and writes the settings into the person's folder.
func newFakeOffice(t *testing.T, d *desktop, secret string) *fakeOffice {
	t.Helper()
	isp, err := mailtest.NewPOP3(mailtest.POP3Options{Users: map[string]string{account: password}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = isp.Close() })
	server, err := mailtest.NewSMTP(mailtest.SMTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	f := &fakeOffice{isp: isp, server: server, conf: filepath.Join(d.dir, "postbag.toml"), data: filepath.Join(d.dir, "data")}
	if err := os.WriteFile(filepath.Join(d.dir, "secret"), []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`version = 1
[office]
domains = ["office.test"]
unknown_recipient = "postmaster@office.test"
[[target]]
name = "office"
host = "127.0.0.1"
port = %d
[[mailbox]]
name = "Whole office"
kind = "global"
host = "127.0.0.1"
port = %d
security = "none"
allow_plaintext_password = true
username = %q
secret = %q
`, server.Port(), isp.Port(), account, secret)
	if err := os.WriteFile(f.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// args are the arguments that lead the program to the office.
func (f *fakeOffice) args(more ...string) []string {
	return append([]string{"--config", f.conf, "--data", f.data}, more...)
}

// TestTrayActs drives the icon near the clock over the session bus: each entry
// is seen to act by its effect.
func TestTrayActs(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")
	w := d.watcher
	p := d.start(build(t, "race"), f.args("--hidden")...)
	w.waitHeadline("that nothing has happened yet", func(s string) bool { return s == "Nothing collected yet" })
	if d.visible("Postbag") {
		t.Error("a window is shown although only the icon was asked for")
	}
	idle := w.picture()
	w.keep("icon-idle")

	f.isp.AddMessage(account, "u1", message(1, "anne@office.test", "One"))
	w.choose("Collect now")
	w.waitHeadline("what was collected", func(s string) bool {
		return strings.HasPrefix(s, "Last collected ") && strings.HasSuffix(s, ", 1 message")
	})
	real.Eventually(t, effectLimit, "the message at the office", func() bool { return f.server.Taken() == 1 })

	w.choose("Stop collecting")
	w.waitHeadline("that it is stopped", func(s string) bool { return strings.HasPrefix(s, "Stopped") })
	real.Eventually(t, effectLimit, "an icon of another shape", func() bool { return !same(idle, w.picture()) })
	w.keep("icon-stopped")
	w.choose("Start collecting")
	w.waitHeadline("that it works again", func(s string) bool { return strings.HasPrefix(s, "Last collected") })

	for label, title := range map[string]string{"Delivery log": "Delivery log - Postbag", "Queue (0)": "Queue - Postbag", "Settings": "Settings - Postbag", "Open Postbag": "Postbag"} {
		w.choose(label)
		d.window(title)
	}
	for range 20 { // no click is lost, however often
		w.choose("Stop collecting")
		w.choose("Start collecting")
	}
	w.choose("Quit")
	if code := p.wait(); code != 0 {
		t.Errorf("the program ended with %d:\n%s", code, p.out)
	}
	real.Eventually(t, effectLimit, "the icon to be gone", func() bool { _, err := w.menu(); return err != nil })
}

// TestTrayTrouble lets the provider refuse the password: the icon changes its
// shape, one message pops up, once, without a word from outside, and the menu
// leads to where it is mended.
func TestTrayTrouble(t *testing.T) {
	d := newDesktop(t, "fr_FR.UTF-8", parts{noKeyring: true})
	f := newFakeOffice(t, d, "file:secret")
	if err := os.WriteFile(filepath.Join(d.dir, "secret"), []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := d.watcher
	d.start(build(t, "race"), f.args("--hidden")...)
	w.waitHeadline("that nothing has happened yet", func(s string) bool { return s == "Rien n'a encore été relevé" })
	idle := w.picture()
	for range 2 {
		w.choose("Relever maintenant")
		w.waitHeadline("what is wrong", func(s string) bool { return strings.HasPrefix(s, "Whole office\u00a0: ") })
		real.Eventually(t, effectLimit, "the order to be through", func() bool { _, ok := w.find("Relever maintenant"); return ok })
	}
	real.Eventually(t, effectLimit, "the icon to show that somebody is needed", func() bool { return !same(idle, w.picture()) })
	w.keep("icon-trouble")
	if got := w.messages(); len(got) != 1 || strings.Contains(got[0], "Whole") {
		t.Errorf("popped up: %q", got)
	}
	w.choose("Changer le mot de passe\u00a0: Whole office...")
	d.window("Boîtes - Postbag")
	d.settle()
	d.shot("Boîtes - Postbag", "trouble-fr")
}

// TestClosingTheWindow hides it where there is an icon near the clock, and puts
// it into the task bar where there is none; a second start brings it back.
func TestClosingTheWindow(t *testing.T) {
	for _, without := range []parts{{noKeyring: true}, {noKeyring: true, noTray: true}, {noKeyring: true, noBus: true}} {
		t.Run(fmt.Sprintf("%+v", without), func(t *testing.T) {
			d := newDesktop(t, "en_GB.UTF-8", without)
			f := newFakeOffice(t, d, "file:secret")
			binary := build(t, "race")
			p := d.start(binary, f.args()...)
			id := d.window("Overview - Postbag")
			d.settle()
			if without.noTray || without.noBus {
				d.shot("Overview - Postbag", "no-tray")
			}
			d.cross("Overview - Postbag")
			if without.noTray || without.noBus {
				out, err := d.output("xprop", "-id", id, "WM_STATE")
				if err != nil || !strings.Contains(out, "Iconic") {
					t.Errorf("the window is not in the task bar: %v\n%s", err, out)
				}
			}
			second := d.start(binary, f.args()...)
			if code := second.wait(); code != 0 || !strings.Contains(second.out.String(), "already running") {
				t.Errorf("the second start ended with %d: %s", code, second.out)
			}
			d.window("Overview - Postbag")
			if !p.running() {
				t.Errorf("the first one ended:\n%s", p.out)
			}
		})
	}
}
