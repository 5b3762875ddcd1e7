//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postbag/engine/mailtest/real"
)

const (
	setupTitle = "Set up Postbag"
	password   = "geheim é 42"
	account    = "office-42"
)

// message is one mail as the provider of the test keeps it.
func message(n int, envelope, subject string) []byte {
	return fmt.Appendf(nil, "Return-Path: <carla@shop.test>\r\nX-Original-To: %s\r\nReceived: from mx.shop.test (mx.shop.test [192.0.2.9])\r\n\tby mx.isp.test with ESMTP id %d for <%s>; Fri, 20 Nov 2026 14:00:00 +0100\r\n"+
		"From: Carla <carla@shop.test>\r\nTo: undisclosed-recipients:;\r\nSubject: %s\r\nDate: Fri, 20 Nov 2026 14:00:00 +0100\r\nMessage-ID: <%d@shop.test>\r\n\r\nHello.\r\n",
		envelope, n, envelope, subject, n)
}

// office is a provider and an office server, both real.
type office struct {
	isp    *real.Dovecot
	server *real.Postfix
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{
		isp: real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{account: password}}),
		server: real.StartPostfix(t, real.PostfixOptions{
			Users: []string{"anne@office.test", "bob@office.test", "postmaster@office.test"},
		}),
	}
	for i, who := range []string{"anne@office.test", "bob@office.test", "nobody@office.test", "anne@office.test"} {
		o.isp.AddMessage(account, message(i, who, fmt.Sprintf("Offer %d", i)))
	}
	return o
}

func port(t *testing.T, addr string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPersonSetsUp goes through the whole wizard as a person does, with
// keyboard and mouse, and looks at what came of it: the password in the keyring
// and in no file, the mail in the right Maildirs, the lines in the log.
func TestPersonSetsUp(t *testing.T) {
	o := newOffice(t)
	d := newDesktop(t, "en_GB.UTF-8", parts{})
	binary, daemon := build(t, "race"), build(t, "daemon")
	conf, data := filepath.Join(d.dir, "postbag.toml"), filepath.Join(d.dir, "data")
	p := d.start(binary, "--config", conf, "--data", data)
	d.walk(o, func() {
		if _, err := os.Stat(conf); err == nil {
			t.Error("settings were written before Finish")
		}
	})
	real.Eventually(t, effectLimit, "the settings", func() bool { _, err := os.Stat(conf); return err == nil })
	o.server.Settle()
	real.Eventually(t, effectLimit, "the mail at the office", func() bool { return o.server.Count() == 4 })
	for who, want := range map[string]int{"anne@office.test": 2, "bob@office.test": 1, "postmaster@office.test": 1} {
		if got := len(o.server.Maildir(who)); got != want {
			t.Errorf("%s has %d messages, want %d", who, got, want)
		}
	}
	real.Eventually(t, effectLimit, "the mailbox at the provider to be empty", func() bool { return o.isp.Count(account) == 0 })
	settings, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	ref := regexp.MustCompile(`secret\s*=\s*['"]keyring:([^'"]+)['"]`).FindSubmatch(settings)
	if ref == nil || !strings.Contains(string(settings), "sha256:") {
		t.Fatalf("the settings name no entry of the keyring, or no certificate:\n%s", settings)
	}
	out, err := d.output("secret-tool", "lookup", "service", "postbag", "username", string(ref[1]))
	if err != nil || out != password {
		t.Errorf("the keyring holds %q, %v", out, err)
	}
	d.nowhere(password)
	if got := d.journal(daemon, conf, data); got != 4 {
		t.Errorf("the log has %d lines, want 4", got)
	}
	if entry, err := os.ReadFile(filepath.Join(d.dir, ".config", "autostart", "postbag.desktop")); err != nil || !strings.Contains(string(entry), "--hidden") {
		t.Errorf("no start at sign-in: %v\n%s", err, entry)
	}
	d.next() // Close
	d.window("Overview - Postbag")
	d.shot("Overview - Postbag", "overview")
	d.keys("ctrl+2")
	d.window("Delivery log - Postbag")
	d.keys("Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Down")
	d.shot("Delivery log - Postbag", "log")
	d.keys("ctrl+q")
	if code := p.wait(); code != 0 {
		t.Errorf("the program ended with %d:\n%s", code, p.out)
	}
}

// walk does the nine steps; look is called before the last.
func (d *desktop) walk(o *office, look func()) {
	d.t.Helper()
	d.window(setupTitle)
	d.settle()
	enter := func() { d.keys("Return") }
	d.shot(setupTitle, "wizard-1-welcome")
	d.turns(enter)
	d.shot(setupTitle, "wizard-2-start")
	d.turns(enter)
	d.shot(setupTitle, "wizard-3-line")
	d.turns(enter)
	d.write("office.test")
	d.tab(1)
	d.write("anne@office.test, info@office.test\nbob@office.test")
	d.shot(setupTitle, "wizard-4-office")
	d.tab(2)
	d.turns(enter)
	d.write("127.0.0.1")
	d.tab(1)
	d.write(port(d.t, o.server.Addr))
	d.tab(3)
	d.keys("Return")
	real.Eventually(d.t, effectLimit, "the test to ask for each person", func() bool { return strings.Contains(o.server.Log(), " rcpt=3") })
	d.settle()
	d.shot(setupTitle, "wizard-5-server")
	d.keys("shift+Tab", "shift+Tab")
	d.turns(enter)
	d.shot(setupTitle, "wizard-6a")
	d.tab(2)
	d.write(account)
	d.tab(2)
	d.write("127.0.0.1")
	d.tab(1)
	d.write(port(d.t, o.isp.POP3SAddr))
	d.tab(2)
	d.write(password)
	d.tab(1)
	d.write(password)
	d.shot(setupTitle, "wizard-6b")
	d.tab(1)
	d.keys("Return")
	real.Eventually(d.t, effectLimit, "the certificate to be refused", func() bool { return strings.Contains(o.isp.Log(), "SSL_accept") })
	d.settle()
	d.shot(setupTitle, "wizard-6c")
	d.tab(1)
	d.shot(setupTitle, "wizard-6d")
	d.keys("Return")
	real.Eventually(d.t, effectLimit, "the test to sign in", func() bool { return strings.Contains(o.isp.Log(), "Login: user=<"+account+">") })
	d.settle()
	d.shot(setupTitle, "wizard-6e")
	d.turns(d.next)
	real.Eventually(d.t, effectLimit, "the headers to be read", func() bool { return strings.Contains(o.isp.Log(), "top=4/") })
	d.settle()
	d.shot(setupTitle, "wizard-7-look")
	d.turns(d.next)
	d.shot(setupTitle, "wizard-8-schedule")
	d.turns(d.next)
	d.shot(setupTitle, "wizard-9-summary")
	look()
	d.turns(d.next)
	d.shot(setupTitle, "wizard-9-finished")
}

// nextX, nextY is a place on the button at the bottom right.
const nextX, nextY = "688", "522"

// next presses the button at the bottom right with the mouse.
func (d *desktop) next() {
	d.t.Helper()
	d.click(setupTitle, nextX, nextY)
}

// nowhere looks through every file of the person for a word.
func (d *desktop) nowhere(word string) {
	d.t.Helper()
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), word) {
			d.t.Errorf("%s holds the password", path)
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// journal counts the delivered messages of the log, through the running program.
func (d *desktop) journal(daemon, conf, data string) int {
	d.t.Helper()
	cmd := exec.Command(daemon, "log", "--json", "--config", conf, "--data", data)
	cmd.Env = d.env
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatal(err)
	}
	n := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		var e struct{ State string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			d.t.Fatalf("%q: %v", line, err)
		}
		if e.State == "delivered" {
			n++
		}
	}
	return n
}
