package pure

import "math"

// PoolMode is how a 2×2 window with stride 2 becomes one value.
type PoolMode int

const (
	MaxPool  PoolMode = iota // the largest value
	MeanPool                 // the mean
	L2Pool                   // the root of the sum of squares
)

// Pool describes a 2×2 pooling of stride 2 of a C×H×W map. An odd last row or
// column is dropped.
type Pool struct {
	Mode                    PoolMode
	Channels, Height, Width int // of the input
	// Scale multiplies the result.
	Scale float64
}

// ApplyPool computes y, C×⌊H/2⌋×⌊W/2⌋, from x.
func ApplyPool[T Float](p Pool, y, x []T) {
	p.windows(func(out int, in [4]int) {
		var v T
		switch p.Mode {
		case MaxPool:
			v = x[in[largest(x, in)]]
		case MeanPool:
			v = (x[in[0]] + x[in[1]] + x[in[2]] + x[in[3]]) / 4
		case L2Pool:
			v = norm(x, in)
		}
		y[out] = T(p.Scale) * v
	})
}

// PoolGradient computes dx from dy and the pooling's input. The gradient of a
// maximum goes to the first one in row-major order, that of an L2 norm of zero
// is zero.
func PoolGradient[T Float](p Pool, dx, dy, x []T) {
	clear(dx)
	p.windows(func(out int, in [4]int) {
		d := T(p.Scale) * dy[out]
		switch p.Mode {
		case MaxPool:
			dx[in[largest(x, in)]] = d
		case MeanPool:
			for _, i := range in {
				dx[i] = d / 4
			}
		case L2Pool:
			if n := norm(x, in); n > 0 {
				for _, i := range in {
					dx[i] = d * x[i] / n
				}
			}
		}
	})
}

// windows calls visit with the index of every output and of its four inputs.
func (p Pool) windows(visit func(out int, in [4]int)) {
	height, width := p.Height/2, p.Width/2
	for c := range p.Channels {
		for row := range height {
			for column := range width {
				i := (c*p.Height+2*row)*p.Width + 2*column
				visit((c*height+row)*width+column, [4]int{i, i + 1, i + p.Width, i + p.Width + 1})
			}
		}
	}
}

func largest[T Float](x []T, in [4]int) int {
	best := 0
	for k := 1; k < 4; k++ {
		if x[in[k]] > x[in[best]] {
			best = k
		}
	}
	return best
}

func norm[T Float](x []T, in [4]int) T {
	var sum float64
	for _, i := range in {
		sum += float64(x[i]) * float64(x[i])
	}
	return T(math.Sqrt(sum))
}
