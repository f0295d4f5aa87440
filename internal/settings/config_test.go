package settings

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fileSettings are settings as a file of them may have: those of a stylisation, and one
// of each other kind of value.
func fileSettings() []Setting {
	s := Default()
	var name, preset string
	var list []string
	var every time.Duration
	return append([]Setting{
		{Name: "output"},
		{Name: "preset", Value: PresetName(&preset)},
		{Name: "format", Value: Choice(&name, "format", []string{"png", "jpeg"})},
		{Name: "checkpoint-every", Value: Interval(&every)},
		{Name: "losses", Value: Names(&list, "loss", []string{"gram", "cmd", "mmd"})},
	}, s.Table()...)
}

func TestConfigIsReadAsItIsWrittenByHand(t *testing.T) {
	for _, test := range []struct {
		text string
		want []Assignment
	}{
		{"", nil},
		{"# nothing\n", nil},
		{"\ufeffsize = 768\r\nseed = 0x10\r\n", []Assignment{{"size", "768"}, {"seed", "16"}}},
		{"size = 1_024", []Assignment{{"size", "1024"}}},
		{"seed = \"18446744073709551615\"", []Assignment{{"seed", "18446744073709551615"}}},
		{"tv-weight = 2\ncontent-weight = 1_0.5e-2", []Assignment{{"tv-weight", "2"}, {"content-weight", "10.5e-2"}}},
		{"plain-pooling = true", []Assignment{{"plain-pooling", "true"}}},
		{"loss = 'gram'\npreset = \"gatys\"", []Assignment{{"loss", "gram"}, {"preset", "gatys"}}},
		{"start = \"a \\\"b\\\".png\"", []Assignment{{"start", `a "b".png`}}},
		{"memory = \"2GiB\"\ncheckpoint-every = \"30s\"", []Assignment{{"memory", "2GiB"}, {"checkpoint-every", "30s"}}},
		{"style-layers = \"relu1_1=4,relu2_1\"", []Assignment{{"style-layers", "relu1_1=4,relu2_1"}}},
		{"style-layers = { relu2_1 = 4, relu1_1 = 0.5 }", []Assignment{{"style-layers", "relu2_1=4,relu1_1=0.5"}}},
		{"style-layers.relu2_1 = 4\nsize = 64\nstyle-layers.relu1_1 = 2", []Assignment{{"style-layers", "relu2_1=4,relu1_1=2"}, {"size", "64"}}},
		{"size = 64\n[style-layers]\nrelu2_1 = 4\nrelu1_1 = 2\n[layer-loss]\nrelu1_1 = \"cmd\"",
			[]Assignment{{"size", "64"}, {"style-layers", "relu2_1=4,relu1_1=2"}, {"layer-loss", "relu1_1=cmd"}}},
		{"losses = [\"gram\",\n  \"cmd\",  # and\n  \"mmd\",\n]", []Assignment{{"losses", "gram,cmd,mmd"}}},
		{"losses = \"gram,cmd\"", []Assignment{{"losses", "gram,cmd"}}},
	} {
		got, err := ReadConfig([]byte(test.text), fileSettings())
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q is %q (%v), want %q", test.text, got, err, test.want)
		}
	}
}

func TestWhatIsWrongInAConfigIsNamedWithItsPlace(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"size = 768\nsise = 3", `2:1: "sise": no such setting; did you mean size?`},
		{"\n\n  \"tv-weigth\" = 1", `3:3: "tv-weigth": no such setting; did you mean tv-weight?`},
		{"nothing-like-it = 1", `1:1: "nothing-like-it": no such setting`},
		{"output = \"a.png\"", "1:1: output is no setting; give it on the command line"},
		{"[sizes]\nx = 1", `1:2: "sizes": no such setting; did you mean size?`},
		{"size = 0", `1:1: size "0": want a whole number from 1 to 16384`},
		{"size = 1.5", "1:1: size: want a whole number, not a fraction"},
		{"size = \"768\"", "1:1: size: want a whole number, not a text"},
		{"size = true", "1:1: size: want a whole number, not true or false"},
		{"size = [1]", "1:1: size: want a whole number, not a list"},
		{"size.big = 1", "1:6: size: want a whole number, not a table"},
		{"size = { big = 1 }", "1:1: size: want a whole number, not a table"},
		{"[size]", "1:2: size: want a whole number, not a table"},
		{"seed = -1", `1:1: seed "-1": want a whole number from 0`},
		{"tv-weight = \"2\"", "1:1: tv-weight: want a number, not a text"},
		{"tv-weight = nan", `1:1: tv-weight "nan": want a number from 0 to 1e+06`},
		{"tv-weight = inf", `1:1: tv-weight "inf": want a number from 0 to 1e+06`},
		{"tv-weight = 1979-05-27", "1:1: tv-weight: want a number, not a date"},
		{"plain-pooling = 1", "1:1: plain-pooling: want true or false, not a number"},
		{"loss = \"grm\"", `1:1: loss "grm": no such loss; did you mean gram?`},
		{"preset = \"gatis\"", `1:1: preset "gatis": no such preset; did you mean gatys?`},
		{"memory = 2", "1:1: memory: want a text in quotation marks, not a number"},
		{"style-layers = 1", `1:1: style-layers: want a table of layers, or a text such as "relu1_1=4,relu2_1=2", not a number`},
		{"style-layers = { relu1_1 = 4, relu21 = 1 }", `1:31: style-layers: "relu21": no such layer; did you mean relu2_1?`},
		{"[style-layers]\nrelu1_1 = 0", `2:1: style-layers: weight "0" of relu1_1: want a number from 1e-06 to 1e+06`},
		{"[style-layers]\nrelu1_1 = \"4\"", "2:1: style-layers of relu1_1: want a number, not a text"},
		{"[style-layers.relu1_1]\nweight = 4", "1:15: style-layers: want layers in it, not another table"},
		{"style-layers = { relu1_1.x = 4 }", "1:26: style-layers: want layers in it, not another table"},
		{"style-layers = {}", "1:1: style-layers: want a layer at least"},
		{"[[style-layers]]", "1:3: style-layers: want a table of layers"},
		{"layer-loss = { relu1_1 = 4 }", "1:16: layer-loss of relu1_1: want the name of a loss, not a number"},
		{"layer-loss = { relu1_1 = \"grm\" }", `1:16: layer-loss: "grm": no such loss; did you mean gram?`},
		{"losses = [1]", "1:1: losses: want a list of names, not a list"},
		{"losses = [\"gram\", \"gram\"]", `1:1: losses "gram,gram": loss gram is named twice`},
		{"mask = [1]", `1:1: mask: want a list of texts such as "sky.png=painting.jpg"`},
		{"mask = [\"sky.png\"]", `1:1: mask "sky.png": want REGION=STYLE`},
		{"mask = [\"auto:2\", \"a=b\"]", `1:1: mask "auto:2\na=b": auto:2 finds regions`},
		{"size = 1\nsize = 2", "2:1: "},
		{"style-layers = { relu1_1 = 1 }\n[style-layers]\nrelu2_1 = 1", "2:"},
		{"size = ", "1:"},
		{"size 768", "1:"},
		{"seed = 99999999999999999999", "1:"},
		{"start = \"caf\xe9\"", "1:"},
	} {
		got, err := ReadConfig([]byte(test.text), fileSettings())
		var at *ConfigError
		if !errors.As(err, &at) || !strings.HasPrefix(err.Error(), test.want) || got != nil {
			t.Errorf("%q: %v, want %q", test.text, err, test.want)
		}
	}
}

// Every setting that isn't as it was by default is read as it was written.
func TestConfigGoesRoundWithEverySetting(t *testing.T) {
	other := map[string]string{
		"size": "768", "min-size": "300", "style-size": "40", "style-scale": "0.3333333333333333", "loss": "gram", "layer-loss": "relu1_1=cmd,relu2_1=mmd",
		"samples": "512", "style-layers": "relu1_1=0.1,relu2_1=1e-06,conv5_4=1e+06", "content-layers": "relu3_2=1,relu4_2=0.25",
		"content-weight": "1e-05", "strength": "72.5", "content-loss": "mse", "tv-weight": "0", "quality": "draft", "optimizer": "adam",
		"first-iterations": "7", "middle-iterations": "11", "iterations": "9", "least-iterations": "3", "noise": "0.25", "start": "a \"\\\u00e9\t\u007f.png", "step-size": "0.125", "average-decay": "0.5",
		"seed": "18446744073709551615", "pooling": "avg", "padding": "zero", "plain-pooling": "true", "keep-colors": "0.5", "color-method": "distribution", "weights": "net.safetensors",
		"device": "cuda:1", "threads": "3", "precision": "f16", "memory": "1536MiB",
		"mask": "a, \"\u00e9.png=b.jpg\nx=y=z", "protect": "face \".png",
	}
	s := Default()
	var list []Assignment
	for _, setting := range s.Table() {
		text, ok := other[setting.Name]
		if !ok || text == setting.Value.String() {
			t.Fatalf("no other value for %s", setting.Name)
		}
		if err := s.Set(setting.Name, text); err != nil {
			t.Fatal(err)
		}
		list = append(list, Assignment{setting.Name, s.Values()[setting.Name]})
	}
	file, err := WriteConfig(list, s.Table())
	if err != nil {
		t.Fatal(err)
	}
	read := Default()
	got, err := ReadConfig(file, read.Table())
	if err != nil || !slices.Equal(got, list) {
		t.Fatalf("%v; read\n%q, want\n%q, from\n%s", err, got, list, file)
	}
	again := Default()
	if _, err := again.SetBeneath(got, none); err != nil {
		t.Fatal(err)
	}
	for name, want := range s.Values() {
		if got := again.Values()[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") && len([]rune(line)) > commentWidth+1 {
			t.Errorf("the line %q is long", line)
		}
	}
	if text := string(file); strings.Index(text, "# Size:") > strings.Index(text, "\nsize = 768\n") || !strings.Contains(text, "# what smoothness counts") {
		t.Errorf("headings or comments are missing:\n%s", text)
	}
}

func TestSeedsAreNumbersWhereTOMLHasThem(t *testing.T) {
	var seed uint64
	table := []Setting{Seed(&seed)}
	for text, want := range map[string]string{"9223372036854775807": "seed = 9223372036854775807\n", "9223372036854775808": "seed = \"9223372036854775808\"\n"} {
		file, err := WriteConfig([]Assignment{{"seed", text}}, table)
		if err != nil || !strings.HasSuffix(string(file), want) {
			t.Errorf("%s is written %q (%v), want %q", text, file, err, want)
		}
	}
	if seed != 0 || math.MaxInt64 != 9223372036854775807 {
		t.Error("writing changed the seed")
	}
}

func TestNamesThatAreNotUTF8AreNotWritten(t *testing.T) {
	s := Default()
	if _, err := WriteConfig([]Assignment{{"start", "caf\xe9.png"}}, s.Table()); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("%v", err)
	}
}

func TestFilesAreRelativeToTheFileThatNamesThem(t *testing.T) {
	s := Default()
	in := func(path string) string { return filepath.Join("folder", path) }
	there := func(path string) bool { return path == in("here.st") }
	for _, test := range [][3]string{
		{"start", "a.png", in("a.png")}, {"start", "grey", "grey"}, {"start", "result:a.png", "result:" + in("a.png")}, {"weights", "here.st", in("here.st")}, {"weights", "fetched", "fetched"}, {"loss", "gram", "gram"},
	} {
		i := slices.IndexFunc(s.Table(), func(s Setting) bool { return s.Name == test[0] })
		if got := OnFile(s.Table()[i].Value, test[1], in, there); got != test[2] {
			t.Errorf("%s %s is %s, want %s", test[0], test[1], got, test[2])
		}
	}
}

// FuzzConfig looks for files that end the reader, that it refuses without a place, or
// that say something else once they are written anew.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"size = 768\nloss = \"gram\"", "[style-layers]\nrelu1_1 = 4", "style-layers = { relu1_1 = 1, relu2_1 = 0.5 }", "losses = [\"gram\"]",
		"seed = 0x1F\ntv-weight = 1e3", "start = '''\na'''", "layer-loss.relu1_1 = \"cmd\"", "plain-pooling = false # no", "size = [[{a = 1}]]", "[[size]]",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ReadConfig(data, fileSettings())
		if err != nil {
			var at *ConfigError
			if !errors.As(err, &at) || at.Line < 1 || at.Column < 1 || at.Problem == "" {
				t.Fatalf("the error has no place: %v", err)
			}
			return
		}
		file, err := WriteConfig(list, fileSettings())
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadConfig(file, fileSettings())
		if err != nil || len(again) != len(list) {
			t.Fatalf("%v: %q is written\n%s", err, list, file)
		}
		a, b := Default(), Default()
		if !slices.Equal(valuesOf(t, &a, list), valuesOf(t, &b, again)) {
			t.Errorf("%q became %q by\n%s", list, again, file)
		}
	})
}

// valuesOf are the values of settings after assignments, and the assignments of others.
func valuesOf(t *testing.T, s *Stylization, list []Assignment) []string {
	var all []string
	for _, a := range list {
		if _, ok := s.Values()[a.Name]; ok {
			if err := s.Set(a.Name, a.Text); err != nil {
				t.Fatal(err)
			}
		} else {
			all = append(all, a.Name+"="+a.Text)
		}
	}
	for name, value := range s.Values() {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}
