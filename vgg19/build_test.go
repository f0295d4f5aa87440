package vgg19_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/cpu"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

// parameters are a copy of randomParameters, whose filters and biases tests must not change.
func parameters() *vgg19.Parameters {
	p := *randomParameters()
	return &p
}

// randomParameters have activations of about one size at any depth.
var randomParameters = sync.OnceValue(func() *vgg19.Parameters {
	r := rand.New(rand.NewPCG(1, 2))
	p := &vgg19.Parameters{Neutral: [3]float32{0.4, 0.45, 0.5}}
	for i, c := range vgg19.Convolutions {
		p.Filters[i] = make([]float32, c.Out*c.In*9)
		for k := range p.Filters[i] {
			p.Filters[i][k] = float32(r.NormFloat64() * math.Sqrt(2/float64(9*c.In)))
		}
		p.Biases[i] = make([]float32, c.Out)
		for k := range p.Biases[i] {
			p.Biases[i][k] = float32(r.NormFloat64()) * 0.1
		}
	}
	return p
})

func pictureNode(height, width int, dtype tensor.Dtype) *gorgonia.Node {
	return gorgonia.NewTensor(gorgonia.NewGraph(), dtype, 3, gorgonia.WithShape(3, height, width), gorgonia.WithName("picture"))
}

func TestEveryFeatureMapCanBeHadByItsName(t *testing.T) {
	p := parameters()
	for _, layer := range vgg19.Layers() {
		picture := pictureNode(37, 50, tensor.Float32)
		maps, err := vgg19.Build(picture, p, vgg19.Options{}, layer)
		if err != nil {
			t.Fatal(err)
		}
		size := vgg19.MinimumSize(layer)
		channels := map[byte]int{'1': 64, '2': 128, '3': 256, '4': 512, '5': 512}[layer[4]]
		want := tensor.Shape{channels, 37 / size, 50 / size}
		if got := maps[layer].Shape(); !got.Eq(want) {
			t.Errorf("%s has shape %v, want %v", layer, got, want)
		}
	}
}

func TestTheNetworkIsOnlyAsDeepAsItsLayers(t *testing.T) {
	picture := pictureNode(32, 32, tensor.Float32)
	if _, err := vgg19.Build(picture, parameters(), vgg19.Options{}, "relu2_1"); err != nil {
		t.Fatal(err)
	}
	for _, node := range picture.Graph().AllNodes() {
		if node.Name() == "conv2_2.filters" || node.Name() == "conv5_4.filters" {
			t.Errorf("%s is in the graph of relu2_1", node.Name())
		}
	}
}

func TestBadNamesAndSizesAreErrors(t *testing.T) {
	p := parameters()
	tests := map[string]struct {
		height, width int
		options       vgg19.Options
		layers        []string
	}{
		"no layers":       {32, 32, vgg19.Options{}, nil},
		"unknown layer":   {32, 32, vgg19.Options{}, []string{"relu6_1"}},
		"unknown pooling": {32, 32, vgg19.Options{Pooling: "median"}, []string{"relu1_1"}},
		"unknown padding": {32, 32, vgg19.Options{Padding: "reflect"}, []string{"relu1_1"}},
		"too small":       {15, 32, vgg19.Options{}, []string{"relu5_1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := vgg19.Build(pictureNode(test.height, test.width, tensor.Float32), p, test.options, test.layers...); err == nil {
				t.Error("no error")
			}
		})
	}
}

// evaluation is a loss of several layers with its gradient to the picture.
type evaluation struct{ picture, cost, gradient *gorgonia.Node }

func newEvaluation(t *testing.T, dtype tensor.Dtype, p *vgg19.Parameters, o vgg19.Options, height, width int) evaluation {
	t.Helper()
	picture := pictureNode(height, width, dtype)
	layers := []string{"relu1_1", "conv2_1", "relu3_1", "relu4_2"}
	maps, err := vgg19.Build(picture, p, o, layers...)
	if err != nil {
		t.Fatal(err)
	}
	var terms []*gorgonia.Node
	for i, name := range []string{"gram", "moments", "gaussian"} {
		loss, err := losses.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		summaries, err := loss.Normalised().Summarise(maps[layers[i]], losses.Positions{})
		if err != nil {
			t.Fatal(err)
		}
		target := make([]float64, summaries[0].Node.Shape().TotalSize())
		channels := maps[layers[i]].Shape()[0]
		for c := range channels {
			target[c] = 0.1
			if name == "moments" {
				target[channels+c] = 1
			} else {
				target[channels+c*channels+c] = 1
			}
		}
		node := gorgonia.NewTensor(picture.Graph(), tensor.Float64, 1, gorgonia.WithName(name+".target"), gorgonia.WithShape(len(target)),
			gorgonia.WithValue(tensor.New(tensor.WithShape(len(target)), tensor.WithBacking(target))))
		term, err := loss.Normalised().Value(summaries, []losses.Summarised{{Node: node}})
		if err != nil {
			t.Fatal(err)
		}
		terms = append(terms, term)
	}
	variation, err := losses.TotalVariation(picture)
	if err != nil {
		t.Fatal(err)
	}
	cost, err := losses.Sum([]float64{1, 2, 3, 4}, append(terms, variation)...)
	if err != nil {
		t.Fatal(err)
	}
	grads, err := gorgonia.Grad(cost, picture)
	if err != nil {
		t.Fatal(err)
	}
	return evaluation{picture, cost, grads[0]}
}

// onMachine runs an evaluation on the CPU machine, twice, for a second run must
// not add to the first.
func onMachine(t *testing.T, e evaluation, o cpu.Options, values []float32) (float64, []float32) {
	t.Helper()
	device, err := cpu.NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	schedule, err := plan.Make(e.cost, e.gradient)
	if err != nil {
		t.Fatal(err)
	}
	machine, err := device.Compile(schedule)
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	if err := machine.Write(e.picture, values); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := machine.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	var cost [1]float64
	gradient := make([]float32, len(values))
	if err := machine.ReadFloat64(e.cost, cost[:]); err != nil {
		t.Fatal(err)
	}
	if err := machine.Read(e.gradient, gradient); err != nil {
		t.Fatal(err)
	}
	return cost[0], gradient
}

// onTape runs it on Gorgonia's tape machine, where every operation computes its
// definition.
func onTape(t *testing.T, e evaluation, values []float32) (float64, []float32) {
	t.Helper()
	if err := gorgonia.Let(e.picture, tensor.New(tensor.WithShape(e.picture.Shape()...), tensor.WithBacking(slices.Clone(values)))); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(e.picture.Graph())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return e.cost.Value().Data().(float64), e.gradient.Value().Data().([]float32)
}

func TestTheMachineAgreesWithGorgoniasTapeMachine(t *testing.T) {
	p := parameters()
	for _, options := range []vgg19.Options{
		{Pooling: "max", Padding: "replicate"},
		{Pooling: "avg", Padding: "zero"},
		{Pooling: "l2", PlainPooling: true},
	} {
		t.Run(options.Pooling, func(t *testing.T) {
			values := noise(3 * 17 * 19)
			cost, gradient := onMachine(t, newEvaluation(t, tensor.Float32, p, options, 17, 19), cpu.Options{Threads: 2}, values)
			wantCost, wantGradient := onTape(t, newEvaluation(t, tensor.Float32, p, options, 17, 19), values)
			if d := math.Abs(cost-wantCost) / wantCost; d > 1e-5 {
				t.Errorf("loss %g, want %g", cost, wantCost)
			}
			// float32 sums in another order, through ten convolutions and back.
			if d := distance(gradient, wantGradient); d > 1e-4 {
				t.Errorf("gradients differ by %g of their norm", d)
			}
		})
	}
}

func TestResultsAreTheSameForAnyNumberOfThreads(t *testing.T) {
	p, values := parameters(), noise(3*33*21)
	options := vgg19.Options{Padding: "replicate"}
	for _, precision := range []device.Precision{device.Float32, device.Float16} {
		cost, gradient := onMachine(t, newEvaluation(t, tensor.Float32, p, options, 33, 21), cpu.Options{Threads: 1, Precision: precision}, values)
		for _, threads := range []int{2, 3, 7} {
			c, g := onMachine(t, newEvaluation(t, tensor.Float32, p, options, 33, 21), cpu.Options{Threads: threads, Precision: precision}, values)
			if c != cost || !slices.Equal(g, gradient) {
				t.Errorf("%s: %d threads give another result than one", precision, threads)
			}
		}
	}
}

func noise(n int) []float32 {
	r := rand.New(rand.NewPCG(3, 4))
	values := make([]float32, n)
	for i := range values {
		values[i] = r.Float32()
	}
	return values
}

// distance is |a−b|/|b|.
func distance(a, b []float32) float64 {
	var d, norm float64
	for i := range a {
		d += math.Pow(float64(a[i])-float64(b[i]), 2)
		norm += math.Pow(float64(b[i]), 2)
	}
	return math.Sqrt(d / norm)
}

// The network from a layer on, on that layer's map, gives what the whole network does.
func TestTheNetworkCanBeBuiltInPieces(t *testing.T) {
	p := parameters()
	d, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	picture := make([]float32, 3*40*37)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range picture {
		picture[i] = r.Float32()
	}
	values := func(input *gorgonia.Node, from []float32, output *gorgonia.Node) []float32 {
		s, err := plan.Make(output)
		if err != nil {
			t.Fatal(err)
		}
		m, err := d.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := m.Write(input, from); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		to := make([]float32, output.Shape().TotalSize())
		if err := m.Read(output, to); err != nil {
			t.Fatal(err)
		}
		return to
	}
	for _, after := range []string{"conv1_1", "relu1_2", "pool1", "relu2_1", "pool2"} {
		// ReLU of a convolution is a step of its own where the convolution is asked for.
		node := pictureNode(40, 37, tensor.Float32)
		maps, err := vgg19.Build(node, p, vgg19.Options{}, after, "relu3_2")
		if err != nil {
			t.Fatal(err)
		}
		want := values(node, picture, maps["relu3_2"])
		between := values(node, picture, maps[after])
		shape := maps[after].Shape()
		input := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float32, 3, gorgonia.WithShape(shape...), gorgonia.WithName("map"))
		rest, err := vgg19.BuildFrom(input, after, p, vgg19.Options{}, "relu3_2")
		if err != nil {
			t.Fatal(err)
		}
		if got := values(input, between, rest["relu3_2"]); !slices.Equal(got, want) {
			t.Errorf("from %s on, relu3_2 differs", after)
		}
	}
	wrong := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float32, 3, gorgonia.WithShape(64, 8, 8), gorgonia.WithName("map"))
	for name, layers := range map[string][2]string{"too few channels": {"pool2", "relu3_1"}, "the wrong order": {"pool1", "relu1_1"}, "unknown": {"pool9", "relu1_1"}} {
		if _, err := vgg19.BuildFrom(wrong, layers[0], p, vgg19.Options{}, layers[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
