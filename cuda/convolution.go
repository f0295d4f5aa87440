//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// What a convolution does besides, as the kernels know it.
const (
	replicateBorder = 1
	rectifyResult   = 2
)

// shape3 is the geometry of a convolution.
type shape3 struct{ in, out, height, width int }

func shapeOf(x, filters *plan.Buffer) shape3 {
	return shape3{filters.Shape[1], filters.Shape[0], x.Shape[1], x.Shape[2]}
}

func (s shape3) positions() int { return s.height * s.width }

// convolution binds a convolution with what goes with it.
func (m *machine) convolution(op *ops.Convolution, step plan.Step) error {
	d, x, s := m.device, step.Inputs[0], shapeOf(step.Inputs[0], step.Inputs[1])
	bias, err := d.constant(step.Inputs[2])
	if err != nil {
		return err
	}
	colour, err := d.colour(op.Border)
	if err != nil {
		return err
	}
	flags := 0
	if op.Border.Replicate {
		flags |= replicateBorder
	}
	if op.Rectify {
		flags |= rectifyResult
	}
	if d.formatOf(step.Result) != channelsLast {
		return fmt.Errorf("a convolution with only %d results has no kernel on the GPU; use the device cpu", s.out)
	}
	filters, err := d.filters("arrange_filters", step.Inputs[1], false)
	if err != nil {
		return err
	}
	grid := dim{x: (s.positions() + 127) / 128, y: (s.out + 63) / 64}
	if d.formatOf(x) == planes {
		return m.add(launch{
			kernel: "convolution_picture_" + d.maps(), grid: grid, block: dim{x: 256},
			arguments: []any{m.at(step.Result), m.at(x), filters, bias, colour, flags, s.in, s.out, s.height, s.width},
		})
	}
	return m.add(launch{
		kernel: "convolution_" + d.maps(), grid: grid, block: dim{x: 256},
		arguments: []any{m.at(step.Result), m.at(x), filters, bias, none, none, none, colour, flags, s.in, s.out, s.height, s.width},
	})
}

// none is a null pointer.
const none = cu.DevicePtr(0)

// convolutionGradient binds the gradient to a convolution's map, its cotangent seen
// through the rectification.
func (m *machine) convolutionGradient(op *ops.ConvolutionGradient, step plan.Step) error {
	d, dy, s := m.device, step.Inputs[0], shapeOf(step.Inputs[1], step.Inputs[2])
	if d.formatOf(dy) != channelsLast {
		return fmt.Errorf("a convolution with only %d results has no kernel on the GPU; use the device cpu", s.out)
	}
	filters, err := d.filters("arrange_filters", step.Inputs[2], true)
	if err != nil {
		return err
	}
	gate := none
	if op.Rectified {
		gate = m.at(step.Inputs[1])
	}
	edge := s.positions() - max(s.height-2, 0)*max(s.width-2, 0)
	edges := launch{grid: dim{x: (edge*s.in + 7) / 8}, block: dim{x: 256}}
	if d.formatOf(step.Result) == planes {
		err = m.add(launch{
			kernel: "picture_gradient_" + d.maps(),
			grid:   dim{x: (s.width + 15) / 16, y: (s.height + 15) / 16, z: (s.in + 3) / 4}, block: dim{x: 256},
			arguments: []any{m.at(step.Result), m.at(dy), filters, gate, s.in, s.out, s.height, s.width},
		})
		edges.kernel = "picture_edges_" + d.maps()
		edges.arguments = []any{m.at(step.Result), m.at(dy), filters, gate, s.in, s.out, s.height, s.width}
	} else {
		err = m.add(launch{
			kernel: "convolution_" + d.maps(), grid: dim{x: (s.positions() + 127) / 128, y: (s.in + 63) / 64}, block: dim{x: 256},
			arguments: []any{m.at(step.Result), m.at(dy), filters, none, gate, none, none, none, 0, s.out, s.in, s.height, s.width},
		})
		edges.kernel = "convolution_edges_" + d.maps()
		edges.arguments = []any{m.at(step.Result), m.at(dy), filters, gate, none, s.in, s.out, s.height, s.width}
	}
	if err != nil || !op.Border.Replicate {
		return err
	}
	return m.add(edges)
}

// constantKey tells the forms of a constant apart.
type constantKey struct {
	values *float32
	form   string
}

// cached returns memory that is made once for the values, which then stay where
// they are.
func (d *Device) cached(values []float32, form string, make func() (memory, error)) (cu.DevicePtr, error) {
	key := constantKey{&values[0], form}
	if m, ok := d.prepared[key]; ok {
		return m.at, nil
	}
	m, err := make()
	if err != nil {
		return 0, errors.Join(err, m.free())
	}
	d.prepared[key] = m
	if !slices.ContainsFunc(d.keep, func(kept []float32) bool { return &kept[0] == &values[0] }) {
		d.keep = append(d.keep, values)
	}
	return m.at, nil
}

// plain returns values on the device as they are.
func (d *Device) plain(values []float32) (cu.DevicePtr, error) {
	return d.cached(values, "", func() (memory, error) {
		m, err := d.allocate("the network's parameters", 4*len(values))
		if err != nil {
			return m, err
		}
		return m, d.upload(m.at, unsafe.Pointer(&values[0]), 4*len(values))
	})
}

// constant returns a constant of the graph on the device.
func (d *Device) constant(b *plan.Buffer) (cu.DevicePtr, error) {
	values, err := constantValues(b)
	if err != nil {
		return 0, err
	}
	return d.plain(values)
}

func constantValues(b *plan.Buffer) ([]float32, error) {
	if b.Constant == nil {
		return nil, fmt.Errorf("%v is no constant, which the GPU needs filters and biases to be", b.Node)
	}
	values, ok := b.Constant.Data().([]float32)
	if !ok {
		return nil, fmt.Errorf("%v is a %T, want float32", b.Node, b.Constant.Data())
	}
	return values, nil
}

// colour returns a border's colour, or null for zeros.
func (d *Device) colour(border pure.Border) (cu.DevicePtr, error) {
	if border.Replicate || border.Colour == nil {
		return none, nil
	}
	return d.plain(border.Colour)
}

// filters returns filters as a kernel arranges them, transposed for the gradient.
func (d *Device) filters(kernel string, b *plan.Buffer, transposed bool) (cu.DevicePtr, error) {
	values, err := constantValues(b)
	if err != nil {
		return 0, err
	}
	flag := 0
	if transposed {
		flag = 1
	}
	return d.cached(values, fmt.Sprint(kernel, flag), func() (memory, error) {
		size := 4
		if kernel == "arrange_filters_f16" || kernel == "arrange_filters_bf16" {
			size = 2
		}
		m, err := d.allocate("the network's parameters", size*len(values))
		if err != nil {
			return m, err
		}
		return m, d.staged(4*len(values), func(stage cu.DevicePtr) error {
			if err := d.upload(stage, unsafe.Pointer(&values[0]), 4*len(values)); err != nil {
				return err
			}
			return d.run(over(len(values), kernel, m.at, stage, b.Shape[0], b.Shape[1], flag))
		})
	})
}
