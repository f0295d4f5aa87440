package batch

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tree makes empty files in the current folder, which is the test's own.
func tree(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, path := range files {
		path = filepath.FromSlash(path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func slashed(paths []string) string {
	var all []string
	for _, path := range paths {
		all = append(all, filepath.ToSlash(path))
	}
	return strings.Join(all, " ")
}

func TestPatternsStandForWhatMatches(t *testing.T) {
	tree(t, "a.jpg", "b.png", ".hidden.jpg", "p/a.jpg", "p/B.JPG", "p/c.txt", "p/q/d.jpg", "p/.git/e.jpg", "r/q/f.jpg", "x[1].png")
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "g.jpg"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ pattern, want string }{
		{"*.jpg", "a.jpg"},
		{"*.{jpg,png}", "a.jpg b.png x[1].png"},
		{".*.jpg", ".hidden.jpg"},
		{"p/*.jpg", "p/a.jpg"},
		{"p/*.[jJ][pP][gG]", "p/B.JPG p/a.jpg"},
		{"./p/?.txt", "p/c.txt"},
		{"*/q/*.jpg", "p/q/d.jpg r/q/f.jpg"},
		{"{p,r}/q/*", "p/q/d.jpg r/q/f.jpg"},
		{"**/*.jpg", "a.jpg p/a.jpg p/q/d.jpg r/q/f.jpg"},
		{"p/**/d.jpg", "p/q/d.jpg"},
		{"p/**", "p p/q"},
		{"**", "p p/q r r/q"},
		{"p/*/", "p/q"},
		{"a.jpg/*", ""},
		{"none/*", ""},
		{"../*/*.gif", ""},
		{filepath.Join(root, "*.jpg"), filepath.ToSlash(filepath.Join(root, "g.jpg"))},
	} {
		got, err := expand(test.pattern)
		if err != nil || slashed(got) != test.want {
			t.Errorf("%s stands for %q, %v; want %q", test.pattern, slashed(got), err, test.want)
		}
	}
	if _, err := expand("p/[a"); err == nil {
		t.Error("a bracket without its other one is no error")
	}
}

func pairsText(pairs []Pair) string {
	var all []string
	for _, p := range pairs {
		all = append(all, filepath.ToSlash(p.Content)+"|"+filepath.ToSlash(p.Style))
	}
	return strings.Join(all, " ")
}

func TestInputsBecomePairs(t *testing.T) {
	tree(t, "a.jpg", "b.png", "p/c.jpg", "p/d.webp", "p/e.txt", "p/.f.jpg", "s/x.jpg", "s/y.png", "t.jpg", "x[1].png",
		"out/a-t.png", "out/records/a-t.png.json", "out/own.png", "empty/readme.txt")
	for _, test := range []struct {
		name  string
		in    Inputs
		want  string
		notes string
	}{
		{"a file", Inputs{Contents: []string{"a.jpg"}, Styles: []string{"t.jpg"}}, "a.jpg|t.jpg", ""},
		{"a folder", Inputs{Contents: []string{"p"}, Styles: []string{"t.jpg"}}, "p/c.jpg|t.jpg p/d.webp|t.jpg", ""},
		{"each in each", Inputs{Contents: []string{"a.jpg", "b.png"}, Styles: []string{"s"}}, "a.jpg|s/x.jpg a.jpg|s/y.png b.png|s/x.jpg b.png|s/y.png", ""},
		{"in pairs", Inputs{Contents: []string{"a.jpg", "b.png"}, Styles: []string{"s"}, Paired: true}, "a.jpg|s/x.jpg b.png|s/y.png", ""},
		{"in pairs, one style twice", Inputs{Contents: []string{"a.jpg", "b.png"}, Styles: []string{"t.jpg", "t.jpg"}, Paired: true}, "a.jpg|t.jpg b.png|t.jpg", ""},
		{"twice", Inputs{Contents: []string{"a.jpg", "./a.jpg", "p/../a.jpg", "*.jpg"}, Styles: []string{"t.jpg", "./t.jpg"}}, "a.jpg|t.jpg t.jpg|t.jpg", "left out 8 pairs that were named before"},
		{"a name that looks like a pattern", Inputs{Contents: []string{"x[1].png"}, Styles: []string{"t.jpg"}}, "x[1].png|t.jpg", ""},
		{"folders in folders", Inputs{Contents: []string{"p/**"}, Styles: []string{"t.jpg"}}, "p/c.jpg|t.jpg p/d.webp|t.jpg", ""},
		{"a list", Inputs{List: []Line{{"a.jpg", ""}, {"p", "s/x.jpg"}, {"gone.jpg", "t.jpg"}}, Styles: []string{"t.jpg"}},
			"a.jpg|t.jpg p/c.jpg|s/x.jpg p/d.webp|s/x.jpg gone.jpg|t.jpg", ""},
		{"a list with styles alone", Inputs{List: []Line{{"a.jpg", "s/x.jpg"}}}, "a.jpg|s/x.jpg", ""},
		{"earlier results", Inputs{Contents: []string{"out", "out/*.png"}, Styles: []string{"t.jpg"}, Folder: "./out"}, "out/own.png|t.jpg",
			"left out 1 pair that was named before; left out out/a-t.png and 1 more, which an earlier batch made there"},
		{"results of another batch", Inputs{Contents: []string{"out"}, Styles: []string{"t.jpg"}, Folder: "other"}, "out/a-t.png|t.jpg out/own.png|t.jpg", ""},
	} {
		pairs, notes, err := test.in.Pairs()
		if err != nil || pairsText(pairs) != test.want || filepath.ToSlash(strings.Join(notes, "; ")) != test.notes {
			t.Errorf("%s: %q, notes %q, %v; want %q, %q", test.name, pairsText(pairs), notes, err, test.want, test.notes)
		}
	}
	for _, test := range []struct {
		name, want string
		in         Inputs
		input      bool // an *InputError
	}{
		{"no match", "no file matches q/*.jpg", Inputs{Contents: []string{"a.jpg", "q/*.jpg"}, Styles: []string{"t.jpg"}}, true},
		{"no match of a style", "no file matches *.gif", Inputs{Contents: []string{"a.jpg"}, Styles: []string{"*.gif"}}, true},
		{"no pictures", "the folder empty has no pictures", Inputs{Contents: []string{"empty"}, Styles: []string{"t.jpg"}}, true},
		{"no such file", "gone.jpg", Inputs{Contents: []string{"gone.jpg"}, Styles: []string{"t.jpg"}}, false},
		{"no style", "no style to paint a.jpg in", Inputs{Contents: []string{"a.jpg"}}, true},
		{"no contents", "no pictures to paint", Inputs{Styles: []string{"t.jpg"}}, true},
		{"nothing but results", "no pictures to paint but out", Inputs{Contents: []string{"out/a-t.png"}, Styles: []string{"t.jpg"}, Folder: "out"}, true},
		{"pairs that don't fit", "2 contents and 1 style", Inputs{Contents: []string{"a.jpg", "b.png"}, Styles: []string{"t.jpg"}, Paired: true}, true},
		{"an empty name", "empty name", Inputs{Contents: []string{""}, Styles: []string{"t.jpg"}}, true},
		{"no pattern", "isn't one", Inputs{Contents: []string{"[a"}, Styles: []string{"t.jpg"}}, true},
	} {
		_, _, err := test.in.Pairs()
		var input *InputError
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &input) != test.input {
			t.Errorf("%s: the error is %v, want %q", test.name, err, test.want)
		}
	}
}

func TestALinkOfAnotherNameIsAnotherPicture(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	tree(t, "p/a.jpg", "t.jpg")
	for link, to := range map[string]string{"q": "p", "b.jpg": "p/a.jpg"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	pairs, _, err := Inputs{Contents: []string{"p", "q", "b.jpg"}, Styles: []string{"t.jpg"}}.Pairs()
	if want := "p/a.jpg|t.jpg b.jpg|t.jpg"; err != nil || pairsText(pairs) != want {
		t.Errorf("%q, %v; want %q", pairsText(pairs), err, want)
	}
}

func TestListsAreRead(t *testing.T) {
	tree(t, "tab\tin it.jpg")
	for _, test := range []struct {
		name, text string
		want       []Line
	}{
		{"lines", "a.jpg\nb c.jpg\n", []Line{{"a.jpg", ""}, {"b c.jpg", ""}}},
		{"styles", "a.jpg\ts.jpg\nb.jpg", []Line{{"a.jpg", "s.jpg"}, {"b.jpg", ""}}},
		{"comments and empty lines", "# mine\n\na.jpg\n   \n", []Line{{"a.jpg", ""}}},
		{"lines of Windows, with a mark", "\xef\xbb\xbfa.jpg\r\nb.jpg\ts.jpg\r\n", []Line{{"a.jpg", ""}, {"b.jpg", "s.jpg"}}},
		{"NUL bytes", "a\nb.jpg\x00c.jpg\ts.jpg\x00", []Line{{"a\nb.jpg", ""}, {"c.jpg", "s.jpg"}}},
		{"UTF-16", "\xff\xfea\x00.\x00j\x00\n\x00\xe9\x00", []Line{{"a.j", ""}, {"é", ""}}},
		{"UTF-16 the other way round", "\xfe\xff\x00a\x00\t\x00b", []Line{{"a", "b"}}},
		{"bytes that aren't UTF-8", "caf\xe9.jpg\n", []Line{{"caf\xe9.jpg", ""}}},
		{"a file with a tab in its name", "tab\tin it.jpg\n", []Line{{"tab\tin it.jpg", ""}}},
		{"nothing", "\n", nil},
	} {
		if got, err := ParseList([]byte(test.text)); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
	for _, text := range []string{"a.jpg\n\ts.jpg", "a.jpg\t", "a\tb\tc"} {
		if lines, err := ParseList([]byte(text)); err == nil {
			t.Errorf("%q is read as %q, want an error", text, lines)
		}
	}
}
