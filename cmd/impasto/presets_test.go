package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/settings"
)

func TestPresetsAreListedWithWhatTheyAre(t *testing.T) {
	folder := t.TempDir()
	list := impasto(t, folder, "presets").done(t).stdout
	var kinds []string
	for line := range strings.Lines(impasto(t, folder, "presets", "--json").done(t).stdout) {
		var p struct {
			Name, Kind, Help, Source string
			Settings                 map[string]string
			Deviations               []string
		}
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		if p.Help == "" || (p.Kind == "original") != (p.Source != "") || len(p.Settings) == 0 || len(p.Deviations) == 0 {
			t.Errorf("%+v", p)
		}
		if !strings.Contains(list, "\n  "+p.Name+" ") || !strings.Contains(list, p.Help) {
			t.Errorf("the list doesn't have %s with %q", p.Name, p.Help)
		}
		show := impasto(t, folder, "presets", "show", p.Name).done(t).stdout
		if !strings.HasPrefix(show, "# "+p.Name+": ") || p.Source != "" && !strings.Contains(strings.ReplaceAll(show, "\n# ", " "), "Source: "+p.Source) {
			t.Errorf("%s is shown\n%s", p.Name, show)
		}
		for _, deviation := range p.Deviations {
			if !strings.Contains(show, "\n# - "+deviation+"\n") {
				t.Errorf("%s isn't shown with %q", p.Name, deviation)
			}
		}
		if again := impasto(t, folder, "presets", "show", p.Name, "--json").done(t).stdout; again != line {
			t.Errorf("%s is shown as %s, and listed as %s", p.Name, again, line)
		}
		kinds = append(kinds, p.Kind)
	}
	if len(kinds) != len(settings.Presets()) || !slices.Contains(kinds, "original") {
		t.Errorf("%d presets are listed, of kinds %v, and there are %d", len(kinds), kinds, len(settings.Presets()))
	}
	impasto(t, folder, "presets", "show", "gatis").refused(t, statusUsage, `"gatis"`, "did you mean gatys?")
	impasto(t, folder, "presets", "shw").refused(t, statusUsage, "did you mean impasto presets show?")
	impasto(t, folder, "presets", "show").refused(t, statusUsage, "1 arg")
}

// What is shown of a preset is a file of settings that does what the preset does.
func TestAPresetAndItsFileMakeTheSamePicture(t *testing.T) {
	folder := workshop(t)
	small := []string{"--style-layers=relu1_1", "--content-layers=relu2_1", "--size=32", "--first-iterations=2", "--iterations=1", "--device=cpu", "--depth=16"}
	picture := func(args ...string) string {
		impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "style.png", "-o", "out.png"}, args, small)...).done(t)
		return string(readFile(t, filepath.Join(folder, "out.png")))
	}
	pictures := map[string]string{picture(): "defaults"}
	for _, name := range []string{"gatys", "johnson", "crowsonkb", "strotss"} {
		show := impasto(t, folder, "presets", "show", name).done(t).stdout
		writeFile(t, filepath.Join(folder, name+".toml"), []byte(show))
		one := picture("--preset=" + name)
		if other := picture("--config=" + name + ".toml"); other != one {
			t.Errorf("%s and its file make different pictures", name)
		}
		if same, taken := pictures[one]; taken {
			t.Errorf("%s and %s make the same picture", name, same)
		}
		pictures[one] = name
	}
}

func TestPlansAreThoseOfPresets(t *testing.T) {
	folder := workshop(t)
	scales := func(args ...string) (all [][2]int) {
		var plan struct {
			Scales []struct{ Width, Iterations int }
		}
		out := impasto(t, folder, append([]string{"plan", "content.png", "style.png", "--json", "--device=cpu"}, args...)...).done(t).stdout
		if err := json.Unmarshal([]byte(out), &plan); err != nil {
			t.Fatal(err)
		}
		for _, s := range plan.Scales {
			all = append(all, [2]int{s.Width, s.Iterations})
		}
		return all
	}
	writeFile(t, filepath.Join(folder, "run.toml"), []byte("size = 64\nmin-size = 40\n"))
	for _, test := range []struct {
		args []string
		want [][2]int
	}{
		{[]string{"--preset=johnson", "--size=64"}, [][2]int{{64, 1000}}},
		{[]string{"--preset=johnson", "--size=64", "--quality=draft"}, [][2]int{{64, 50}}},
		{[]string{"--preset=johnson", "--size=64", "--min-size=45"}, [][2]int{{45, 1000}, {64, 1000}}},
		{[]string{"--preset=johnson", "--size=64", "--first-iterations=3"}, [][2]int{{64, 3}}},
		{[]string{"--preset=johnson", "--config=run.toml"}, [][2]int{{45, 1000}, {64, 1000}}},
		{[]string{"--preset=johnson", "--config=run.toml", "--size=34"}, [][2]int{{34, 1000}}},
		{[]string{"--preset=crowsonkb", "--size=64", "--min-size=45"}, [][2]int{{45, 1000}, {64, 500}}},
		{[]string{"--preset=strotss", "--size=90", "--optimizer=lbfgs", "--iterations=5"}, [][2]int{{64, 250}, {90, 5}}},
	} {
		if got := scales(test.args...); !slices.Equal(got, test.want) {
			t.Errorf("%v: scales and iterations are %v, want %v", test.args, got, test.want)
		}
	}
	stylize(t, folder, "style.png", "-o", "out.png", "--preset=gatis").refused(t, statusUsage, `--preset "gatis"`, "did you mean gatys?")
	stylize(t, folder, "style.png", "-o", "out.png", "--preset=vincemarron", "--step-size=0.1").refused(t, statusUsage, "--step-size", "--optimizer is lbfgs")
	stylize(t, folder, "style.png", "-o", "out.png", "--style-size=20", "--style-scale=2").refused(t, statusUsage, "--style-size 20", "--style-scale 2")
}

func TestPresetsAreCompared(t *testing.T) {
	folder := workshop(t)
	args := []string{"compare", "content.png", "style.png", "--style-layers=relu1_1", "--content-layers=relu2_1", "--size=32", "--min-size=32",
		"--first-iterations=2", "--iterations=1", "--device=cpu", "--score-size=32", "--json", "--quiet"}
	type picture struct {
		Event, Name string
		Settings    map[string]string
		Iterations  int
	}
	made := func(more ...string) (all []picture) {
		for line := range strings.Lines(impasto(t, folder, append(args, more...)...).done(t).stdout) {
			var p picture
			if err := json.Unmarshal([]byte(line), &p); err != nil {
				t.Fatal(err)
			}
			if p.Event == "picture" && len(p.Settings) > 0 {
				all = append(all, p)
			}
		}
		return all
	}
	pictures := made("-o", "presets", "--vary", "preset=gatys,strotss", "--vary", "tv-weight=0,9")
	if len(pictures) != 4 || pictures[3].Name != "preset strotss, tv-weight 9" || pictures[0].Settings["preset"] != "gatys" || pictures[0].Iterations != 2 {
		t.Errorf("pictures are %+v", pictures)
	}
	gatys, strotss := readFile(t, filepath.Join(folder, "presets/pictures/preset-gatys_tv-weight-0.json")), readFile(t, filepath.Join(folder, "presets/pictures/preset-strotss_tv-weight-0.json"))
	for text, record := range map[string][]byte{`"loss": "gram"`: gatys, `"loss": "relaxed"`: strotss, `"pooling": "avg"`: gatys, `"optimizer": "adam"`: strotss} {
		if !strings.Contains(string(record), text) {
			t.Errorf("a record has no %s: %s", text, record)
		}
	}
	// A preset's loss is beneath those that are compared.
	if pictures := made("-o", "losses", "--preset=gatys", "--losses=gram,moments"); len(pictures) != 2 || pictures[1].Name != "moments" {
		t.Errorf("pictures are %+v", pictures)
	}
	impasto(t, folder, append(args, "-o", "x", "--preset=gatys", "--vary=preset=gatys,strotss")...).refused(t, statusUsage, "--preset is given and varied")
	impasto(t, folder, append(args, "-o", "x", "--vary=preset=gatis")...).refused(t, statusUsage, `preset "gatis"`, "did you mean gatys?")
}
