//go:build gpu && cgo && linux

package cuda

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/cuda/standin"
	"impasto/device"
	"impasto/internal/cpu"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// network is a graph under test: outputs, and values for its inputs by name.
type network struct {
	outputs []*gorgonia.Node
	inputs  map[string]plan.Values
	// loose is how many times as far off as others its outputs may be; 0 is once.
	loose float64
}

func leaf(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...))
}

func constant32(g *gorgonia.ExprGraph, name string, values []float32, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))))
}

// convolve adds a convolution with random filters that keeps activations at size one. Of
// the values of picture, no unit that is rectified comes near to zero, where rounding would
// take it for another: a channel's bias lies in the widest gap among its values.
func convolve(t *testing.T, x *gorgonia.Node, out int, border pure.Border, rectify bool) *gorgonia.Node {
	t.Helper()
	in, seed := x.Shape()[0], uint64(x.ID())+7
	filters, biases := random(seed, out*in*9), make([]float32, out)
	for i := range filters {
		filters[i] *= float32(math.Sqrt(2 / float64(9*in)))
	}
	name := fmt.Sprintf("layer %d ", x.ID())
	filterNode := constant32(x.Graph(), name+"filters", filters, out, in, 3, 3)
	apply := func(name string, rectify bool) *gorgonia.Node {
		y, err := ops.Convolve(x, filterNode, constant32(x.Graph(), name, biases, out), border, rectify)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	if !rectify {
		return apply(name+"biases", false)
	}
	exact, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	picture := x.Graph().Inputs()[0]
	n := network{outputs: []*gorgonia.Node{apply(name+"no biases", false)}, inputs: map[string]plan.Values{"x": values32(1, picture.Shape()...)}}
	biases = slices.Clone(biases)
	values := evaluate(t, exact, n, 1)[0].Single
	for i := range biases {
		biases[i] = -gap(values[i*len(values)/out : (i+1)*len(values)/out])
	}
	return apply(name+"biases", true)
}

// gap is the middle of the widest gap between the values in the middle half of some.
func gap(values []float32) float32 {
	sorted := slices.Sorted(slices.Values(values))
	first, last := len(sorted)/4, len(sorted)-1-len(sorted)/4
	if first == last {
		return sorted[first] - 0.5
	}
	at := first
	for i := first; i < last; i++ {
		if sorted[i+1]-sorted[i] > sorted[at+1]-sorted[at] {
			at = i
		}
	}
	return (sorted[at] + sorted[at+1]) / 2
}

// evaluate runs a graph so often and returns its outputs.
func evaluate(t *testing.T, d plan.Device, n network, runs int) []plan.Values {
	t.Helper()
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	for _, in := range s.Inputs {
		values, ok := n.inputs[in.Node.Name()]
		if !ok {
			t.Fatalf("no values for the input %v", in.Node.Name())
		}
		if err := values.WriteTo(m, in.Node); err != nil {
			t.Fatal(err)
		}
	}
	for range runs {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	return readOutputs(t, m, n)
}

func readOutputs(t *testing.T, m plan.Machine, n network) []plan.Values {
	t.Helper()
	var results []plan.Values
	for _, output := range n.outputs {
		v, err := plan.ReadValues(m, output)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, v)
	}
	return results
}

// agrees compares all outputs with the processor's, of which the last is a gradient.
func agrees(t *testing.T, d *Device, n network) {
	t.Helper()
	exact, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	for _, runs := range []int{1, 3} { // step by step, and as a graph
		want := evaluate(t, exact, n, runs)
		outputsNear(t, fmt.Sprint(runs, " runs"), d.precision.String(), n, evaluate(t, d, n, runs), want)
	}
}

// compareOutputs compares a machine's outputs as they are.
func compareOutputs(t *testing.T, what string, m *machine, n network, want []plan.Values) {
	t.Helper()
	outputsNear(t, what, m.device.precision.String(), n, readOutputs(t, m, n), want)
}

// outputsNear compares all outputs of a network, of which the last is a gradient.
func outputsNear(t *testing.T, what, precision string, n network, got, want []plan.Values) {
	t.Helper()
	for i := range want {
		what := fmt.Sprintf("%s, output %d, %v", what, i, n.outputs[i])
		tolerance := tolerances[precision]
		if i == len(want)-1 {
			tolerance = gradientTolerances[precision]
		}
		if n.loose > 0 {
			tolerance *= n.loose
		}
		if want[i].Single != nil {
			near32(t, what, got[i].Single, want[i].Single, tolerance)
		} else {
			near32(t, what, got[i].Double, want[i].Double, tolerance)
		}
	}
}

type float interface{ ~float32 | ~float64 }

// near32 compares by the root mean square of the difference and of want.
func near32[T float](t *testing.T, what string, got, want []T, tolerance float64) {
	t.Helper()
	var difference, size float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		difference += d * d
		size += float64(w) * float64(w)
	}
	if off := math.Sqrt(difference / (size + 1e-300)); !(off <= tolerance) {
		t.Errorf("%s: off by %.2g, want %.2g at most (%v …, want %v …)", what, off, tolerance, got[:min(len(got), 3)], want[:min(len(want), 3)])
	}
}

func values32(seed uint64, shape ...int) plan.Values {
	return plan.Values{Shape: shape, Single: random(seed, tensor.Shape(shape).TotalSize())}
}

// positive are values as after rectification.
func positive(v plan.Values) plan.Values {
	for i, x := range v.Single {
		v.Single[i] = max(x, 0)
	}
	return v
}

// withGradient adds the gradient of a weighted sum of losses to the outputs.
func withGradient(t *testing.T, x *gorgonia.Node, weights []float64, losses ...*gorgonia.Node) []*gorgonia.Node {
	t.Helper()
	cost, err := ops.WeightedSum(weights, losses...)
	if err != nil {
		t.Fatal(err)
	}
	grads, err := gorgonia.Grad(cost, x)
	if err != nil {
		t.Fatal(err)
	}
	return append(append([]*gorgonia.Node{cost}, losses...), grads[0])
}

// tolerances are what each precision is allowed to be off, through a few layers, two to
// three times as much as it is; and gradients, where poolings may take one of two nearly
// equal units for the other.
var (
	tolerances         = map[string]float64{"f32": 5e-6, "tf32": 1e-3, "f16": 2e-3, "bf16": 1.5e-2}
	gradientTolerances = map[string]float64{"f32": 2e-5, "tf32": 1e-2, "f16": 2e-2, "bf16": 8e-2}
)

// TestForeseenProductsComeWithTheRun asks for products of the gradient that were foreseen, and
// for the same once a vector has changed. A run without foresight knows none.
func TestForeseenProductsComeWithTheRun(t *testing.T) {
	n := lossNetwork(t, "gram", 5, 7)
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, Options{})
	m, err := d.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, in := range s.Inputs {
		if err := n.inputs[in.Node.Name()].WriteTo(m, in.Node); err != nil {
			t.Fatal(err)
		}
	}
	gradient, err := m.Vector(n.outputs[len(n.outputs)-1])
	if err != nil {
		t.Fatal(err)
	}
	step, err := d.NewVector(gradient.Len())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free(step)
	if err := d.Upload(step, random(3, step.Len())); err != nil {
		t.Fatal(err)
	}
	pairs := []vectorPair{{gradient, gradient}, {gradient, step}}
	for run := range 3 { // launch by launch, then as a graph
		d.Foresee(pairs...)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		if _, err := plan.ReadValues(m, n.outputs[0]); err != nil {
			t.Fatal(err)
		}
		if len(d.known) != 2 {
			t.Errorf("run %d: %d products are known, want 2", run, len(d.known))
		}
		foreseen, err := d.Dots(pairs...)
		if err != nil {
			t.Fatal(err)
		}
		d.known = nil
		want, err := d.Dots(pairs...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(foreseen, want) || want[0] == 0 || want[1] == 0 {
			t.Errorf("run %d: products %v, want %v", run, foreseen, want)
		}
	}
	d.Foresee(pairs...)
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	before, err := d.Dots(pairs...)
	if err != nil {
		t.Fatal(err)
	}
	d.Scale(2, step)
	after, err := d.Dots(pairs...)
	if err != nil {
		t.Fatal(err)
	}
	if after[0] != before[0] || after[1] != 2*before[1] {
		t.Errorf("products %v, and with twice the step %v", before, after)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	if len(d.known) > 0 {
		t.Errorf("%d products are known that nobody foresaw", len(d.known))
	}
}

func TestConvolutionsMatchTheProcessors(t *testing.T) { convolutionsMatch(t, "9.0") }

func TestConvolutionsOfOlderGPUsMatchTheProcessors(t *testing.T) {
	if standin.Again(t, "STANDIN_CAPABILITY=8.0") {
		convolutionsMatch(t, "8.0")
	}
}

func convolutionsMatch(t *testing.T, capability string) {
	for _, c := range []struct {
		channels      []int
		height, width int
		border        pure.Border
	}{
		{[]int{3, 64}, 9, 13, pure.Border{Replicate: true}},
		{[]int{3, 64}, 17, 5, pure.Border{Colour: []float32{0.3, 0.5, 0.2}}},
		{[]int{3, 64, 64, 128}, 11, 14, pure.Border{}},
		{[]int{3, 20, 7, 33}, 6, 7, pure.Border{}},
		{[]int{3, 64, 64}, 1, 4, pure.Border{Replicate: true}},
		{[]int{1, 32, 64}, 3, 1, pure.Border{}},
	} {
		for _, row := range device.Precisions {
			precision := row.Name
			t.Run(fmt.Sprint(c.channels, c.height, c.width, precision), func(t *testing.T) {
				d := open(t, Options{Precision: precision})
				x := leaf(gorgonia.NewGraph(), "x", c.channels[0], c.height, c.width)
				y := x
				for i, out := range c.channels[1:] {
					border := c.border
					if i > 0 {
						border.Colour = nil
					}
					y = convolve(t, y, out, border, true)
				}
				target := leaf(x.Graph(), "target", y.Shape()...)
				loss, err := ops.CompareMaps(pure.Difference{}, y, target)
				if err != nil {
					t.Fatal(err)
				}
				agrees(t, d, network{
					outputs: append([]*gorgonia.Node{y}, withGradient(t, x, []float64{2}, loss)...),
					inputs: map[string]plan.Values{
						"x": values32(1, c.channels[0], c.height, c.width), "target": values32(2, y.Shape()...),
					},
				})
				_, hopper := d.functions["convolution_hopper_f16"]
				if want := capability == "9.0" && precision == "f16" && len(c.channels) > 2 && c.channels[1] == 64; hopper != want && !standin.Real() {
					t.Errorf("Hopper's kernels are used: %t, want %t", hopper, want)
				}
			})
		}
	}
}

func TestNoRunBeginsOnceTheContextHasEnded(t *testing.T) {
	s, n := schedule(t)
	device := open(t, Options{})
	compiled, err := device.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	m := compiled.(*machine)
	defer m.Close()
	for _, in := range s.Inputs {
		if err := n.inputs[in.Node.Name()].WriteTo(m, in.Node); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := m.Run(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	runs := m.runs
	if err := m.Run(ctx); err != context.Canceled || m.runs != runs {
		t.Errorf("the error is %v after %d runs more, want %v and none", err, m.runs-runs, context.Canceled)
	}
	if err := device.do("test", func() error { return m.runInParts(ctx) }); !errors.Is(err, context.Canceled) {
		t.Errorf("in parts, the error is %v, want %v", err, context.Canceled)
	}
	if err := m.Run(t.Context()); err != nil {
		t.Errorf("a run that follows fails: %v", err)
	}
}
