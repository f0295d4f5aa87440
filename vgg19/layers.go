// Package vgg19 is the convolutional part of the network VGG-19 (Simonyan and Zisserman,
// "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015), as far as
// style transfer needs it: the table of its layers (layers.go), and a Gorgonia graph of
// any of them (build.go). It takes pictures as RGB planes in 0–1 and learns nothing; its
// parameters come from package weights.
package vgg19

import (
	"fmt"
	"strings"
)

// Convolution is one row of the table of VGG-19's convolutions (Simonyan and
// Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
// Recognition", 2015, configuration E). Every filter is 3×3 with stride 1 and
// a border of one pixel.
type Convolution struct {
	Name  string // conv1_1 … conv5_4
	Block int    // 1 … 5; a 2×2 pooling follows the last convolution of a block
	Index int    // place in the block, from 1
	In    int    // input channels
	Out   int    // output channels
}

// Convolutions are the sixteen convolutions of VGG-19 in the order in which a
// picture passes through them. All else that knows the network's shape derives
// it from this table.
var Convolutions = [...]Convolution{
	{"conv1_1", 1, 1, 3, 64},
	{"conv1_2", 1, 2, 64, 64},
	{"conv2_1", 2, 1, 64, 128},
	{"conv2_2", 2, 2, 128, 128},
	{"conv3_1", 3, 1, 128, 256},
	{"conv3_2", 3, 2, 256, 256},
	{"conv3_3", 3, 3, 256, 256},
	{"conv3_4", 3, 4, 256, 256},
	{"conv4_1", 4, 1, 256, 512},
	{"conv4_2", 4, 2, 512, 512},
	{"conv4_3", 4, 3, 512, 512},
	{"conv4_4", 4, 4, 512, 512},
	{"conv5_1", 5, 1, 512, 512},
	{"conv5_2", 5, 2, 512, 512},
	{"conv5_3", 5, 3, 512, 512},
	{"conv5_4", 5, 4, 512, 512},
}

// Parameters are the filters and biases of VGG-19 with the pre-processing of
// the network they come from folded into conv1_1, so that the network takes
// RGB planes in 0–1 as they are.
type Parameters struct {
	// Filters[i] belongs to Convolutions[i]: Out×In×3×3, row-major, to be
	// cross-correlated with the input. The input channels of conv1_1 are R, G, B.
	Filters [len(Convolutions)][]float32
	// Palettes[i], where it isn't nil, stands for Filters[i], which is nil then.
	Palettes [len(Convolutions)]*Palette
	// Biases[i] has Out values.
	Biases [len(Convolutions)][]float32
	// Neutral is the RGB colour, 0–1, that the folded pre-processing maps to
	// zero. Padding conv1_1 with zeros, as the network was trained, means padding
	// the picture with this colour.
	Neutral [3]float32
}

// Check reports the first filter or bias whose length does not fit the table or
// that has a value which is not finite: ReLU would hide it in the features.
func (p *Parameters) Check() error {
	for i, c := range Convolutions {
		filters, values := p.Filters[i], len(p.Filters[i])
		if palette := p.Palettes[i]; palette != nil {
			if filters != nil {
				return fmt.Errorf("vgg19: %s has both filters and a palette, want one of them", c.Name)
			}
			filters, values = palette.Values[:], len(palette.Indices)
		}
		if want := c.Out * c.In * 9; values != want {
			return fmt.Errorf("vgg19: %s has %d filter values, want %d×%d×3×3 = %d", c.Name, values, c.Out, c.In, want)
		}
		if got := len(p.Biases[i]); got != c.Out {
			return fmt.Errorf("vgg19: %s has %d biases, want %d", c.Name, got, c.Out)
		}
		for _, values := range [][]float32{p.Biases[i], filters} {
			for _, v := range values {
				if v-v != 0 {
					return fmt.Errorf("vgg19: %s has the value %v, want finite ones", c.Name, v)
				}
			}
		}
	}
	return nil
}

// Layers returns the name of every feature map that Build can return, in the
// order in which a picture passes through them: conv1_1, relu1_1, …, pool5.
func Layers() []string {
	var names []string
	for i, c := range Convolutions {
		names = append(names, c.Name, strings.Replace(c.Name, "conv", "relu", 1))
		if i+1 == len(Convolutions) || Convolutions[i+1].Block != c.Block {
			names = append(names, fmt.Sprintf("pool%d", c.Block))
		}
	}
	return names
}

// Operations counts what the convolutions down to a layer cost for a picture
// with max pooling: a multiplication and an addition for each product of a
// filter with an input, as computed directly. The gradient to the picture costs
// as many again.
func Operations(height, width int, layer string) float64 {
	var sum float64
	block := 1
	for _, c := range Convolutions {
		if c.Block != block {
			block, height, width = c.Block, height/2, width/2
		}
		sum += 2 * 9 * float64(c.In) * float64(c.Out) * float64(height) * float64(width)
		if c.Name[len("conv"):] == layer[len("relu"):] {
			break
		}
	}
	return sum
}

// Reach says what a layer sees of a map before it, that of the layer after or, where
// that name is empty, the picture: one of its positions stands for stride×stride of that
// map's, and depends on no others beyond a margin around these. With the poolings in
// place the receptive field of relu5_1 has 16 + 2·70 pixels a side. It fails on names
// that Layers doesn't have.
func Reach(after, layer string, o Options) (stride, margin int, err error) {
	names, err := between(after, []string{layer})
	if err != nil {
		return 0, 0, err
	}
	stride = 1
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "conv"):
			margin += stride
		case strings.HasPrefix(name, "pool") && o.Pooling != "none":
			stride *= 2
		}
	}
	return stride, margin, nil
}

// Through returns the parameters down to the deepest of layers and no more: those
// below it are left out, to be freed where nothing else holds them.
func (p *Parameters) Through(layers ...string) (*Parameters, error) {
	depth, err := deepest(layers)
	if err != nil {
		return nil, err
	}
	through := &Parameters{Neutral: p.Neutral}
	convolution := 0
	for _, name := range Layers()[:depth+1] {
		if strings.HasPrefix(name, "conv") {
			through.Filters[convolution], through.Palettes[convolution] = p.Filters[convolution], p.Palettes[convolution]
			through.Biases[convolution] = p.Biases[convolution]
			convolution++
		}
	}
	return through, nil
}
