package generated

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTextComesInItsPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.md")
	for _, test := range []struct{ document, old, with string }{
		{"a\n<!-- b -->\nold\n" + End + "c\n", "old\n", "a\n<!-- b -->\nnew\n" + End + "c\n"},
		{"<!-- b -->\n" + End, "", "<!-- b -->\nnew\n" + End},
		{"a\n" + End, "", ""},
		{"<!-- b -->\nold\n", "", ""},
		{End + "<!-- b -->\n", "", ""},
	} {
		if err := os.WriteFile(path, []byte(test.document), 0o644); err != nil {
			t.Fatal(err)
		}
		old, with, err := In(path, "<!-- b -->\n", "new\n")
		if old != test.old || string(with) != test.with || (err != nil) != (test.with == "") {
			t.Errorf("%q: %q, %q, %v; want %q, %q", test.document, old, with, err, test.old, test.with)
		}
	}
	if _, _, err := In(path+"x", "", ""); err == nil {
		t.Error("no error for a document that isn't there")
	}
}
