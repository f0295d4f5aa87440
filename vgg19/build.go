package vgg19

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// Options are the choices in building the network. The zero value is the
// network as published, padded with zeros.
type Options struct {
	// Pooling is max (the default), avg, l2 or none, which leaves poolings out
	// and keeps the full resolution all the way, at a price.
	Pooling string
	// Padding is what surrounds the picture at conv1_1: zero (the default) or
	// replicate, which leaves fewer artefacts at the border. All other
	// convolutions pad with zeros.
	Padding string
	// PlainPooling leaves average and L2 pooling as they are. Otherwise their
	// results are multiplied by 2 and 0.78, so that activations keep the size
	// that they have with max pooling (crowsonkb/style-transfer-pytorch).
	PlainPooling bool
}

// Poolings and Paddings are the names that Options takes.
var (
	Poolings = []string{"max", "avg", "l2", "none"}
	Paddings = []string{"replicate", "zero"}
)

// Check reports a name that is not known.
func (o Options) Check() error {
	if o.Pooling != "" && !slices.Contains(Poolings, o.Pooling) {
		return fmt.Errorf("vgg19: unknown pooling %q, want one of %s", o.Pooling, strings.Join(Poolings, ", "))
	}
	if o.Padding != "" && !slices.Contains(Paddings, o.Padding) {
		return fmt.Errorf("vgg19: unknown padding %q, want one of %s", o.Padding, strings.Join(Paddings, ", "))
	}
	return nil
}

// pool gives a pooling's mode and the factor of its result.
func (o Options) pool() (mode pure.PoolMode, scale float64) {
	switch o.Pooling {
	case "avg":
		mode, scale = pure.MeanPool, 2
	case "l2":
		mode, scale = pure.L2Pool, 0.78
	default:
		return pure.MaxPool, 1
	}
	if o.PlainPooling {
		scale = 1
	}
	return mode, scale
}

func (o Options) border(p *Parameters) pure.Border {
	if o.Padding == "replicate" {
		return pure.Border{Replicate: true}
	}
	return pure.Border{Colour: p.Neutral[:]}
}

// Build adds VGG-19 to the graph of picture, a 3×H×W node of RGB values in 0–1,
// as deep as the deepest of layers and no deeper, and returns the feature map
// of each of them by its name. Maps are C×H×W. It fails on names that Layers
// doesn't have and on pictures smaller than MinimumSize.
func Build(picture *gorgonia.Node, p *Parameters, o Options, layers ...string) (maps map[string]*gorgonia.Node, err error) {
	depth, err := deepest(layers)
	if err != nil {
		return nil, err
	}
	shape := picture.Shape()
	if least := MinimumSize(layers...); shape.Dims() == 3 && o.Pooling != "none" && min(shape[1], shape[2]) < least {
		return nil, fmt.Errorf("vgg19: a picture of %d×%d is too small for %s, which needs %d×%d at least",
			shape[2], shape[1], Layers()[depth], least, least)
	}
	return BuildFrom(picture, "", p, o, layers...)
}

// BuildFrom is Build for the layers that come after one of them, whose map, or a
// rectangle of it, x is. An empty name stands for the picture.
func BuildFrom(x *gorgonia.Node, after string, p *Parameters, o Options, layers ...string) (maps map[string]*gorgonia.Node, err error) {
	defer ops.Catch(&err, "vgg19")
	if err := o.Check(); err != nil {
		return nil, err
	}
	names, err := between(after, layers)
	if err != nil {
		return nil, err
	}
	b := builder{after: after, parameters: p, options: o, wanted: layers, maps: map[string]*gorgonia.Node{}, convolution: convolutionsUpTo(after)}
	want, shape := Channels(after), x.Shape()
	if shape.Dims() != 3 || shape[0] != want {
		if after == "" {
			return nil, fmt.Errorf("vgg19: the picture has shape %v, want 3×height×width", shape)
		}
		return nil, fmt.Errorf("vgg19: the map of %s has shape %v, want %d×height×width", after, shape, want)
	}
	if err := b.build(x, names); err != nil {
		return nil, err
	}
	return b.maps, nil
}

// between are the layers from the one after a layer, or from the first where its name
// is empty, to the deepest of some.
func between(after string, layers []string) ([]string, error) {
	depth, err := deepest(layers)
	if err != nil {
		return nil, err
	}
	first := 0
	if after != "" {
		at, err := deepest([]string{after})
		if err != nil {
			return nil, err
		}
		first = at + 1
	}
	known := Layers()
	for _, layer := range layers {
		if slices.Index(known, layer) < first {
			return nil, fmt.Errorf("vgg19: %s doesn't come after %s", layer, after)
		}
	}
	return known[first : depth+1], nil
}

// convolutionsUpTo is how many convolutions there are down to a layer, 0 for an empty
// name.
func convolutionsUpTo(layer string) int {
	count := 0
	for _, name := range Layers() {
		if layer == "" {
			break
		}
		if strings.HasPrefix(name, "conv") {
			count++
		}
		if name == layer {
			break
		}
	}
	return count
}

// MinimumSize is the shorter side, in pixels, of the smallest picture whose
// feature maps at all of layers have at least one pixel.
func MinimumSize(layers ...string) int {
	size := 1
	depth, err := deepest(layers)
	if err != nil {
		return size
	}
	for _, name := range Layers()[:depth+1] {
		if strings.HasPrefix(name, "pool") {
			size *= 2
		}
	}
	return size
}

// deepest is the place of the last of layers in Layers.
func deepest(layers []string) (int, error) {
	if len(layers) == 0 {
		return 0, fmt.Errorf("vgg19: no layers asked for, want at least one, such as relu1_1")
	}
	known, depth := Layers(), 0
	for _, layer := range layers {
		i := slices.Index(known, layer)
		if i < 0 {
			return 0, fmt.Errorf("vgg19: unknown layer %q, want one of conv1_1 … conv5_4, relu1_1 … relu5_4, pool1 … pool5", layer)
		}
		depth = max(depth, i)
	}
	return depth, nil
}

// Channels is how many channels a layer's map has, 3 for an empty name, which stands for the
// picture.
func Channels(layer string) int {
	if count := convolutionsUpTo(layer); count > 0 {
		return Convolutions[count-1].Out
	}
	return Convolutions[0].In
}

type builder struct {
	after       string // the layer whose map the network begins with
	parameters  *Parameters
	options     Options
	wanted      []string
	maps        map[string]*gorgonia.Node
	convolution int // the next one's place in Convolutions
}

// build follows the layers of those names, from the map before them.
func (b *builder) build(x *gorgonia.Node, names []string) error {
	var err error
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "conv"):
			x, err = b.convolve(x, b.convolution)
			b.convolution++
		case strings.HasPrefix(name, "relu"):
			if c := Convolutions[b.convolution-1].Name; slices.Contains(b.wanted, c) || c == b.after {
				x, err = ops.Rectify(x)
			}
		case b.options.Pooling != "none":
			mode, scale := b.options.pool()
			x, err = ops.ApplyPool(x, mode, scale)
		}
		if err != nil {
			return fmt.Errorf("vgg19: %s: %w", name, err)
		}
		if slices.Contains(b.wanted, name) {
			b.maps[name] = x
		}
	}
	return nil
}

// convolve adds a convolution, with its ReLU fused unless someone asked for the
// result before it.
func (b *builder) convolve(x *gorgonia.Node, i int) (*gorgonia.Node, error) {
	c := Convolutions[i]
	filters := b.filters(x, i)
	biases := constant(x, c.Name+".biases", b.parameters.Biases[i], c.Out)
	var border pure.Border
	if i == 0 {
		border = b.options.border(b.parameters)
	}
	return ops.Convolve(x, filters, biases, border, !slices.Contains(b.wanted, c.Name))
}

// filters makes a leaf of the graph with the filters of a convolution.
func (b *builder) filters(like *gorgonia.Node, i int) *gorgonia.Node {
	c, palette := Convolutions[i], b.parameters.Palettes[i]
	name, shape := c.Name+".filters", []int{c.Out, c.In, 3, 3}
	switch {
	case palette == nil:
		return constant(like, name, b.parameters.Filters[i], shape...)
	case like.Dtype() == tensor.Float64:
		return constant(like, name, palette.Filters(), shape...)
	}
	return leaf(like, name, ops.NewPalette(&palette.Values, palette.Indices, shape...))
}

// constant makes a leaf of the graph with a value, of the float type of like.
func constant(like *gorgonia.Node, name string, values []float32, shape ...int) *gorgonia.Node {
	var backing any = values
	if like.Dtype() == tensor.Float64 {
		double := make([]float64, len(values))
		for i, v := range values {
			double[i] = float64(v)
		}
		backing = double
	}
	return leaf(like, name, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing)))
}

func leaf(like *gorgonia.Node, name string, value gorgonia.Value) *gorgonia.Node {
	shape := value.Shape()
	return gorgonia.NewTensor(like.Graph(), like.Dtype(), shape.Dims(),
		gorgonia.WithName(name), gorgonia.WithShape(shape...), gorgonia.WithValue(value))
}
