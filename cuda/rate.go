//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"math"

	"gorgonia.org/cu"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// MatrixRate implements plan.Device: the best rate that the network's own
// convolutions reach in this precision, each of which is a product of matrices.
// Maps grow until one takes a millisecond.
func (d *Device) MatrixRate() (rate float64, err error) {
	const channels, runs, enough, largest = 128, 5, 1e-3, 1024
	for side := 16; side <= largest; side *= 2 {
		seconds, err := d.timeConvolution(shape3{channels, channels, side, side}, runs)
		if err != nil {
			return 0, err
		}
		rate = max(rate, 18*channels*channels*float64(side*side)/seconds)
		if seconds >= enough {
			break
		}
	}
	return rate, nil
}

// timeConvolution returns the least time, in seconds, of several convolutions.
func (d *Device) timeConvolution(s shape3, runs int) (seconds float64, err error) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewTensor(g, tensor.Float32, 3, gorgonia.WithShape(s.in, s.height, s.width), gorgonia.WithName("x"))
	constant := func(name string, shape ...int) *gorgonia.Node {
		zeros := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
		return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(zeros))
	}
	y, err := ops.Convolve(x, constant("filters", s.out, s.in, 3, 3), constant("biases", s.out), pure.Border{}, false)
	if err != nil {
		return 0, err
	}
	schedule, err := plan.Make(y)
	if err != nil {
		return 0, err
	}
	compiled, err := d.Compile(schedule)
	if err != nil {
		return 0, err
	}
	defer compiled.Close()
	if err := compiled.Write(x, make([]float32, s.in*s.positions())); err != nil {
		return 0, err
	}
	seconds = math.Inf(1)
	m := compiled.(*machine)
	for range runs {
		if err := d.do("time a convolution", func() error {
			took, err := d.timed(m.issue)
			seconds = min(seconds, took)
			return err
		}); err != nil {
			return 0, err
		}
	}
	return seconds, nil
}

// timed is how long, in seconds, what is issued takes on the device.
func (d *Device) timed(issue func() error) (seconds float64, err error) {
	var events [2]cu.Event
	for i := range events {
		if events[i], err = cu.MakeEvent(cu.DefaultEvent); err != nil {
			return 0, err
		}
		defer func() {
			if destroyed := cu.DestroyEvent(&events[i]); err == nil {
				err = destroyed
			}
		}()
	}
	if err := events[0].Record(d.stream); err != nil {
		return 0, err
	}
	if err := issue(); err != nil {
		return 0, err
	}
	if err := events[1].Record(d.stream); err != nil {
		return 0, err
	}
	if err := d.stream.Synchronize(); err != nil {
		return 0, err
	}
	milliseconds, err := events[0].Elapsed(events[1])
	return milliseconds / 1e3, err
}
