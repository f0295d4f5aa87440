package losses_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
	"impasto/weights"
)

// reference holds values of an independent implementation in float64, PyTorch's,
// made by testdata/make_reference.py: pooling → layer → values.
type reference map[string]map[string]layerReference

type layerReference struct {
	Shape                           []int
	Mean, Std                       float64
	First8                          []float64
	Gram, Gaussian, Moments, Sliced lossReference
}

type lossReference struct {
	Value  float64
	GradL2 *float64  `json:"grad_l2"`
	Grad   []float64 `json:"grad_at_64_80_rgb"` // by a picture of 0–255
}

func (l layerReference) loss(name string) lossReference {
	return map[string]lossReference{"gram": l.Gram, "gaussian": l.Gaussian, "moments": l.Moments, "sliced": l.Sliced}[name]
}

// folder is where the reference values are: this package's own, or another set
// made by the same script.
func folder() string {
	if dir := os.Getenv("IMPASTO_REFERENCE"); dir != "" {
		return dir
	}
	return "testdata"
}

func load(t *testing.T) (r reference, content, style *picture.Picture) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder(), "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	open := func(pattern string) *picture.Picture {
		found, err := filepath.Glob(filepath.Join(folder(), pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: found %v, want one picture", pattern, found)
		}
		p, err := picture.Open(t.Context(), found[0])
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	return r, open("*_160x128.png"), open("*_144x112.png")
}

// TestValuesAndGradientsAgreeWithAnIndependentImplementation goes through all
// layers of the real network.
func TestValuesAndGradientsAgreeWithAnIndependentImplementation(t *testing.T) {
	r, content, style := load(t)
	p, err := weights.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []struct {
		name      string
		exact     bool
		tolerance float64 // relative to the layer's largest value or the gradient's norm
	}{{"exact", true, 1e-4}, {"fastest", false, 1e-3}} {
		processor, err := engine.Open(engine.Options{Device: device.CPU, Exact: path.exact})
		if err != nil {
			t.Fatal(err)
		}
		defer processor.Close()
		for pooling, layers := range r {
			options := vgg19.Options{Pooling: pooling, PlainPooling: true, Padding: "zero"}
			n := engine.Network{Device: processor, Parameters: p, Options: options}
			for layer, want := range layers {
				t.Run(path.name+" "+pooling+" "+layer, func(t *testing.T) {
					near := nearness(t, path.tolerance)
					features := outputs(t, n, content, layer, func(features *gorgonia.Node) (*gorgonia.Node, error) { return features, nil })
					compareFeatures(t, near, features, want)
					for _, name := range []string{"gram", "gaussian", "moments", "sliced"} {
						compareLoss(t, near, n, content, style, layer, name, want.loss(name))
					}
				})
			}
		}
	}
}

func compareFeatures(t *testing.T, near nearFunc, got plan.Values, want layerReference) {
	t.Helper()
	shape := got.Shape
	if shape[0] != want.Shape[1] || shape[1] != want.Shape[2] || shape[2] != want.Shape[3] {
		t.Fatalf("shape %v, want %v", shape, want.Shape)
	}
	values := got.Single
	var sum, squares float64
	for _, v := range values {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(values))
	mean := sum / n
	near("mean", mean, want.Mean, want.Mean)
	near("deviation", math.Sqrt(squares/n-mean*mean), want.Std, want.Std)
	for c, v := range want.First8 {
		at := (c*shape[1]+shape[1]/2)*shape[2] + shape[2]/2
		near("centre", float64(values[at]), v, want.Std)
	}
}

func compareLoss(t *testing.T, near nearFunc, n engine.Network, content, style *picture.Picture, layer, name string, want lossReference) {
	t.Helper()
	form := named(t, name).Plain() // of one summary
	kept := outputs(t, n, style, layer, func(features *gorgonia.Node) (*gorgonia.Node, error) {
		target, err := form.Target(features, losses.Positions{})
		return target[0].Node, err
	})
	node, maps, err := n.Build(content.Width, content.Height, layer)
	if err != nil {
		t.Fatal(err)
	}
	x, err := form.Summarise(maps[layer], losses.Positions{})
	if err != nil {
		t.Fatal(err)
	}
	target := kept.Input(node.Graph(), "target")
	value, err := form.Value(x, []losses.Summarised{{Node: target}})
	if err != nil {
		t.Fatal(err)
	}
	grads, err := gorgonia.Grad(value, node)
	if err != nil {
		t.Fatal(err)
	}
	got, err := engine.Evaluate(t.Context(), n.Device, []engine.Input{{Node: target, Values: kept}, engine.PictureInput(node, content)}, value, grads[0])
	if err != nil {
		t.Fatal(err)
	}
	near(name, got[0].Double[0], want.Value, want.Value)
	if want.GradL2 == nil {
		return
	}
	gradient := got[1].Single
	var norm float64
	for _, g := range gradient {
		norm += float64(g) * float64(g)
	}
	near(name+" gradient norm", math.Sqrt(norm)/255, *want.GradL2, *want.GradL2)
	largest := math.Abs(want.Grad[0])
	for _, g := range want.Grad {
		largest = max(largest, math.Abs(g))
	}
	for c, g := range want.Grad {
		at := (c*content.Height+64)*content.Width + 80
		near(name+" gradient at a pixel", float64(gradient[at])/255, g, largest)
	}
}

type nearFunc func(what string, got, want, scale float64)

// nearness returns a comparison that holds the difference of two values, in
// units of scale, against a tolerance.
func nearness(t *testing.T, tolerance float64) nearFunc {
	return func(what string, got, want, scale float64) {
		t.Helper()
		if d := math.Abs(got-want) / math.Abs(scale); !(d <= tolerance) {
			t.Errorf("%s: %g, want %g; off by %.1e, tolerance %.0e", what, got, want, d, tolerance)
		}
	}
}

// outputs evaluates what is made of one layer's features of a picture.
func outputs(t *testing.T, n engine.Network, of *picture.Picture, layer string, made func(features *gorgonia.Node) (*gorgonia.Node, error)) plan.Values {
	t.Helper()
	values, err := n.Evaluate(t.Context(), of, []string{layer}, func(maps map[string]*gorgonia.Node) ([]*gorgonia.Node, error) {
		node, err := made(maps[layer])
		return []*gorgonia.Node{node}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return values[0]
}
