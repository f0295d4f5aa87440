//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
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

// plainShape is the shape of the kernels that multiply rows of a map by a matrix of so
// many columns without the matrix units.
func plainShape(rows, columns int) kernels.Shape {
	return grid(blocks(rows, 128), blocks(columns, 64), 1)
}

// convolved is a convolution with what goes with it, and its kernels' operands.
type convolved struct {
	shape        shape3
	result, x    elements
	xMask        elements // makes x zero where it isn't positive
	bias, colour pointer[float32]
	addend, mask elements
	flags        int
	filters      *plan.Buffer
	transposed   bool
	pool         maxPool
	pull         *pullAlong // or nil
}

// maxPool is the pooling of a convolution's result that goes with it, if there is a place for
// what it gives: the maxima times scale.
type maxPool struct {
	result elements
	scale  float64
}

// convolve binds a convolution from map to map.
func (b *binder) convolve(c convolved) {
	d, s := b.device, c.shape
	if c.xMask != none || c.colour != none || c.flags&replicateBorder != 0 || !d.matrixUnits(s.in, s.out) {
		filters := b.filters(c.filters, c.transposed)
		b.add(d.maps().Convolution(plainShape(s.positions(), s.out), c.result, c.x, filters, c.bias, c.xMask, c.addend, c.mask,
			c.colour, c.flags, s.in, s.out, s.height, s.width))
		return
	}
	var parts int
	var sums pointer[float32]
	if d.hopper(s) {
		parts, sums = b.convolveOnHopper(c)
	} else {
		parts, sums = b.convolveOnMatrixUnits(c)
	}
	if parts > 1 {
		n := s.positions() * s.out
		b.add(d.precision.FinishParts(over(n), c.result, sums, parts, c.bias, c.addend, c.mask, c.flags, s.out, n))
	}
}

// partSums is memory for the results of a convolution that so many parts leave, if there
// is more than one.
func (b *binder) partSums(s shape3, parts int) pointer[float32] {
	if parts == 1 {
		return none
	}
	return workspace[float32](b, parts*s.positions()*s.out)
}

// convolveOnMatrixUnits returns how many parts of the result it leaves, and where.
func (b *binder) convolveOnMatrixUnits(c convolved) (parts int, sums pointer[float32]) {
	s, p := c.shape, b.device.precision
	filters := b.matrixFilters(c.filters, c.transposed)
	r := rows{s.in, s.out, s.positions(), 9}
	// A part is worth its memory from some 32 slices of depth on.
	t := r.matrixTiling(min(max(9*s.in/1024, 1), 8), b.device.multiprocessors)
	sums = b.partSums(s, t.parts)
	convolution := p.ConvolutionMatrix128
	if t.columns == 64 {
		convolution = p.ConvolutionMatrix64
	}
	b.add(convolution(t.shape(r), c.result, sums, c.x, filters, c.bias, c.addend, c.mask, c.flags, s.in, s.out, s.height, s.width))
	return t.parts, sums
}

// convolutionKernel is that of a convolution of a map or a picture, with bias and
// rectification.
var convolutionKernel = kernel{
	refuses: narrowResult,
	bind: func(b *binder, step plan.Step) {
		op, y, x, filters := step.Op.(*ops.Convolution), step.Results[0], step.Inputs[0], step.Inputs[1]
		s, bias, colour, flags := shapeOf(x, filters), b.constant(step.Inputs[2]), b.colour(op.Border), flagsOf(op)
		if b.device.formatOf(x) == channelsLast {
			b.convolve(convolved{
				shape: s, result: b.elements(y), x: b.elements(x), bias: bias, colour: colour, flags: flags, filters: filters,
			})
			return
		}
		b.add(b.device.maps().ConvolutionPicture(plainShape(s.positions(), s.out), b.elements(y), b.floats(x), b.filters(filters, false), bias,
			colour, flags, s.in, s.out, s.height, s.width))
	},
}

// flagsOf are the flags of a convolution.
func flagsOf(op *ops.Convolution) int {
	flags := 0
	if op.Border.Replicate {
		flags |= replicateBorder
	}
	if op.Rectify {
		flags |= rectifyResult
	}
	return flags
}

// pooledConvolutionKernel is that of a convolution with zeros round the map and of the maxima of
// its result, on Hopper, where a tile has them together.
var pooledConvolutionKernel = kernel{
	refuses: func(d *Device, step plan.Step) string {
		op, x, filters := step.Op.(*ops.PooledConvolution), step.Inputs[0], step.Inputs[1]
		border, whole := op.Convolution.Border, len(step.Results) == 2 && step.Results[1].Keeps == plan.Whole
		if op.Pool.Mode != pure.MaxPool || border.Replicate || border.Colour != nil || !whole || !d.hopperPools(shapeOf(x, filters)) {
			return noKernel
		}
		return narrowInput(d, step)
	},
	bind: func(b *binder, step plan.Step) {
		op, x, filters := step.Op.(*ops.PooledConvolution), step.Inputs[0], step.Inputs[1]
		b.convolve(convolved{
			shape: shapeOf(x, filters), result: b.elements(step.Results[1]), x: b.elements(x), bias: b.constant(step.Inputs[2]),
			flags: flagsOf(op.Convolution), filters: filters,
			pool: maxPool{b.elements(step.Results[0]), op.Pool.Scale},
		})
	},
}

// convolutionGradientKernel is that of the gradient to a convolution's map.
var convolutionGradientKernel = kernel{
	able: plan.Ability{Adds: plan.AddsAny, Masks: plan.MasksByAny, MasksInput: true},
	refuses: func(d *Device, step plan.Step) string {
		if d.formatOf(step.Results[0]) == planes && (step.AddTo != nil || step.Mask != nil) {
			return "its kernel for pictures neither adds to its result nor masks it"
		}
		return narrowInput(d, step)
	},
	bind: func(b *binder, step plan.Step) { b.convolutionGradient(step) },
}

func (b *binder) convolutionGradient(step plan.Step) {
	d, dx, dy, filters := b.device, step.Results[0], step.Inputs[0], step.Inputs[1]
	s := shapeOf(dy, filters)
	from, mask := b.elements(dy), b.elements(step.InputMask)
	if d.formatOf(dx) == planes {
		shape := grid(blocks(s.width, 16), blocks(s.height, 16), blocks(s.in, 4))
		b.add(d.maps().PictureGradient(shape, b.floats(dx), from, b.filters(filters, true), mask, s.in, s.out, s.height, s.width))
	} else {
		if mask != none && d.matrixUnits(s.out, s.in) {
			// The matrix units' copies have no way to look at a mask.
			masked := elements(workspace[byte](b, d.size(dy)))
			b.add(d.maps().RectifyGradient(b.overPieces(dy, 1), masked, from, mask, dy.Len()))
			from, mask = masked, none
		}
		c := convolved{
			shape: shape3{s.out, s.in, s.height, s.width}, result: b.elements(dx), x: from, xMask: mask,
			addend: b.elements(step.AddTo), mask: b.elements(step.Mask), filters: filters, transposed: true,
		}
		if c.pull = b.along(); c.pull != nil {
			c.bias, c.mask = c.pull.bias, b.elements(c.pull.mask)
		}
		b.convolve(c)
	}
	if step.Op.(*ops.ConvolutionGradient).Border.Replicate {
		b.edges(s, step, from, mask)
	}
}

// edges adds to a gradient what the repeated pixels of a replicated border pass on.
func (b *binder) edges(s shape3, step plan.Step, from, fromMask elements) {
	maps, dx, filters := b.device.maps(), step.Results[0], b.filters(step.Inputs[1], true)
	edge := s.positions() - max(s.height-2, 0)*max(s.width-2, 0)
	shape := overWarps(edge * s.in)
	if b.device.formatOf(dx) == planes {
		b.add(maps.PictureEdges(shape, b.floats(dx), from, filters, fromMask, s.in, s.out, s.height, s.width))
		return
	}
	b.add(maps.ConvolutionEdges(shape, b.elements(dx), from, filters, fromMask, b.elements(step.Mask), s.in, s.out, s.height, s.width))
}
