package kernels

import (
	"math"
	"testing"

	"impasto/internal/pure"
	"impasto/vgg19"
)

// chain is a row of convolutions as in VGG-19 to relu5_1, a quarter as wide, with
// random filters that keep activations about the same size. There is no pooling in
// between, which would diminish errors. It holds what the definition computes: the
// activations y of every step, and the gradients dy by its input.
type chain struct {
	input, gradient []float32 // x and the gradient by the last result
	steps           []chainStep
}

type chainStep struct {
	definition     pure.Convolution
	filters, y, dy []float64
	*Convolution
}

const chainSize = 20 // height and width

func newChain(t *testing.T) chain {
	c := chain{input: values(1, 16*chainSize*chainSize)}
	y, in := float64s(c.input), 16
	for i, l := range vgg19.Convolutions[:13] {
		out := l.Out / 4
		filters, biases := values(uint64(10+i), out*in*9), values(uint64(30+i), out)
		for k := range filters {
			filters[k] *= sqrt(2 / float32(9*in))
		}
		convolution, err := NewConvolution(Filters{Values: filters}, biases, out, in)
		if err != nil {
			t.Fatal(err)
		}
		s := chainStep{
			definition: pure.Convolution{In: in, Out: out, Height: chainSize, Width: chainSize, Rectify: true},
			filters:    float64s(filters), y: make([]float64, out*chainSize*chainSize),
			dy: make([]float64, in*chainSize*chainSize), Convolution: convolution,
		}
		pure.Convolve(s.definition, s.y, y, s.filters, float64s(biases))
		c.steps = append(c.steps, s)
		y, in = s.y, out
	}
	c.gradient = values(2, len(y))
	dy := float64s(c.gradient)
	for i := len(c.steps) - 1; i >= 0; i-- {
		s := c.steps[i]
		pure.ConvolveDataGradient(s.definition, s.dy, dy, s.y, s.filters)
		dy = s.dy
	}
	return c
}

// errors runs the kernels and returns the relative errors of the last activations and
// of the gradient by the input.
func (c chain) errors(set *isa, method Method) (activations, gradient float64) {
	w := newWorkers(2, set)
	defer w.Close()
	y, dy := c.input, c.gradient
	for _, s := range c.steps {
		s.Method = method
		x := y
		y = make([]float32, len(s.y))
		s.Forward(w, Single(y), Single(x), chainSize, chainSize, true, Border{})
	}
	for i := len(c.steps) - 1; i >= 0; i-- {
		s := c.steps[i]
		dx := make([]float32, len(s.dy))
		// The mask is that of the definition. In the kernels' own, a few activations
		// near zero would have the other sign, and outweigh all other errors.
		s.DataGradient(w, dx, dy, Single(convert[float32](s.y)), chainSize, chainSize, Border{})
		dy = dx
	}
	return relativeError(y, c.steps[len(c.steps)-1].y), relativeError(dy, c.steps[0].dy)
}

func TestErrorsOfChainedConvolutionsStaySmall(t *testing.T) {
	c := newChain(t)
	check := func(name string, set *isa, method Method, mostActivations, mostGradient float64) {
		activations, gradient := c.errors(set, method)
		t.Logf("%s: relative error of relu5_1 %.1e, of the gradient %.1e", name, activations, gradient)
		if !(activations <= mostActivations) || !(gradient <= mostGradient) {
			t.Errorf("%s: relu5_1 is off by %.1e of its norm, want at most %g; the gradient by %.1e, want %g", name, activations, mostActivations, gradient, mostGradient)
		}
	}
	for _, set := range isasByForm() {
		check(set.name, set, Fastest, 1e-5, 1e-4)
	}
	for _, set := range isas() {
		if set.winograd.bfloat16 != nil {
			check(set.name+"/bfloat16", set, BFloat16, 0.02, 0.06)
		}
	}
}

// relativeError is the norm of the difference over that of want.
func relativeError(got []float32, want []float64) float64 {
	var sum, size float64
	for i, v := range want {
		d := float64(got[i]) - v
		sum += d * d
		size += v * v
	}
	return math.Sqrt(sum / size)
}
