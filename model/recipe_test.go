package model

import (
	"math"
	"slices"
	"testing"
)

func TestRecipeScalesTheWeights(t *testing.T) {
	o := tinyOptions()
	o.StyleTerms = []StyleTerm{{"relu1_1", named("gram"), 6}, {"relu2_1", named("gram"), 0}, {"relu3_1", named("moments"), 2}}
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
	want := []contentPart{{layer: "relu3_1", weight: 0.1}, {layer: "relu4_2", weight: 0.4}}
	if !slices.Equal(r.content, want) {
		t.Errorf("content parts are %v, want %v", r.content, want)
	}
	if got := r.layers(); !slices.Equal(got, []string{"relu1_1", "relu3_1", "relu4_2"}) {
		t.Errorf("layers are %v, want each once", got)
	}
}

func TestRecipeTakesTheSmallestWeights(t *testing.T) {
	o := tinyOptions()
	o.StyleTerms = []StyleTerm{{"relu1_1", named("gram"), math.SmallestNonzeroFloat64}}
	r, err := recipeOf(o, []Style{{Weight: math.SmallestNonzeroFloat64}})
	if err != nil {
		t.Fatal(err)
	}
	if r.style[0].weight != 1 || r.styles[0] != 1 {
		t.Errorf("the only layer weighs %v and the only style %v, want 1", r.style[0].weight, r.styles[0])
	}
}

func TestTermsOfALayerAreToldApart(t *testing.T) {
	o := tinyOptions()
	o.StyleTerms = []StyleTerm{{"relu1_1", named("gram"), 1}, {"relu2_1", named("gram"), 1}, {"relu1_1", named("moments"), 1}, {"relu2_1", named("cmd"), 0}}
	r, err := recipeOf(o, oneStyle)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"style relu1_1 gram", "style relu2_1", "style relu1_1 moments"} {
		if got := r.styleName(i); got != want {
			t.Errorf("term %d is called %q, want %q", i+1, got, want)
		}
	}
	if got := r.styleLayers(); !slices.Equal(got, []string{"relu1_1", "relu2_1"}) {
		t.Errorf("layers are %v, want each once", got)
	}
}
