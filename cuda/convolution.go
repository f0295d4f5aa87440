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

// matrixUnits tells whether the matrix units can multiply rows of in by a matrix of
// in×out elements.
func (d *Device) matrixUnits(in, out int) bool {
	slice := 32
	if d.precision == "tf32" {
		slice = 16
	}
	return d.precision != "f32" && in%slice == 0 && out%64 == 0
}

// rows is a product with a matrix of what lies in rows: positions of a map.
type rows struct {
	in, out, rows int
	taps          int // in the depth
}

// onMatrixUnits completes a launch of a kernel on the matrix units: its columns, its
// shared memory, its grid, and the number of parts that share the depth where
// there would be too few blocks to fill a device.
func (d *Device) onMatrixUnits(kernel string, r rows) (l launch, parts int) {
	columns, bytes := 128, 65536
	if r.out%128 != 0 {
		columns, bytes = 64, 49152
	}
	l = launch{
		kernel: fmt.Sprintf("%s%d_%s", kernel, columns, d.precision), shared: bytes, block: dim{x: 256},
		grid: dim{x: (r.rows + 127) / 128, y: r.out / columns},
	}
	// Two blocks fit on each of some 130 multiprocessors. A part is worth its memory
	// from some 32 slices of depth on.
	const blocks, depth = 256, 32 * 32
	parts = min(max(blocks/(l.grid.x*l.grid.y), 1), max(r.taps*r.in/depth, 1), 8)
	l.grid.z = parts
	return l, parts
}

// convolved is a convolution with what goes with it, and its kernels' operands.
type convolved struct {
	shape                      shape3
	result, x, bias            cu.DevicePtr
	gate, addend, mask, colour cu.DevicePtr
	flags                      int
	filters                    *plan.Buffer
	transposed                 bool
}

// convolve binds a convolution from map to map.
func (m *machine) convolve(c convolved) error {
	d, s := m.device, c.shape
	if c.gate == none && c.colour == none && c.flags&replicateBorder == 0 && d.matrixUnits(s.in, s.out) {
		filters, err := d.filters("arrange_filters_"+d.precision, c.filters, c.transposed)
		if err != nil {
			return err
		}
		l, parts := d.onMatrixUnits("convolution_matrix", rows{s.in, s.out, s.positions(), 9})
		x := c.x
		if d.hopper(s) {
			l, parts = d.onHopper(s)
			x = m.tensorMap(c.x, []int{s.in, s.width, s.height}, []int{64, 16, 16})
			filters = m.tensorMap(filters, []int{9 * s.in, s.out}, []int{64, s.out / l.grid.y})
		}
		memory := none
		if parts > 1 {
			memory = m.scratch(4 * parts * s.positions() * s.out)
		}
		l.arguments = []any{c.result, memory, x, filters, c.bias, c.addend, c.mask, c.flags, s.in, s.out, s.height, s.width}
		if err := m.add(l); err != nil || parts == 1 {
			return err
		}
		n := s.positions() * s.out
		return m.add(over(n, "finish_parts_"+d.precision, c.result, memory, parts, c.bias, c.addend, c.mask, c.flags, s.out, n))
	}
	filters, err := d.filters("arrange_filters", c.filters, c.transposed)
	if err != nil {
		return err
	}
	return m.add(launch{
		kernel: "convolution_" + d.maps(), grid: dim{x: (s.positions() + 127) / 128, y: (s.out + 63) / 64}, block: dim{x: 256},
		arguments: []any{c.result, c.x, filters, c.bias, c.gate, c.addend, c.mask, c.colour, c.flags, s.in, s.out, s.height, s.width},
	})
}

func (m *machine) convolution(op *ops.Convolution, t task) error {
	d, x, s := m.device, t.inputs[0], shapeOf(t.inputs[0], t.inputs[1])
	bias, err := d.constant(t.inputs[2])
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
	if d.formatOf(t.result) != channelsLast {
		return errFewChannels
	}
	if d.formatOf(x) == channelsLast {
		return m.convolve(convolved{
			shape: s, result: m.at(t.result), x: m.at(x), bias: bias, colour: colour, flags: flags, filters: t.inputs[1],
		})
	}
	filters, err := d.filters("arrange_filters", t.inputs[1], false)
	if err != nil {
		return err
	}
	return m.add(launch{
		kernel: "convolution_picture_" + d.maps(), grid: dim{x: (s.positions() + 127) / 128, y: (s.out + 63) / 64}, block: dim{x: 256},
		arguments: []any{m.at(t.result), m.at(x), filters, bias, colour, flags, s.in, s.out, s.height, s.width},
	})
}

// convolutionGradient binds the gradient to a convolution's map, its cotangent seen
// through the rectification.
func (m *machine) convolutionGradient(op *ops.ConvolutionGradient, t task) error {
	d, dy, s := m.device, t.inputs[0], shapeOf(t.inputs[1], t.inputs[2])
	if d.formatOf(dy) != channelsLast {
		return errFewChannels
	}
	gate, from := none, m.at(dy)
	if op.Rectified && !t.ungated {
		gate = m.at(t.inputs[1])
	}
	picture := d.formatOf(t.result) == planes
	if picture {
		filters, err := d.filters("arrange_filters", t.inputs[2], true)
		if err != nil {
			return err
		}
		if err := m.add(launch{
			kernel: "picture_gradient_" + d.maps(),
			grid:   dim{x: (s.width + 15) / 16, y: (s.height + 15) / 16, z: (s.in + 3) / 4}, block: dim{x: 256},
			arguments: []any{m.at(t.result), from, filters, gate, s.in, s.out, s.height, s.width},
		}); err != nil {
			return err
		}
	} else {
		if gate != none && d.matrixUnits(s.out, s.in) {
			// The matrix units' copies have no way to look at a gate.
			passed := m.scratch(d.size(dy))
			if err := m.elementwise("rectify_gradient_", dy, passed, from, gate); err != nil {
				return err
			}
			from, gate = passed, none
		}
		if err := m.convolve(convolved{
			shape: shape3{s.out, s.in, s.height, s.width}, result: m.at(t.result), x: from, gate: gate,
			addend: m.at(t.addend), mask: m.at(t.mask), filters: t.inputs[2], transposed: true,
		}); err != nil {
			return err
		}
	}
	if !op.Border.Replicate {
		return nil
	}
	return m.edges(s, picture, t, from, gate)
}

// edges adds to a gradient what the repeated pixels of a replicated border pass on.
func (m *machine) edges(s shape3, picture bool, t task, from, gate cu.DevicePtr) error {
	filters, err := m.device.filters("arrange_filters", t.inputs[2], true)
	if err != nil {
		return err
	}
	edge := s.positions() - max(s.height-2, 0)*max(s.width-2, 0)
	l := launch{
		kernel: "convolution_edges_" + m.device.maps(), grid: dim{x: (edge*s.in + 7) / 8}, block: dim{x: 256},
		arguments: []any{m.at(t.result), from, filters, gate, m.at(t.mask), s.in, s.out, s.height, s.width},
	}
	if picture {
		l.kernel = "picture_edges_" + m.device.maps()
		l.arguments = []any{m.at(t.result), from, filters, gate, s.in, s.out, s.height, s.width}
	}
	return m.add(l)
}

// product is rows of a map times a matrix of in×out elements, times *factor, plus
// bias and addend, zero where mask isn't positive.
type product struct {
	result, x, matrix          cu.DevicePtr
	factor, bias, addend, mask cu.DevicePtr
	in, out, rows              int
}

// productType is the end of the name of kernels that make a product's matrix.
func (m *machine) productType(p product) string {
	if m.device.matrixUnits(p.in, p.out) {
		return m.device.precision
	}
	return "f32"
}

// product returns its launches. The matrix is symmetric, so that it is the same by
// rows and by columns.
func (m *machine) product(p product) []launch {
	d := m.device
	if !d.matrixUnits(p.in, p.out) {
		return []launch{{
			kernel: "product_" + d.maps(), grid: dim{x: (p.rows + 127) / 128, y: (p.out + 63) / 64}, block: dim{x: 256},
			arguments: []any{p.result, p.x, p.matrix, p.factor, p.bias, p.addend, p.mask, p.in, p.out, p.rows},
		}}
	}
	l, _ := d.onMatrixUnits("product_matrix", rows{p.in, p.out, p.rows, 1})
	l.grid.z = 1
	l.arguments = []any{p.result, p.x, p.matrix, p.factor, p.bias, p.addend, p.mask, p.in, p.out, p.rows}
	return []launch{l}
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
		// A border's colour may lie inside of a struct that has pointers, which cgo
		// doesn't let pass.
		copied := slices.Clone(values)
		return m, d.upload(m.at, unsafe.Pointer(&copied[0]), 4*len(values))
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
	return d.cached(values, fmt.Sprint(kernel, transposed), func() (memory, error) {
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
			return d.run(over(len(values), kernel, m.at, stage, b.Shape[0], b.Shape[1], flag(transposed)))
		})
	})
}
