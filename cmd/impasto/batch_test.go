package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// contents adds to a workshop the folder photos with a.png, b.png and c.png.
func contents(t *testing.T) string {
	t.Helper()
	folder := workshop(t)
	if err := os.Mkdir(filepath.Join(folder, "photos"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a.png", "b.png", "c.png"} {
		writePicture(t, filepath.Join(folder, "photos", name), 40, 30, 0.1+0.05*float64(i))
	}
	return folder
}

// runTinyBatch runs a batch of tiny pictures into the folder out.
func runTinyBatch(t *testing.T, folder string, args ...string) outcome {
	t.Helper()
	return impasto(t, folder, slices.Concat([]string{"batch", "--out-dir=out", "--first-iterations=2"}, shallow, args)...)
}

// filesIn are the files in a folder and those below it, but for records.
func filesIn(t *testing.T, folder string) string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == "records" {
				return fs.SkipDir
			}
			return err
		}
		relative, err := filepath.Rel(folder, path)
		files = append(files, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(files, " ")
}

func TestBatchPaintsWhatPatternsFoldersAndListsNameAsStylizeDoes(t *testing.T) {
	folder := contents(t)
	writeFile(t, filepath.Join(folder, "list.txt"), []byte("# more\ncontent.png\nphotos/a.png\tphotos/b.png\n"))
	run := runTinyBatch(t, folder, "photos/*.png", "--style=style.png", "--list=list.txt", "--name={style}/{content}.png").done(t)
	if want := "b/a.png index.html style/a.png style/b.png style/c.png style/content.png"; filesIn(t, filepath.Join(folder, "out")) != want {
		t.Errorf("the folder has %s, want %s", filesIn(t, filepath.Join(folder, "out")), want)
	}
	for _, part := range []string{"5 pictures to paint: about ", "painting a in style (1 of 5)", "wrote out/style/a.png: 32×24, 2 iterations in "} {
		if !strings.Contains(filepath.ToSlash(run.stderr), part) {
			t.Errorf("standard error has no %q:\n%s", part, run.stderr)
		}
	}
	for _, part := range []string{"content in style  32×24           2", "  made\n", "5 of 5 pictures there: 5 made now\n"} {
		if !strings.Contains(run.stdout, part) {
			t.Errorf("standard output has no %q:\n%s", part, run.stdout)
		}
	}
	impasto(t, folder, append([]string{"stylize", "photos/c.png", "style.png", "-o", "alone.png", "--first-iterations=2"}, shallow...)...).done(t)
	if string(readFile(t, filepath.Join(folder, "alone.png"))) != string(readFile(t, filepath.Join(folder, "out", "style", "c.png"))) {
		t.Error("the picture isn't what stylize makes of the same")
	}
	nothingLeft(t, filepath.Join(folder, "out"))
	run = runTinyBatch(t, folder, "photos/*.png", "--style=style.png", "--list=list.txt", "--name={style}/{content}.png").done(t)
	if strings.Contains(run.stderr, "painting") || !strings.Contains(run.stdout, "5 of 5 pictures there: 0 made now, 5 before") {
		t.Errorf("the second time it says\n%s%s", run.stderr, run.stdout)
	}
}

func TestBatchReadsAListFromStandardInput(t *testing.T) {
	folder := contents(t)
	cmd := program(t, folder, append([]string{"batch", "--list=-", "--style=style.png", "--out-dir=out", "--first-iterations=1", "--quiet"}, shallow...)...)
	cmd.Stdin = strings.NewReader("photos/a.png\x00photos/b.png\x00")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v, it says %q", err, out)
	}
	if want := "a-style.png b-style.png index.html"; filesIn(t, filepath.Join(folder, "out")) != want {
		t.Errorf("the folder has %s, want %s", filesIn(t, filepath.Join(folder, "out")), want)
	}
}

func TestBatchGoesOnAfterAFailure(t *testing.T) {
	folder := contents(t)
	writeFile(t, filepath.Join(folder, "photos", "b.png"), []byte("no picture"))
	writeFile(t, filepath.Join(folder, "photos", "notes.txt"), []byte("no picture"))
	half := readFile(t, filepath.Join(folder, "content.png"))
	writeFile(t, filepath.Join(folder, "photos", "half.png"), half[:len(half)/2])
	run := runTinyBatch(t, folder, "photos/*", "--style=style.png")
	if run.status != statusFailed {
		t.Errorf("exit status %d, want %d", run.status, statusFailed)
	}
	for _, part := range []string{"b in style (2 of 5) failed: picture: open photos/b.png", "notes in style (5 of 5) failed", "half in style (4 of 5) failed",
		"impasto: batch: 3 of 5 pictures failed: photos/b.png in style.png ("} {
		if !strings.Contains(filepath.ToSlash(run.stderr), part) {
			t.Errorf("standard error has no %q:\n%s", part, run.stderr)
		}
	}
	if !strings.Contains(run.stdout, "2 of 5 pictures there: 2 made now, 3 failed") || strings.Count(run.stdout, "  failed\n") != 3 {
		t.Errorf("the table is\n%s", run.stdout)
	}
	if want := "a-style.png c-style.png index.html"; filesIn(t, filepath.Join(folder, "out")) != want {
		t.Errorf("the folder has %s, want %s", filesIn(t, filepath.Join(folder, "out")), want)
	}
	writePicture(t, filepath.Join(folder, "photos", "b.png"), 40, 30, 0.3)
	run = runTinyBatch(t, folder, "photos/*.png", "--style=style.png")
	if strings.Count(run.stderr, "painting ") != 2 || !strings.Contains(run.stderr, "painting b in style") || run.status != statusFailed {
		t.Errorf("with one mended it says\n%s", run.stderr)
	}
}

func TestBatchRefusesBeforeAnyWork(t *testing.T) {
	for _, test := range []struct {
		name      string
		args      []string
		status    int
		fragments []string
	}{
		{"nothing", nil, 2, []string{"want at least one content"}},
		{"no style", []string{"content.png"}, 2, []string{"no style", "--style"}},
		{"a pattern without a match", []string{"photos/*.gif", "--style=style.png"}, 2, []string{"no file matches photos/*.gif"}},
		{"a folder without pictures", []string{"empty", "--style=style.png"}, 2, []string{"the folder empty has no pictures"}},
		{"a file that isn't there", []string{"gone.png", "--style=style.png"}, 1, []string{"gone.png"}},
		{"a style that isn't there", []string{"content.png", "--style=gone.png"}, 1, []string{"gone.png"}},
		{"an unknown key", []string{"photos", "--style=style.png", "--name={contant}.png"}, 2, []string{"did you mean content?"}},
		{"one name for two", []string{"photos", "--style=style.png", "--name={style}.png"}, 2, []string{"photos/a.png in style.png and photos/b.png in style.png would both be style.png"}},
		{"a format that isn't written", []string{"photos", "--style=style.png", "--name={content}.bmp"}, 2, []string{"--name", ".png"}},
		{"16 bits in a JPEG", []string{"photos", "--style=style.png", "--name={content}.jpg", "--depth=16"}, 2, []string{"--depth 16"}},
		{"an odd depth", []string{"photos", "--style=style.png", "--depth=12"}, 2, []string{"--depth"}},
		{"pairs that don't fit", []string{"photos", "--style=style.png", "--pair"}, 2, []string{"3 contents and 1 style"}},
		{"an input replaced", []string{"photos", "--style=style.png", "--out-dir=photos", "--name={content}.png"}, 2, []string{"is the input", "--out-dir"}},
		{"a setting that is wrong", []string{"photos", "--style=style.png", "--size=64", "--min-size=65"}, 2, []string{"--min-size 65"}},
		{"a start that isn't", []string{"photos", "--style=style.png", "--start=nosie"}, 2, []string{"did you mean noise?"}},
		{"a list that isn't there", []string{"--list=gone.txt", "--style=style.png"}, 1, []string{"read the list", "gone.txt"}},
		{"a list that is a folder", []string{"--list=photos", "--style=style.png"}, 2, []string{"--list photos is a folder"}},
		{"an empty list", []string{"--list=empty/readme.txt", "--style=style.png"}, 2, []string{"has no pictures in it"}},
		{"a line without a style", []string{"--list=broken.txt", "--style=style.png"}, 2, []string{"line 2 of the list"}},
		{"standard input as a picture", []string{"-", "--style=style.png"}, 2, []string{"a file of that name is ./-"}},
		{"an unwritable place", []string{"photos", "--style=style.png", "--out-dir=content.png/out"}, 1, []string{"content.png"}},
		{"another program's flag", []string{"--content-dir=photos"}, 2, []string{"impasto batch takes folders"}},
		{"two flags at once", []string{"photos", "--styles=style.png"}, 2, []string{"did you mean --style?"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := contents(t)
			if err := os.Mkdir(filepath.Join(folder, "empty"), 0o777); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(folder, "empty", "readme.txt"), nil)
			writeFile(t, filepath.Join(folder, "broken.txt"), []byte("content.png\ncontent.png\t\n"))
			run := runTinyBatch(t, folder, test.args...)
			run.stderr = filepath.ToSlash(run.stderr)
			run.refused(t, test.status, test.fragments...)
			if _, err := os.Stat(filepath.Join(folder, "out")); err == nil {
				t.Error("the folder was made all the same")
			}
		})
	}
	impasto(t, contents(t), "batch", "photos", "--style=style.png").refused(t, 2, "--out-dir")
}

func TestBatchDoesntTakeItsResultsForInputs(t *testing.T) {
	folder := contents(t)
	args := []string{"photos", "--style=style.png", "--out-dir=photos"}
	runTinyBatch(t, folder, args...).done(t)
	run := runTinyBatch(t, folder, args...).done(t)
	if !strings.Contains(filepath.ToSlash(run.stderr), "left out photos/a-style.png and 2 more, which an earlier batch made there") || strings.Contains(run.stderr, "painting") {
		t.Errorf("the second time it says\n%s", run.stderr)
	}
	if want := "a-style.png a.png b-style.png b.png c-style.png c.png index.html"; filesIn(t, filepath.Join(folder, "photos")) != want {
		t.Errorf("the folder has %s, want %s", filesIn(t, filepath.Join(folder, "photos")), want)
	}
}

func TestBatchTellsScriptsWhatItDoes(t *testing.T) {
	folder := contents(t)
	writeFile(t, filepath.Join(folder, "photos", "c.png"), []byte("no picture"))
	runTinyBatch(t, folder, "photos/a.png", "--style=style.png").done(t)
	run := runTinyBatch(t, folder, "photos", "--style=style.png", "--json", "--quiet")
	if line, rest, _ := strings.Cut(run.stderr, "\n"); run.status != statusFailed || rest != "" || !strings.HasPrefix(line, "impasto: batch: 1 of 3") {
		t.Errorf("exit status %d, standard error %q", run.status, run.stderr)
	}
	var events []string
	var last map[string]any
	for line := range strings.Lines(run.stdout) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		event := object["event"].(string)
		switch event {
		case "picture":
			event += ":" + object["state"].(string)
			if object["number"] == 2. && (object["width"] != 32. || object["iterations"] != 2. || filepath.ToSlash(object["path"].(string)) != "out/b-style.png") {
				t.Errorf("%s", line)
			}
		case "planned":
			if object["pictures"] != 1. || object["reused"] != 1. || object["failed"] != 1. || object["seconds"].(float64) <= 0 || object["memory"].(float64) <= 0 {
				t.Errorf("%s", line)
			}
		case "iteration":
			if share := object["batch_work"].(float64); object["number"] != 2. || share <= 0 || share > 1 || object["terms"] == nil || object["batch_remaining_seconds"] == nil {
				t.Errorf("%s", line)
			}
		}
		events, last = append(events, event), object
	}
	want := "picture:reused picture:failed planned painting iteration iteration picture:made written summary"
	if got := strings.Join(events, " "); got != want {
		t.Errorf("events are %s, want %s", got, want)
	}
	if got := fmt.Sprint(last["pictures"], last["made"], last["reused"], last["failed"], last["left"]); got != "3 1 1 1 0" {
		t.Errorf("the summary is %v", last)
	}
}

func TestBatchDryRunDoesNothing(t *testing.T) {
	folder := contents(t)
	run := runTinyBatch(t, folder, "photos", "--style=style.png", "--dry-run").done(t)
	for _, part := range []string{"a in style  32×24", "waiting", "a-style.png", "3 pictures to paint: about ", " on cpu"} {
		if !strings.Contains(run.stdout, part) {
			t.Errorf("it has no %q:\n%s", part, run.stdout)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "out")); err == nil {
		t.Error("the folder was made")
	}
	runTinyBatch(t, folder, "photos/a.png", "--style=style.png", "--quiet").done(t)
	before := filesIn(t, folder)
	run = runTinyBatch(t, folder, "photos", "--style=style.png", "--dry-run", "--json").done(t)
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	var states []string
	for _, line := range lines {
		var object struct {
			Event, State string
			Width        int
			Seconds      float64
		}
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		states = append(states, object.Event+object.State)
		if object.State == "waiting" && (object.Width != 32 || object.Seconds <= 0) {
			t.Errorf("%s", line)
		}
	}
	if got := strings.Join(states, " "); got != "jobreused jobwaiting jobwaiting planned" {
		t.Errorf("it says %s", got)
	}
	if after := filesIn(t, folder); after != before {
		t.Errorf("there are now %s, and were %s", after, before)
	}
	writeFile(t, filepath.Join(folder, "photos", "b.png"), []byte("no picture"))
	if run = runTinyBatch(t, folder, "photos", "--style=style.png", "--dry-run"); run.status != statusFailed || !strings.Contains(run.stderr, "1 of 3 pictures failed") {
		t.Errorf("of what can't be read it says %s", run.stderr)
	}
	runTinyBatch(t, folder, "photos", "--style=style.png", "--dry-run", "--out-dir=content.png/x/y").refused(t, statusFailed, "content.png")
}

func TestBatchTakesAnyName(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file has such names there")
	}
	folder := contents(t)
	names := []string{forging + ".png", "a b'\"<b>.png", "-x.png", "{content}.png", "[a].png", "*.png"}
	if runtime.GOOS == "linux" {
		names = append(names, "caf\xe9.png")
	}
	odd := filepath.Join(folder, "odd")
	if err := os.Mkdir(odd, 0o777); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		writePicture(t, filepath.Join(odd, name), 20+i, 20, 0.2)
	}
	run := runTinyBatch(t, folder, "odd", "odd/*.png", "--style=style.png").done(t)
	if !utf8.ValidString(run.stdout+run.stderr) || strings.ContainsAny(run.stdout+run.stderr, "\x1b\u202e") || strings.Contains(run.stdout+run.stderr, "\nimpasto: all") {
		t.Errorf("it says %q", run.stdout+run.stderr)
	}
	if n := strings.Count(run.stderr, "wrote "); n != len(names)+1 {
		t.Errorf("%d files are written, want %d and the page:\n%s", n, len(names), run.stderr)
	}
	for _, name := range names {
		name = strings.NewReplacer("\x1b", "-", "\n", "-").Replace(strings.TrimSuffix(name, ".png")) + "-style.png"
		readPicture(t, filepath.Join(folder, "out", name))
	}
	if runtime.GOOS != "linux" {
		return
	}
	out := runTinyBatch(t, folder, "odd/caf*", "--style=style.png", "--json", "--quiet").done(t).stdout
	var event struct {
		Content      string
		ContentBytes []byte `json:"content_bytes"`
	}
	line, _, _ := strings.Cut(out, "\n")
	if err := json.Unmarshal([]byte(line), &event); err != nil || string(event.ContentBytes) != "odd/caf\xe9.png" {
		t.Errorf("%v, the first event is %s", err, line)
	}
}
