package kernels

import "math"

// vectorBlock is how many values of a vector a part works on.
const vectorBlock = 1 << 14

// eachBlock calls block for consecutive ranges of n values.
func eachBlock(w *Workers, n int, block func(first, end int)) {
	w.Run((n+vectorBlock-1)/vectorBlock, func(part int) {
		block(part*vectorBlock, min(n, (part+1)*vectorBlock))
	})
}

// AddTo computes y = y + x.
func AddTo(w *Workers, y, x []float32) {
	x = x[:len(y)]
	eachBlock(w, len(y), func(first, end int) {
		w.isa.vector.axpy(y[first:end], x[first:end], 1)
	})
}

// Scale computes x = alpha·x.
func Scale(w *Workers, alpha float32, x []float32) {
	eachBlock(w, len(x), func(first, end int) {
		w.isa.vector.scale(x[first:end], alpha)
	})
}

// Axpy computes y = y + alpha·x.
func Axpy(w *Workers, y []float32, alpha float32, x []float32) {
	x = x[:len(y)]
	eachBlock(w, len(y), func(first, end int) {
		w.isa.vector.axpy(y[first:end], x[first:end], alpha)
	})
}

// Dot returns Σ x·y, products and sums in float64.
func Dot(w *Workers, x, y []float32) float64 {
	y = y[:len(x)]
	blocks := (len(x) + vectorBlock - 1) / vectorBlock
	var total float64
	w.exclusive(func(shared *workspace) {
		sums := shared.float64s(0, blocks)
		w.runLocked(blocks, func(part int, _ *workspace) {
			first, end := part*vectorBlock, min(len(x), (part+1)*vectorBlock)
			sums[part] = w.isa.vector.dot(x[first:end], y[first:end])
		})
		for _, v := range sums {
			total += v
		}
	})
	return total
}

// SquaredDistance returns Σ (x − y)² on the calling thread: differences in float32,
// their squares and sum in float64.
func (w *Workers) SquaredDistance(x, y []float32) float64 {
	return w.isa.vector.squaredDistance(x, y[:len(x)])
}

// AddDifference computes to = to + alpha·(x − y) on the calling thread.
func (w *Workers) AddDifference(to, x, y []float32, alpha float32) {
	w.isa.vector.addDifference(to, x[:len(to)], y[:len(to)], alpha)
}

// Clamp moves every x into [low, high].
func Clamp(w *Workers, x []float32, low, high float32) {
	eachBlock(w, len(x), func(first, end int) {
		w.isa.vector.clamp(x[first:end], low, high)
	})
}

// Average computes mean = decay·mean + (1−decay)·x.
func Average(w *Workers, mean []float32, decay float32, x []float32) {
	x = x[:len(mean)]
	eachBlock(w, len(mean), func(first, end int) {
		w.isa.vector.average(mean[first:end], x[first:end], decay, 1-decay)
	})
}

// Adam is one update of Adam (Kingma and Ba 2015, algorithm 1):
//
//	mean   = Beta1·mean   + (1−Beta1)·gradient
//	square = Beta2·square + (1−Beta2)·gradient²
//	point -= StepSize · mean/(1−Beta1^Iteration) / (√(square/(1−Beta2^Iteration)) + Epsilon)
type Adam struct {
	StepSize              float64
	Beta1, Beta2, Epsilon float64
	Iteration             int // from 1
}

// AdamStep makes one update of point, mean and square.
func AdamStep(w *Workers, point, gradient, mean, square []float32, a Adam) {
	n := len(point)
	gradient, mean, square = gradient[:n], mean[:n], square[:n]
	f := a.factors()
	eachBlock(w, n, func(first, end int) {
		w.isa.vector.adam(point[first:end], gradient[first:end], mean[first:end], square[first:end],
			f.keepMean, f.addMean, f.keepSquare, f.addSquare, f.step, f.root, f.epsilon)
	})
}

// adamFactors are the factors of an update.
type adamFactors struct {
	keepMean, addMean     float32 // Beta1, 1−Beta1
	keepSquare, addSquare float32 // Beta2, 1−Beta2
	step                  float32 // StepSize/(1−Beta1^Iteration)
	root                  float32 // 1/√(1−Beta2^Iteration)
	epsilon               float32
}

func (a Adam) factors() adamFactors {
	t := float64(a.Iteration)
	return adamFactors{
		float32(a.Beta1), float32(1 - a.Beta1),
		float32(a.Beta2), float32(1 - a.Beta2),
		float32(a.StepSize / (1 - math.Pow(a.Beta1, t))),
		float32(1 / math.Sqrt(1-math.Pow(a.Beta2, t))),
		float32(a.Epsilon),
	}
}

// Combine computes to = a·x + b·y. to may be one of them.
func Combine(w *Workers, to []float64, a float64, x []float64, b float64, y []float64) {
	x, y = x[:len(to)], y[:len(to)]
	if len(to) <= vectorBlock {
		w.isa.vector.combine(to, x, y, a, b)
		return
	}
	eachBlock(w, len(to), func(first, end int) {
		w.isa.vector.combine(to[first:end], x[first:end], y[first:end], a, b)
	})
}
