package model

import (
	"math"
	"slices"
	"testing"
)

func TestRecipeScalesTheWeights(t *testing.T) {
	o := tinyOptions()
	o.StyleLayers = []LayerWeight{{"relu1_1", 6}, {"relu2_1", 0}, {"relu3_1", 2}}
	o.LayerLoss = map[string]string{"relu3_1": "moments"}
	o.ContentLayers = []LayerWeight{{"relu3_1", 1}, {"relu4_2", 4}}
	o.ContentWeight = 0.5
	r, err := recipeOf(o, []Style{{Weight: 3}, {Weight: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.styles, []float64{0.75, 0.25}) {
		t.Errorf("styles weigh %v, want 0.75 and 0.25", r.styles)
	}
	if len(r.style) != 2 || r.style[0].weight != 0.75 || r.style[1].weight != 0.25 {
		t.Errorf("style parts are %v, want relu1_1 at 0.75 and relu3_1 at 0.25, without that of weight 0", r.style)
	}
	if a, b := r.style[0].loss.Description().Name, r.style[1].loss.Description().Name; a != "gram" || b != "moments" {
		t.Errorf("losses are %s and %s, want gram and, for relu3_1, moments", a, b)
	}
	want := []contentPart{{"relu3_1", 0.1}, {"relu4_2", 0.4}}
	if !slices.Equal(r.content, want) {
		t.Errorf("content parts are %v, want %v", r.content, want)
	}
	if got := r.layers(); !slices.Equal(got, []string{"relu1_1", "relu3_1", "relu4_2"}) {
		t.Errorf("layers are %v, want each once", got)
	}
}

func TestRecipeTakesTheSmallestWeights(t *testing.T) {
	o := tinyOptions()
	o.StyleLayers = []LayerWeight{{"relu1_1", math.SmallestNonzeroFloat64}}
	r, err := recipeOf(o, []Style{{Weight: math.SmallestNonzeroFloat64}})
	if err != nil {
		t.Fatal(err)
	}
	if r.style[0].weight != 1 || r.styles[0] != 1 {
		t.Errorf("the only layer weighs %v and the only style %v, want 1", r.style[0].weight, r.styles[0])
	}
}

func TestRecipeGivesTheSampleToLossesThatTakeOne(t *testing.T) {
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
			o := tinyOptions()
			o.Loss, o.Samples = test.loss, samples
			r, err := recipeOf(o, oneStyle)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.style[0].loss.Description().Operations(1, 10_000, 10_000); got != want {
				t.Errorf("%s with %d samples takes %g operations, want %g", test.loss, samples, got, want)
			}
		}
	}
	o := tinyOptions()
	for name, want := range map[string]int{"sinkhorn": 512, "sinkhorn-whole": 0} {
		o.Loss, o.Samples = name, 512
		r, err := recipeOf(o, oneStyle)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.style[0].loss.Normalised().Summaries[0].Sample; got != want {
			t.Errorf("%s samples %d positions, want %d", name, got, want)
		}
	}
}
