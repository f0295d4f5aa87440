//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"gorgonia.org/cu"

	"impasto/cuda/kernels"
)

// Recorder times the launches on a GPU one by one, by the device's own events. A device
// records from the first run of a machine on whose context has the recorder, and all that
// it launches from then on, the optimiser's steps too; graphs are issued launch by launch.
// A recorder serves one device.
type Recorder struct {
	device   *Device
	launched []recorded
	spare    [][2]cu.Event
}

// recorded is a launch between two events.
type recorded struct {
	launch kernels.Launch
	events [2]cu.Event
}

// attach makes a device record where a context has a recorder.
func (d *Device) attach(ctx context.Context) {
	if r, there := ctx.Value(recorderKey{}).(*Recorder); there {
		d.recorder, r.device = r, d
	}
}

// around issues a launch between two events.
func (r *Recorder) around(b bound, stream cu.Stream) error {
	pair, err := r.pair()
	if err != nil {
		return err
	}
	r.launched = append(r.launched, recorded{kernels.Launch{Kernel: b.kernel, Shape: b.Shape, Arguments: slices.Clone(b.words)}, pair})
	return errors.Join(pair[0].Record(stream), b.launch(stream), pair[1].Record(stream))
}

// pair returns two events that nothing waits for.
func (r *Recorder) pair() (pair [2]cu.Event, err error) {
	if last := len(r.spare) - 1; last >= 0 {
		pair, r.spare = r.spare[last], r.spare[:last]
		return pair, nil
	}
	for i := range pair {
		if pair[i], err = cu.MakeEvent(cu.DefaultEvent); err != nil {
			return pair, err
		}
	}
	return pair, nil
}

// Take waits for the device and returns the launches since the last call, in their order.
// The device must not be closed.
func (r *Recorder) Take() (launched []Launched, err error) {
	if r.device == nil {
		return nil, nil
	}
	err = r.device.do("time launches", func() error {
		if err := r.device.stream.Synchronize(); err != nil {
			return err
		}
		for _, l := range r.launched {
			milliseconds, err := l.events[0].Elapsed(l.events[1])
			if err != nil {
				return err
			}
			launched = append(launched, Launched{l.launch, milliseconds / 1e3})
			r.spare = append(r.spare, l.events)
		}
		r.launched = r.launched[:0]
		return nil
	})
	return launched, err
}

// Empty is the median time, in seconds, of launches that have nothing to do: what those of
// Take have in them besides their kernels. The device must not be closed.
func (r *Recorder) Empty() (float64, error) {
	if r.device == nil {
		return 0, nil
	}
	if _, err := r.Take(); err != nil {
		return 0, err
	}
	const launches = 101
	err := r.device.do("time launches", func() error {
		for range launches {
			if err := r.device.run(kernels.Fill(grid(1, 1, 1), none, 0, 0)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	launched, err := r.Take()
	if err != nil {
		return 0, err
	}
	slices.SortFunc(launched, func(a, b Launched) int { return cmp.Compare(a.Seconds, b.Seconds) })
	return launched[launches/2].Seconds, nil
}

// Peak is the most that the device can do.
func (r *Recorder) Peak() (p Peak, err error) {
	if r.device == nil {
		return p, nil
	}
	d := r.device
	l := limits{name: d.info.Name, capability: d.info.Capability, multiprocessors: d.multiprocessors}
	err = d.do("look at the device", func() error {
		device, err := cu.GetDevice(d.info.Index)
		if err != nil {
			return err
		}
		var kilohertz [2]int
		for attribute, to := range map[cu.DeviceAttribute]*int{
			cu.GlobalMemoryBusWidth: &l.busWidth, cu.ClockRate: &kilohertz[0], cu.MemoryClockRate: &kilohertz[1],
		} {
			if *to, err = device.Attribute(attribute); err != nil {
				return err
			}
		}
		l.clock, l.memoryClock = 1e3*float64(kilohertz[0]), 1e3*float64(kilohertz[1])
		return nil
	})
	return l.peak(), err
}
