package quote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestNamesAreQuotedOnlyWhereTheyHoldWhatCannotBeSeen(t *testing.T) {
	for name, want := range map[string]string{
		"features.0.weight":     "features.0.weight",
		"my holiday (2).jpg":    "my holiday (2).jpg",
		`C:\pictures\a.png`:     `C:\pictures\a.png`,
		"Gemälde, 絵画.png":       "Gemälde, 絵画.png",
		"\x1b]0;pwn\a\x1b[31m":  `"\x1b]0;pwn\a\x1b[31m"`,
		"a\nimpasto: all well":  `"a\nimpasto: all well"`,
		"a\rb":                  `"a\rb"`,
		"photo\u202egpj.exe":    `"photo\u202egpj.exe"`,
		"a\u2066b\u2069":        `"a\u2066b\u2069"`,
		"zero\u200bwidth":       `"zero\u200bwidth"`,
		"\u2028":                `"\u2028"`,
		"no\u00a0break":         `"no\u00a0break"`,
		"C1 \u009b31m":          `"C1 \u009b31m"`,
		"caf\xe9.png":           `"caf\xe9.png"`,
		"\x7f":                  `"\x7f"`,
		"\ufeffbyte order mark": `"\ufeffbyte order mark"`,
		`"quoted"`:              `"\"quoted\""`,
		" spaces ":              `" spaces "`,
		"":                      "",
	} {
		if got := Name(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}

func TestMessagesTakeOneLineInWhichAllCanBeSeen(t *testing.T) {
	for message, want := range map[string]string{
		"one\n\ttwo  three\n":             "one two three",
		"weights: a\x1b[2Jb: no such":     `weights: a\x1b[2Jb: no such`,
		"broken \xff and \u202e turned":   `broken \xff and \u202e turned`,
		"64×64, \ufffd stays: a backsl\\": "64×64, \ufffd stays: a backsl\\",
	} {
		if got := Line(message); got != want {
			t.Errorf("%q becomes %q, want %q", message, got, want)
		}
	}
	if got, want := Lines("a\n  b\x1bc\r\nd"), "a\n  b\\x1bc\\r\nd"; got != want {
		t.Errorf("lines are %q, want %q", got, want)
	}
}

func TestPathsInErrorsOfTheSystemAreQuoted(t *testing.T) {
	odd := "evil\n\x1b[31m.png"
	for _, err := range []error{
		&fs.PathError{Op: "open", Path: odd, Err: fs.ErrNotExist},
		&os.LinkError{Op: "rename", Old: "plain", New: odd, Err: fs.ErrExist},
		errors.Join(errors.New("first"), &fs.PathError{Op: "open", Path: odd, Err: fs.ErrNotExist}),
	} {
		got := Error(fmt.Errorf("picture: %w", err))
		if !strings.Contains(got, `"evil\n\x1b[31m.png"`) {
			t.Errorf("%q doesn't show the path quoted", got)
		}
	}
}

func TestNamesThatWereGivenAreQuotedInErrors(t *testing.T) {
	given := []string{"b\x1b.png", "folder/b\x1b.png", "plain"}
	for message, want := range map[string]string{
		"open folder/b\x1b.png: no picture": `open "folder/b\x1b.png": no picture`,
		"b\x1b.png is plain":                `"b\x1b.png" is plain`,
		`already "b\x1b.png"`:               `already "b\x1b.png"`,
	} {
		if got := Error(errors.New(message), given...); got != want {
			t.Errorf("%q becomes %q, want %q", message, got, want)
		}
	}
}

// recorded stands for the objects that the program prints.
type recorded struct {
	Inner
	Path   string            `json:"path"`
	Whole  string            `json:"whole"`
	Empty  string            `json:"empty,omitempty"`
	Styles []string          `json:"styles"`
	Set    map[string]string `json:"settings"`
	Nested []*Inner          `json:"nested"`
	Any    any
	Hidden string `json:"-"`
	secret string
}

// Inner is embedded in it.
type Inner struct {
	File string   `json:"file"`
	Loss *float64 `json:"loss"`
}

func TestBytesOfNamesThatAreNotUTF8AreRecoveredFromJSON(t *testing.T) {
	value := recorded{
		Inner: Inner{File: "in\xff"}, Path: "caf\xe9.png", Whole: "<whole> \ufffd", Styles: []string{"a", "b\x80"},
		Set: map[string]string{"start": "\xfe", "loss": "gram"}, Nested: []*Inner{{File: "\xc3("}}, Any: "plain", Hidden: "\xff", secret: "\xff",
	}
	data, err := json.Marshal(JSON(value))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		File       string   `json:"file"`
		FileBytes  []byte   `json:"file_bytes"`
		PathBytes  []byte   `json:"path_bytes"`
		Whole      string   `json:"whole"`
		Styles     []string `json:"styles"`
		StyleBytes [][]byte `json:"styles_bytes"`
		Settings   struct {
			Loss       string `json:"loss"`
			StartBytes []byte `json:"start_bytes"`
		} `json:"settings"`
		Nested []struct {
			FileBytes []byte `json:"file_bytes"`
		} `json:"nested"`
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"embedded":        {string(back.FileBytes), "in\xff"},
		"path":            {string(back.PathBytes), "caf\xe9.png"},
		"whole text":      {back.Whole, "<whole> \ufffd"},
		"list":            {string(back.StyleBytes[1]), "b\x80"},
		"map":             {string(back.Settings.StartBytes), "\xfe"},
		"map, whole text": {back.Settings.Loss, "gram"},
		"nested":          {string(back.Nested[0].FileBytes), "\xc3("},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q; JSON is %s", what, pair[0], pair[1], data)
		}
	}
	if back.StyleBytes[0] != nil || strings.Contains(string(data), "whole_bytes") || strings.Contains(string(data), "empty") ||
		strings.Contains(string(data), "Hidden") || strings.Contains(string(data), "secret") {
		t.Errorf("JSON has more than it should: %s", data)
	}
}

// What is embedded without being exported is in JSON all the same.
func TestBytesOfNamesInUnexportedPartsAreRecovered(t *testing.T) {
	type inner struct {
		File string `json:"file"`
	}
	data, err := json.Marshal(JSON(struct {
		inner
		Count int `json:"count"`
	}{inner{"\xff"}, 2}))
	if want := `{"file":"\ufffd","file_bytes":"/w==","count":2}`; err != nil || string(data) != want {
		t.Errorf("%s, %v; want %s", data, err, want)
	}
}

func TestWholeValuesAreWrittenAsEver(t *testing.T) {
	value := recorded{Path: "Gemälde", Styles: []string{"a"}, Any: map[string]any{"b": 1.5}}
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(JSON(value)); err != nil || string(got) != string(want) {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}
