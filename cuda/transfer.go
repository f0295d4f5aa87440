//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/cuda/kernels"
	"impasto/internal/plan"
)

// format is how values lie on the device.
type format int

const (
	planes       format = iota // float32, channel by channel, as on the host
	channelsLast               // elements of the device's precision, position by position
	doubles                    // float64
	constant                   // as the step wants it that it belongs to
)

func (f format) String() string {
	return [...]string{"planes", "channels last", "float64", "a constant"}[f]
}

// planesChannels is the most that a map may have to lie in planes: a picture's.
const planesChannels = 4

// formatOf is a buffer's format.
func (d *Device) formatOf(b *plan.Buffer) format {
	switch {
	case b.Constant != nil:
		return constant
	case b.Dtype == tensor.Float64:
		return doubles
	case b.Shape[0] <= planesChannels:
		return planes
	}
	return channelsLast
}

// size is what a buffer takes on the device, in bytes.
func (d *Device) size(b *plan.Buffer) int {
	switch d.formatOf(b) {
	case planes:
		return 4 * b.Len()
	case doubles:
		return 8 * b.Len()
	case channelsLast:
		return d.maps().Bytes() * b.Len()
	}
	return 0
}

// maps is what feature maps are made of.
func (d *Device) maps() kernels.Element { return d.precision.Element() }

// relayShape is the shape of kernels that change the layout of a map.
func relayShape(channels, positions int) kernels.Shape {
	const tile = 32
	shape := grid(blocks(positions, tile), blocks(channels, tile), 1)
	shape.Block = kernels.Dim{X: tile, Y: 8}
	return shape
}

// Write implements plan.Machine.
func (m *machine) Write(input *gorgonia.Node, values []float32) error {
	b, err := m.buffer(input, len(values), tensor.Float32)
	if err != nil {
		return err
	}
	d := m.device
	return d.do("write an input", func() error {
		if err := m.written(b, nil); err != nil {
			return err
		}
		switch d.formatOf(b) {
		case planes:
			return upload(d, pointer[float32](m.places[b]), values)
		case channelsLast:
			channels, positions := geometry(b)
			return d.staged(4*len(values), func(stage memory) error {
				from := pointer[float32](stage.at)
				if err := upload(d, from, values); err != nil {
					return err
				}
				return d.run(d.maps().ChannelsLast(relayShape(channels, positions), elements(m.places[b]), from, channels, positions))
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
	return d.look("read an output", func() error {
		switch d.formatOf(b) {
		case planes:
			return download(d, values, pointer[float32](m.places[b]))
		case channelsLast:
			channels, positions := geometry(b)
			return d.staged(4*len(values), func(stage memory) error {
				to := pointer[float32](stage.at)
				if err := d.run(d.maps().Planes(relayShape(channels, positions), to, elements(m.places[b]), channels, positions)); err != nil {
					return err
				}
				return download(d, values, to)
			})
		}
		return fmt.Errorf("%v is no map", output)
	})
}

// written tells the states that an input was written.
func (m *machine) written(input *plan.Buffer, values []float64) error {
	for _, s := range m.states {
		if err := s.written(input, values); err != nil {
			return err
		}
	}
	return nil
}

// WriteFloat64 implements plan.Machine.
func (m *machine) WriteFloat64(input *gorgonia.Node, values []float64) error {
	b, err := m.buffer(input, len(values), tensor.Float64)
	if err != nil {
		return err
	}
	return m.device.do("write an input", func() error {
		if err := upload(m.device, pointer[float64](m.places[b]), values); err != nil {
			return err
		}
		return m.written(b, values)
	})
}

// ReadFloat64 implements plan.Machine.
func (m *machine) ReadFloat64(output *gorgonia.Node, values []float64) error {
	b, err := m.buffer(output, len(values), tensor.Float64)
	if err != nil {
		return err
	}
	return m.device.look("read an output", func() error {
		if number, there := m.layout.scalars[b]; there && m.runs > 0 {
			values[0] = slot{&m.results, number}.value()
			return nil
		}
		return download(m.device, values, pointer[float64](m.places[b]))
	})
}
