package settings

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/losses"
	"impasto/model"
)

// named is the loss of a name that there is.
func named(name string) losses.Loss { return losses.Must(losses.Named(name)) }

func none(string) bool { return false }

func these(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func TestEverySettingIsReadAsItIsWritten(t *testing.T) {
	s := Default()
	seen := map[string]bool{}
	for _, setting := range s.Table() {
		if seen[setting.Name] || setting.Usage == "" || setting.Heading == "" || setting.Value.Type() == "" {
			t.Errorf("%s stands twice, or lacks its usage, heading or type", setting.Name)
		}
		seen[setting.Name] = true
		before := setting.Value.String()
		if before == "" {
			continue // no file, no loss of a layer
		}
		if err := s.Set(setting.Name, before); err != nil || setting.Value.String() != before {
			t.Errorf("%s is %q after it was set to %q (%v)", setting.Name, setting.Value.String(), before, err)
		}
	}
	if values := s.Values(); !maps.Equal(values, Default().Values()) {
		t.Errorf("values are %v, want the defaults", values)
	}
}

func TestSettingsReachTheOptions(t *testing.T) {
	s := Default()
	for name, text := range map[string]string{
		"size": "64", "loss": "gram", "style-layers": "relu1_1=2,relu2_1", "layer-loss": "relu2_1=cmd", "seed": "0x10",
		"plain-pooling": "true", "tv-weight": "0.5", "device": "cuda:1", "start": "a file.png", "weights": "net",
	} {
		if err := s.Set(name, text); err != nil {
			t.Fatal(err)
		}
	}
	o := s.Options
	if o.Size != 64 || s.Loss.Description().Name != "gram" || s.LayerLoss["relu2_1"].Description().Name != "cmd" || o.Seed != 16 || !o.PlainPooling ||
		o.TotalVariationWeight != 0.5 || o.Device != "cuda:1" || s.Start != "a file.png" || s.Weights != "net" ||
		!slices.Equal(s.StyleLayers, []model.LayerWeight{{Layer: "relu1_1", Weight: 2}, {Layer: "relu2_1", Weight: 1}}) {
		t.Errorf("%+v", s)
	}
	if got, want := s.Values()["style-layers"], "relu1_1=2,relu2_1=1"; got != want {
		t.Errorf("style-layers is written %q, want %q", got, want)
	}
	if got, want := s.Files(), []string{"a file.png", "net"}; !slices.Equal(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
}

func TestValuesOutOfBoundsAreRefused(t *testing.T) {
	for _, test := range [][3]string{
		{"size", "0", `size "0": want a whole number from 1 to 16384`},
		{"seed", "-1", `seed "-1": want a whole number from 0`},
		{"tv-weight", "NaN", `tv-weight "NaN": want a number from 0 to 1e+06`},
		{"plain-pooling", "maybe", `plain-pooling "maybe": want true or false`},
		{"loss", "grm", `loss "grm": no such loss; did you mean gram?`},
		{"device", "cuda:x", `device "cuda:x": no such device; want auto, cpu, cuda, cuda:N or cuda:N,N`},
		{"start", "", `start "": want a name`},
		{"start", "result:", `start "result:": want a file behind the colon`},
		{"style-layers", "relu1_1=0", `style-layers "relu1_1=0": weight "0" of relu1_1: want a number from 1e-06 to 1e+06`},
		{"style-layers", "relu1_1,relu1_1", `style-layers "relu1_1,relu1_1": layer relu1_1 is named twice`},
		{"content-layers", "input", `content-layers "input": "input": no such layer; want conv1_1, relu1_1, … pool5`},
		{"layer-loss", "relu1_1", `layer-loss "relu1_1": want LAYER=LOSS, such as relu1_1=gram`},
		{"tv-weigth", "1", `"tv-weigth": no such setting; did you mean tv-weight?`},
	} {
		s := Default()
		if err := s.Set(test[0], test[1]); err == nil || err.Error() != test[2] {
			t.Errorf("%s %q: %v, want %s", test[0], test[1], err, test[2])
		}
		if !maps.Equal(s.Values(), Default().Values()) {
			t.Errorf("%s %q changed something", test[0], test[1])
		}
	}
}

func TestNamesAddUpUnlessOneStandsTwice(t *testing.T) {
	list := []string{"default"}
	value := Names(&list, "loss", []string{"default", "gram", "cmd", "mmd"})
	for _, step := range []struct{ text, want string }{{"gram", "gram"}, {"cmd,mmd", "gram,cmd,mmd"}} {
		if err := value.Set(step.text); err != nil || value.String() != step.want {
			t.Errorf("after %s the names are %q (%v), want %q", step.text, value.String(), err, step.want)
		}
	}
	if err := value.Set("gram"); err == nil || err.Error() != "loss gram is named twice" {
		t.Errorf("the same name again: %v", err)
	}
}

func TestCopiesShareNoLossesOfLayers(t *testing.T) {
	a := Default()
	if err := a.Set("layer-loss", "relu1_1=gram"); err != nil {
		t.Fatal(err)
	}
	b := a
	if err := b.Set("layer-loss", "relu2_1=cmd"); err != nil {
		t.Fatal(err)
	}
	if got, want := a.Values()["layer-loss"], "relu1_1=gram"; got != want {
		t.Errorf("the original has %q, want %q", got, want)
	}
	if got, want := b.Values()["layer-loss"], "relu1_1=gram,relu2_1=cmd"; got != want {
		t.Errorf("the copy has %q, want %q", got, want)
	}
}

func TestSettlingFitsWhatWasNotGiven(t *testing.T) {
	s := Default()
	s.Options.Size, s.Quality, s.Options.Iterations = 64, "reference", 7
	if err := s.Settle(these("iterations")); err != nil {
		t.Fatal(err)
	}
	if o := s.Options; o.MinSize != 64 || o.Optimizer != "adam" || o.FirstIterations != 1000 || o.MiddleIterations != 7 || o.Iterations != 7 {
		t.Errorf("%+v", o)
	}
	for _, test := range []struct {
		set, given string
		want       int // least iterations
	}{
		{"", "", 20},
		{"iterations=80", "iterations", 80},
		{"least-iterations=9", "least-iterations", 9},
		{"quality=draft", "quality", 8},
	} {
		s := Default()
		if name, value, ok := strings.Cut(test.set, "="); ok {
			if err := s.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Settle(these(test.given)); err != nil || s.Options.LeastIterations != test.want {
			t.Errorf("with %q, large scales make %d iterations at least, want %d (%v)", test.set, s.Options.LeastIterations, test.want, err)
		}
	}
	s = Default()
	s.Options.Optimizer = "adam"
	if err := s.Settle(these("least-iterations", "optimizer")); err == nil || !strings.Contains(err.Error(), "--least-iterations is L-BFGS's") {
		t.Errorf("few iterations of another optimiser: %v", err)
	}
	s = Default()
	if err := s.Settle(these("step-size")); err == nil || !strings.Contains(err.Error(), "add --optimizer adam") {
		t.Errorf("a step of another optimiser: %v", err)
	}
}

func TestSettingsAreCheckedTogether(t *testing.T) {
	for want, change := range map[string]func(s *Stylization){
		"--min-size 600 is larger than --size 512":                                  func(s *Stylization) { s.Options.MinSize = 600 },
		"relu2_2 is no style layer; add it to --style-layers":                       func(s *Stylization) { s.LayerLoss = map[string]losses.Loss{"relu2_2": named("gram")} },
		`--start "nois": neither content, style, grey or noise nor a file; did you`: func(s *Stylization) { s.Start = "nois" },
		`--start "result:none.png": there is no file "none.png" to go on from`:      func(s *Stylization) { s.Start = "result:none.png" },
		"number of sampled positions is 7":                                          func(s *Stylization) { s.Samples = 7 },
	} {
		s := Default()
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.HasPrefix(err.Error(), "model:") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s := Default()
	if err := s.Settle(none); err != nil {
		t.Error(err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestNetworksAreReadOnce(t *testing.T) {
	networks := Networks{}
	o, err := Default().Open(t.Context(), networks)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Default().Open(t.Context(), networks)
	if err != nil || again.Parameters != o.Parameters || o.Parameters == nil {
		t.Errorf("the second network is another one (%v)", err)
	}
	s := Default()
	s.Weights = "missing"
	if _, err := s.Open(t.Context(), networks); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a file that isn't there: %v", err)
	}
	if alone, err := Default().Open(t.Context(), nil); err != nil || alone.Parameters != nil {
		t.Errorf("without a place to hold it, the embedded network isn't left to the library (%v)", err)
	}
}

func TestSettingsMakeOneStyleTermALayer(t *testing.T) {
	s := Default()
	for _, step := range [][2]string{{"style-layers", "relu1_1=2,relu2_1,relu3_1"}, {"loss", "mmd"}, {"layer-loss", "relu2_1=gram"}, {"samples", "512"}} {
		if err := s.Set(step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
	terms := s.StyleTerms()
	if len(terms) != 3 || terms[0].Weight != 2 || terms[1].Loss != named("gram") || terms[2].Layer != "relu3_1" {
		t.Errorf("terms are %v", terms)
	}
	if o, err := s.Open(t.Context(), Networks{}); err != nil || !slices.Equal(o.StyleTerms, terms) {
		t.Errorf("the options have %v (%v)", o.StyleTerms, err)
	}
	// Without settings the terms are the library's own.
	if terms, want := Default().StyleTerms(), model.DefaultOptions().StyleTerms; !slices.Equal(terms, want) {
		t.Errorf("terms are %v, want %v", terms, want)
	}
}

func TestOnlyLossesThatTakeASampleAreGivenOne(t *testing.T) {
	operations := func(loss losses.Loss) float64 { return loss.Description().Operations(1, 10_000, 10_000) }
	for _, test := range []struct {
		loss          string
		samples       int
		want, without float64 // operations at 10,000 positions of one channel
	}{
		{"relaxed", 512, 4 * 512 * 512, 4 * 2048 * 2048},
		{"relaxed-euclidean", 512, 4 * 512 * 512, 4 * 2048 * 2048},
		{"mmd", 512, 12 * 512 * 512, 12 * 2048 * 2048},
		{"mmd", 20_000, 12 * 10_000 * 10_000, 12 * 2048 * 2048},
		{"gram", 512, 4 * 10_000, 4 * 10_000},
	} {
		for samples, want := range map[int]float64{test.samples: test.want, 0: test.without} {
			s := Default()
			s.Loss, s.Samples = named(test.loss), samples
			if got := operations(s.StyleTerms()[0].Loss); got != want {
				t.Errorf("%s with %d samples takes %g operations, want %g", test.loss, samples, got, want)
			}
		}
	}
	for name, want := range map[string]int{"sinkhorn": 512, "sinkhorn-whole": 0} {
		s := Default()
		s.Loss, s.Samples = named(name), 512
		if got := s.StyleTerms()[0].Loss.Normalised().Summaries[0].Sample; got != want {
			t.Errorf("%s samples %d positions, want %d", name, got, want)
		}
	}
}

func TestLossesFromOutsideHaveNamesWhereTheyAreKnown(t *testing.T) {
	own := losses.Must(losses.Custom(losses.Function{
		Description: losses.Description{Name: "own"},
		Evaluate:    func([]float64, losses.Features, losses.Features) (float64, error) { return 0, nil },
	}))
	s := Default()
	if err := s.Set("loss", "own"); err == nil {
		t.Error("a loss is known that nobody gave")
	}
	s.Losses = append(losses.All(), own)
	for _, step := range [][2]string{{"loss", "own"}, {"layer-loss", "relu1_1=own"}, {"loss", "gram"}} {
		if err := s.Set(step[0], step[1]); err != nil {
			t.Fatal(err)
		}
	}
	if terms := s.StyleTerms(); terms[0].Loss != own || terms[1].Loss != named("gram") || s.Values()["layer-loss"] != "relu1_1=own" {
		t.Errorf("terms are %v, values %v", terms, s.Values())
	}
}

func TestListsOfLossesHoldThoseThatAreNamed(t *testing.T) {
	list := losses.Usable()
	value := Losses(&list)
	if got, want := value.String(), strings.Join(losses.NamesOf(losses.Usable()), ","); got != want || value.Type() != "LOSS,…" {
		t.Errorf("the default is %s of %s, want %s of LOSS,…", got, value.Type(), want)
	}
	for _, step := range []struct{ text, want string }{{"gram", "gram"}, {"cmd,mmd", "gram,cmd,mmd"}} {
		if err := value.Set(step.text); err != nil || value.String() != step.want || strings.Join(losses.NamesOf(list), ",") != step.want {
			t.Errorf("after %s: %s, losses %v (%v)", step.text, value.String(), losses.NamesOf(list), err)
		}
	}
	if err := value.Set("cmd"); err == nil || len(list) != 3 {
		t.Errorf("one twice: %v, losses %v", err, losses.NamesOf(list))
	}
}

func TestStartsAreNamesOrFiles(t *testing.T) {
	for text, want := range map[string]struct {
		start model.Start
		path  string
	}{
		"noise": {model.StartFromNoise, ""}, "content": {model.StartFromContent, ""},
		"a.png": {model.StartFromImage, "a.png"}, "image": {model.StartFromImage, "image"}, "result": {model.StartFromImage, "result"},
		"result:a.png": {model.StartFromResult, "a.png"}, "result:result:a": {model.StartFromResult, "result:a"}, "result:noise": {model.StartFromResult, "noise"},
		"./result:a.png": {model.StartFromImage, "./result:a.png"}, "./noise": {model.StartFromImage, "./noise"},
	} {
		start, path := Stylization{Start: text}.StartFile()
		if start != want.start || path != want.path {
			t.Errorf("%q starts from %s, %q, want %s, %q", text, start, path, want.start, want.path)
		}
		if start.IsPicture() && StartFrom(start, path) != text {
			t.Errorf("%q is written %q", text, StartFrom(start, path))
		}
	}
	for path, want := range map[string]string{"noise": "./noise", "result:a.png": "./result:a.png"} {
		if got := StartFrom(model.StartFromImage, path); got != want {
			t.Errorf("the picture %q is written %q, want %q", path, got, want)
		}
	}
}

func TestResultsAreOpenedToGoOnFrom(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "small.png")
	small := &picture.Picture{Width: 20, Height: 10, RGB: make([]float32, 3*20*10)}
	if err := picture.Save(path, small, picture.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	s := Default()
	if err := s.Set("start", "result:"+path); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(t.Context(), nil)
	if err != nil || o.Start != model.StartFromResult || o.StartImage.Bounds().Dx() != 20 {
		t.Errorf("opened %s, %v (%v)", o.Start, o.StartImage, err)
	}
	if got := s.Files(); !slices.Equal(got, []string{path}) {
		t.Errorf("files are %q", got)
	}
	value := startValue{freeText{&s.Start, "START"}}
	for typed, want := range map[string][]string{
		"res": {"result:"}, "result:" + filepath.Join(folder, "sm"): {"result:" + path}, "result:" + filepath.Join(folder, "x"): nil,
		"result:" + folder + string(filepath.Separator): {"result:" + path}, "result:" + folder: {"result:" + folder + string(filepath.Separator)},
	} {
		var got []string
		for _, c := range value.Complete(typed) {
			got = append(got, c.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is completed to %q, want %q", typed, got, want)
		}
	}
}
