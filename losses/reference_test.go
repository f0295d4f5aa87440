package losses_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
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
			t.Run(path.name+" "+pooling, func(t *testing.T) {
				c := comparison{network: n, content: content, near: nearness(t, path.tolerance), layers: layers}
				c.widest = 256
				if path.exact && pooling == "max" {
					c.widest = 512
				}
				c.summarise(t, style)
				c.compareValues(t)
				c.compareGradients(t)
			})
		}
	}
}

// comparison holds the features of a content and the losses from there to a style, whose
// summaries are targets, against the reference.
type comparison struct {
	network engine.Network
	content *picture.Picture
	near    nearFunc
	layers  map[string]layerReference
	targets map[string]plan.Values // by layer and loss
	// widest is how many channels of a layer are compared by gaussian: with 512, roots of
	// matrices take a second, and are the same functions for any pooling and device.
	widest int
}

// each calls a function for every layer and loss that is compared, in order.
func (c *comparison) each(t *testing.T, f func(layer, name string, form losses.Form, want lossReference)) {
	t.Helper()
	for _, layer := range slices.Sorted(maps.Keys(c.layers)) {
		for _, name := range []string{"gram", "gaussian", "moments", "sliced"} {
			if want := c.layers[layer]; name != "gaussian" || want.Shape[1] <= c.widest {
				f(layer, name, named(t, name).Plain(), want.loss(name)) // of one summary
			}
		}
	}
}

// summarise makes the targets of a style picture.
func (c *comparison) summarise(t *testing.T, style *picture.Picture) {
	t.Helper()
	var keys []string
	values, err := c.network.Evaluate(t.Context(), style, slices.Collect(maps.Keys(c.layers)), func(features map[string]*gorgonia.Node) (nodes []*gorgonia.Node, err error) {
		c.each(t, func(layer, name string, form losses.Form, _ lossReference) {
			target, failed := form.Target(features[layer], losses.Positions{})
			if err = errors.Join(err, failed); err == nil {
				keys, nodes = append(keys, layer+" "+name), append(nodes, target[0].Node)
			}
		})
		return nodes, err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.targets = map[string]plan.Values{}
	for i, key := range keys {
		c.targets[key] = values[i]
	}
}

// loss adds one of the losses to a graph of the content, and returns its target's input.
func (c *comparison) loss(t *testing.T, features *gorgonia.Node, layer, name string, form losses.Form) (value *gorgonia.Node, target engine.Input) {
	t.Helper()
	values := c.targets[layer+" "+name]
	target = engine.Input{Node: values.Input(features.Graph(), layer+" "+name), Values: values}
	x, err := form.Summarise(features, losses.Positions{})
	if err != nil {
		t.Fatal(err)
	}
	if value, err = form.Value(x, []losses.Summarised{{Node: target.Node}}); err != nil {
		t.Fatal(err)
	}
	return value, target
}

// compareValues compares features and losses of all layers, in one graph.
func (c *comparison) compareValues(t *testing.T) {
	t.Helper()
	layers := slices.Sorted(maps.Keys(c.layers))
	node, features, err := c.network.Build(c.content.Width, c.content.Height, layers...)
	if err != nil {
		t.Fatal(err)
	}
	inputs, outputs := []engine.Input{engine.PictureInput(node, c.content)}, []*gorgonia.Node{}
	for _, layer := range layers {
		outputs = append(outputs, features[layer])
	}
	c.each(t, func(layer, name string, form losses.Form, _ lossReference) {
		value, target := c.loss(t, features[layer], layer, name, form)
		inputs, outputs = append(inputs, target), append(outputs, value)
	})
	got, err := engine.Evaluate(t.Context(), c.network.Device, inputs, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	for i, layer := range layers {
		compareFeatures(t, c.near, layer, got[i], c.layers[layer])
	}
	got = got[len(layers):]
	c.each(t, func(layer, name string, _ losses.Form, want lossReference) {
		c.near(layer+" "+name, got[0].Double[0], want.Value, want.Value)
		got = got[1:]
	})
}

// compareGradients compares the gradient to the picture of every loss for which the
// reference has one, with its value beside it.
func (c *comparison) compareGradients(t *testing.T) {
	t.Helper()
	c.each(t, func(layer, name string, form losses.Form, want lossReference) {
		if want.GradL2 == nil {
			return
		}
		node, features, err := c.network.Build(c.content.Width, c.content.Height, layer)
		if err != nil {
			t.Fatal(err)
		}
		value, target := c.loss(t, features[layer], layer, name, form)
		grads, err := gorgonia.Grad(value, node)
		if err != nil {
			t.Fatal(err)
		}
		got, err := engine.Evaluate(t.Context(), c.network.Device, []engine.Input{target, engine.PictureInput(node, c.content)}, value, grads[0])
		if err != nil {
			t.Fatal(err)
		}
		what := layer + " " + name
		c.near(what+" beside its gradient", got[0].Double[0], want.Value, want.Value)
		gradient := got[1].Single
		var norm float64
		for _, g := range gradient {
			norm += float64(g) * float64(g)
		}
		c.near(what+" gradient norm", math.Sqrt(norm)/255, *want.GradL2, *want.GradL2)
		largest := math.Abs(want.Grad[0])
		for _, g := range want.Grad {
			largest = max(largest, math.Abs(g))
		}
		for channel, g := range want.Grad {
			at := (channel*c.content.Height+64)*c.content.Width + 80
			c.near(what+" gradient at a pixel", float64(gradient[at])/255, g, largest)
		}
	})
}

func compareFeatures(t *testing.T, near nearFunc, layer string, got plan.Values, want layerReference) {
	t.Helper()
	shape := got.Shape
	if shape[0] != want.Shape[1] || shape[1] != want.Shape[2] || shape[2] != want.Shape[3] {
		t.Fatalf("%s: shape %v, want %v", layer, shape, want.Shape)
	}
	values := got.Single
	var sum, squares float64
	for _, v := range values {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(values))
	mean := sum / n
	near(layer+" mean", mean, want.Mean, want.Mean)
	near(layer+" deviation", math.Sqrt(squares/n-mean*mean), want.Std, want.Std)
	for c, v := range want.First8 {
		at := (c*shape[1]+shape[1]/2)*shape[2] + shape[2]/2
		near(layer+" centre", float64(values[at]), v, want.Std)
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
