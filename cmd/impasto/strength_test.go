package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// weightOf is the content weight that a picture says it was made with, and its strength.
func weightOf(t *testing.T, folder, picture string) (weight, strength string) {
	t.Helper()
	d := documentOf(t, filepath.Join(folder, picture))
	return d.Settings["content-weight"], d.Settings["strength"]
}

func TestStrengthChangesThePicture(t *testing.T) {
	folder := workshop(t)
	made := func(args ...string) string {
		stylize(t, folder, slices.Concat([]string{"style.png", "-o", "out.png", "--first-iterations=3", "--depth=16", "--no-metadata"}, args)...).done(t)
		return string(readFile(t, filepath.Join(folder, "out.png")))
	}
	plain := made()
	if made("--strength=50") != plain {
		t.Error("strength 50 isn't what there is without it")
	}
	pictures := map[string]string{plain: "the default"}
	for _, args := range [][]string{{"--strength=0"}, {"--strength=49"}, {"--strength=100"}, {"--strength=20", "--content-loss=mse"}} {
		one := made(args...)
		if same, taken := pictures[one]; taken {
			t.Errorf("%v makes the picture of %s", args, same)
		}
		pictures[one] = strings.Join(args, " ")
	}
}

func TestStrengthAndContentWeightAreToldToExcludeEachOther(t *testing.T) {
	folder := contents(t)
	both := []string{"--strength=30", "--content-weight=2"}
	writeFile(t, filepath.Join(folder, "both.toml"), []byte("strength = 30\ncontent-weight = 2\n"))
	for _, args := range [][]string{
		append([]string{"stylize", "content.png", "style.png", "-o", "out.png"}, both...),
		append([]string{"plan", "content.png", "style.png"}, both...),
		append([]string{"batch", "content.png", "--style=style.png", "--out-dir=out"}, both...),
		append([]string{"compare", "content.png", "style.png", "-o", "out"}, both...),
		{"compare", "content.png", "style.png", "-o", "out", "--vary=strength=0,30", "--content-weight=2"},
		{"stylize", "content.png", "style.png", "-o", "out.png", "--config=both.toml"},
	} {
		impasto(t, folder, args...).refused(t, statusUsage, "--content-weight 2 both say how much the content counts; give one of them", "--strength ")
	}
	stylize(t, folder, "style.png", "-o", "out.png", "--strength=101").refused(t, statusUsage, "want a number from 0 to 100")
}

// Of places that choose the content weight, the last one counts.
func TestStrengthsOfFilesAndPresetsGiveWay(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "strong.toml"), []byte("strength = 90\n"))
	writeFile(t, filepath.Join(folder, "heavy.toml"), []byte("preset = \"fine\"\ncontent-weight = 3\n"))
	for _, test := range []struct {
		args             []string
		weight, strength string // an empty weight isn't compared
	}{
		{nil, "0.06", ""},
		{[]string{"--preset=fine"}, "0.08", ""},
		{[]string{"--preset=fine", "--strength=50"}, "", "50"},
		{[]string{"--preset=fine", "--config=strong.toml"}, "", "90"},
		{[]string{"--config=strong.toml", "--content-weight=0.5"}, "0.5", ""},
		{[]string{"--config=heavy.toml"}, "3", ""},
		{[]string{"--config=heavy.toml", "--strength=10"}, "", "10"},
	} {
		painted := func(picture string, args ...string) (weight, strength string) {
			impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", picture, "--first-iterations=1"}, shallow, args)...).done(t)
			return weightOf(t, folder, picture)
		}
		weight, strength := painted("out.png", append(test.args, "--save-config=saved.toml")...)
		if strength != test.strength || test.weight != "" && weight != test.weight || test.weight == "" && (weight == "0.03" || weight == "3") {
			t.Errorf("%v: content weight %s and strength %q, want %s and %q", test.args, weight, strength, test.weight, test.strength)
		}
		if w, s := painted("again.png", "--config=saved.toml"); w != weight || s != strength {
			t.Errorf("%v: saved and read, content weight %s and strength %q, want %s and %q", test.args, w, s, weight, strength)
		}
	}
}

func TestRedoTakesAnotherStrengthOrLoss(t *testing.T) {
	folder := paintedFile(t, "out.png", "--strength=20")
	was, _ := weightOf(t, folder, "out.png")
	redone := func(args ...string) (weight, strength string) {
		impasto(t, folder, append([]string{"redo", "out.png", "-o", "new.png", "--quiet"}, args...)...).done(t)
		return weightOf(t, folder, "new.png")
	}
	if weight, strength := redone("--strength=80"); weight == was || strength != "80" {
		t.Errorf("another strength: content weight %s and strength %s", weight, strength)
	}
	if weight, strength := redone("--loss=sliced"); weight == was || strength != "20" {
		t.Errorf("another loss: content weight %s and strength %s", weight, strength)
	}
	if weight, strength := redone("--content-weight=3"); weight != "3" || strength != "" {
		t.Errorf("a content weight: %s and strength %s", weight, strength)
	}
	impasto(t, folder, "redo", "out.png", "-o", "new.png", "--content-weight=3", "--strength=4").refused(t, statusUsage, "--strength 4 and --content-weight 3")
	if command := impasto(t, folder, "info", "out.png").done(t).stdout; !strings.Contains(command, "--strength 20") || strings.Contains(command, "--content-weight") {
		t.Errorf("info prints\n%s", command)
	}
}

// A picture of a version that weighed its strength otherwise is made again as it was.
func TestOldStrengthsAreKeptAsContentWeights(t *testing.T) {
	folder := paintedFile(t, "out.png", "--strength=20")
	was, _ := weightOf(t, folder, "out.png")
	path := forged(t, folder, func(text string) string {
		return strings.Replace(text, `"content-weight":"`+was+`"`, `"content-weight":"0.123"`, 1)
	})
	impasto(t, folder, "redo", path, "-o", "new.png", "--quiet")
	if weight, strength := weightOf(t, folder, "new.png"); weight != "0.123" || strength != "" {
		t.Errorf("content weight %s and strength %q, want 0.123 and none", weight, strength)
	}
}

func TestStrengthsAreComparedUnderEachLoss(t *testing.T) {
	folder := workshop(t)
	run := impasto(t, folder, "compare", "content.png", "style.png", "-o", "out", "--losses=gaussian,sliced", "--vary=strength=0,100", "--style-layers=relu1_1",
		"--content-layers=relu2_1", "--size=32", "--min-size=32", "--first-iterations=1", "--device=cpu", "--score-size=32", "--json", "--quiet").done(t)
	weights := map[string]bool{}
	for line := range strings.Lines(run.stdout) {
		var p struct{ Event, Kind, File string }
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		if p.Event == "picture" && p.Kind == "made" {
			weight, _ := weightOf(t, folder, filepath.Join("out", p.File))
			weights[weight] = true
		}
	}
	if len(weights) != 4 {
		t.Errorf("the content weights are %v, want 4", weights)
	}
}

func TestHelpShowsTheStrengthFirst(t *testing.T) {
	for _, command := range []string{"stylize", "plan", "compare", "batch"} {
		help := impasto(t, t.TempDir(), command, "--help").done(t).stdout
		first := strings.Index(help, "\n      --")
		if other := strings.Index(help, "\n  -"); other >= 0 && other < first {
			first = other
		}
		if !strings.HasPrefix(help[first:], "\n      --strength STRENGTH ") {
			t.Errorf("%s: the first flag is\n%s", command, help[first:first+80])
		}
	}
}
