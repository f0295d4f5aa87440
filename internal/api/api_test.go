package api

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// public are the packages that programs outside the module can import.
var public = []string{"impasto/cuda", "impasto/device", "impasto/losses", "impasto/model", "impasto/studio", "impasto/vgg19", "impasto/weights"}

// seams mention internal types all the same, since nothing but internal packages is to
// call them.
var seams = map[string]bool{
	"impasto/cuda.NewDevice": true, // what internal/engine opens a GPU with
}

// TestPublicPackagesMentionNoInternalTypes goes through all that they export: a type
// from internal would be one that its user can neither name nor make.
func TestPublicPackagesMentionNoInternalTypes(t *testing.T) {
	imported := importer.ForCompiler(token.NewFileSet(), "gc", exportData(t))
	for _, path := range public {
		of, err := imported.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		w := walk{seen: map[types.Type]bool{}}
		for _, name := range of.Scope().Names() {
			if o := of.Scope().Lookup(name); o.Exported() && !seams[path+"."+name] {
				w.object(path+"."+name, o)
			}
		}
		for _, mention := range w.mentions {
			t.Error(mention)
		}
	}
}

// exportData opens what the compiler wrote of a package.
func exportData(t *testing.T) importer.Lookup {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, public...)
	list := exec.Command("go", args...)
	var problems bytes.Buffer
	list.Stderr = &problems
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &problems)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(files[path])
	}
}

// walk goes through types as far as their users can see.
type walk struct {
	seen     map[types.Type]bool
	mentions []string
}

func (w *walk) object(where string, o types.Object) {
	w.of(where, o.Type())
	if name, ok := o.(*types.TypeName); ok {
		w.inside(where, name.Type())
	}
}

// of looks at a type where it is mentioned.
func (w *walk) of(where string, t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		w.of(where, types.Unalias(t))
	case *types.Named:
		if p := t.Obj().Pkg(); p != nil && strings.Contains(p.Path()+"/", "/internal/") && strings.HasPrefix(p.Path(), "impasto/") {
			w.mentions = append(w.mentions, fmt.Sprintf("%s mentions %v", where, t))
			return
		}
		for i := range t.TypeArgs().Len() {
			w.of(where, t.TypeArgs().At(i))
		}
		if p := t.Obj().Pkg(); p != nil && strings.HasPrefix(p.Path(), "impasto/") {
			w.inside(where, t) // it may have no exported name
		}
	case *types.Signature:
		for i := range t.TypeParams().Len() {
			w.of(where, t.TypeParams().At(i).Constraint())
		}
		for _, list := range []*types.Tuple{t.Params(), t.Results()} {
			for i := range list.Len() {
				w.of(where, list.At(i).Type())
			}
		}
	case *types.Map:
		w.of(where, t.Key())
		w.of(where, t.Elem())
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		w.of(where, t.Elem())
	default:
		w.inside(where, t)
	}
}

// inside looks at the exported fields and methods of a type.
func (w *walk) inside(where string, t types.Type) {
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	if named, ok := t.(*types.Named); ok {
		for i := range named.NumMethods() {
			if m := named.Method(i); m.Exported() {
				w.of(where+"."+m.Name(), m.Type())
			}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for i := range u.NumFields() {
			if f := u.Field(i); f.Exported() || f.Embedded() {
				w.of(where+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for i := range u.NumMethods() {
			if m := u.Method(i); m.Exported() {
				w.of(where+"."+m.Name(), m.Type())
			}
		}
	default:
		if u != t {
			w.of(where, u)
		}
	}
}
