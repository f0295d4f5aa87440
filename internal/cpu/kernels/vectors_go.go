package kernels

import "math"

// vectorKernels are the inner loops that go through vectors once. Slices of a
// call are equally long.
type vectorKernels struct {
	mask            func(to, x, mask []float32)                                                                                          // to = x where mask is positive, else 0
	axpy            func(y, x []float32, alpha float32)                                                                                  // y += alpha·x
	scale           func(x []float32, alpha float32)                                                                                     // x *= alpha
	clamp           func(x []float32, low, high float32)                                                                                 // x = min(max(x, low), high)
	average         func(mean, x []float32, decay, rest float32)                                                                         // mean = decay·mean + rest·x
	combine         func(to, x, y []float64, a, b float64)                                                                               // to = a·x + b·y
	addDifference   func(to, x, y []float32, alpha float32)                                                                              // to += alpha·(x − y)
	dot             func(x, y []float32) float64                                                                                         // Σ x·y in float64
	sum             func(x []float32) float64                                                                                            // Σ x in float64
	squaredDistance func(x, y []float32) float64                                                                                         // Σ (x − y)², in float64 from x − y on
	adam            func(point, gradient, mean, square []float32, keepMean, addMean, keepSquare, addSquare, step, root, epsilon float32) // see adamFactors
}

var vectorsGo = vectorKernels{
	mask: maskGo, axpy: axpyGo, scale: scaleGo, clamp: clampGo, average: averageGo, combine: combineGo, addDifference: addDifferenceGo,
	dot: dotGo, sum: sumGo, squaredDistance: squaredDistanceGo, adam: adamGo,
}

func maskGo(to, x, mask []float32) {
	x, to = x[:len(mask)], to[:len(mask)]
	for i, m := range mask {
		v := x[i]
		if !(m > 0) {
			v = 0
		}
		to[i] = v
	}
}

func axpyGo(y, x []float32, alpha float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += alpha * v
	}
}

func scaleGo(x []float32, alpha float32) {
	for i := range x {
		x[i] *= alpha
	}
}

func clampGo(x []float32, low, high float32) {
	for i, v := range x {
		x[i] = min(max(v, low), high)
	}
}

func combineGo(to, x, y []float64, a, b float64) {
	x, y = x[:len(to)], y[:len(to)]
	for i := range to {
		to[i] = a*x[i] + b*y[i]
	}
}

func averageGo(mean, x []float32, decay, rest float32) {
	mean = mean[:len(x)]
	for i, v := range x {
		mean[i] = decay*mean[i] + rest*v
	}
}

func dotGo(x, y []float32) float64 {
	var sums [4]float64
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		sums[0] += float64(x[0]) * float64(y[0])
		sums[1] += float64(x[1]) * float64(y[1])
		sums[2] += float64(x[2]) * float64(y[2])
		sums[3] += float64(x[3]) * float64(y[3])
		x, y = x[4:], y[4:]
	}
	for i, v := range x {
		sums[0] += float64(v) * float64(y[i])
	}
	return sums[0] + sums[1] + (sums[2] + sums[3])
}

func sumGo(x []float32) float64 {
	var sums [4]float64
	for len(x) >= 4 {
		sums[0] += float64(x[0])
		sums[1] += float64(x[1])
		sums[2] += float64(x[2])
		sums[3] += float64(x[3])
		x = x[4:]
	}
	for _, v := range x {
		sums[0] += float64(v)
	}
	return sums[0] + sums[1] + (sums[2] + sums[3])
}

func addDifferenceGo(to, x, y []float32, alpha float32) {
	x, y = x[:len(to)], y[:len(to)]
	for i := range to {
		to[i] += alpha * (x[i] - y[i])
	}
}

func squaredDistanceGo(x, y []float32) float64 {
	var sum float64
	for i, v := range x {
		d := float64(v - y[i])
		sum += d * d
	}
	return sum
}

func adamGo(point, gradient, mean, square []float32, keepMean, addMean, keepSquare, addSquare, step, root, epsilon float32) {
	n := len(point)
	gradient, mean, square = gradient[:n], mean[:n], square[:n]
	for i, g := range gradient {
		m := keepMean*mean[i] + addMean*g
		s := keepSquare*square[i] + addSquare*(g*g)
		mean[i], square[i] = m, s
		point[i] -= step * m / (root*float32(math.Sqrt(float64(s))) + epsilon)
	}
}
