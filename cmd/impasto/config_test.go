package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// settingsAfter are the values of stylize's flags after a command line has been read
// with what it names, and which of them count as given.
func settingsAfter(t *testing.T, args ...string) (values map[string]string, given []string, err error) {
	t.Helper()
	o := newStylizeOptions()
	cmd := newStylizeCommand(&globalOptions{})
	cmd.ResetFlags()
	o.addFlags(flagsOf(cmd, "Output"))
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	if err := cmd.PreRunE(cmd, nil); err != nil {
		return nil, nil, err
	}
	values = map[string]string{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(perRun, f.Name) {
			return
		}
		values[f.Name] = f.Value.String()
		if f.Changed {
			given = append(given, f.Name)
		}
	})
	return values, given, o.sources.save(nil)
}

func TestFlagsCountMoreThanTheFileAndThatMoreThanThePreset(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	writeFile(t, "run.toml", []byte("preset = \"strotss\"\nsize = 300\ntv-weight = 3\nquality = \"draft\"\ndepth = 16\n"))
	for _, test := range []struct {
		args []string
		want map[string]string
	}{
		{nil, map[string]string{"size": "512", "loss": "gaussian", "tv-weight": "0.2", "depth": "8"}},
		{[]string{"--preset=strotss"}, map[string]string{"size": "512", "loss": "relaxed", "tv-weight": "0", "min-size": "64", "optimizer": "adam", "iterations": "250"}},
		// The file's quality is of more weight than the preset's iterations.
		{[]string{"--config=run.toml"}, map[string]string{"size": "300", "loss": "relaxed", "tv-weight": "3", "min-size": "64", "optimizer": "lbfgs", "iterations": "30", "depth": "16"}},
		{[]string{"--config=run.toml", "--size=100", "--loss=gram"}, map[string]string{"size": "100", "loss": "gram", "tv-weight": "3", "samples": "1024"}},
		{[]string{"--config=run.toml", "--preset=johnson"}, map[string]string{"preset": "johnson", "size": "300", "loss": "gram", "tv-weight": "3"}},
	} {
		values, _, err := settingsAfter(t, test.args...)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range test.want {
			if values[name] != want {
				t.Errorf("%v: %s is %q, want %q", test.args, name, values[name], want)
			}
		}
	}
}

// Every setting that may stand in a file is saved so that the same settings are given and
// have the same values when the file is read.
func TestSavedSettingsAreReadAsTheyWere(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	writeFile(t, "start.png", nil)
	writeFile(t, "net", nil)
	other := map[string]string{
		"format": "tiff", "depth": "16", "jpeg-quality": "71", "save-every": "7", "checkpoint-every": "1m30s", "timelapse-frames": "7", "timelapse-size": "99", "keep-exif": "true", "keep-gps": "true", "no-metadata": "true", "webp-quality": "55", "dither": "true", "dpi": "300",
		"size": "768", "min-size": "300", "style-size": "40", "style-scale": "0.3", "loss": "gram", "layer-loss": "relu1_1=cmd,relu2_1=mmd",
		"samples": "512", "style-layers": "relu1_1=0.1,relu2_1=3", "content-layers": "relu3_2=1,relu4_2=0.25", "content-weight": "1e-05", "strength": "72.5", "content-loss": "mse",
		"tv-weight": "0", "quality": "draft", "optimizer": "adam", "first-iterations": "7", "middle-iterations": "11", "iterations": "9", "least-iterations": "3", "noise": "0.25",
		"start": filepath.Join(folder, "start.png"), "step-size": "0.125", "average-decay": "0.5", "seed": "18446744073709551615", "pooling": "avg", "padding": "zero",
		"keep-colors": "0.5", "color-method": "distribution", "plain-pooling": "true", "weights": filepath.Join(folder, "net"), "device": "cpu", "threads": "3", "precision": "f16", "memory": "1536MiB",
		"mask": filepath.Join(folder, "sky.png") + "=" + filepath.Join(folder, "wave.jpg"), "protect": filepath.Join(folder, "face.png"),
	}
	for _, setting := range settingsOf(newStylizeCommand(&globalOptions{})) {
		if _, ok := other[setting.Name]; !ok && setting.Value != nil && setting.Name != "preset" {
			t.Errorf("%s isn't tested", setting.Name)
		}
	}
	var args []string
	for _, name := range slices.Sorted(maps.Keys(other)) {
		args = append(args, "--"+name+"="+other[name])
	}
	for _, test := range [][]string{
		args, nil, {"--preset=gatys"}, {"--preset=gatys", "--quality=draft"}, {"--quality=draft", "--iterations=100"}, {"--preset=strotss", "--optimizer=lbfgs"},
		{"--start=start.png", "--weights=net"}, {"--size=512"},
	} {
		os.Remove("saved.toml")
		wantValues, wantGiven, err := settingsAfter(t, append(slices.Clone(test), "--save-config=saved.toml")...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(test, "--preset=gatys") {
			wantValues["start"], wantValues["weights"] = abs(wantValues["start"]), abs(wantValues["weights"])
		}
		values, given, err := settingsAfter(t, "--config="+filepath.Join(folder, "saved.toml"))
		if err != nil {
			t.Fatal(err)
		}
		wantValues["preset"] = ""
		// The first scale's size fits itself from a file, whoever chose it.
		without := func(list []string) []string {
			return slices.DeleteFunc(list, func(name string) bool { return name == "preset" || name == "min-size" })
		}
		if !maps.Equal(values, wantValues) || !slices.Equal(without(given), without(wantGiven)) {
			t.Errorf("%v: after saving, %v are given and the values are\n%v, want %v and\n%v", test, given, values, wantGiven, wantValues)
		}
	}
}

// abs is a file's name as it is saved; content and the embedded network have none.
func abs(name string) string {
	if name == "" || name == "content" {
		return name
	}
	return string(absolute(name))
}

func TestASavedFileMakesTheSamePicture(t *testing.T) {
	folder := workshop(t)
	first := stylize(t, folder, "style.png", "-o", "one.png", "--preset=crowsonkb", "--first-iterations=3", "--start=noise", "--seed=5", "--depth=16", "--save-config=run.toml").done(t)
	if first.stdout != "" {
		t.Errorf("standard output is %q", first.stdout)
	}
	impasto(t, folder, "stylize", "content.png", "style.png", "-o", "two.png", "--config=run.toml").done(t)
	if string(readFile(t, filepath.Join(folder, "one.png"))) != string(readFile(t, filepath.Join(folder, "two.png"))) {
		t.Error("the file of the settings makes another picture")
	}
	text := string(readFile(t, filepath.Join(folder, "run.toml")))
	for _, part := range []string{configStart, "preset crowsonkb", "\nseed = 5\n", "\ndepth = 16\n", "\nstyle-layers = { relu1_1 = 1 }\n", "# seed of whatever is random"} {
		if !strings.Contains(text, part) {
			t.Errorf("the file has no %q:\n%s", part, text)
		}
	}
	if strings.Contains(text, "\noutput") || strings.Contains(text, "\npooling") {
		t.Errorf("the file has what wasn't chosen, or is of one run:\n%s", text)
	}
	nothingLeft(t, folder)
	impasto(t, folder, "plan", "content.png", "style.png", "--size=64", "--preset=johnson", "--save-config=scale.toml").done(t)
	if text := string(readFile(t, filepath.Join(folder, "scale.toml"))); !strings.Contains(text, "\nmin-size = 16384\n") {
		t.Errorf("the file has more than one scale at larger sizes:\n%s", text)
	}
	// The same file serves compare, which has no use for the depth, and plan.
	impasto(t, folder, "compare", "content.png", "style.png", "-o", "compared", "--losses=gram", "--config=run.toml", "--score-size=32", "--save-config=again.toml").done(t)
	if text := string(readFile(t, filepath.Join(folder, "again.toml"))); !strings.Contains(text, "losses = [\"gram\"]") || strings.Contains(text, "depth") {
		t.Errorf("compare saved\n%s", text)
	}
	impasto(t, folder, "plan", "content.png", "style.png", "--config=again.toml", "--save-config=plan.toml").done(t)
	impasto(t, folder, "batch", "content.png", "--style=style.png", "--out-dir=all", "--config=run.toml", "--save-config=batch.toml").done(t)
	if text := string(readFile(t, filepath.Join(folder, "batch.toml"))); !strings.Contains(text, "\ndepth = 16\n") || !strings.Contains(text, "\nseed = 5\n") {
		t.Errorf("batch saved\n%s", text)
	}
}

func TestFilesOfSettingsAreRefusedForWhatIsWrong(t *testing.T) {
	folder := workshop(t)
	for name, text := range map[string]string{
		"typo.toml": "size = 32\nlos = \"gram\"\n", "type.toml": "size = \"32\"", "range.toml": "\n\ndepth = 17", "preset.toml": "preset = \"gatis\"",
		"broken.toml": "size = \n", "output.toml": "output = \"a.png\"", "pair.toml": "style-size = 20\nstyle-scale = 2\n", "adam.toml": "step-size = 0.1\n",
		"good.toml": "size = 32\n", "file.toml": "weights = \"missing.st\"\n",
	} {
		writeFile(t, filepath.Join(folder, name), []byte(text))
	}
	writeFile(t, filepath.Join(folder, "large.toml"), make([]byte, maxConfig+1))
	for _, test := range []struct {
		args   []string
		status int
		want   []string
	}{
		{[]string{"--config=typo.toml"}, statusUsage, []string{"typo.toml:2:1: ", `"los"`, "did you mean loss?"}},
		{[]string{"--config=type.toml"}, statusUsage, []string{"type.toml:1:1: size: want a whole number, not a text"}},
		{[]string{"--config=range.toml"}, statusUsage, []string{"range.toml:3:1: ", `depth "17"`, "8 to 16"}},
		{[]string{"--config=preset.toml"}, statusUsage, []string{"preset.toml:1:1: ", "did you mean gatys?"}},
		{[]string{"--config=broken.toml"}, statusUsage, []string{"broken.toml:1:"}},
		{[]string{"--config=output.toml"}, statusUsage, []string{"output.toml:1:1: output is no setting"}},
		// A flag doesn't make up for what is wrong in the file.
		{[]string{"--config=type.toml", "--size=32"}, statusUsage, []string{"type.toml:1:1"}},
		{[]string{"--config=pair.toml"}, statusUsage, []string{"--style-size 20", "--style-scale 2"}},
		{[]string{"--config=adam.toml"}, statusUsage, []string{"--step-size", "--optimizer is lbfgs"}},
		{[]string{"--config=missing.toml"}, statusFailed, []string{"missing.toml"}},
		{[]string{"--config=."}, statusFailed, []string{"folder"}},
		{[]string{"--config=large.toml"}, statusUsage, []string{"--config large.toml", "too much"}},
		{[]string{"--config=file.toml"}, statusFailed, []string{"missing.st"}},
		{[]string{"--save-config=style.png"}, statusUsage, []string{"--save-config style.png is the file style.png"}},
		{[]string{"--save-config=out.png"}, statusUsage, []string{"--save-config out.png is the file out.png"}},
		{[]string{"--config=good.toml", "--save-config=good.toml"}, statusUsage, []string{"--save-config good.toml is the file good.toml"}},
		{[]string{"--save-config=typo.toml"}, statusUsage, []string{"--save-config typo.toml", "none that --save-config wrote"}},
		{[]string{"--save-config=none/a.toml"}, statusFailed, []string{"none/a.toml"}},
		{[]string{"--save-config=a.toml", "--resume=b"}, statusUsage, []string{"--save-config a.toml and --resume b exclude each other"}},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			args := append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--first-iterations=1"}, test.args...)
			impasto(t, folder, args...).refused(t, test.status, test.want...)
		})
	}
	if _, err := os.Stat(filepath.Join(folder, "out.png")); err == nil {
		t.Error("a picture was painted")
	}
}

func TestNamesInAFileAreRelativeToIt(t *testing.T) {
	folder := workshop(t)
	if err := os.Mkdir(filepath.Join(folder, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	writePicture(t, filepath.Join(folder, "sub", "start.png"), 32, 24, 0.4)
	writeFile(t, filepath.Join(folder, "sub", "run.toml"), []byte("start = \"start.png\"\n"))
	stylize(t, folder, "style.png", "-o", "one.png", "--config=sub/run.toml", "--first-iterations=2", "--save-config=run.toml").done(t)
	stylize(t, folder, "style.png", "-o", "two.png", "--start=sub/start.png", "--first-iterations=2").done(t)
	if string(readFile(t, filepath.Join(folder, "one.png"))) != string(readFile(t, filepath.Join(folder, "two.png"))) {
		t.Error("the file starts from another picture")
	}
	if text := string(readFile(t, filepath.Join(folder, "run.toml"))); !strings.Contains(text, "start = \"/") && os.PathSeparator == '/' {
		t.Errorf("the start is saved as it was:\n%s", text)
	}
}
