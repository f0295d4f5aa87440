package records

import (
	"context"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"impasto/internal/picture"
)

// kept is a picture in a folder of the test's, and its record.
func kept(t *testing.T) (file, path string, r Record) {
	t.Helper()
	folder := t.TempDir()
	file, path = filepath.Join(folder, "a.json"), filepath.Join(folder, "a.png")
	if err := picture.Save(path, image.NewGray(image.Rect(0, 0, 4, 3)), picture.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	digest, err := FileDigest(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return file, path, Record{Key: "k", Name: "caf\xe9", Picture: digest, Iterations: 3, Loss: 0.5, Remarks: []string{"slow"}}
}

func TestOnlyAFinishedUnalteredPictureOfTheKeyIsFound(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(file, path string, r *Record)
		key    string
		found  bool
	}{
		{"as it was", func(string, string, *Record) {}, "k", true},
		{"another key", func(string, string, *Record) {}, "l", false},
		{"not finished", func(_, _ string, r *Record) { r.Error = "interrupted" }, "k", false},
		{"another picture", func(_, _ string, r *Record) { r.Picture = strings.Repeat("0", 64) }, "k", false},
	} {
		file, path, r := kept(t)
		test.change(file, path, &r)
		if err := Write(file, r); err != nil {
			t.Fatal(err)
		}
		found, image := Find(context.Background(), file, path, test.key)
		if (found != nil) != test.found || (image != nil) != test.found {
			t.Errorf("%s: found %v and %v, want %t", test.name, found, image, test.found)
		}
		if found != nil && (found.Iterations != 3 || found.Loss != 0.5 || found.Remarks[0] != "slow" || image.Bounds().Dx() != 4) {
			t.Errorf("%s: found %+v, %v", test.name, found, image.Bounds())
		}
	}
	for name, damage := range map[string]func(file, path string) error{
		"the record is lost":    func(file, _ string) error { return os.Remove(file) },
		"the record is damaged": func(file, _ string) error { return os.WriteFile(file, []byte("{"), 0o666) },
		"the picture is lost":   func(_, path string) error { return os.Remove(path) },
		"the picture is cut":    func(_, path string) error { return os.Truncate(path, 20) },
	} {
		file, path, r := kept(t)
		if err := Write(file, r); err != nil {
			t.Fatal(err)
		}
		if err := damage(file, path); err != nil {
			t.Fatal(err)
		}
		if found, image := Find(context.Background(), file, path, "k"); found != nil || image != nil {
			t.Errorf("%s: found %v", name, found)
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "none", "a.json"), Record{}); err == nil || !strings.Contains(err.Error(), "save ") {
		t.Errorf("into a folder that isn't there: %v", err)
	}
}

func TestKeysDifferWhereValuesDo(t *testing.T) {
	seen := map[string]any{}
	for _, value := range []any{
		struct{ A, B string }{"x", ""}, struct{ A, B string }{"", "x"}, struct{ A, C string }{"x", ""}, map[string]string{"a": "x"}, []string{"x"}, nil,
	} {
		key, err := Key(value)
		if err != nil || len(key) != 64 || seen[key] != nil {
			t.Errorf("the key of %+v is %s (that of %+v), %v", value, key, seen[key], err)
		}
		seen[key] = value
	}
	if _, err := Key(func() {}); err == nil {
		t.Error("what JSON can't write has a key")
	}
}
