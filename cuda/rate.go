//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"

	"gorgonia.org/cu"
)

// MatrixRate implements plan.Device: the best rate that the network's own
// convolutions reach in this precision, each of which is a product of matrices.
// Maps grow until one takes a millisecond.
func (d *Device) MatrixRate() (rate float64, err error) {
	err = d.do("measure the rate of products", func() error {
		const channels, runs, enough, largest = 128, 5, 1e-3, 1024
		for side := 16; side <= largest; side *= 2 {
			seconds, err := d.timeConvolution(shape3{channels, channels, side, side}, runs)
			if err != nil {
				return err
			}
			rate = max(rate, 18*channels*channels*float64(side*side)/seconds)
			if seconds >= enough {
				break
			}
		}
		return nil
	})
	return rate, err
}

// timeConvolution returns the least time, in seconds, of several convolutions of
// zeros.
func (d *Device) timeConvolution(s shape3, runs int) (seconds float64, err error) {
	size := d.elementSize()
	var made [3]memory
	defer func() {
		for i := range made {
			if freed := made[i].free(); err == nil {
				err = freed
			}
		}
	}()
	for i, bytes := range []int{size * s.out * s.positions(), size * s.in * s.positions(), 4 * 9 * s.in * s.out} {
		if made[i], err = d.allocate("a convolution to be timed", bytes); err != nil {
			return 0, err
		}
		if err := cu.MemsetD8Async(made[i].at, 0, int64(bytes), d.stream); err != nil {
			return 0, err
		}
	}
	work, err := d.ready(launch{
		kernel: "convolution_" + d.maps(), grid: dim{x: (s.positions() + 127) / 128, y: (s.out + 63) / 64}, block: dim{x: 256},
		arguments: []any{made[0].at, made[1].at, made[2].at, none, none, none, none, none, 0, s.in, s.out, s.height, s.width},
	})
	if err != nil {
		return 0, err
	}
	seconds = math.Inf(1)
	for range runs {
		took, err := d.timed(func() error { return work.issue(d.stream) })
		if err != nil {
			return 0, err
		}
		seconds = min(seconds, took)
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
