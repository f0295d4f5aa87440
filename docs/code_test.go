package docs

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the code that documents show into them")

// shown is a block of Go and, above it, which declarations of which file it shows.
var shown = regexp.MustCompile("(?s)(<!-- code: (\\S+) ([^>]*?) -->\n```go\n)(.*?)(```\n)")

// TestCodeInDocumentsIsThatOfTheProject holds what documents show against files that are
// compiled and tested.
func TestCodeInDocumentsIsThatOfTheProject(t *testing.T) {
	documents, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, document := range documents {
		raw, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		written := shown.ReplaceAllStringFunc(string(raw), func(block string) string {
			blocks++
			parts := shown.FindStringSubmatch(block)
			code, err := declarations(filepath.Join("..", parts[2]), strings.Fields(parts[3]))
			if err != nil {
				t.Errorf("%s: %v", document, err)
				return block
			}
			return parts[1] + code + parts[5]
		})
		if written == string(raw) {
			continue
		}
		if !*update {
			t.Errorf("%s shows other code than there is; write it by go test ./docs -update", document)
		} else if err := os.WriteFile(document, []byte(written), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if blocks == 0 {
		t.Error("no document shows any code")
	}
}

// declarations are those of a file, with their comments, in the order of the names; that
// of a method is Type.Method.
func declarations(path string, names []string) (string, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.ParseComments)
	if err != nil {
		return "", err
	}
	texts := map[string]string{}
	for _, d := range file.Decls {
		start := d.Pos()
		name, comment := nameOf(d)
		if comment != nil {
			start = comment.Pos()
		}
		texts[name] = string(source[files.Position(start).Offset:files.Position(d.End()).Offset]) + "\n"
	}
	var found []string
	for _, name := range names {
		if texts[name] == "" {
			return "", fmt.Errorf("%s has no %s", path, name)
		}
		found = append(found, texts[name])
	}
	return strings.Join(found, "\n"), nil
}

func nameOf(d ast.Decl) (name string, comment *ast.CommentGroup) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name = d.Name.Name
		if d.Recv != nil {
			of := d.Recv.List[0].Type
			if pointer, ok := of.(*ast.StarExpr); ok {
				of = pointer.X
			}
			if id, ok := of.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		return name, d.Doc
	case *ast.GenDecl:
		switch s := d.Specs[0].(type) {
		case *ast.TypeSpec:
			return s.Name.Name, d.Doc
		case *ast.ValueSpec:
			return s.Names[0].Name, d.Doc
		}
	}
	return "", nil
}
