// Package bench times whole stylisations, their iterations, the network's convolutions
// and the losses.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/ops"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/internal/pure"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
)

// Options are the settings of a benchmark. Speed depends on no picture, so pictures
// are noise.
type Options struct {
	Size int         // of a square picture, in pixels
	Loss losses.Loss // of all style terms of an iteration; kernels have none
	Runs int         // timed, after Warmup others
	// Warmup lets caches, clocks and the memory of the process settle.
	Warmup int
	// WarmupTime is how long there are runs that don't count, Warmup of them at least: the
	// clocks of a GPU take a second or more to rise.
	WarmupTime time.Duration
	Device     device.Name      // auto where empty
	Precision  device.Precision // f32 where empty
	Threads    int              // of the processor; 0 uses every core
	Optimizer  model.Optimizer  // of iterations; Adam where empty, with one evaluation in each
	Memory     int64            // that an iteration's program may take, as in model.Options; 0 where left to it
}

func (o Options) open() (plan.Device, error) {
	return engine.Open(engine.Options{Device: o.Device, Precision: o.Precision, Threads: o.Threads})
}

// Timing is how long one thing took in several runs.
type Timing struct {
	Name string `json:"name"`
	// Seconds is the median, Least and Most are the extremes.
	Seconds float64 `json:"seconds"`
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	// Operations are those of the convolutions computed directly, a
	// multiplication and an addition counting two.
	Operations float64 `json:"operations"`
}

// Rate is operations a second.
func (t Timing) Rate() float64 { return t.Operations / t.Seconds }

func newTiming(name string, operations float64, seconds []float64) Timing {
	return Timing{name, median(seconds), slices.Min(seconds), slices.Max(seconds), operations}
}

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// Iteration times iterations of a stylisation at one level with default
// layers and weights, from the picture to the next, with everything that an
// iteration needs.
func Iteration(ctx context.Context, o Options) (Timing, error) {
	var seconds []float64
	var last time.Duration
	deepest, err := iterate(ctx, o, func(p model.Progress, counts bool) error {
		if counts {
			seconds = append(seconds, (p.Elapsed - last).Seconds())
		}
		last = p.Elapsed
		return nil
	})
	if err != nil {
		return Timing{}, err
	}
	return newTiming("iteration", 2*vgg19.Operations(o.Size, o.Size, deepest), seconds), nil
}

// errEnough ends a stylisation of which all has been timed.
var errEnough = errors.New("enough was timed")

// iterate makes iterations of a stylisation of noise until those that count are made, and
// calls each after each, telling whether it is one of these. It returns the deepest layer.
// An optimiser that ends before makes fewer.
func iterate(ctx context.Context, o Options, each func(p model.Progress, counts bool) error) (deepest string, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := model.DefaultOptions()
	s.Size, s.MinSize, s.Threads, s.Memory = o.Size, o.Size, o.Threads, o.Memory
	s.SetLoss(o.Loss)
	s.Device, s.Precision = cmp.Or(o.Device, s.Device), cmp.Or(o.Precision, s.Precision)
	s.Optimizer, s.FirstIterations = cmp.Or(o.Optimizer, model.Adam), model.MaxIterations
	done, counted := 0, 0
	began, warm := time.Now(), o.WarmupTime == 0
	s.Progress = func(p model.Progress) {
		if done++; done == 1 && o.Warmup > 0 {
			began = time.Now() // what precedes the first iteration heats nothing
		}
		counts := done > o.Warmup && warm
		warm = time.Since(began) >= o.WarmupTime
		if err := each(p, counts); err != nil {
			stop(err)
		}
		if counts {
			if counted++; counted == o.Runs {
				stop(errEnough)
			}
		}
	}
	// The pictures are scaled up where they are smaller, as the content is, or stay as they
	// are, as the style does, which matters before the first iteration only.
	side := min(o.Size, mostNoise)
	_, err = model.Stylize(ctx, noise(side, 1), []model.Style{{Image: noise(side, 2), Weight: 1}}, s)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = cause
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err == nil && counted == 0 {
		err = fmt.Errorf("bench: the optimiser ended after %d iterations, before those that are timed", done)
	}
	return s.StyleTerms[len(s.StyleTerms)-1].Layer, err
}

// mostNoise is the side of the largest pictures that are made: larger ones would take memory
// that is somebody else's where pictures come from files.
const mostNoise = 512

func noise(size int, seed uint64) image.Image {
	r := rand.New(rand.NewPCG(seed, 0))
	p := &picture.Picture{Width: size, Height: size, RGB: make([]float32, 3*size*size)}
	for i := range p.RGB {
		p.RGB[i] = r.Float32()
	}
	return p
}

// Kernels times every convolution of VGG-19, forward and the gradient to
// its input, with ReLU, for a picture of the size given. each is called
// with every timing as it comes.
func Kernels(ctx context.Context, o Options, each func(Timing)) error {
	device, err := o.open()
	if err != nil {
		return err
	}
	defer device.Close()
	parameters, err := engine.Parameters(nil, vgg19.Convolutions[len(vgg19.Convolutions)-1].Name)
	if err != nil {
		return err
	}
	for i, c := range vgg19.Convolutions {
		size := o.Size >> (c.Block - 1)
		if size == 0 {
			return fmt.Errorf("bench: a picture of %d pixels has none left at %s", o.Size, c.Name)
		}
		for _, kernel := range []struct {
			name  string
			build func(g *gorgonia.ExprGraph, c vgg19.Convolution, p *vgg19.Parameters, i, size int) (*gorgonia.Node, error)
		}{{"forward", forwardKernel}, {"gradient", gradientKernel}} {
			output, err := kernel.build(gorgonia.NewGraph(), c, parameters, i, size)
			if err != nil {
				return err
			}
			seconds, err := timeGraph(ctx, device, o, output)
			if err != nil {
				return fmt.Errorf("bench: %s %s: %w", c.Name, kernel.name, err)
			}
			each(newTiming(c.Name+" "+kernel.name, 18*float64(c.In*c.Out)*float64(size*size), seconds))
		}
	}
	return nil
}

func forwardKernel(g *gorgonia.ExprGraph, c vgg19.Convolution, p *vgg19.Parameters, i, size int) (*gorgonia.Node, error) {
	return ops.Convolve(leaf(g, "x", nil, c.In, size, size), leaf(g, "filters", p.Filters[i], c.Out, c.In, 3, 3),
		leaf(g, "biases", p.Biases[i], c.Out), pure.Border{}, true)
}

func gradientKernel(g *gorgonia.ExprGraph, c vgg19.Convolution, p *vgg19.Parameters, i, size int) (*gorgonia.Node, error) {
	return ops.ConvolveGradient(leaf(g, "dy", nil, c.Out, size, size), leaf(g, "y", nil, c.Out, size, size),
		leaf(g, "filters", p.Filters[i], c.Out, c.In, 3, 3), pure.Border{}, true)
}

// leaf is an input of a graph, or a constant where there are values.
func leaf(g *gorgonia.ExprGraph, name string, values []float32, shape ...int) *gorgonia.Node {
	options := []gorgonia.NodeConsOpt{gorgonia.WithName(name), gorgonia.WithShape(shape...)}
	if values != nil {
		options = append(options, gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))))
	}
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), options...)
}

// timeGraph runs a graph on noise.
func timeGraph(ctx context.Context, device plan.Device, o Options, output *gorgonia.Node) ([]float64, error) {
	graph, err := engine.Compile(device, nil, output)
	if err != nil {
		return nil, err
	}
	defer graph.Close()
	r := rand.New(rand.NewPCG(3, 0))
	for _, input := range graph.Schedule.Inputs {
		values := make([]float32, input.Len())
		for i := range values {
			values[i] = r.Float32() - 0.5
		}
		if err := graph.Write(input.Node, values); err != nil {
			return nil, err
		}
	}
	var seconds []float64
	for run, first := 0, time.Now(); len(seconds) < o.Runs; run++ {
		began := time.Now()
		if err := graph.Run(ctx); err != nil {
			return nil, err
		}
		if run >= o.Warmup && began.Sub(first) >= o.WarmupTime {
			seconds = append(seconds, time.Since(began).Seconds())
		}
	}
	return seconds, nil
}

// MatrixRate measures the device's rate of float32 matrix products in
// operations a second.
func MatrixRate(o Options) (float64, error) {
	device, err := o.open()
	if err != nil {
		return 0, err
	}
	defer device.Close()
	return device.MatrixRate()
}
