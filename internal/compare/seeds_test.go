package compare

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/internal/settings"
)

// cellsOf are the cells of settings under seeds, by name.
func cellsOf(t *testing.T, seeds []uint64, size string, dimensions ...Dimension) ([]string, error) {
	t.Helper()
	base := settings.Default()
	for name, value := range map[string]string{"size": size, "noise": "0"} {
		if err := base.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	cells, err := Grid(base, dimensions, nothing, nothing)
	if err != nil {
		t.Fatal(err)
	}
	cells, err = UnderSeeds(cells, seeds)
	var names []string
	for _, c := range cells {
		names = append(names, c.Name())
	}
	return names, err
}

func TestOnlyWhatIsRandomIsPaintedUnderEverySeed(t *testing.T) {
	for _, test := range []struct {
		dimension Dimension
		size      string
		want      []string
	}{
		{Dimension{"loss", []string{"gram", "gaussian", "moments", "cmd", "histogram"}}, "512", []string{"gram", "gaussian", "moments", "cmd", "histogram"}},
		{Dimension{"loss", []string{"sliced"}}, "512", []string{"sliced, seed 3", "sliced, seed 1"}},
		{Dimension{"loss", []string{"max-sliced"}}, "512", []string{"max-sliced, seed 3", "max-sliced, seed 1"}},
		{Dimension{"loss", []string{"sinkhorn"}}, "512", []string{"sinkhorn, seed 3", "sinkhorn, seed 1"}},
		// A map of no more positions than are drawn is taken whole.
		{Dimension{"loss", []string{"sinkhorn"}}, "40", []string{"sinkhorn"}},
		{Dimension{"loss", []string{"sinkhorn-whole"}}, "512", []string{"sinkhorn-whole"}},
		{Dimension{"start", []string{"content", "noise"}}, "512", []string{"start content", "start noise, seed 3", "start noise, seed 1"}},
		{Dimension{"start", []string{"style"}}, "512", []string{"start style, seed 3", "start style, seed 1"}},
		{Dimension{"start", []string{"grey"}}, "512", []string{"start grey, seed 3", "start grey, seed 1"}},
		{Dimension{"noise", []string{"0", "0.1"}}, "512", []string{"noise 0", "noise 0.1, seed 3", "noise 0.1, seed 1"}},
		{Dimension{"layer-loss", []string{"relu1_1=mmd"}}, "512", []string{"layer-loss relu1_1=mmd, seed 3", "layer-loss relu1_1=mmd, seed 1"}},
	} {
		if got, err := cellsOf(t, []uint64{3, 1}, test.size, test.dimension); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%v at %s pixels: %q (%v), want %q", test.dimension, test.size, got, err, test.want)
		}
	}
	for want, test := range map[string]struct {
		seeds     []uint64
		dimension Dimension
	}{
		"got no seeds":        {nil, Dimension{"loss", []string{"gram"}}},
		"seed varies in seed": {[]uint64{1}, Dimension{"seed", []string{"1", "2"}}},
		"the same file name":  {[]uint64{1, 1}, Dimension{"loss", []string{"sliced"}}},
	} {
		if _, err := cellsOf(t, test.seeds, "64", test.dimension); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", test, err, want)
		}
	}
}

// seeded are the options of a tiny comparison under seeds.
func seeded(t *testing.T, seeds []uint64, dimensions ...Dimension) Options {
	t.Helper()
	o := tiny(t, dimensions...)
	o.Seeds = seeds
	var err error
	if o.Cells, err = UnderSeeds(o.Cells, seeds); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestVariantsAreMeansOverTheirSeeds(t *testing.T) {
	o := seeded(t, []uint64{0, 3}, Dimension{"loss", []string{"gram", "sliced"}}, Dimension{"tv-weight", []string{"0", "8"}})
	c, events, err := watched(t, t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	var painted []string
	for _, e := range events {
		if name, ok := strings.CutPrefix(e, "painting "); ok {
			painted = append(painted, name)
		}
	}
	if want := []string{"gram, tv-weight 0 1/6", "gram, tv-weight 8 2/6", "sliced, tv-weight 0, seed 0 3/6", "sliced, tv-weight 0, seed 3 4/6",
		"sliced, tv-weight 8, seed 0 5/6", "sliced, tv-weight 8, seed 3 6/6"}; !slices.Equal(painted, want) {
		t.Errorf("painted %q, want %q", painted, want)
	}
	r := c.Report()
	if !slices.Equal(r.Seeds, []uint64{0, 3}) || len(r.Variants) != 4 || len(r.Pictures) != 7 {
		t.Fatalf("%+v", r)
	}
	gram, sliced := r.Variants[0], r.Variants[2]
	if gram.Random || gram.Loss.Count != 1 || gram.Loss.Deviation != nil || gram.Style["gram"].Mean != *r.Pictures[1].Style["gram"] || !slices.Equal(gram.Pictures, []string{"gram, tv-weight 0"}) {
		t.Errorf("%+v", gram)
	}
	if r.Pictures[1].Settings["seed"] != "" || r.Pictures[4].Settings["seed"] != "3" {
		t.Errorf("settings are %v and %v", r.Pictures[1].Settings, r.Pictures[4].Settings)
	}
	if !sliced.Random || !maps.Equal(sliced.Settings, map[string]string{"loss": "sliced", "tv-weight": "0"}) {
		t.Errorf("%+v", sliced)
	}
	for name, test := range map[string]struct {
		spread *Spread
		a, b   float64
	}{
		"loss":             {sliced.Loss, r.Pictures[3].Loss, r.Pictures[4].Loss},
		"seconds":          {sliced.Seconds, r.Pictures[3].Seconds, r.Pictures[4].Seconds},
		"style moments":    {sliced.Style["moments"], *r.Pictures[3].Style["moments"], *r.Pictures[4].Style["moments"]},
		"content gram":     {sliced.Content["gram"], *r.Pictures[3].Content["gram"], *r.Pictures[4].Content["gram"]},
		"the content loss": {sliced.Kept, *r.Pictures[3].Kept, *r.Pictures[4].Kept},
	} {
		mean, deviation := (test.a+test.b)/2, math.Abs(test.a-test.b)/math.Sqrt2
		if s := test.spread; s == nil || s.Count != 2 || test.a == test.b || math.Abs(s.Mean-mean) > 1e-12*mean || math.Abs(*s.Deviation-deviation) > 1e-9*deviation {
			t.Errorf("%s is %+v, of %g and %g", name, s, test.a, test.b)
		}
	}
	page, err := os.ReadFile(filepath.Join(o.Folder, pageFile))
	if err != nil {
		t.Fatal(err)
	}
	// Two settings vary, and seeds make no third.
	for part, count := range map[string]int{`class="matrix"`: 1, `data-seed="3"`: 2, "mean of 2 seeds: 2 iterations in ": 2, "<dt>seeds</dt><dd>0,<wbr>3</dd>": 1, " ± ": -1} {
		if got := strings.Count(string(page), part); got != count && (count >= 0 || got == 0) {
			t.Errorf("the page has %q %d times, want %d", part, got, count)
		}
	}

	// What is there is kept where there are more seeds, or none.
	more := o
	more.Seeds = []uint64{3, 5}
	cells, err := Grid(o.Base, []Dimension{{"loss", []string{"gram", "sliced"}}, {"tv-weight", []string{"0", "8"}}}, func(name string) bool { return name == "first-iterations" || name == "min-size" }, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if more.Cells, err = UnderSeeds(cells, more.Seeds); err != nil {
		t.Fatal(err)
	}
	if _, events, err = watched(t, t.Context(), more, nil); err != nil || strings.Count(strings.Join(events, "\n"), "reused") != 4 || strings.Count(strings.Join(events, "\n"), "painted") != 2 {
		t.Errorf("%v, events are %q", err, events)
	}
}

func TestFailedSeedsDontCount(t *testing.T) {
	o := seeded(t, []uint64{0, 1, 2}, Dimension{"loss", []string{"sliced"}})
	// A folder where a picture should go.
	c, _, err := watched(t, t.Context(), o, func(e Event) error {
		if e.Kind == Painting && e.Picture.Name == "sliced, seed 0" {
			return os.Mkdir(filepath.Join(o.Folder, pictureFolder, "sliced_seed-0.png"), 0o700)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Report().Variants[0]; v.Loss.Count != 2 || v.Style["gram"].Count != 2 || len(v.Pictures) != 3 {
		t.Errorf("%+v", v)
	}
	page, err := os.ReadFile(filepath.Join(o.Folder, pageFile))
	if err != nil || !strings.Contains(string(page), "mean of 2 of 3 seeds: 2 iterations") || strings.Contains(string(page), `data-seed="0"`) {
		t.Errorf("the page doesn't show the second seed (%v)", err)
	}
	if err := c.Failure(); err == nil || !strings.Contains(err.Error(), "1 of 3 pictures failed: sliced, seed 0") {
		t.Errorf("error %v", err)
	}
}

func readCurves(t *testing.T, o Options) (c Curves) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(o.Folder, curvesFile))
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDifferentObjectivesAreMeasuredAlike(t *testing.T) {
	o := seeded(t, []uint64{0, 1}, Dimension{"loss", []string{"gram", "sliced"}})
	c, _, err := watched(t, t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	curves := readCurves(t, o)
	if curves.OneObjective || !slices.Equal(curves.Measures, []string{"gram", "content loss"}) || len(curves.Pictures) != 3 || len(curves.Variants) != 2 || len(curves.Reached) != 2 {
		t.Fatalf("%+v", curves)
	}
	scores := c.Report().Pictures
	for i, p := range curves.Pictures {
		if len(p.Loss) != 2 || len(p.Measured) != 2 || p.Measured[0].Iteration != 1 || p.Measured[1].Iteration != 2 || p.Name != scores[1+i].Name {
			t.Fatalf("%+v", p)
		}
		// The last measure is the score of the result, but for the rounding of its file.
		last := p.Measured[1]
		if want := *scores[1+i].Style["gram"]; math.Abs(last.Style["gram"]-want) > 0.01*want {
			t.Errorf("%s ends at %g, and is scored %g", p.Name, last.Style["gram"], want)
		}
		if last.Seconds > scores[1+i].Seconds+1e-9 || p.Loss[1].Seconds != scores[1+i].Seconds || p.Loss[1].Loss != scores[1+i].Loss {
			t.Errorf("%s ends at %+v and %+v, want %g s", p.Name, last, p.Loss[1], scores[1+i].Seconds)
		}
	}
	mean := curves.Variants[1].Curves["gram"][1]
	a, b := curves.Pictures[1].Measured[1].Style["gram"], curves.Pictures[2].Measured[1].Style["gram"]
	if math.Abs(mean.Mean-(a+b)/2) > 1e-12 || mean.Least != min(a, b) || mean.Greatest != max(a, b) {
		t.Errorf("the mean of %g and %g is %+v", a, b, mean)
	}
	// Measures at another size are others.
	o.ScoreSize = 24
	if _, _, err := watched(t, t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	if p := readCurves(t, o).Pictures[0]; p.Measured != nil || len(p.Loss) != 2 {
		t.Errorf("%+v", p)
	}
}

func TestOneObjectiveIsItsOwnMeasure(t *testing.T) {
	o := seeded(t, []uint64{0, 1}, Dimension{"start", []string{"content", "noise"}})
	c, _, err := watched(t, t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	curves := readCurves(t, o)
	if !curves.OneObjective || !slices.Equal(curves.Measures, []string{"loss"}) || curves.Pictures[0].Measured != nil || len(curves.Reached) != 1 {
		t.Fatalf("%+v", curves)
	}
	r, v := curves.Reached[0], c.Report().Variants
	if want := max(v[0].Loss.Mean, v[1].Loss.Mean); math.Abs(r.Value-want) > 1e-12*want || len(r.Pictures) != 2 || r.Pictures[1].Name != "start noise" {
		t.Errorf("%+v, want %g to be reached", r, want)
	}
	for _, file := range []string{plotFile, pageFile} {
		text, err := os.ReadFile(filepath.Join(o.Folder, file))
		if err != nil || !strings.Contains(string(text), "start noise") {
			t.Errorf("%s doesn't show start noise (%v)", file, err)
		}
	}
}

func TestObjectivesAreTold(t *testing.T) {
	for name, want := range map[string]bool{
		"optimizer=lbfgs,adam": true, "start=content,noise": true, "iterations=5,9": true, "min-size=32,64": true, "seed=1,2": true, "quality=draft,best": true,
		"tv-weight=0,1": false, "loss=gram,cmd": false, "size=256,300": false, "pooling=max,avg": false, "style-scale=1,2": false,
	} {
		setting, list, _ := strings.Cut(name, "=")
		cells, err := Grid(settings.Default(), []Dimension{dimension(t, setting, list)}, nothing, nothing)
		if err != nil {
			t.Fatal(err)
		}
		if got := oneObjective(cells); got != want {
			t.Errorf("%s: one objective: %t, want %t", name, got, want)
		}
	}
	known := settings.Default().Values()
	for _, name := range objectiveNeutral {
		if _, ok := known[name]; !ok {
			t.Errorf("%s is no setting", name)
		}
	}
}
