package docs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// file is a file in code font, by its path or by its name alone.
	file = regexp.MustCompile("`([\\w*./-]+\\.(?:go|cu|h|cc|s|S|sh|md|py|html|css|js|json))`")
	// link is what a document of this project is linked to.
	link = regexp.MustCompile(`\]\(([\w./-]+)[)#]`)
)

// TestFilesThatDocumentsNameAreThere goes through the documents here and in the folder
// above.
func TestFilesThatDocumentsNameAreThere(t *testing.T) {
	names := filesOf(t, "..")
	for _, pattern := range []string{"*.md", "../*.md"} {
		documents, err := filepath.Glob(pattern)
		if err != nil || len(documents) == 0 {
			t.Fatalf("%s: %d documents (%v)", pattern, len(documents), err)
		}
		for _, document := range documents {
			text, err := os.ReadFile(document)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range file.FindAllStringSubmatch(string(text), -1) {
				if !isThere(names, found[1]) {
					t.Errorf("%s names %s, which isn't there", document, found[1])
				}
			}
			for _, found := range link.FindAllStringSubmatch(string(text), -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(document), found[1])); err != nil {
					t.Errorf("%s links to %s, which isn't there", document, found[1])
				}
			}
		}
	}
}

// filesOf are the paths of the files below a folder, with slashes.
func filesOf(t *testing.T, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "build" || entry.Name() == ".git") {
			return fs.SkipDir
		}
		name, err := filepath.Rel(root, at)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// isThere tells whether a file of this path is there, from the top, or, where the path has
// no folder, of this name in any. A * stands for whatever is part of a name.
func isThere(names []string, wanted string) bool {
	for _, name := range names {
		if !strings.Contains(wanted, "/") {
			name = path.Base(name)
		}
		if match, err := path.Match(wanted, name); err == nil && match {
			return true
		}
	}
	return false
}
