package cpu

import (
	"reflect"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"impasto/device"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
	"impasto/weights"
)

var fiveLayers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}

// networkLoss is the graph of a loss at one picture, and its targets.
type networkLoss struct {
	*plan.Schedule
	picture, cost, gradient *gorgonia.Node
	// targets are inputs, which take what the nodes of features are at the target's
	// picture.
	targets, features []*gorgonia.Node
}

// target adds an input for what a node is at the target's picture. Gorgonia has one
// input for all of one name and shape, so layers whose features have one shape are
// compared with those of the last.
func (l *networkLoss) target(of *gorgonia.Node) *gorgonia.Node {
	target := gorgonia.NewTensor(of.Graph(), of.Dtype(), of.Dims(), gorgonia.WithShape(of.Shape()...), gorgonia.WithName("target"))
	l.targets, l.features = append(l.targets, target), append(l.features, of)
	return target
}

// networkLossOf schedules a style loss on layers, or the losses of a picture where
// it is empty, and the gradient to a square picture.
func networkLossOf(t *testing.T, p *vgg19.Parameters, o vgg19.Options, size int, style string, layers ...string) *networkLoss {
	t.Helper()
	l := &networkLoss{picture: mapInput(gorgonia.NewGraph(), "picture", 3, size, size)}
	maps, err := vgg19.Build(l.picture, p, o, layers...)
	if err != nil {
		t.Fatal(err)
	}
	var terms []*gorgonia.Node
	for _, layer := range layers {
		terms = append(terms, must(t)(l.term(style, maps[layer])))
	}
	l.cost = must(t)(losses.Sum(slices.Repeat([]float64{1}, len(terms)), terms...))
	gradients, err := gorgonia.Grad(l.cost, l.picture)
	if err != nil {
		t.Fatal(err)
	}
	l.gradient = gradients[0]
	l.Schedule = scheduled(t, l.cost, l.gradient)
	return l
}

// term adds a loss of features to their graph.
func (l *networkLoss) term(style string, features *gorgonia.Node) (*gorgonia.Node, error) {
	if style == "" {
		content, err := losses.ContentNamed("scaled")
		if err != nil {
			return nil, err
		}
		return content.Between(features, l.target(features))
	}
	loss, err := losses.Named(style)
	if err != nil {
		return nil, err
	}
	form := loss.Normalised()
	x, err := form.Summarise(features, losses.Positions{})
	if err != nil {
		return nil, err
	}
	target, err := form.Target(features, losses.Positions{})
	if err != nil {
		return nil, err
	}
	for i, s := range target {
		target[i].Node = l.target(s.Node)
	}
	return form.Value(x, target)
}

// at is the loss and its gradient at a picture of noise, against another's features.
func (l *networkLoss) at(t *testing.T, d plan.Device) (cost float64, gradient []float32) {
	t.Helper()
	other := compiled(t, d, scheduled(t, l.features...))
	write(t, other, l.picture, noise(l.picture.Shape().TotalSize(), 2))
	run(t, other)
	m := compiled(t, d, l.Schedule)
	write(t, m, l.picture, noise(l.picture.Shape().TotalSize(), 1))
	for i, target := range l.targets {
		if err := read(t, other, l.features[i]).WriteTo(m, target); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range l.Inputs {
		if in.Node.Name() == losses.KeyName {
			write64(t, m, in.Node, 0.3)
		}
	}
	run(t, m)
	return read(t, m, l.cost).Double[0], read(t, m, l.gradient).Single
}

func defaultNetwork(t *testing.T) *vgg19.Parameters {
	t.Helper()
	p, err := weights.Default()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// emptyNetwork has filters of the right size.
func emptyNetwork() *vgg19.Parameters {
	p := new(vgg19.Parameters)
	for i, c := range vgg19.Convolutions {
		p.Filters[i], p.Biases[i] = make([]float32, c.Out*c.In*9), make([]float32, c.Out)
	}
	return p
}

// TestGradientsAreTheSameByWhatIsKeptOfMaps, bit by bit: without the steps that go by
// choices and signs or make a map again, gradients go by the maps as they were made.
func TestGradientsAreTheSameByWhatIsKeptOfMaps(t *testing.T) {
	p := defaultNetwork(t)
	for _, c := range []struct {
		size      int
		style     string
		precision device.Precision
		options   vgg19.Options
		layers    []string
	}{
		{32, "gram", device.Float32, vgg19.Options{Padding: "replicate"}, fiveLayers},
		{45, "gram", device.Float32, vgg19.Options{}, fiveLayers},
		{45, "gram", device.BFloat16, vgg19.Options{}, fiveLayers},
		{35, "sliced", device.Float32, vgg19.Options{Padding: "replicate"}, []string{"relu2_2", "relu4_4", "relu5_1"}},
		{32, "gram", device.Float32, vgg19.Options{Pooling: "avg"}, fiveLayers},
		{20, "gram", device.Float32, vgg19.Options{Pooling: "none"}, []string{"relu1_2", "relu3_1"}},
	} {
		if c.precision == device.BFloat16 && testWorkers(t, 1).CheckBFloat16() != nil {
			continue
		}
		l := networkLossOf(t, p, c.options, c.size, c.style, c.layers...)
		by, without := opened(t, Options{Precision: c.precision}), opened(t, Options{Precision: c.precision})
		delete(without.kernels, reflect.TypeFor[*ops.PooledConvolutionGradient]())
		unsigned := convolutionGradientKernel
		unsigned.able.Signs = false
		without.kernels[reflect.TypeFor[*ops.ConvolutionGradient]()] = unsigned
		once := convolutionKernel
		once.able.Again = false
		without.kernels[reflect.TypeFor[*ops.Convolution]()] = once
		if fewer, more := programOf(t, by, l.Schedule).Bytes, programOf(t, without, l.Schedule).Bytes; fewer >= more {
			t.Errorf("%+v: %d bytes by what is kept of maps, %d by the maps", c, fewer, more)
		}
		cost, gradient := l.at(t, by)
		wantCost, want := l.at(t, without)
		if cost != wantCost || !slices.Equal(gradient, want) {
			t.Errorf("%+v: losses %v and %v, gradients apart by %.1e", c, cost, wantCost, apart(gradient, want))
		}
	}
}
