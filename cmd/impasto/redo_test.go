package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/made"
	"impasto/internal/metadata"
	"impasto/internal/picture"
)

// paintedFile is a workshop with a picture that says how it was made, painted in a second or
// less, with some flags.
func paintedFile(t *testing.T, output string, args ...string) (folder string) {
	t.Helper()
	folder = workshop(t)
	impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png:2", "content.png:0.5", "-o", output, "--first-iterations=3"}, shallow, args)...).done(t)
	return folder
}

// documentOf is what a picture in a folder says of how it was made.
func documentOf(t *testing.T, path string) *metadata.Document {
	t.Helper()
	source, err := picture.OpenSource(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	document, err := made.Read(source.Embedded())
	if err != nil || document == nil {
		t.Fatalf("%s: %+v, %v", path, document, err)
	}
	return document
}

func TestRedoMakesTheSameFile(t *testing.T) {
	for output, args := range map[string][]string{
		"out.png":  {"--seed=7", "--start=noise", "--loss=sliced", "--layer-loss=relu1_1=gram", "--dither", "--dpi=300"},
		"out.webp": {"--dither", "--keep-exif", "--dpi=200"},
		"p.webp":   {"--webp-quality=80"},
		"e.png":    {"--start=result:content.png", "--size=64", "--iterations=2", "--keep-colors=0.5"},
		"a.png":    {"--strength=20", "--loss=gram"},
		"out.tif":  {"--depth=16", "--optimizer=adam", "--step-size=0.05"},
		"out.JPEG": {"--jpeg-quality=80", "--start=style.png", "--quality=draft", "--min-size=20", "--iterations=2"},
	} {
		t.Run(output, func(t *testing.T) {
			folder := paintedFile(t, output, args...)
			run := impasto(t, folder, "redo", output).done(t)
			redone := strings.TrimSuffix(output, filepath.Ext(output)) + "-redone" + filepath.Ext(output)
			if want := redone + " is the same file as " + output + ", byte for byte\n"; !strings.HasSuffix(run.stderr, want) {
				t.Errorf("standard error is %q, want it to end in %q", run.stderr, want)
			}
			if !bytes.Equal(readFile(t, filepath.Join(folder, output)), readFile(t, filepath.Join(folder, redone))) {
				t.Error("the files are different")
			}
		})
	}
}

func TestRedoFindsInputsByTheirContents(t *testing.T) {
	folder := paintedFile(t, "out.png")
	want := readFile(t, filepath.Join(folder, "out.png"))
	elsewhere := t.TempDir()
	if err := os.MkdirAll(filepath.Join(elsewhere, "in", "deep"), 0o777); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"out.png": "out.png", "content.png": "in/a.png", "style.png": "in/deep/b.png"} {
		if err := os.Rename(filepath.Join(folder, from), filepath.Join(elsewhere, to)); err != nil {
			t.Fatal(err)
		}
	}
	impasto(t, elsewhere, "redo", "out.png").refused(t, statusFailed, "there is no content content.png (", "there is no style style.png (", "--inputs")
	writePicture(t, filepath.Join(elsewhere, "style.png"), 20, 20, 0.3)
	impasto(t, elsewhere, "redo", "out.png", "--content=in/a.png").refused(t, statusFailed, "style.png isn't the style style.png (")
	for _, args := range [][]string{
		{"--inputs=in"}, {"--inputs=" + t.TempDir(), "--inputs=in"}, {"--content=in/a.png", "--style=in/deep/b.png", "--style=in/a.png"},
	} {
		impasto(t, elsewhere, slices.Concat([]string{"redo", "out.png", "-o", "again.png"}, args)...).done(t)
		if !bytes.Equal(want, readFile(t, filepath.Join(elsewhere, "again.png"))) {
			t.Errorf("%q: the files are different", args)
		}
	}
	// Inputs are found beside the picture, too.
	impasto(t, t.TempDir(), "redo", filepath.Join(elsewhere, "out.png"), "--inputs", elsewhere, "-o", filepath.Join(elsewhere, "third.png")).done(t)
	if !bytes.Equal(want, readFile(t, filepath.Join(elsewhere, "third.png"))) {
		t.Error("the files are different")
	}
}

func TestRedoSaysWhyThePictureIsAnother(t *testing.T) {
	folder := paintedFile(t, "out.png", "--seed=3", "--start=noise")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--size=24"}, "--min-size: 32 then, 24 now; --size: 32 then, 24 now"},
		{[]string{"--seed=4"}, "--seed: 3 then, 4 now"},
		{[]string{"--depth=16"}, "--depth: 8 then, 16 now"},
		{[]string{"--no-metadata"}, "--no-metadata leaves out how it was made"},
		{[]string{"--start=style.png"}, "start: none then, "},
		{[]string{"--start=result:content.png", "--size=64"}, "start: none then, "},
		{[]string{"--quality=draft", "--first-iterations=2"}, "--first-iterations: 3 then, 2 now; --iterations: 30 then, 12 now"},
	} {
		run := impasto(t, folder, slices.Concat([]string{"redo", "out.png", "-o", "again.png", "--json"}, test.args)...).done(t)
		if !strings.HasPrefix(run.stderr, "the picture won't be the same as out.png: "+test.want) {
			t.Errorf("%q: standard error is %q", test.args, run.stderr)
		}
		lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
		var event redoneEvent
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &event); err != nil {
			t.Fatal(err)
		}
		if event.Event != "redone" || event.Path != "again.png" || event.Identical || !strings.HasPrefix(strings.Join(event.Differences, "; "), test.want) {
			t.Errorf("%q: the last event is %+v", test.args, event)
		}
	}
	if size := readPicture(t, filepath.Join(folder, "again.png")).Bounds().Size(); size.X != 32 {
		t.Errorf("the picture is %v", size)
	}
	impasto(t, folder, "redo", "out.png", "-o", "out.png").refused(t, statusUsage, "output out.png is the input out.png")
	impasto(t, folder, "redo", "out.png", "--resume=x").refused(t, statusUsage, "unknown flag --resume")
	impasto(t, folder, "redo", "content.png").refused(t, statusFailed, "doesn't say how it was made")
}

func TestRedoTakesPresetsAndFiles(t *testing.T) {
	folder := paintedFile(t, "out.png", "--style-size=30", "--layer-loss=relu1_1=gram", "--optimizer=adam", "--step-size=0.05", "--tv-weight=3", "--min-size=24")
	writeFile(t, filepath.Join(folder, "run.toml"), []byte("tv-weight = 7\nmin-size = 20\ndepth = 16\n"))
	for _, test := range []struct {
		args []string
		want map[string]string // of what redo makes
	}{
		{nil, map[string]string{"style-size": "30", "layer-loss": "relu1_1=gram", "optimizer": "adam", "step-size": "0.05", "tv-weight": "3", "min-size": "24"}},
		{[]string{"--config=run.toml"}, map[string]string{"style-size": "30", "tv-weight": "7", "min-size": "20", "first-iterations": "3"}},
		{[]string{"--config=run.toml", "--tv-weight=1", "--min-size=28"}, map[string]string{"tv-weight": "1", "min-size": "28"}},
		// What decides others takes the picture's away.
		{[]string{"--style-scale=2"}, map[string]string{"style-size": "0", "style-scale": "2"}},
		{[]string{"--style-layers=relu2_1"}, map[string]string{"layer-loss": "", "style-layers": "relu2_1=1"}},
		{[]string{"--optimizer=adam"}, map[string]string{"step-size": "0.02", "first-iterations": "3"}},
		// broad has a scale for the styles and layers, fine a loss as well, and gatys is of one scale.
		{[]string{"--preset=broad", "--style-layers=relu1_1"}, map[string]string{"style-size": "0", "style-scale": "2", "tv-weight": "15", "layer-loss": "", "min-size": "24"}},
		{[]string{"--preset=broad", "--style-layers=relu1_1", "--config=run.toml"}, map[string]string{"style-scale": "2", "tv-weight": "7", "min-size": "20"}},
		{[]string{"--preset=gatys", "--style-layers=relu1_1", "--content-layers=relu2_1", "--iterations=2", "--first-iterations=2"}, map[string]string{"min-size": "32", "loss": "gram", "start": "noise", "pooling": "avg", "optimizer": "adam"}},
	} {
		impasto(t, folder, slices.Concat([]string{"redo", "out.png", "-o", "again.png", "--save-config=saved.toml"}, test.args)...).done(t)
		got := documentOf(t, filepath.Join(folder, "again.png"))
		for name, want := range test.want {
			if got.Settings[name] != want {
				t.Errorf("%q: %s is %q, want %q", test.args, name, got.Settings[name], want)
			}
		}
		// The file that was saved makes the same picture, by itself.
		impasto(t, folder, "stylize", "content.png", "style.png:2", "content.png:0.5", "-o", "saved.png", "--config=saved.toml").done(t)
		if !bytes.Equal(readFile(t, filepath.Join(folder, "again.png")), readFile(t, filepath.Join(folder, "saved.png"))) {
			t.Errorf("%q: what was saved makes another picture:\n%s", test.args, readFile(t, filepath.Join(folder, "saved.toml")))
		}
	}
	impasto(t, folder, "redo", "out.png", "--style-size=20", "--style-scale=2").refused(t, statusUsage, "both size the styles")
	impasto(t, folder, "redo", "out.png", "--preset=gatis").refused(t, statusUsage, "did you mean gatys?")
	os.Remove(filepath.Join(folder, "saved.toml"))
	impasto(t, folder, "redo", "out.png", "-o", "none.png", "--dry-run", "--save-config=saved.toml").done(t)
	if _, err := os.Stat(filepath.Join(folder, "none.png")); err == nil || len(readFile(t, filepath.Join(folder, "saved.toml"))) == 0 {
		t.Error("a dry run painted, or saved nothing")
	}
}

func TestRedoTakesAContentWeightInThePlaceOfAStrength(t *testing.T) {
	folder := paintedFile(t, "out.png", "--strength=30")
	writeFile(t, filepath.Join(folder, "run.toml"), []byte("strength = 70\n"))
	was := documentOf(t, filepath.Join(folder, "out.png")).Settings
	for _, test := range []struct {
		args             []string
		strength, weight string // an empty weight is another one than the picture's
	}{
		{nil, "30", was["content-weight"]},
		{[]string{"--content-weight=0.2"}, "", "0.2"},
		{[]string{"--preset=soft", "--style-layers=relu1_1"}, "", "0.04"},
		{[]string{"--config=run.toml"}, "70", ""},
		{[]string{"--config=run.toml", "--preset=soft", "--style-layers=relu1_1"}, "70", ""},
	} {
		impasto(t, folder, slices.Concat([]string{"redo", "out.png", "-o", "again.png", "--save-config=saved.toml"}, test.args)...).done(t)
		got := documentOf(t, filepath.Join(folder, "again.png")).Settings
		if got["strength"] != test.strength || test.weight != "" && got["content-weight"] != test.weight || test.weight == "" && got["content-weight"] == was["content-weight"] {
			t.Errorf("%q: strength %q and content weight %s, want %q and %s", test.args, got["strength"], got["content-weight"], test.strength, test.weight)
		}
		impasto(t, folder, "stylize", "content.png", "style.png:2", "content.png:0.5", "-o", "saved.png", "--config=saved.toml").done(t)
		if !bytes.Equal(readFile(t, filepath.Join(folder, "again.png")), readFile(t, filepath.Join(folder, "saved.png"))) {
			t.Errorf("%q: what was saved makes another picture:\n%s", test.args, readFile(t, filepath.Join(folder, "saved.toml")))
		}
	}
}

// forged writes a picture whose document is another, and returns its path.
func forged(t *testing.T, folder string, change func(text string) string) string {
	t.Helper()
	text, err := documentOf(t, filepath.Join(folder, "out.png")).Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "forged.png")
	made := picture.Made{Document: change(string(text))}
	if made.Document == string(text) {
		t.Fatalf("%s is unchanged", text)
	}
	if err := picture.Save(path, readPicture(t, filepath.Join(folder, "out.png")), picture.SaveOptions{Made: made}); err != nil {
		t.Fatal(err)
	}
	return "forged.png"
}

func TestForgedDocumentsDoNoHarm(t *testing.T) {
	folder := paintedFile(t, "out.png")
	for _, test := range []struct {
		old, new string
		want     string
	}{
		{`"size":"32"`, `"size":"99999999"`, `size "99999999": want a whole number from 1 to `},
		{`"size":"32"`, `"size":"32","output":"/etc/passwd"`, `setting "output": this version of impasto knows none of that name`},
		{`"size":"32"`, `"size":"32","device":"cuda:7"`, `setting "device": `},
		{`"size":"32"`, `"size":"32","weights":"/dev/zero"`, `setting "weights": `},
		{`"start":"content"`, `"start":"/etc/passwd"`, `setting start "/etc/passwd": want one of the names`},
		{`"start":"content"`, `"start":"image"`, `setting start "image": want one of the names`},
		{`"start":"content"`, `"start":"result"`, `setting start "result": want one of the names`},
		{`"loss":"gaussian"`, `"loss":"\u001b]0;x\u0007"`, `loss "\x1b]0;x\a": `},
		{`"impasto":1`, `"impasto":9`, `schema 9; this version of impasto reads 1`},
		{`"impasto":1`, `"impasto":1,"execute":"rm -rf"`, `unknown field "execute"`},
		{`"name":"content.png"`, `"name":"../../secret.png"`, `want the name of a file, without folders`},
		{`"weight":2`, `"weight":1e300`, `the weight 1e+300 of a style`},
	} {
		path := forged(t, folder, func(text string) string { return strings.Replace(text, test.old, test.new, 1) })
		impasto(t, folder, "redo", path).refused(t, statusFailed, test.want)
		info := impasto(t, folder, "info", path)
		if info.status != statusFailed || !strings.Contains(info.stderr, test.want) || strings.ContainsRune(info.stdout+info.stderr, '\x1b') {
			t.Errorf("info of %s: status %d, %q, %q", test.new, info.status, info.stdout, info.stderr)
		}
	}
	// A document that is sound, in a picture that isn't what it says.
	path := forged(t, folder, func(text string) string { return strings.Replace(text, `"seed":"0"`, `"seed":"5"`, 1) })
	run := impasto(t, folder, "redo", path)
	if run.status != statusFailed || !strings.Contains(run.stderr, "and nothing says why; forged.png was changed after it was painted") {
		t.Errorf("status %d: %q", run.status, run.stderr)
	}
}

func TestRedoOfAComparedPictureIsTheSame(t *testing.T) {
	folder := workshop(t)
	runComparison(t, folder, "--losses=gram,moments", "--seed=2").done(t)
	path := filepath.Join("out", "pictures", "gram.png")
	impasto(t, folder, "redo", path, "-o", "again.png").done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, path)), readFile(t, filepath.Join(folder, "again.png"))) {
		t.Error("the files are different")
	}
	runComparison(t, folder, "--losses=gram", "--seconds=0.2", "--no-metadata").done(t)
	if run := impasto(t, folder, "info", path).done(t); !strings.Contains(run.stdout, "doesn't say how it was made") {
		t.Errorf("%s", run.stdout)
	}
	runComparison(t, folder, "--losses=gram", "--seconds=0.2", "--seed=3").done(t)
	run := impasto(t, folder, "redo", path, "-o", "again.png").done(t)
	if want := "the run was given 0.2 seconds, and not a number of iterations"; strings.Count(run.stderr, want) != 2 {
		t.Errorf("%q doesn't say twice that %s", run.stderr, want)
	}
}

func TestRunsGoOnFromASmallerResult(t *testing.T) {
	folder := paintedFile(t, "small.png")
	args := slices.Concat([]string{"stylize", "content.png", "style.png"}, shallow, []string{"--start=result:small.png", "--size=64", "--iterations=2"})
	run := impasto(t, folder, append(args, "-o", "large.png", "--json")...).done(t)
	if first, _, _ := strings.Cut(run.stdout, "\n"); !strings.Contains(first, `"scale":1,"scales":2,"width":45,`) || !strings.Contains(first, `"iterations":2,"done":1,"total":4,`) {
		t.Errorf("the first iteration is %s", first)
	}
	document := documentOf(t, filepath.Join(folder, "large.png"))
	if document.Start.FileName() != "small.png" || document.Settings["start"] != "result" {
		t.Errorf("the start is %+v, and the setting %q", document.Start, document.Settings["start"])
	}
	info := impasto(t, folder, "info", "large.png").done(t).stdout
	for _, want := range []string{"small.png, SHA-256 " + document.Start.SHA256 + ", a smaller result\n", " --start result:small.png "} {
		if !strings.Contains(info, want) {
			t.Errorf("info doesn't say %q:\n%s", want, info)
		}
	}
	impasto(t, folder, append(args, "-o", "x.png", "--size=32")...).refused(t, statusFailed, "the result to go on from is 32×24 pixels and the output's size is 32; want a larger size")
	impasto(t, folder, append(args, "-o", "x.png", "--start=result:none.png")...).refused(t, statusUsage, `there is no file "none.png" to go on from`)
}
