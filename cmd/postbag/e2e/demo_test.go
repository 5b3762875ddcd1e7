//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postbag/app/i18n"
	"postbag/engine/mailtest/real"
)

// demo starts the demonstration with a folder for its files, and returns both.
func (d *desktop) demo(binary string, args ...string) (p *program, folder string) {
	d.t.Helper()
	folder = filepath.Join(d.dir, "tmp")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		d.t.Fatal(err)
	}
	d.env = append(d.env, "TMPDIR="+folder)
	return d.start(binary, append([]string{"demo"}, args...)...), folder
}

// TestDemo is a newcomer: he presses "Next" and nothing else until the wizard is
// through, and has seen mail flow.
func TestDemo(t *testing.T) {
	for lang, env := range map[string]string{"en": "en_GB.UTF-8", "fr": "fr_FR.UTF-8"} {
		p := i18n.New(lang)
		d := newDesktop(t, env, parts{noKeyring: true})
		demo, folder := d.demo(build(t, "race"))
		title := p.T("wizard.title")
		d.window(title)
		d.settle()
		d.through(title)
		d.window(p.T("gui.page.overview") + " - Postbag")
		many := regexp.MustCompile(`\b3[0-9] messages$`)
		d.watcher.waitHeadline("that the mail is there", many.MatchString)
		d.watcher.choose(p.T("gui.tray.quit"))
		if code := demo.wait(); code != 0 {
			t.Errorf("%s: ended with %d:\n%s", lang, code, demo.out)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
			t.Errorf("%s: left behind: %v, %v", lang, left, err)
		}
	}
}

// through presses Next until the window of the wizard is gone, with double
// clicks: that is how many people press a button.
func (d *desktop) through(title string) {
	d.t.Helper()
	real.Eventually(d.t, startLimit, "the wizard to be through", func() bool {
		id, err := d.output("xdotool", "search", "--onlyvisible", "--name", title)
		id, _, _ = strings.Cut(id, "\n")
		if err != nil || id == "" {
			return true
		}
		_, _ = d.output("xdotool", "mousemove", "--window", id, nextX, nextY, "click", "--repeat", "2", "1") // or it is just going
		d.settle()
		return false
	})
}
