package cpu

import (
	"slices"

	"impasto/internal/cpu/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// variationKernel computes the total variation or its gradient, but not both at once,
// of which a gradient made early would only take memory.
var variationKernel = kernel{
	when: func(d *Device, step plan.Step) bool {
		_, both := step.Op.(*ops.ValueAndGradient)
		return onSingles(d, step) && !both
	},
	bind: func(m *machine, step plan.Step) (func() error, error) {
		in, shape := m.inputs(step), step.Inputs[0].Shape
		v, x := newVariation(m.device.workers, shape[0], shape[1], shape[2]), in[0].single
		if len(in) == 1 {
			loss := m.result(step).double
			return always(func() { loss[0] = v.value(x) }), nil
		}
		dx, grad := m.result(step).single, in[1].double
		return always(func() { v.gradient(dx, x, grad[0]) }), nil
	},
}

// variation computes pure.TotalVariation of planes row by row. Padding by
// replication adds no pairs but along the edges, where the two diagonals across
// the border each come to a pair of neighbours on the edge.
type variation struct {
	workers               *kernels.Workers
	planes, height, width int
	straight, diagonal    float64 // weights of a pair
	edges                 []int   // first and last column
	sums                  []float64
}

func newVariation(w *kernels.Workers, planes, height, width int) *variation {
	straight, diagonal := pure.VariationWeights(planes, height, width)
	edges := slices.Compact([]int{0, width - 1})
	return &variation{w, planes, height, width, straight, diagonal, edges, make([]float64, planes*height)}
}

// row returns a row of x, counted over all planes.
func (v *variation) row(x []float32, row int) []float32 { return x[row*v.width : (row+1)*v.width] }

// value is the total variation of x.
func (v *variation) value(x []float32) float64 {
	spread, last := v.workers.SquaredDistance, v.width-1
	v.workers.Run(len(v.sums), func(part int) {
		row, here := part%v.height, v.row(x, part)
		sum := v.along(row, v.height) * spread(here[1:], here[:last])
		if row+1 < v.height {
			below := v.row(x, part+1)
			sum += v.straight * spread(below, here)
			for _, c := range v.edges {
				sum += (v.along(c, v.width) - v.straight) * square(below[c]-here[c])
			}
			sum += v.diagonal * (spread(below[1:], here[:last]) + spread(here[1:], below[:last]))
		}
		v.sums[part] = sum
	})
	var total float64
	for _, sum := range v.sums {
		total += sum
	}
	return total
}

// gradient computes dx = grad·∂variation/∂x.
func (v *variation) gradient(dx, x []float32, grad float64) {
	pull, last := v.workers.AddDifference, v.width-1
	v.workers.Run(len(v.sums), func(part int) {
		row, out, here := part%v.height, v.row(dx, part), v.row(x, part)
		clear(out)
		beside := float32(2 * grad * v.along(row, v.height))
		pull(out[1:], here[1:], here[:last], beside)
		pull(out[:last], here[:last], here[1:], beside)
		if row > 0 {
			v.pullRow(out, here, v.row(x, part-1), grad)
		}
		if row+1 < v.height {
			v.pullRow(out, here, v.row(x, part+1), grad)
		}
	})
}

// pullRow adds the gradient that a row has from its pairs with the next one.
func (v *variation) pullRow(out, here, next []float32, grad float64) {
	pull, last := v.workers.AddDifference, v.width-1
	diagonal := float32(2 * grad * v.diagonal)
	pull(out, here, next, float32(2*grad*v.straight))
	pull(out[1:], here[1:], next[:last], diagonal)
	pull(out[:last], here[:last], next[1:], diagonal)
	for _, c := range v.edges {
		out[c] += float32(2*grad*(v.along(c, v.width)-v.straight)) * (here[c] - next[c])
	}
}

// along is the weight of a pair of neighbours in line at, of so many lines.
func (v *variation) along(at, lines int) float64 {
	weight := v.straight
	if at == 0 {
		weight += 2 * v.diagonal
	}
	if at == lines-1 {
		weight += 2 * v.diagonal
	}
	return weight
}

func square(d float32) float64 { return float64(d) * float64(d) }
