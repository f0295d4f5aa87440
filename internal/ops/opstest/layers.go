package opstest

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// layer is a convolution and the maximum pooling that may follow it.
type layer struct {
	Out     int // channels
	Border  pure.Border
	Rectify bool
	Pool    bool
}

// parameters are the filters and biases of layers on x, two inputs each.
func parameters(x Input, layers ...layer) []Input {
	all := sync.OnceValue(func() [][]float64 { return initialise(x, layers) })
	var inputs []Input
	in := x.Shape[0]
	for i, l := range layers {
		inputs = append(inputs,
			Input{fmt.Sprint("filters ", i), Parameter, tensor.Shape{l.Out, in, 3, 3}, func() []float64 { return all()[2*i] }},
			Input{fmt.Sprint("biases ", i), Parameter, tensor.Shape{l.Out}, func() []float64 { return all()[2*i+1] }})
		in = l.Out
	}
	return inputs
}

// initialise returns random filters and biases, layer after layer, that keep values at
// about size one. No unit that is rectified comes near to zero, where rounding would
// take it for another: a channel's bias lies in the widest gap between its values.
func initialise(x Input, layers []layer) [][]float64 {
	var parameters [][]float64
	shape, values := x.Shape, func() []float64 { return x.Values() }
	for i, l := range layers {
		g := pure.Convolution{In: shape[0], Out: l.Out, Height: shape[1], Width: shape[2], Border: l.Border}
		filters, biases := normal(9*g.In*g.Out, uint64(10*i+20)), rounded(normal(g.Out, uint64(10*i+21)))
		for k := range filters {
			filters[k] *= math.Sqrt(2 / float64(9*g.In))
		}
		rounded(filters)
		from := values
		convolved := func(biases []float64) []float64 {
			y := make([]float64, g.Out*g.Height*g.Width)
			pure.Convolve(g, y, from(), filters, biases)
			return y
		}
		if l.Rectify {
			y, n := convolved(make([]float64, g.Out)), g.Height*g.Width
			for c := range biases {
				biases[c] = -gap(y[c*n : (c+1)*n])
			}
			rounded(biases)
		}
		parameters = append(parameters, filters, biases)
		g.Rectify = l.Rectify
		shape = tensor.Shape{g.Out, g.Height, g.Width}
		values = sync.OnceValue(func() []float64 { return convolved(biases) })
		if l.Pool {
			whole, p := values, pure.Pool{Mode: pure.MaxPool, Scale: 1, Channels: g.Out, Height: g.Height, Width: g.Width}
			shape = tensor.Shape{g.Out, g.Height / 2, g.Width / 2}
			size := shape.TotalSize()
			values = sync.OnceValue(func() []float64 {
				pooled := make([]float64, size)
				pure.ApplyPool(p, pooled, whole())
				return pooled
			})
		}
	}
	return parameters
}

// gap is the middle of the widest gap between the values in the middle half of some.
func gap(values []float64) float64 {
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

// throughLayers applies layers to the first of in by the parameters that follow it. It
// returns what each convolution gives, the last layer's result and the nodes left.
func throughLayers(in []*gorgonia.Node, layers ...layer) (convolved []*gorgonia.Node, y *gorgonia.Node, rest []*gorgonia.Node, err error) {
	y, rest = in[0], in[1:]
	for _, l := range layers {
		if y, err = ops.Convolve(y, rest[0], rest[1], l.Border, l.Rectify); err != nil {
			return nil, nil, nil, err
		}
		convolved, rest = append(convolved, y), rest[2:]
		if l.Pool {
			if y, err = ops.ApplyPool(y, pure.MaxPool, 1); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	return convolved, y, rest, nil
}
