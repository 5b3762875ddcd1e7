//go:build linux

package e2e

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/app/i18n"
	"postbag/assets"
	"postbag/engine/mailtest"
	"postbag/gui/present"
)

// TestScreenshots takes a picture of every page, in both languages and themes,
// with the mail of the demonstration; people look at them before a release, and
// the README shows some. The test itself only sees that each page comes.
func TestScreenshots(t *testing.T) {
	for lang, env := range map[string]string{"en": "en_GB.UTF-8", "fr": "fr_FR.UTF-8"} {
		for _, theme := range []string{present.ThemeLight, present.ThemeDark} {
			t.Run(lang+" "+theme, func(t *testing.T) {
				d := newDesktop(t, env, parts{noKeyring: true})
				look := present.Look{Language: lang, Theme: theme}
				d.picturePages(i18n.New(lang), look)
				d.pictureWizard(i18n.New(lang), look)
			})
		}
	}
}

// pages are the keys of the titles of the pages, with the names of their
// pictures.
func pages() [][2]string {
	return [][2]string{
		{"gui.page.overview", "overview"}, {"gui.page.log", "log"}, {"gui.page.queue", "queue"}, {"gui.page.mailboxes", "mailboxes"},
		{"gui.page.people", "people"}, {"gui.page.target", "server"}, {"gui.page.schedule", "schedule"}, {"gui.page.settings", "settings"},
	}
}

func (d *desktop) picturePages(p *i18n.Printer, look present.Look) {
	d.t.Helper()
	conf, data := d.oldDemo()
	if err := look.Save(data); err != nil {
		d.t.Fatal(err)
	}
	prefix := p.Lang() + "-" + look.Theme + "-"
	d.start(build(d.t, "race"), "--config", conf, "--data", data)
	d.window(p.T("gui.page.overview") + " - Postbag")
	d.watcher.choose(p.T("gui.tray.collect"))
	d.watcher.waitHeadline("that the mail is there", func(s string) bool { return strings.ContainsAny(s, "123456789") })
	for i, page := range pages() {
		title := p.T(page[0]) + " - Postbag"
		d.keys(fmt.Sprintf("ctrl+%d", i+1))
		d.window(title)
		d.settle()
		if page[1] == "log" { // with the way of a message at the right
			d.tool("mousemove", "--window", d.window(title), "520", "260", "click", "1")
			d.settle()
		}
		d.shot(title, prefix+page[1])
	}
	if p.Lang() == i18n.English {
		f, err := os.Create(filepath.Join(shots(d.t), "tray-"+look.Theme+".png"))
		if err != nil {
			d.t.Fatal(err)
		}
		if err := png.Encode(f, d.watcher.picture()); err != nil {
			d.t.Error(err)
		}
		if err := f.Close(); err != nil {
			d.t.Error(err)
		}
	}
	d.watcher.choose(p.T("gui.tray.quit"))
}

func (d *desktop) pictureWizard(p *i18n.Printer, look present.Look) {
	d.t.Helper()
	data := filepath.Join(d.dir, "fresh")
	if err := look.Save(data); err != nil {
		d.t.Fatal(err)
	}
	title := p.T("wizard.title")
	d.start(build(d.t, "race"), "--config", filepath.Join(d.dir, "fresh.toml"), "--data", data)
	d.window(title)
	d.settle()
	for _, page := range []string{"welcome", "start", "line", "office"} {
		d.shot(title, p.Lang()+"-"+look.Theme+"-wizard-"+page)
		d.keys("Return")
	}
	d.shot(title, p.Lang()+"-"+look.Theme+"-wizard-faults") // the office page was left empty
}

// demo starts provider and office server of the demonstration and writes its
// settings.
func (d *desktop) oldDemo() (conf, data string) {
	d.t.Helper()
	isp, err := mailtest.NewPOP3(mailtest.POP3Options{Users: map[string]string{
		assets.DemoGlobal: assets.DemoPassword, assets.DemoAnne: assets.DemoPassword, assets.DemoBob: assets.DemoPassword,
	}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = isp.Close() })
	server, err := mailtest.NewSMTP(mailtest.SMTPOptions{Discard: true})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = server.Close() })
	list, err := assets.Demo("", time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, m := range list {
		isp.AddMessage(m.Mailbox, m.UID, m.Bytes)
	}
	conf, data = filepath.Join(d.dir, "postbag.toml"), filepath.Join(d.dir, "data")
	for path, text := range map[string]string{conf: assets.DemoConfig(isp.Port(), server.Port()), filepath.Join(d.dir, "secret"): assets.DemoPassword + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	return conf, data
}
