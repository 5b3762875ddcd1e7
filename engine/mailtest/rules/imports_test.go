package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module = "postbag"
	fyne   = "fyne.io/"
)

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath                string
	Imports                   []string
	TestImports, XTestImports []string
	Standard                  bool
}

// stages are the parts of the engine that know only the shared words, their
// contract and their one library; what a stage may import beyond the standard
// library and engine/mail stands beside it.
func stages() map[string][]string {
	return map[string][]string{
		"engine/source":      nil,
		"engine/source/pop3": {"postbag/engine/source", "github.com/knadh/go-pop3", "github.com/emersion/go-sasl"},
		"engine/route":       {"golang.org/x/net/"},
		"engine/deliver":     {"github.com/emersion/go-smtp", "github.com/emersion/go-sasl"},
		"engine/store":       {"modernc.org/sqlite"},
		"engine/schedule":    nil,
	}
}

// TestImports holds the packages to the design: engine sees no surface, a stage
// sees no other stage, and only the windows see the window library.
func TestImports(t *testing.T) {
	for _, p := range list(t, "linux", "./...") {
		for _, fault := range faults(p) {
			t.Error(fault)
		}
	}
}

// TestDaemonLinksNoWindow looks through everything that is linked into postbagd
// on each operating system: it must run where there is no display and no C.
func TestDaemonLinksNoWindow(t *testing.T) {
	for _, system := range []string{"linux", "windows", "darwin"} {
		all := list(t, system, "-deps", "./cmd/postbagd")
		if len(all) < 50 {
			t.Fatalf("%s: go list names only %d packages", system, len(all))
		}
		for _, p := range all {
			switch {
			case strings.HasPrefix(p.ImportPath, fyne), within(p.ImportPath, "postbag/gui"):
				t.Errorf("%s: postbagd links %s", system, p.ImportPath)
			case p.ImportPath == "runtime/cgo" && system == "linux":
				t.Errorf("%s: postbagd needs C", system)
			}
		}
	}
}

// faults names what p imports against the rules.
func faults(p pkg) []string {
	var out []string
	bad := func(imp, why string) { out = append(out, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imp, why)) }
	path := strings.TrimPrefix(p.ImportPath, module+"/")
	if base := path[strings.LastIndex(path, "/")+1:]; base == "util" || base == "utils" {
		out = append(out, p.ImportPath+": a name that says nothing")
	}
	for _, imp := range p.Imports {
		if why := forbidden(path, imp, false); why != "" {
			bad(imp, why)
		}
	}
	for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
		if why := forbidden(path, imp, true); why != "" {
			bad(imp, why)
		}
	}
	return out
}

// forbidden says why the package at path (below the module) may not import imp,
// or "". Tests may use the fakes and the engine's other parts.
func forbidden(path, imp string, test bool) string {
	own := strings.TrimPrefix(imp, module+"/")
	isOwn := own != imp
	switch {
	case strings.HasPrefix(imp, fyne) && (!within(path, "gui") || within(path, "gui/present")):
		return "only gui may use the window library"
	case within(path, "engine") && isOwn && !within(own, "engine"):
		return "the engine knows no surface"
	case within(path, "app") && within(own, "gui") && isOwn:
		return "the application knows no window"
	case within(path, "gui") && isOwn && !guiMay(path, own):
		return "the windows see gui, app/i18n, app/config, app/facts, app/secret, app/tell, assets and engine/mail only"
	case within(path, "cmd/postbagd") && isOwn && !within(own, "app") && !(test && within(own, "engine/mailtest")):
		return "postbagd is a surface of app"
	case test:
		return ""
	case within(path, "engine") && !within(path, "engine/mailtest") && within(own, "engine/mailtest") && isOwn:
		return "the fakes are for tests and the demo"
	case within(path, "engine/mail") && isOwn && !within(own, "engine/mail"):
		return "the shared words know nobody"
	}
	return stageForbidden(path, imp)
}

func guiMay(path, own string) bool {
	for _, ok := range []string{"gui", "app/i18n", "app/config", "app/facts", "app/secret", "app/tell", "assets", "engine/mail"} {
		if within(own, ok) {
			return path != "gui/present" || own != "gui"
		}
	}
	return false
}

func stageForbidden(path, imp string) string {
	extra, stage := stages()[path]
	switch {
	case !stage, standard(imp), within(imp, "postbag/engine/mail"), within(imp, "postbag/"+path):
		return ""
	}
	for _, ok := range extra {
		if strings.HasPrefix(imp, ok) {
			return ""
		}
	}
	return "a stage knows engine/mail and its own library only"
}

// within tells whether path is folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// standard tells whether imp belongs to the standard library: its first element
// has no dot and it is not ours.
func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".") && first != module
}

// list asks go list about packages of the module, as seen by an operating system.
func list(t *testing.T, system string, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports,Standard"}, args...)...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system)
	var errText bytes.Buffer
	cmd.Stderr = &errText
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errText.String())
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestForbidden proves that the rules can fail.
func TestForbidden(t *testing.T) {
	for _, c := range []struct {
		path, imp string
		test, bad bool
	}{
		{"engine/route", "postbag/engine/mail", false, false},
		{"engine/route", "postbag/engine/mail/header", false, false},
		{"engine/route", "postbag/engine/store", false, true},
		{"engine/route", "postbag/engine/mailtest", true, false},
		{"engine/route", "github.com/emersion/go-smtp", false, true},
		{"engine/source/pop3", "postbag/engine/source", false, false},
		{"engine/source", "postbag/engine/source/pop3", false, false},
		{"engine/store", "modernc.org/sqlite", false, false},
		{"engine/store", "database/sql", false, false},
		{"engine", "postbag/app/config", false, true},
		{"engine", "postbag/assets", true, true},
		{"engine", "postbag/engine/mailtest", false, true},
		{"engine/mail", "postbag/engine/store", false, true},
		{"app", "postbag/gui", false, true},
		{"app", "fyne.io/fyne/v2", true, true},
		{"gui", "fyne.io/fyne/v2", false, false},
		{"gui/present", "fyne.io/fyne/v2", false, true},
		{"gui/present", "postbag/gui", false, true},
		{"gui", "postbag/engine", false, true},
		{"cmd/postbagd", "postbag/app/cli", false, false},
		{"cmd/postbagd", "postbag/engine", false, true},
	} {
		if why := forbidden(c.path, c.imp, c.test); (why != "") != c.bad {
			t.Errorf("%s -> %s (test %v): %q, want forbidden %v", c.path, c.imp, c.test, why, c.bad)
		}
	}
}
