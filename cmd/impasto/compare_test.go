package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/compare"
	"impasto/losses"
)

// runComparison runs a comparison of tiny pictures into the folder out.
func runComparison(t *testing.T, folder string, args ...string) outcome {
	t.Helper()
	return impasto(t, folder, slices.Concat([]string{"compare", "content.png", "style.png", "-o", "out", "--first-iterations=2"}, shallow, args)...)
}

func readScores(t *testing.T, folder string) compare.Report {
	t.Helper()
	var r compare.Report
	decoder := json.NewDecoder(strings.NewReader(string(readFile(t, filepath.Join(folder, "out", "scores.json")))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCompareShowsAndScoresEveryCombination(t *testing.T) {
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "other.png"), 64, 48, 0.5)
	writePicture(t, filepath.Join(folder, "square.png"), 40, 40, 0.5)
	run := runComparison(t, folder, "--losses=gram,moments", "--vary=tv-weight=0,8", "--also=other.png", "--also=square.png").done(t)
	names := []string{"content", "gram, tv-weight 0", "gram, tv-weight 8", "moments, tv-weight 0", "moments, tv-weight 8", "other", "square"}
	scores := readScores(t, folder)
	var got []string
	for _, p := range scores.Pictures {
		got = append(got, p.Name)
		if !strings.Contains(run.stdout, p.Name) {
			t.Errorf("the table has no %s", p.Name)
		}
		if keys := slices.Sorted(maps.Keys(p.Style)); !slices.Equal(keys, losses.NamesOf(losses.Usable())) || len(p.Content) != len(p.Style) {
			t.Errorf("%s is scored under %v", p.Name, keys)
		}
		for loss, value := range p.Style {
			if value == nil || *value < 0 {
				t.Errorf("%s under %s is %v", p.Name, loss, value)
			}
		}
		if (p.Kept == nil) != (p.Name == "square") {
			t.Errorf("%s: content loss %v", p.Name, p.Kept)
		}
	}
	if !slices.Equal(got, names) {
		t.Fatalf("pictures are %q, want %q", got, names)
	}
	if p := scores.Pictures[2]; p.Kind != "made" || p.File != "pictures/gram_tv-weight-8.png" || p.Iterations != 2 || p.Loss <= 0 ||
		p.Settings["loss"] != "gram" || p.Settings["tv-weight"] != "8" {
		t.Errorf("%+v", p)
	}
	if p := scores.Pictures[0]; *p.Kept > 1e-6 {
		t.Errorf("the content's own content loss is %g", *p.Kept)
	}
	if size := readPicture(t, filepath.Join(folder, "out", "pictures", "moments_tv-weight-0.png")).Bounds().Size(); size.X != 32 || size.Y != 24 {
		t.Errorf("a picture is %v", size)
	}
	readPicture(t, filepath.Join(folder, "out", "sheet.png"))
	page := string(readFile(t, filepath.Join(folder, "out", "index.html")))
	for _, part := range append(names, "content in the style of style", "made elsewhere: other.png", "Loss by time", "first-iterations") {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %q", part)
		}
	}
	nothingLeft(t, filepath.Join(folder, "out"))
	nothingLeft(t, filepath.Join(folder, "out", "pictures"))
}

// painted are the pictures that a run says it made.
func painted(run outcome) []string {
	var names []string
	for line := range strings.Lines(run.stderr) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "painting "); ok {
			name, _, _ = strings.Cut(name, " (")
			names = append(names, name)
		}
	}
	return names
}

func TestCompareTakesUpWhereItStopped(t *testing.T) {
	folder := workshop(t)
	runComparison(t, folder, "--losses=gram,moments").done(t)
	scores := readScores(t, folder)
	picture := filepath.Join(folder, "out", "pictures", "gram.png")
	original := readFile(t, picture)
	for _, step := range []struct {
		name   string
		change func()
		args   []string
		want   string
	}{
		{"nothing changed", func() {}, nil, ""},
		{"the sheet was lost", func() { os.Remove(filepath.Join(folder, "out", "sheet.png")) }, nil, ""},
		{"a picture was lost", func() { os.Remove(picture) }, nil, "gram"},
		{"a picture was cut", func() { writeFile(t, picture, original[:len(original)/2]) }, nil, "gram"},
		{"a record was damaged", func() { writeFile(t, filepath.Join(folder, "out", "pictures", "moments.json"), []byte("{")) }, nil, "moments"},
		{"a setting changed", func() {}, []string{"--tv-weight=1"}, "gram moments"},
		{"and back", func() {}, nil, "gram moments"},
		{"the style changed", func() { writePicture(t, filepath.Join(folder, "style.png"), 36, 36, 0.7) }, nil, "gram moments"},
	} {
		step.change()
		run := runComparison(t, folder, append(step.args, "--losses=gram,moments")...).done(t)
		if got := strings.Join(painted(run), " "); got != step.want {
			t.Errorf("%s: painted %q, want %q", step.name, got, step.want)
		}
		if step.name == "a picture was cut" && string(readFile(t, picture)) != string(original) {
			t.Error("the picture made again is another one")
		}
		if step.name == "nothing changed" {
			again := readScores(t, folder)
			for i, p := range again.Pictures {
				if *p.Style["gram"] != *scores.Pictures[i].Style["gram"] || p.Seconds != scores.Pictures[i].Seconds {
					t.Errorf("%s has other scores or times now", p.Name)
				}
			}
		}
		readPicture(t, filepath.Join(folder, "out", "sheet.png"))
	}
}

func TestCompareGoesOnAfterAFailure(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "bad.png"), []byte("no picture"))
	run := runComparison(t, folder, "--vary=start=bad.png,content", "--quiet")
	if run.status != statusFailed {
		t.Errorf("exit status %d, want %d", run.status, statusFailed)
	}
	for _, part := range []string{"1 of 2 pictures failed", "start bad.png"} {
		if !strings.Contains(run.stderr, part) {
			t.Errorf("the error %q has no %q", run.stderr, part)
		}
	}
	pictures := readScores(t, folder).Pictures
	if failed := pictures[1]; failed.Error == "" || failed.Style != nil || failed.Iterations != 0 {
		t.Errorf("%+v", failed)
	}
	if made := pictures[2]; made.Error != "" || made.Style == nil || made.Iterations != 2 {
		t.Errorf("%+v", made)
	}
	page := string(readFile(t, filepath.Join(folder, "out", "index.html")))
	if !strings.Contains(page, "bad.png") || !strings.Contains(page, "no picture") {
		t.Error("the page doesn't tell of the failure")
	}
	readPicture(t, filepath.Join(folder, "out", "sheet.png"))
}

func TestCompareGivesEqualTime(t *testing.T) {
	folder := workshop(t)
	runComparison(t, folder, "--losses=gram,moments", "--seconds=0.4", "--optimizer=adam").done(t)
	for _, p := range readScores(t, folder).Pictures[1:] {
		if p.Seconds < 0.25 || p.Iterations < 1 { // the clocks of both begin apart, on a busy machine by a tenth of a second
			t.Errorf("%s had %g s and %d iterations", p.Name, p.Seconds, p.Iterations)
		}
	}
	run := runComparison(t, folder, "--losses=gram,moments", "--seconds=0.5", "--optimizer=adam").done(t)
	if len(painted(run)) != 2 {
		t.Error("another time leaves old pictures as they were")
	}
}

func TestCompareTellsScriptsWhatItDoes(t *testing.T) {
	folder := workshop(t)
	runComparison(t, folder, "--losses=moments", "--json", "--quiet").done(t)
	run := runComparison(t, folder, "--losses=moments", "--json", "--quiet").done(t)
	if run.stderr != "" {
		t.Errorf("standard error is %q", run.stderr)
	}
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	var events []string
	for _, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		events = append(events, object["event"].(string))
		if object["name"] == "moments" && (object["reused"] != true || object["kind"] != "made" || object["kept"] == nil) {
			t.Errorf("%s", line)
		}
	}
	if got := strings.Join(events, " "); got != "picture picture written written written written written" {
		t.Errorf("events are %s", got)
	}
}

func TestComparePaintsUnderSeveralSeeds(t *testing.T) {
	folder := workshop(t)
	run := runComparison(t, folder, "--losses=gram,sliced", "--noise=0", "--seeds=0..1,7").done(t)
	if got, want := painted(run), []string{"gram", "sliced, seed 0", "sliced, seed 1", "sliced, seed 7"}; !slices.Equal(got, want) {
		t.Errorf("painted %q, want %q", got, want)
	}
	if want := "nothing is random in gram: seeds make no difference, and 1 picture will do\n"; strings.Count(run.stderr, want) != 1 {
		t.Errorf("standard error doesn't say once %q:\n%s", want, run.stderr)
	}
	for _, part := range []string{"sliced (n = 3)", "gram (n = 1)", " ± "} {
		if strings.Count(run.stdout, part) < 2 {
			t.Errorf("the tables have no %q:\n%s", part, run.stdout)
		}
	}
	if scores := readScores(t, folder); len(scores.Variants) != 2 || scores.Variants[1].Loss.Count != 3 || !slices.Equal(scores.Seeds, []uint64{0, 1, 7}) {
		t.Errorf("%+v", scores)
	}
	// A picture under one seed is the same as without the others, and redo makes it again.
	again := runComparison(t, folder, "--losses=gram,sliced", "--noise=0", "--seeds=7,2", "--json").done(t)
	if got := painted(again); !slices.Equal(got, []string{"sliced, seed 2"}) {
		t.Errorf("with other seeds it painted %q", got)
	}
	lines := strings.Split(strings.TrimSpace(again.stdout), "\n")
	var variant variantEvent
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &variant); err != nil || variant.Event != "variant" || variant.Name != "sliced" || variant.Loss.Count != 2 {
		t.Errorf("the last event is %s (%v)", lines[len(lines)-1], err)
	}
	impasto(t, folder, "redo", "out/pictures/sliced_seed-7.png", "-o", "again.png").done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, "again.png")), readFile(t, filepath.Join(folder, "out", "pictures", "sliced_seed-7.png"))) {
		t.Error("redo makes another file")
	}
	// One loss under several seeds is a comparison too.
	if got := painted(runComparison(t, folder, "--loss=sliced", "--noise=0", "--seeds=7..8", "--quiet=false").done(t)); !slices.Equal(got, []string{"sliced, seed 8"}) {
		t.Errorf("of one loss it painted %q", got)
	}
}

// docs/presets.md says that a file counts more than a preset, and that its first scale fits
// itself to the size.
func TestAFilesFirstScaleCountsMoreThanThatOfAPresetThatVaries(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "run.toml", []byte("min-size = 100\n"))
	for args, want := range map[string][2]int{
		"":                                 {512, 128}, // johnson is of one scale, broad says nothing of it
		"--config=run.toml":                {100, 100},
		"--config=run.toml --size=64":      {64, 64},
		"--config=run.toml --min-size=200": {200, 200},
	} {
		o := newCompareOptions()
		cmd := newCompareCommand(&globalOptions{})
		cmd.ResetFlags()
		o.addFlags(flagsOf(cmd, "Comparison"))
		if err := cmd.ParseFlags(append(strings.Fields(args), "--vary=preset=johnson,broad", "-o", "out")); err != nil {
			t.Fatal(err)
		}
		if err := cmd.PreRunE(cmd, nil); err != nil {
			t.Fatal(err)
		}
		cells, err := o.cells(cmd.Flags().Changed)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]int{cells[0].Settings.Options.MinSize, cells[1].Settings.Options.MinSize}; got != want {
			t.Errorf("%q: first scales are %d, want %d", args, got, want)
		}
	}
}

func TestSeedsAreListsAndRanges(t *testing.T) {
	var seeds []uint64
	list := seedList{&seeds}
	for text, want := range map[string][]uint64{"3": {3}, "0..2": {0, 1, 2}, "0,3,7": {0, 3, 7}, "5, 1..2": {5, 1, 2}, "18446744073709551615": {math.MaxUint64}, "18446744073709551614..18446744073709551615": {math.MaxUint64 - 1, math.MaxUint64}} {
		if err := list.Set(text); err != nil || !slices.Equal(seeds, want) {
			t.Errorf("%q is %v (%v), want %v", text, seeds, err, want)
		}
	}
	for text, want := range map[string]string{"": "want whole numbers", "a": "want whole numbers", "-1": "want whole numbers", "2..1": "want whole numbers", "1..": "want whole numbers",
		"1,1": "seed 1 is named twice", "0..3,2": "seed 2 is named twice", "0..1000": "at most 1000", "0..999,2000": "at most 1000", "0..18446744073709551615": "at most 1000"} {
		if err := list.Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	list.Set("4,5")
	if list.String() != "4,5" {
		t.Errorf("it is written %q", list.String())
	}
}

func TestCompareComparesAllLossesUnlessTold(t *testing.T) {
	folder := workshop(t)
	run := runComparison(t, folder).done(t)
	if got := painted(run); !slices.Equal(got, losses.NamesOf(losses.Usable())) {
		t.Errorf("painted %v, want %v", got, losses.NamesOf(losses.Usable()))
	}
}

func TestCompareRefusesBeforeAnyWork(t *testing.T) {
	for _, test := range []struct {
		name      string
		args      []string
		status    int
		fragments []string
	}{
		{"a setting that isn't", []string{"--vary=tv-weigth=1,2"}, 2, []string{"tv-weigth", "did you mean tv-weight?"}},
		{"an output setting", []string{"--vary=output=a,b"}, 2, []string{"no such setting"}},
		{"a loss that isn't", []string{"--losses=gram,gausian"}, 2, []string{"did you mean gaussian?"}},
		{"a loss that isn't, in the grid", []string{"--vary=loss=gram,gausian"}, 2, []string{"did you mean gaussian?"}},
		{"a layer that isn't", []string{"--vary=layer-loss=relu11=gram"}, 2, []string{"did you mean relu1_1?"}},
		{"a value that is none", []string{"--vary=tv-weight=1,two"}, 2, []string{"tv-weight", "two", "number"}},
		{"a value twice", []string{"--vary=tv-weight=1,1"}, 2, []string{"stands twice"}},
		{"a setting twice", []string{"--vary=tv-weight=1", "--vary=tv-weight=2"}, 2, []string{"varied twice"}},
		{"the loss in two ways", []string{"--losses=gram", "--vary=loss=gram"}, 2, []string{"--losses and --vary loss="}},
		{"a setting that is given too", []string{"--tv-weight=3", "--vary=tv-weight=1,2"}, 2, []string{"given and varied"}},
		{"the seed in two ways", []string{"--seeds=0,1", "--vary=seed=0,1"}, 2, []string{"--seeds and --vary seed="}},
		{"seeds and a seed", []string{"--seeds=0,1", "--seed=3"}, 2, []string{"--seed and --seeds"}},
		{"no seeds", []string{"--seeds=x"}, 2, []string{"0..4"}},
		{"no values", []string{"--vary=tv-weight"}, 2, []string{"NAME=VALUE"}},
		{"a layer that isn't used", []string{"--vary=layer-loss=relu3_1=gram"}, 2, []string{"relu3_1 is no style layer"}},
		{"a start that isn't", []string{"--vary=start=content,nosie"}, 2, []string{"did you mean noise?"}},
		{"scores of too small pictures", []string{"--score-size=1"}, 1, []string{"--score-size 1"}},
		{"no other picture", []string{"--also=missing.png"}, 1, []string{"missing.png"}},
		{"half of another picture", []string{"--also=half.png"}, 1, []string{"half.png", "truncated"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			whole := readFile(t, filepath.Join(folder, "content.png"))
			if err := os.WriteFile(filepath.Join(folder, "half.png"), whole[:len(whole)/2], 0o666); err != nil {
				t.Fatal(err)
			}
			runComparison(t, folder, test.args...).refused(t, test.status, test.fragments...)
			if _, err := os.Stat(filepath.Join(folder, "out", "pictures", "gram.png")); err == nil {
				t.Error("there is a picture all the same")
			}
			if _, err := os.Stat(filepath.Join(folder, "out")); err == nil && test.status == 2 {
				t.Error("the folder was made all the same")
			}
		})
	}
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "a b.png"), 36, 36, 0.9)
	writePicture(t, filepath.Join(folder, "a-b.png"), 36, 36, 0.9)
	runComparison(t, folder, "--vary=start=a b.png,a-b.png").refused(t, 2, "same file name")
	impasto(t, folder, "compare", "content.png", "style.png", "-o", "out", "--size=64", "--vary=min-size=16,65").refused(t, 2, "min-size 65", "larger than --size 64")
	impasto(t, folder, "compare", "content.png", "style.png").refused(t, 2, "-o")
	impasto(t, folder, "compare", "content.png", "-o", "out").refused(t, 2, "at least one style")
}

func TestCompareReplacesNoInput(t *testing.T) {
	folder := workshop(t)
	if err := os.MkdirAll(filepath.Join(folder, "out", "pictures"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sheet.png", "pictures/gram.png"} {
		path := filepath.Join(folder, "out", filepath.FromSlash(name))
		writePicture(t, path, 36, 36, 0.9)
		before := string(readFile(t, path))
		impasto(t, folder, "compare", "content.png", "out/"+name, "--losses=gram", "-o", "out").refused(t, 2, "is the input")
		if string(readFile(t, path)) != before {
			t.Errorf("%s was replaced", name)
		}
	}
}

// A network that is finite at the start and at the style, and beyond all bounds
// where the picture is bright, makes a run with long steps explode.
func TestCompareKeepsTheLastGoodPictureOfARunThatExplodes(t *testing.T) {
	folder := workshop(t)
	writeWeights(t, filepath.Join(folder, "huge.safetensors"), map[string]float32{"conv1_1": 100, "conv1_2": 3e36})
	writePlain(t, filepath.Join(folder, "start.png"), 40, 30, 124) // red is just above the mean that the network takes off
	writePlain(t, filepath.Join(folder, "style.png"), 36, 36, 128)
	args := []string{"compare", "content.png", "style.png", "-o", "out", "--weights=huge.safetensors", "--start=start.png",
		"--style-layers=relu1_2", "--content-weight=0", "--loss=moments", "--size=32", "--min-size=32", "--first-iterations=4",
		"--optimizer=adam", "--average-decay=0", "--vary=step-size=1,1e-6", "--device=cpu", "--precision=f32"}
	for range 2 { // what failed is tried again
		run := impasto(t, folder, args...)
		if run.status != statusFailed {
			t.Fatalf("exit status %d, want %d; standard error:\n%s", run.status, statusFailed, run.stderr)
		}
		for _, part := range []string{"1 of 2 pictures failed", `the term "style relu1_2" is`, "the picture after 1 of 4 iterations is kept"} {
			if !strings.Contains(run.stderr, part) {
				t.Errorf("standard error has no %q:\n%s", part, run.stderr)
			}
		}
		if painted := painted(run); painted[0] != "step-size 1" {
			t.Errorf("painted %q", painted)
		}
		if !strings.Contains(run.stdout, "step-size 1 (failed)") {
			t.Errorf("the tables don't tell of the failure:\n%s", run.stdout)
		}
		pictures := readScores(t, folder).Pictures
		if failed := pictures[1]; !strings.Contains(failed.Error, "style relu1_2") || failed.Iterations != 1 || failed.Style == nil {
			t.Errorf("%+v", failed)
		}
		if made := pictures[2]; made.Error != "" || made.Iterations != 4 {
			t.Errorf("%+v", made)
		}
		readPicture(t, filepath.Join(folder, "out", "pictures", "step-size-1.png"))
		page := string(readFile(t, filepath.Join(folder, "out", "index.html")))
		if !strings.Contains(page, `alt="step-size 1"`) || !strings.Contains(page, "Failed: scale 1 of 1") {
			t.Error("the page doesn't show the picture and the failure")
		}
	}
}

func writePlain(t *testing.T, path string, width, height int, level uint8) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = level
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, data.Bytes())
}

func TestCompareSaysBeforehandWhatItTakes(t *testing.T) {
	folder := workshop(t)
	first := func(run outcome) string {
		line, _, _ := strings.Cut(run.stderr, "\n")
		return line
	}
	if line := first(runComparison(t, folder, "--losses=gram").done(t)); !strings.HasPrefix(line, "1 picture to paint: about ") || !strings.Contains(line, " MiB on cpu") {
		t.Errorf("the first line is %q", line)
	}
	if line := first(runComparison(t, folder, "--losses=gram,moments").done(t)); !strings.HasPrefix(line, "1 picture to paint (1 more there already): about ") {
		t.Errorf("where one is there, the first line is %q", line)
	}
	if run := runComparison(t, folder, "--losses=gram,moments").done(t); strings.Contains(run.stderr, "to paint") {
		t.Errorf("where all are there, standard error is %q", run.stderr)
	}
	run := runComparison(t, folder, "--losses=gram,moments,sliced", "--seconds=0.1", "--json", "--quiet").done(t)
	var event plannedEvent
	if err := json.NewDecoder(strings.NewReader(run.stdout)).Decode(&event); err != nil {
		t.Fatal(err)
	}
	if event.Event != "planned" || event.Pictures != 3 || event.Reused != 0 || event.Memory <= 0 || !strings.HasPrefix(event.Device, "cpu") || math.Abs(event.Seconds-0.3) > 1e-9 {
		t.Errorf("the first object is %+v, want three pictures of 0.1 s each", event)
	}
}
