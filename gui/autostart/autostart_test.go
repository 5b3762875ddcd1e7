package autostart

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func options(t *testing.T) Options {
	home := t.TempDir()
	return Options{
		Program: `/opt/Post bag/postbag "5%$"`, Args: []string{"--data", `C:\mail`}, Hint: "Collects\nmail",
		Getenv: func(name string) string { return map[string]string{"HOME": home}[name] },
	}
}

func TestEntryOnAndOff(t *testing.T) {
	for _, e := range []fileEntry{xdgEntry(options(t)), agentEntry(options(t))} {
		for _, on := range []bool{false, true, true, false, false} {
			if err := e.Set(on); err != nil {
				t.Fatal(err)
			}
			if got, err := e.Enabled(); err != nil || got != on {
				t.Errorf("%s: %v, %v, want %v", e.path, got, err, on)
			}
		}
	}
}

func TestXDGEntry(t *testing.T) {
	e := xdgEntry(options(t))
	if !strings.HasSuffix(e.path, filepath.Join(".config", "autostart", "postbag.desktop")) {
		t.Errorf("path %s", e.path)
	}
	// Two layers, the specification says: an argument in quotes with " ` $ \
	// escaped, and then the escapes of a string.
	want := `Exec="/opt/Post bag/postbag \\"5%%\\$\\"" --data "C:\\\\mail" --hidden`
	if !strings.Contains(e.text, "\n"+want+"\n") {
		t.Errorf("entry\n%s\nlacks\n%s", e.text, want)
	}
	if !strings.Contains(e.text, "\nComment=Collects mail\n") {
		t.Errorf("entry\n%s", e.text)
	}
}

// Desktops switch entries off by a line in them.
func TestXDGEntrySwitchedOffByTheDesktop(t *testing.T) {
	for _, line := range []string{"Hidden=true", "X-GNOME-Autostart-enabled=false"} {
		e := xdgEntry(options(t))
		if err := e.Set(true); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(e.path, []byte("[Desktop Entry]\nType=Application\n"+line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if on, err := e.Enabled(); err != nil || on {
			t.Errorf("%s: %v, %v", line, on, err)
		}
		if err := e.Set(true); err != nil {
			t.Fatal(err)
		}
		if on, err := e.Enabled(); err != nil || !on {
			t.Errorf("%s, switched on again: %v, %v", line, on, err)
		}
	}
}

func TestEntryThatCannotBeWritten(t *testing.T) {
	o := options(t)
	e := xdgEntry(o)
	if err := os.WriteFile(filepath.Join(o.Getenv("HOME"), ".config"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.Set(true); err == nil {
		t.Error("no error")
	}
}

func TestAgentIsXML(t *testing.T) {
	o := options(t)
	o.Program = "/Applications/A & B <x>/postbag"
	d := xml.NewDecoder(strings.NewReader(agentEntry(o).text))
	var words []string
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := tok.(xml.CharData); ok && strings.TrimSpace(string(c)) != "" {
			words = append(words, string(c))
		}
	}
	if got := strings.Join(words, "|"); !strings.Contains(got, "|"+o.Program+`|--data|C:\mail|--hidden|`) {
		t.Errorf("agent %s", got)
	}
}

// The examples of the Windows documentation of CommandLineToArgvW, backwards.
func TestQuoteWindows(t *testing.T) {
	for in, want := range map[string]string{
		`C:\postbag.exe`:    `C:\postbag.exe`,
		`C:\Post bag\p.exe`: `"C:\Post bag\p.exe"`,
		`C:\Post bag\`:      `"C:\Post bag\\"`,
		`say "hi"`:          `"say \"hi\""`,
		`a\"b`:              `"a\\\"b"`,
		``:                  `""`,
		`--hidden`:          `--hidden`,
	} {
		if got := quoteWindows(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
