package assets_test

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/app/config"
	"postbag/assets"
)

func TestDemo(t *testing.T) {
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	all, err := assets.Demo("install-1", now)
	if err != nil {
		t.Fatal(err)
	}
	anyCharset := mail.AddressParser{WordDecoder: &mime.WordDecoder{
		CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil },
	}}
	count, names, uids := map[string]int{}, map[string][]byte{}, map[string]bool{}
	for _, m := range all {
		count[m.Mailbox]++
		names[m.Name] = m.Bytes
		if uids[m.UID] || strings.ContainsAny(m.UID, " \t") {
			t.Errorf("UID %q is bad or used twice", m.UID)
		}
		uids[m.UID] = true
		if bytes.Count(m.Bytes, []byte("\n")) != bytes.Count(m.Bytes, []byte("\r\n")) {
			t.Errorf("%s has a lone LF", m.UID)
		}
		if bytes.Contains(m.Bytes, []byte("@DATE")) || bytes.Contains(m.Bytes, []byte("@LOOP@")) {
			t.Errorf("%s still has a gap to be filled", m.UID)
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(m.Bytes))
		if err != nil {
			t.Errorf("%s: %v", m.UID, err)
			continue
		}
		if d, err := parsed.Header.Date(); err != nil || d.After(now) || now.Sub(d) > 24*time.Hour {
			t.Errorf("%s is of %v: %v", m.UID, d, err)
		}
		if _, err := anyCharset.Parse(parsed.Header.Get("From")); err != nil {
			t.Errorf("%s: From: %v", m.UID, err)
		}
	}
	if count[assets.DemoGlobal] < 25 || count[assets.DemoAnne] != 3 || count[assets.DemoBob] != 2 {
		t.Errorf("messages per mailbox: %v", count)
	}
	if n := len(names["oversize"]); n < 1_000_001 || n > 2_000_000 {
		t.Errorf("the oversize message has %d octets", n)
	}
	if !bytes.Contains(names["loop"], []byte("\r\nX-Postbag-Loop: install-1\r\n")) {
		t.Error("the looping message does not carry the installation id")
	}
	same(t, names["order"], names["same-again"])
}

// same compares what the fingerprint of rule 34 is made of.
func same(t *testing.T, a, b []byte) {
	t.Helper()
	var got [2]string
	for i, raw := range [][]byte{a, b} {
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{"Message-ID", "Date", "From", "Subject"} {
			got[i] += m.Header.Get(f) + "\n"
		}
		got[i] += string(body)
	}
	if got[0] != got[1] {
		t.Errorf("the duplicate differs:\n%s\n%s", got[0], got[1])
	}
}

func TestDemoConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "postbag.toml")
	for name, text := range map[string]string{file: assets.DemoConfig(1110, 1025), filepath.Join(dir, "secret"): assets.DemoPassword} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, problems, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if !p.Warning {
			t.Errorf("%+v", p)
		}
	}
	if len(cfg.Mailboxes) != 3 || cfg.Mailboxes[0].Port != 1110 || cfg.Targets[0].Port != 1025 {
		t.Errorf("read as %+v", cfg)
	}
}
