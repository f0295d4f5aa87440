//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// gradientScale is what gradients are multiplied by on their way through the
// network, and 1/scale at the picture. In float16, whose least normal value is 6e-5,
// they would vanish: losses are means over positions and channels, and divided by
// the target's size, so that their gradients by single features are 1e-9 in a
// picture of 512×512, and grow with the weight of the term. With this many times
// the positions they are 0.01 to 100 at weight 1, in the middle of what float16 has
// on either side, at any size of picture. Where the picture is far from its target they
// may be larger and overflow all the same; then the scale is lowered by steps of
// lowerScale, and the run made again.
const (
	gradientScale = 64
	lowerScale    = 64
)

// scaling is the scale of one schedule, with the outputs that it is taken out of.
type scaling struct {
	factor  float64
	outputs []*plan.Buffer
	// Where the factor, its inverse and the square of the first output's norm lie.
	seed, inverse cu.DevicePtr
	squares       int // in the results, in numbers
}

// scalingOf works out the scale of a schedule's gradients. They begin at scalar
// constants, which is what gorgonia.Grad starts from.
func (d *Device) scalingOf(s *plan.Schedule) scaling {
	none := scaling{factor: 1}
	if d.precision != "f16" {
		return none
	}
	gradient, positions, weight := map[*plan.Buffer]bool{}, 1, 0.
	for _, step := range s.Steps {
		for _, b := range step.Inputs {
			if isSeed(b) || gradient[b] {
				gradient[step.Result] = true
			}
		}
		if d.formatOf(step.Result) == channelsLast {
			_, n := geometry(step.Result)
			positions = max(positions, n)
		}
		if sum, ok := step.Op.(*ops.Sum); ok && isSeed(step.Inputs[0]) && !onlyVariation(s, step.Result) {
			weight = max(weight, math.Abs(sum.Weights[0]))
		}
	}
	scale := none
	for _, b := range s.Outputs {
		switch {
		case !gradient[b]:
		case d.formatOf(b) != planes:
			return none // nobody asks for such gradients but out of curiosity
		default:
			scale.outputs = append(scale.outputs, b)
		}
	}
	if weight > 0 && len(scale.outputs) > 0 {
		// A power of two rounds nothing.
		scale.factor = math.Exp2(math.Floor(math.Log2(gradientScale * float64(positions) / weight)))
	}
	return scale
}

// isSeed tells whether gradients begin at a buffer.
func isSeed(b *plan.Buffer) bool {
	if b.Constant == nil {
		return false
	}
	_, scalar := b.Constant.Data().(float64)
	return scalar
}

// onlyVariation tells whether a gradient goes to total variation alone, which is
// float32 in every precision.
func onlyVariation(s *plan.Schedule, grad *plan.Buffer) bool {
	for _, step := range s.Steps {
		for _, b := range step.Inputs {
			if _, ok := newTask(step).op.(*ops.VariationGradient); b == grad && !ok {
				return false
			}
		}
	}
	return true
}

// unscale binds what takes the scale out of the outputs again.
func (m *machine) unscale() error {
	if m.scale.factor == 1 {
		return nil
	}
	m.scale.inverse = m.array(math.Float64bits(1 / m.scale.factor))
	for _, b := range m.scale.outputs {
		at, n := m.places[b], b.Len()
		if err := m.add(over(n, "scale_by", at, at, m.scale.inverse, n)); err != nil {
			return err
		}
	}
	m.used = 0
	first, partials := m.scale.outputs[0], m.scratch(8*sumBlocks)
	at, n := m.places[first], first.Len()
	m.scale.squares = m.layout.resultCount - 1
	squares := m.memory.at + cu.DevicePtr(m.layout.resultsAt+8*m.scale.squares)
	parts, blocks := shared(n, "dot_partials", partials, at, at, n)
	return m.add(parts, join(squares, partials, 1, blocks, 1))
}

// lowered tells whether the gradient overflowed and is worth another run, for which
// it has lowered the scale.
func (m *machine) lowered() (bool, error) {
	if m.scale.factor <= 1 {
		return false, nil
	}
	if squares := m.result(m.scale.squares); !math.IsNaN(squares) && !math.IsInf(squares, 0) {
		return false, nil
	}
	m.scale.factor = max(1, m.scale.factor/lowerScale)
	for _, word := range []struct {
		at    cu.DevicePtr
		value float64
	}{{m.scale.seed, m.scale.factor}, {m.scale.inverse, 1 / m.scale.factor}} {
		value := word.value
		if err := m.device.upload(word.at, unsafe.Pointer(&value), 8); err != nil {
			return false, err
		}
	}
	return true, nil
}
