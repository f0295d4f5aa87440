package batch

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestNamesStandForPairs(t *testing.T) {
	settings := map[string]string{"loss": "gram", "size": "512", "start": "a/b.png"}
	pairs := make([]Pair, 12)
	for i := range pairs {
		pairs[i] = Pair{"photos/beach.day.jpg", "styles/wave.png"}
	}
	for text, want := range map[string]string{
		DefaultName:                         "beach.day-wave.png",
		"{number}.png":                      "03.png",
		"{style}/{content}.tif":             "wave/beach.day.tif",
		"{folder}-{content}.{extension}":    "",
		"{content}-{extension}.JPG":         "beach.day-jpg.JPG",
		"{folder}_{loss}-{size}.png":        "photos_gram-512.png",
		"{{{content}}}.png":                 "{beach.day}.png",
		"{start}.png":                       "a-b.png.png",
		"plain.png":                         "plain.png",
		"{content}{content} ü \xff.{{x.png": "beach.daybeach.day ü \xff.{x.png",
	} {
		n, err := parseName(text, settings)
		if want == "" {
			if err == nil {
				t.Errorf("%s is a name without a format, and no error", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := n.of(pairs[2], 3, len(pairs), settings); got != want {
			t.Errorf("%s stands for %q, want %q", text, got, want)
		}
	}
}

func TestNamesKeepBytesButMakeNoFolders(t *testing.T) {
	n, err := parseName(DefaultName, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := n.of(Pair{"p/caf\xe9\n\\x.png", "s.png"}, 1, 1, nil), "caf\xe9--x-s.png"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNamesThatWontDoAreRefused(t *testing.T) {
	settings := map[string]string{"loss": "gram", "tv-weight": "5"}
	one, two := Pair{"p/a.jpg", "s.jpg"}, Pair{"q/a.png", "s.jpg"}
	for _, test := range []struct{ text, want string }{
		{"{contnet}.png", "did you mean content?"},
		{"{tvweight}.png", "did you mean tv-weight?"},
		{"{zzzzzzzzzz}.png", "want content, style, extension, folder, number"},
		{"{content.png", "{{ and }} stand for braces"},
		{"content}.png", "{{ and }} stand for braces"},
		{"{}.png", "stands for nothing"},
		{"{content}", "ends in .png"},
		{"{content}.bmp", "ends in .png"},
		{"../{content}.png", "isn't in the folder"},
		{"{content}/../../x.png", "isn't in the folder"},
		{"records/{content}.png", "has the records"},
		{"{content}.png", "p/a.jpg in s.jpg and q/a.png in s.jpg would both be a.png"},
		{"{style}.png", "would both be s.png"},
	} {
		n, err := parseName(test.text, settings)
		if err == nil {
			_, err = n.nameAll([]Pair{one, two}, settings)
		}
		if err == nil || !strings.Contains(filepath.ToSlash(err.Error()), test.want) {
			t.Errorf("%s: the error is %v, want %q", test.text, err, test.want)
		}
	}
	n, err := parseName("{folder}/{content}.png", settings)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := n.nameAll([]Pair{one, two}, settings); err != nil || slashed(names) != "p/a.png q/a.png" {
		t.Errorf("%q, %v", names, err)
	}
}

func TestANameThatIsAllExtensionStays(t *testing.T) {
	for path, want := range map[string]string{"a/.png": ".png", "b.tar.gz": "b.tar", "c": "c", "d.": "d"} {
		if got := stem(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
