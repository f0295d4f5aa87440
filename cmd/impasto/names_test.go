package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// forging is the name of a file that would clear the screen, turn the direction of
// writing and pretend to be a line of its own.
const forging = "a\x1b[2J\u202eb\nimpasto: all is well"

const forgingShown = `"a\x1b[2J\u202eb\nimpasto: all is well`

func TestNamesOnTheTerminalAreHarmless(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file has such a name there")
	}
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, forging+".png"), []byte("no picture"))
	writeFile(t, filepath.Join(folder, forging+".pth"), []byte("no weights"))
	writeWeights(t, filepath.Join(folder, forging+".st"), nil)
	for _, args := range [][]string{
		{"measure", forging + ".png", "style.png"},
		{"measure", "content.png", "missing" + forging},
		{"stylize", "content.png", forging + ".png:2", "-o", "out.png"},
		{"stylize", "content.png", "style.png", "-o", "none/" + forging + ".png"},
		{"compare", "content.png", "style.png", "-o", "out", "--weights=" + forging + ".pth"},
		{"weights", "info", forging + ".pth"},
		{"weights", "verify", forging},
		{"weights", "convert", forging + ".st", forging + ".st"},
		{forging},
	} {
		out := impasto(t, folder, args...)
		shown := strings.TrimSuffix(forgingShown, `"`)
		if line, rest, _ := strings.Cut(out.stderr, "\n"); out.status == statusDone || rest != "" || out.stdout != "" ||
			strings.ContainsAny(line, "\x1b\u202e") || !strings.Contains(line, strings.TrimPrefix(shown, `"`)) {
			t.Errorf("%q: status %d, it says %q", args, out.status, out.stderr)
		}
	}
	for _, args := range [][]string{
		{"weights", "info", forging + ".st"},
		{"weights", "convert", forging + ".st", forging + ".out"},
		append([]string{"stylize", "content.png", "style.png", "-o", forging + ".out.png", "--first-iterations=1"}, shallow...),
	} {
		out := impasto(t, folder, args...).done(t)
		if all := out.stdout + out.stderr; strings.ContainsAny(all, "\x1b\u202e") || !strings.Contains(all, forgingShown) || strings.Contains(all, "\nimpasto: all") {
			t.Errorf("%q: it says %q", args, all)
		}
	}
}

// The bytes of names that aren't UTF-8 are in JSON beside their text.
func TestJSONHasTheBytesOfNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("file systems of other systems have no such names")
	}
	const name = "caf\xe9.st"
	folder := workshop(t)
	writeWeights(t, filepath.Join(folder, name), nil)
	var info struct {
		Path      string
		PathBytes []byte `json:"path_bytes"`
		SHA256    string
		Layers    []struct{ Name string }
	}
	out := impasto(t, folder, "weights", "info", "--json", name).done(t).stdout
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		t.Fatal(err)
	}
	if string(info.PathBytes) != name || info.Path != "caf\ufffd.st" || len(info.SHA256) != 64 || len(info.Layers) != 16 {
		t.Errorf("it says %s, want the name's bytes and all the rest", out)
	}

	const picture = "st\xffle.png"
	if err := os.Rename(filepath.Join(folder, "style.png"), filepath.Join(folder, picture)); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"compare", "content.png", picture, "-o", "out", "--losses=moments", "--first-iterations=1", "--score-size=64"}, shallow...)
	impasto(t, folder, args...).done(t)
	var report struct {
		Content string
		Styles  []struct {
			File      string
			FileBytes []byte `json:"file_bytes"`
			Weight    float64
		}
		Pictures []any
	}
	if err := json.Unmarshal(readFile(t, filepath.Join(folder, "out", "scores.json")), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Styles) != 1 || string(report.Styles[0].FileBytes) != picture || report.Styles[0].Weight != 1 || len(report.Pictures) != 2 {
		t.Errorf("scores.json has %+v, want the bytes of the style's name", report)
	}
}
