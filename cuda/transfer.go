//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/plan"
)

// format is how values lie on the device.
type format int

const (
	planes       format = iota // float32, channel by channel, as on the host
	channelsLast               // elements of the device's precision, position by position
	doubles                    // float64
	evaluation                 // of a loss between maps: its gradient, float32 channels last
	constant                   // as the step wants it that it belongs to
)

// planesChannels is the most that a map may have to lie in planes: a picture's.
const planesChannels = 4

// formatOf is a buffer's format.
func (d *Device) formatOf(b *plan.Buffer) format {
	switch {
	case b.Constant != nil:
		return constant
	case b.Dtype == tensor.Float64:
		return doubles
	case b.Shape.Dims() == 1:
		return evaluation
	case b.Shape[0] <= planesChannels:
		return planes
	}
	return channelsLast
}

// size is what a buffer takes on the device, in bytes.
func (d *Device) size(b *plan.Buffer) int {
	switch d.formatOf(b) {
	case planes, evaluation:
		return 4 * b.Len()
	case doubles:
		return 8 * b.Len()
	case channelsLast:
		return d.elementSize() * b.Len()
	}
	return 0
}

// elementSize is that of maps with their channels last.
func (d *Device) elementSize() int {
	if d.precision == "f16" || d.precision == "bf16" {
		return 2
	}
	return 4
}

// maps is the end of the names of kernels that work on maps.
func (d *Device) maps() string {
	if d.precision == "tf32" {
		return "f32"
	}
	return d.precision
}

// check reports what no step could be bound to.
func (d *Device) check(s *plan.Schedule) error {
	for _, step := range s.Steps {
		for _, b := range append([]*plan.Buffer{step.Result}, step.Inputs...) {
			if b.Dtype == tensor.Float64 && b.Shape.Dims() > 1 {
				return fmt.Errorf("cuda: compile: %v is a map of float64, which the GPU doesn't compute with; use the device cpu", b.Node)
			}
		}
	}
	return nil
}

// relay is a launch that changes the layout of a map.
func relay(kernel string, to, from cu.DevicePtr, shape tensor.Shape) launch {
	channels, positions := shape[0], shape[1]*shape[2]
	const tile = 32
	return launch{
		kernel: kernel, grid: dim{x: (positions + tile - 1) / tile, y: (channels + tile - 1) / tile}, block: dim{x: tile, y: 8},
		arguments: []any{to, from, channels, positions},
	}
}

// Write implements plan.Machine.
func (m *machine) Write(input *gorgonia.Node, values []float32) error {
	b, err := m.buffer(input, len(values), tensor.Float32)
	if err != nil {
		return err
	}
	d := m.device
	return d.do("write an input", func() error {
		for _, follow := range m.wrote[b] {
			follow()
		}
		switch from := unsafe.Pointer(&values[0]); d.formatOf(b) {
		case planes:
			return d.upload(m.places[b], from, 4*len(values))
		case channelsLast:
			return d.staged(4*len(values), func(stage cu.DevicePtr) error {
				if err := d.upload(stage, from, 4*len(values)); err != nil {
					return err
				}
				return d.run(relay("channels_last_"+d.maps(), m.places[b], stage, b.Shape))
			})
		}
		return fmt.Errorf("%v is no map", input)
	})
}

// Read implements plan.Machine.
func (m *machine) Read(output *gorgonia.Node, values []float32) error {
	b, err := m.buffer(output, len(values), tensor.Float32)
	if err != nil {
		return err
	}
	d := m.device
	return d.do("read an output", func() error {
		switch to := unsafe.Pointer(&values[0]); d.formatOf(b) {
		case planes:
			return d.download(to, m.places[b], 4*len(values))
		case channelsLast:
			return d.staged(4*len(values), func(stage cu.DevicePtr) error {
				if err := d.run(relay("planes_"+d.maps(), stage, m.places[b], b.Shape)); err != nil {
					return err
				}
				return d.download(to, stage, 4*len(values))
			})
		}
		return fmt.Errorf("%v is no map", output)
	})
}

// staged runs f with memory on the device that is there for it alone.
func (d *Device) staged(bytes int, f func(stage cu.DevicePtr) error) error {
	stage, err := d.allocate("a map on its way between host and GPU", bytes)
	if err != nil {
		return err
	}
	err = f(stage.at)
	if synchronized := d.stream.Synchronize(); err == nil {
		err = synchronized
	}
	if freed := stage.free(); err == nil {
		err = freed
	}
	return err
}

// WriteFloat64 implements plan.Machine.
func (m *machine) WriteFloat64(input *gorgonia.Node, values []float64) error {
	b, err := m.buffer(input, len(values), tensor.Float64)
	if err != nil {
		return err
	}
	return m.device.do("write an input", func() error {
		if err := m.device.upload(m.places[b], unsafe.Pointer(&values[0]), 8*len(values)); err != nil {
			return err
		}
		for _, follow := range m.written[b] {
			if err := follow(values); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReadFloat64 implements plan.Machine.
func (m *machine) ReadFloat64(output *gorgonia.Node, values []float64) error {
	b, err := m.buffer(output, len(values), tensor.Float64)
	if err != nil {
		return err
	}
	return m.device.do("read an output", func() error {
		if offset, there := m.layout.results[b]; there && m.runs > 0 {
			copy(values, m.results.Float64s(offset, 1))
			return nil
		}
		return m.device.download(unsafe.Pointer(&values[0]), m.places[b], 8*len(values))
	})
}
