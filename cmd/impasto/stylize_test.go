package main

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stylize runs a shallow stylisation of the workshop's pictures, whose files differ only where
// their pixels do.
func stylize(t *testing.T, folder string, args ...string) outcome {
	t.Helper()
	return impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "--no-metadata"}, shallow, args)...)
}

func TestStylizeWritesAPictureOfTheSizeAskedFor(t *testing.T) {
	folder := workshop(t)
	run := stylize(t, folder, "style.png", "-o", "out.png", "--first-iterations=3").done(t)
	if size := readPicture(t, filepath.Join(folder, "out.png")).Bounds().Size(); size.X != 32 || size.Y != 24 {
		t.Errorf("the picture is %v, want 32×24", size)
	}
	if run.stdout != "" {
		t.Errorf("standard output is %q, want nothing", run.stdout)
	}
	lines := strings.Split(strings.TrimSpace(run.stderr), "\n")
	if first := lines[0]; !strings.HasPrefix(first, "1 scale to 32×24: about ") {
		t.Errorf("the first line is %q, want what the run will take", first)
	}
	if second := lines[1]; !strings.HasPrefix(second, "scale 1/1, 32×24, iteration 1/3, loss ") {
		t.Errorf("the first line of progress is %q", second)
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "wrote out.png: 32×24, 3 iterations in ") || !strings.Contains(last, ", loss ") {
		t.Errorf("the last line is %q", last)
	}
	nothingLeft(t, folder)
}

func TestQuietIsSilent(t *testing.T) {
	folder := workshop(t)
	run := stylize(t, folder, "style.png", "-o", "out.png", "--first-iterations=2", "--quiet").done(t)
	if run.stdout != "" || run.stderr != "" {
		t.Errorf("standard output %q and error %q, want nothing", run.stdout, run.stderr)
	}
	readPicture(t, filepath.Join(folder, "out.png"))
}

func TestThreadsDontChangeThePicture(t *testing.T) {
	folder := workshop(t)
	var pictures [][]byte
	for _, threads := range []string{"1", "2", "3"} {
		stylize(t, folder, "style.png", "-o", "out.png", "--depth=16", "--first-iterations=3", "--seed=5", "--start=noise", "--threads="+threads).done(t)
		pictures = append(pictures, readFile(t, filepath.Join(folder, "out.png")))
	}
	if !bytes.Equal(pictures[0], pictures[1]) || !bytes.Equal(pictures[0], pictures[2]) {
		t.Error("1, 2 and 3 threads make different pictures of the same seed")
	}
	stylize(t, folder, "style.png", "-o", "out.png", "--depth=16", "--first-iterations=3", "--seed=6", "--start=noise").done(t)
	if bytes.Equal(pictures[0], readFile(t, filepath.Join(folder, "out.png"))) {
		t.Error("another seed makes the same picture from noise")
	}
}

// The keys are a promise that the help makes to scripts.
func TestJSONHasTheDocumentedKeys(t *testing.T) {
	folder := workshop(t)
	args := []string{"stylize", "content.png", "style.png", "-o", "out.png", "--json", "--save-every=2",
		"--style-layers=relu1_1", "--content-layers=relu2_1", "--size=24", "--min-size=17", "--first-iterations=2", "--iterations=1"}
	run := impasto(t, folder, args...).done(t)
	iterationKeys := []string{"done", "event", "gradient_norm", "height", "iteration", "iterations", "loss", "remaining_seconds", "scale", "scales", "seconds", "terms", "total", "width", "work"}
	writtenKeys := []string{"event", "final", "height", "interrupted", "iterations", "loss", "painted_height", "painted_width", "path", "seconds", "width"}
	var events []string
	for line := range strings.Lines(run.stdout) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		keys := make([]string, 0, len(object))
		for key := range object {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		want, event := iterationKeys, object["event"].(string)
		if event == "written" {
			want = writtenKeys
			event += " " + object["path"].(string)
		}
		if !slices.Equal(keys, want) {
			t.Errorf("%s has the keys %v, want %v", event, keys, want)
		}
		events = append(events, event)
	}
	want := []string{"iteration", "iteration", "written out-00002.png", "iteration", "written out.png"}
	if !slices.Equal(events, want) {
		t.Errorf("events are %q, want %q", events, want)
	}
	if size := readPicture(t, filepath.Join(folder, "out-00002.png")).Bounds().Size(); size.X != 17 {
		t.Errorf("the intermediate picture is %v, want the first scale's 17 pixels", size)
	}
	if !strings.Contains(run.stderr, "iteration 2/2") {
		t.Errorf("standard error has no progress: %q", run.stderr)
	}
	quiet := impasto(t, folder, append(args, "--quiet")...).done(t)
	if quiet.stderr != "" || strings.Count(quiet.stdout, "\n") != len(want) {
		t.Errorf("with --quiet, standard error is %q and output has %d lines, want none and %d", quiet.stderr, strings.Count(quiet.stdout, "\n"), len(want))
	}
}

func TestAdamsFlagsReachIt(t *testing.T) {
	folder := workshop(t)
	picture := func(args ...string) []byte {
		stylize(t, folder, append([]string{"style.png", "-o", "out.png", "--first-iterations=3", "--depth=16", "--optimizer=adam"}, args...)...).done(t)
		return readFile(t, filepath.Join(folder, "out.png"))
	}
	plain := picture()
	for _, flag := range []string{"--step-size=0.1", "--average-decay=0"} {
		if bytes.Equal(plain, picture(flag)) {
			t.Errorf("with %s, the picture is the same as without", flag)
		}
	}
}

func TestEveryFlagReachesTheStylization(t *testing.T) {
	folder := workshop(t)
	base := []string{"style.png", "-o", "out.png", "--first-iterations=2", "--depth=16", "--content-weight=5"}
	stylize(t, folder, base...).done(t)
	plain := readFile(t, filepath.Join(folder, "out.png"))
	writePicture(t, filepath.Join(folder, "other.png"), 36, 36, 0.4)
	for _, args := range [][]string{
		{"--loss=gram"}, {"--layer-loss=relu1_1=moments"}, {"--style-layers=relu1_2"}, {"--content-layers=relu1_2"},
		{"--content-weight=1"}, {"--content-loss=mse"}, {"--tv-weight=500"}, {"--pooling=avg"},
		{"--padding=zero"}, {"--size=24", "--min-size=24"}, {"--min-size=20", "--iterations=1"}, {"--style-size=20"}, {"--style-scale=0.5"},
		{"--first-iterations=3"}, {"--optimizer=adam"}, {"--quality=reference"}, {"--start=grey"},
		{"--start=other.png"}, {"--depth=8"}, {"other.png"}, {"other.png:3"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			// Later flags override the earlier ones of shallow.
			impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "--no-metadata"}, base, shallow, args)...).done(t)
			if bytes.Equal(plain, readFile(t, filepath.Join(folder, "out.png"))) {
				t.Error("the picture is the same as without")
			}
		})
	}
}

func TestPlainPoolingLeavesAveragesUnscaled(t *testing.T) {
	folder := workshop(t)
	var pictures [][]byte
	for _, pooling := range []string{"--plain-pooling=false", "--plain-pooling"} {
		stylize(t, folder, "style.png", "-o", "out.png", "--first-iterations=2", "--depth=16", "--content-weight=5", "--content-loss=mse", "--pooling=avg", pooling).done(t)
		pictures = append(pictures, readFile(t, filepath.Join(folder, "out.png")))
	}
	if bytes.Equal(pictures[0], pictures[1]) {
		t.Error("the picture is the same as without")
	}
}

func TestQualityIsTheJPEGs(t *testing.T) {
	folder := workshop(t)
	size := map[string]int{}
	for _, quality := range []string{"10", "100"} {
		stylize(t, folder, "style.png", "-o", "out.jpg", "--first-iterations=1", "--jpeg-quality="+quality).done(t)
		data := readFile(t, filepath.Join(folder, "out.jpg"))
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		size[quality] = len(data)
	}
	if size["10"] >= size["100"] {
		t.Errorf("quality 10 takes %d bytes and 100 takes %d", size["10"], size["100"])
	}
}

func TestIntermediatePicturesLieBesideTheOutput(t *testing.T) {
	for _, test := range [][2]string{
		{"out.png", "out-00100.png"},
		{filepath.Join("a.b", "out.tar.jpg"), filepath.Join("a.b", "out.tar-00100.jpg")},
	} {
		if got := snapshotPath(test[0], 100); got != test[1] {
			t.Errorf("after 100 iterations %s goes to %s, want %s", test[0], got, test[1])
		}
	}
	if got := snapshotPath("out.png", 1_234_567); got != "out-1234567.png" {
		t.Errorf("after 1,234,567 iterations out.png goes to %s", got)
	}
}
