//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// gradientScale is what gradients are multiplied by on their way through the
// network, and 1/scale at the picture. In float16, whose least normal value is 6e-5,
// they would vanish: losses are means over positions and channels, and divided by
// the target's size, so that their gradients by single features are 1e-9 in a
// picture of 512×512, and grow with the weight of the term. With this many times
// the positions they are 0.01 to 100 at weight 1, in the middle of what float16 has
// on either side, at any size of picture.
const gradientScale = 64

// scaling is the scale of one schedule, with the outputs that it is taken out of.
type scaling struct {
	factor  float64
	outputs []*plan.Buffer
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
