package opstest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// declarations parses the files of a package, without tests.
func declarations(t *testing.T, directory string) []ast.Decl {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all []ast.Decl
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, file.Decls...)
	}
	if len(all) == 0 {
		t.Fatalf("nothing is declared in %s", directory)
	}
	return all
}

// withMethod are the exported types of a package that have a method of that name.
func withMethod(t *testing.T, directory, method string) []string {
	t.Helper()
	var types []string
	for _, d := range declarations(t, directory) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil || f.Name.Name != method {
			continue
		}
		if name := typeName(f.Recv.List[0].Type); ast.IsExported(name) {
			types = append(types, name)
		}
	}
	return types
}

// embedding are the exported structures of a package that embed one of those types.
func embedding(t *testing.T, directory string, parts ...string) []string {
	t.Helper()
	var types []string
	for _, d := range declarations(t, directory) {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			declared, ok := spec.(*ast.TypeSpec)
			if !ok || !declared.Name.IsExported() {
				continue
			}
			structure, ok := declared.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range structure.Fields.List {
				for _, part := range parts {
					if len(field.Names) == 0 && typeName(field.Type) == part {
						types = append(types, declared.Name.Name)
					}
				}
			}
		}
	}
	return types
}

// typeName is the name of a type, of a pointer to it or of an instance of it.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	}
	return ""
}

// ambitious is a device that fuses all that can be fused, and keeps all features in
// float16 but for some operations.
type ambitious struct{}

func (ambitious) Supports(s plan.Step) plan.Support {
	able := plan.Ability{
		Adds: plan.AddsInPlace, Masks: plan.MasksByAny, MasksInput: true,
		Float16Results: true, Float16Inputs: []int{0, 1, 2, 3},
	}
	if _, ok := s.Op.(*ops.PowerMoments); ok {
		able.Float16Inputs = nil
	}
	return able.Support(s)
}

func (ambitious) Bytes(b *plan.Buffer) int { return b.Bytes() }

func (ambitious) Alignment() int { return 64 }

// met are the types of all operations in the schedules and programs of the cases that
// serve for a use, with what they are instances of.
func met(t *testing.T, use Use) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	note := func(steps []plan.Step) {
		for _, step := range steps {
			of := reflect.TypeOf(step.Op)
			if of.Kind() == reflect.Pointer {
				of = of.Elem()
			}
			name, parameter, _ := strings.Cut(strings.TrimSuffix(of.Name(), "]"), "[")
			names[name] = true
			names[parameter[strings.LastIndex(parameter, ".")+1:]] = true
		}
	}
	cases := For(use, Cases())
	for _, c := range cases {
		g, err := c.Graph(tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		for _, outputs := range g.Outputs() {
			s, err := plan.Make(outputs.Nodes...)
			if err != nil {
				t.Fatal(err)
			}
			note(s.Steps)
		}
	}
	programs, err := Programs(ambitious{}, cases)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		note(p.Steps)
	}
	return names
}

// Operations of graphs are structures made of operation or loss; those of schedules
// have a name of their own. Losses are comparisons and clouds of what package pure
// compares.
func TestEveryOperationHasACase(t *testing.T) {
	graphs := embedding(t, "..", "operation", "loss")
	losses := withMethod(t, "../../pure", "Compare")
	schedules := withMethod(t, "..", "String")
	if len(graphs) < 20 || len(losses) < 9 || len(schedules) < 5 {
		t.Fatalf("only %v, %v and %v were found", graphs, losses, schedules)
	}
	for _, test := range []struct {
		use     Use
		what    string
		wanted  []string
		without []string
	}{
		{Compared, "compared with the definition", slices.Concat(graphs, losses, schedules), nil},
		{Differentiated, "compared with finite differences", slices.Concat(graphs, losses), []string{"SoftminPass"}}, // which has no gradient
		{Timed, "timed", slices.Concat(graphs, losses), []string{"Sum", "Custom"}},                                   // of no cost, or of the caller's
	} {
		seen := met(t, test.use)
		for _, name := range test.wanted {
			if !seen[name] && !slices.Contains(test.without, name) {
				t.Errorf("%s is in no case that is %s", name, test.what)
			}
		}
	}
}

func TestNamesOfCasesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cases() {
		if seen[c.Name()] {
			t.Errorf("two cases are called %s", c.Name())
		}
		seen[c.Name()] = true
	}
}
