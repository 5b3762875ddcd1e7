package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The sizes at which code stops being easy to read.
const (
	maxFile       = 400 // lines
	maxFunction   = 60  // lines
	maxComplexity = 15  // ways through a function
	maxInterface  = 6   // methods
)

// TestSource reads every Go file of the project.
func TestSource(t *testing.T) {
	n := 0
	for _, file := range files(t) {
		if strings.HasSuffix(file, ".go") {
			n++
			src := read(t, file)
			for _, fault := range check(file, src) {
				t.Error(fault)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d Go files were found", n)
	}
}

// TestNoForeignNames keeps what belongs to one machine out of the project.
func TestNoForeignNames(t *testing.T) {
	// Written in two parts, so that this file does not find itself.
	names := []string{"/work" + "/main", "/work" + "/shared", "/tmp" + "/brief", "proxy.golang" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org"}
	for _, file := range files(t) {
		text := string(read(t, file))
		for _, name := range names {
			if strings.Contains(text, name) {
				t.Errorf("%s mentions %s", file, name)
			}
		}
	}
}

// rulesLater are the rules of a correct connector that are not built yet, with
// what is missing.
func rulesLater() map[int]string {
	return map[int]string{}
}

var ruleName = regexp.MustCompile(`(?:rule |Rule|rules [0-9, ]*?)([0-9]{1,2})(?:[^0-9]|$)`)

// TestEveryRuleHasATest looks for a test that names each rule.
func TestEveryRuleHasATest(t *testing.T) {
	const rules = 50
	named := map[int]bool{}
	for _, file := range files(t) {
		if !strings.HasSuffix(file, "_test.go") || within(file, "engine/mailtest/rules") {
			continue
		}
		for _, m := range ruleName.FindAllSubmatch(read(t, file), -1) {
			n, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			named[n] = true
		}
	}
	var missing []string
	for n := 1; n <= rules; n++ {
		_, later := rulesLater()[n]
		switch {
		case !named[n] && !later:
			missing = append(missing, strconv.Itoa(n))
		case named[n] && later:
			t.Errorf("rule %d has a test: take it off the list of what comes later", n)
		}
	}
	if len(missing) > 0 {
		t.Errorf("no test names rule %s", strings.Join(missing, ", "))
	}
}

// check names the faults of one file.
func check(name string, src []byte) []string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments)
	if err != nil {
		return []string{err.Error()}
	}
	if ast.IsGenerated(file) {
		return nil
	}
	var out []string
	bad := func(at ast.Node, format string, args ...any) {
		out = append(out, fmt.Sprintf("%s: ", fset.Position(at.Pos()))+fmt.Sprintf(format, args...))
	}
	test := strings.HasSuffix(name, "_test.go")
	if n := fset.Position(file.FileEnd).Line; n >= maxFile {
		bad(file, "%d lines, at most %d", n, maxFile-1)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			lines := fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1
			if !test && lines >= maxFunction {
				bad(n, "%s has %d lines, at most %d", n.Name.Name, lines, maxFunction-1)
			}
			if c := complexity(n); !test && c >= maxComplexity {
				bad(n, "%s has complexity %d, at most %d", n.Name.Name, c, maxComplexity-1)
			}
		case *ast.InterfaceType:
			if m := methods(n); m > maxInterface && !strings.HasSuffix(filepath.ToSlash(name), "engine/source/source.go") {
				bad(n, "an interface of %d methods, at most %d", m, maxInterface)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && test {
				if x.Name == "time" && n.Sel.Name == "Sleep" {
					bad(n, "a test waits for events, not for time")
				}
				if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, n.Sel.Name) {
					bad(n, "a test that is skipped checks nothing")
				}
			}
		}
		return true
	})
	return out
}

// methods counts the methods that an interface names itself.
func methods(i *ast.InterfaceType) int {
	n := 0
	for _, f := range i.Methods.List {
		n += len(f.Names)
	}
	return n
}

// complexity is McCabe's number: one, and one more for each branch. Function
// literals count where they are written.
func complexity(f *ast.FuncDecl) int {
	n := 1
	ast.Inspect(f, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if node.List != nil {
				n++
			}
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

// files lists what belongs to the project: tracked, or new and not ignored.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var all []string
	for _, f := range strings.Split(string(out), "\x00") {
		if info, err := os.Stat(filepath.Join(root(t), f)); f != "" && err == nil && info.Mode().IsRegular() {
			all = append(all, f)
		}
	}
	return all
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatalf("the root of the module is not at %s", dir)
	}
	return dir
}

// TestCheck proves that the checks can fail.
func TestCheck(t *testing.T) {
	long := "package x\nfunc f() {\n" + strings.Repeat("_ = 1\n", maxFunction) + "}\n"
	wide := "package x\nfunc f(a int) {\n" + strings.Repeat("if a > 1 && a < 3 {}\n", 7) + "}\n"
	for _, c := range []struct {
		name, src string
		faults    int
	}{
		{"x.go", "package x\n", 0},
		{"x.go", "package x\nfunc {", 1},
		{"x.go", "package x\n" + strings.Repeat("//\n", maxFile), 1},
		{"x.go", "// Code generated by x. DO NOT EDIT.\n\npackage x\n" + strings.Repeat("//\n", maxFile), 0},
		{"x.go", long, 1},
		{"x_test.go", long, 0},
		{"x.go", wide, 1},
		{"x.go", "package x\ntype i interface { A(); B(); C(); D(); E(); F(); G() }\n", 1},
		{"x_test.go", "package x\nfunc f() { time.Sleep(1); t.Skip() }\n", 2},
	} {
		if got := check(c.name, []byte(c.src)); len(got) != c.faults {
			t.Errorf("%s: %q, want %d faults", c.name, got, c.faults)
		}
	}
}
