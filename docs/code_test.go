package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// parseDir reads the Go files of a folder of the project, without tests.
func parseDir(t *testing.T, dir string) []*ast.File {
	t.Helper()
	root := filepath.Join("..", filepath.FromSlash(dir))
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
	}
	return files
}

// constants are the values of a folder's constants whose name begins with
// prefix and goes on with a capital letter.
func constants(t *testing.T, dir, prefix string) []string {
	t.Helper()
	var out []string
	for _, f := range parseDir(t, dir) {
		for _, d := range f.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				for i, name := range spec.Names {
					rest, ok := strings.CutPrefix(name.Name, prefix)
					if !ok || rest == "" || rest[0] < 'A' || rest[0] > 'Z' || i >= len(spec.Values) {
						continue
					}
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok {
						out = append(out, value(t, lit))
					}
				}
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no constants %s...", dir, prefix)
	}
	return out
}

func value(t *testing.T, lit *ast.BasicLit) string {
	t.Helper()
	if lit.Kind != token.STRING {
		return lit.Value
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// jsonFields are the names that a struct has in JSON.
func jsonFields(t *testing.T, dir, name string) []string {
	t.Helper()
	var out []string
	for _, f := range parseDir(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			st, ok := spec.Type.(*ast.StructType)
			if !ok {
				t.Fatalf("%s.%s is no struct", dir, name)
			}
			for _, field := range st.Fields.List {
				if field.Tag == nil {
					continue
				}
				tag := reflect.StructTag(value(t, field.Tag)).Get("json")
				out = append(out, strings.Split(tag, ",")[0])
			}
			return false
		})
	}
	if len(out) == 0 {
		t.Fatalf("%s has no struct %s", dir, name)
	}
	return out
}

// calledWith are the names that stand as an argument in calls of a method,
// beginning with prefix.
func calledWith(t *testing.T, dir, method, prefix string) []string {
	t.Helper()
	var out []string
	for _, f := range parseDir(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != method {
				return true
			}
			for _, a := range call.Args {
				if id, ok := a.(*ast.Ident); ok && strings.HasPrefix(id.Name, prefix) && !slices.Contains(out, id.Name) {
					out = append(out, id.Name)
				}
			}
			return true
		})
	}
	return out
}

// constantNames maps the names of a folder's constants to their values.
func constantNames(t *testing.T, dir, prefix string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range parseDir(t, dir) {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if strings.HasPrefix(name.Name, prefix) && i < len(spec.Values) {
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok {
						out[name.Name] = value(t, lit)
					}
				}
			}
			return true
		})
	}
	return out
}
