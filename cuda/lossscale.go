//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"math"
	"slices"

	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

// gradientScale times the positions is the loss scale of float16: what gradients are
// multiplied by on their way through the network, and divided by at the picture
// (Micikevicius et al. 2018, "Mixed precision training"). In float16, whose least normal value is 6e-5,
// they would vanish: losses are means over positions and channels, and divided by
// the target's size, so that their gradients by single features are 1e-9 in a
// picture of 512×512, and grow with the weight of the term. At this scale they are 0.01 to 100 at weight 1, in the middle of what float16 has
// on either side, at any size of picture. Where the picture is far from its target they
// may be larger and overflow all the same; then the scale is lowered by steps of
// lowerScale, and the run made again.
const (
	gradientScale = 64
	lowerScale    = 64
)

// lossScale is the loss scale of one program, with the outputs that it is taken out of.
type lossScale struct {
	stateless
	device  *Device
	factor  float64
	outputs []*plan.Buffer
	// Where the factor and its inverse lie.
	start, inverse pointer[float64]
	squares        slot // of the first output's norm
}

// lossScaleOf works out the scale of a program's gradients. They begin at scalar
// constants, which is what gorgonia.Grad starts from, and go by way of sums to what
// losses multiply their gradients by.
func (d *Device) lossScaleOf(p *plan.Program) *lossScale {
	none := &lossScale{device: d, factor: 1}
	if d.precision != kernels.F16 {
		return none
	}
	gradient, positions, weight := map[*plan.Buffer]bool{}, 1, 0.
	for _, step := range p.Steps {
		result := step.Results[len(step.Results)-1] // of a loss with its gradient, that
		for _, b := range step.Reads() {
			if isGradientStart(b) || gradient[b] {
				gradient[result] = true
			}
		}
		if d.formatOf(result) == channelsLast {
			_, n := geometry(result)
			positions = max(positions, n)
		}
		if sum, ok := step.Op.(*ops.Sum); ok && isGradientStart(step.Inputs[0]) && !onlyVariation(p, result) {
			weight = max(weight, math.Abs(sum.Weights[0]))
		}
	}
	scale := *none
	for _, b := range p.Outputs {
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
	return &scale
}

// isGradientStart tells whether gradients begin at a buffer.
func isGradientStart(b *plan.Buffer) bool {
	if b.Constant == nil {
		return false
	}
	_, scalar := b.Constant.Data().(float64)
	return scalar
}

// onlyVariation tells whether a gradient goes to total variation alone, which is
// float32 in every precision.
func onlyVariation(p *plan.Program, grad *plan.Buffer) bool {
	for _, step := range p.Steps {
		loss, _, _ := step.Loss()
		if _, variation := loss.(*ops.Variation); !variation && slices.Contains(step.Inputs, grad) {
			return false
		}
	}
	return true
}

// unscale binds what takes the loss scale out of the outputs again.
func (b *binder) unscale() {
	scale := b.scale
	if scale.factor == 1 {
		return
	}
	scale.inverse = b.inTable(1 / scale.factor)
	for i, output := range scale.outputs {
		at, n := b.floats(output), output.Len()
		if i > 0 {
			b.add(kernels.ScaleBy(over(n), at, at, scale.inverse, n))
			continue
		}
		scale.squares = b.slot()
		parts, partials := vectorBlocks(n), workspace[float64](b, dotBlocks)
		b.add(
			kernels.ScaleSquares(grid(parts, 1, 1), at, partials, at, scale.inverse, n),
			addParts(scale.squares.at(), partials, 1, parts, 1))
	}
	b.keep(scale)
}

// ended lowers the scale where the gradient overflowed and is worth another run.
func (s *lossScale) ended() (again bool, err error) {
	if s.factor <= 1 || finite(s.squares.value()) {
		return false, nil
	}
	s.factor = max(1, s.factor/lowerScale)
	if err := upload(s.device, s.start, []float64{s.factor}); err != nil {
		return false, err
	}
	return true, upload(s.device, s.inverse, []float64{1 / s.factor})
}
