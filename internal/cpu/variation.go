package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// variation computes pure.TotalVariation of planes row by row. Padding by
// replication adds no pairs but along the edges, where the two diagonals across
// the border each come to a pair of neighbours on the edge.
type variation struct {
	workers               *kernels.Workers
	planes, height, width int
	straight, diagonal    float64 // weights of a pair
	sums                  []float64
}

func newVariation(w *kernels.Workers, planes, height, width int) *variation {
	straight, diagonal := pure.VariationWeights(planes, height, width)
	return &variation{w, planes, height, width, straight, diagonal, make([]float64, planes*height)}
}

// value is the total variation of x.
func (v *variation) value(x []float32) float64 {
	v.workers.Run(len(v.sums), func(part int) {
		row := part % v.height
		here := x[part*v.width : (part+1)*v.width]
		across, _ := v.along(row, v.height)
		var sum float64
		for c := 1; c < v.width; c++ {
			sum += across * square(here[c]-here[c-1])
		}
		if row+1 < v.height {
			below := x[(part+1)*v.width : (part+2)*v.width]
			for c, value := range below {
				down, _ := v.along(c, v.width)
				sum += down * square(value-here[c])
				if c > 0 {
					sum += v.diagonal * (square(value-here[c-1]) + square(here[c]-below[c-1]))
				}
			}
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
	v.workers.Run(len(v.sums), func(part int) {
		row := part % v.height
		out := dx[part*v.width : (part+1)*v.width]
		here := x[part*v.width : (part+1)*v.width]
		clear(out)
		_, across := v.along(row, v.height)
		scale := float32(2 * grad)
		for c := 1; c < v.width; c++ {
			d := scale * across * (here[c] - here[c-1])
			out[c] += d
			out[c-1] -= d
		}
		if row > 0 {
			v.pull(out, here, x[(part-1)*v.width:part*v.width], scale)
		}
		if row+1 < v.height {
			v.pull(out, here, x[(part+1)*v.width:(part+2)*v.width], scale)
		}
	})
}

// pull adds the gradient that a row has from its pairs with the next one.
func (v *variation) pull(out, here, next []float32, scale float32) {
	diagonal := scale * float32(v.diagonal)
	for c, value := range here {
		_, down := v.along(c, v.width)
		sum := scale * down * (value - next[c])
		if c > 0 {
			sum += diagonal * (value - next[c-1])
		}
		if c+1 < len(here) {
			sum += diagonal * (value - next[c+1])
		}
		out[c] += sum
	}
}

// along is the weight of a pair of neighbours in line at, of so many lines.
func (v *variation) along(at, lines int) (float64, float32) {
	weight := v.straight
	if at == 0 {
		weight += 2 * v.diagonal
	}
	if at == lines-1 {
		weight += 2 * v.diagonal
	}
	return weight, float32(weight)
}

func square(d float32) float64 { return float64(d) * float64(d) }
