package pure

import (
	"math"
)

// Relaxed is the relaxed earth mover's distance between two clouds of points of
// equal weight,
//
//	max(1/N Σ_i min_j c(x_i,y_j), 1/M Σ_j min_i c(x_i,y_j))
//
// (Kusner et al. 2015; for style transfer, Kolkin et al. 2019). Each term lets go
// of one of the two conditions on a transport plan, so it is a lower bound of the
// earth mover's distance with the same cost.
type Relaxed struct {
	Channels int
	// Euclidean takes the cost |x−y|², else it is 1 − x·y/|x||y|; a zero is at right
	// angles to everything, another zero too.
	Euclidean bool
	// Factor is what the loss is multiplied by; 0 stands for 1.
	Factor float64
	// Scaled divides the Euclidean cost by y's mean square activation, summed over
	// channels. The cosine's doesn't depend on the size of features.
	Scaled bool
}

// Dimensions implements CloudLoss.
func (r Relaxed) Dimensions() int { return r.Channels }

// CountsFor returns what the loss is multiplied by, given the target.
func (r Relaxed) CountsFor(y Spread) float64 {
	factor := r.Factor
	if factor == 0 {
		factor = 1
	}
	if r.Scaled && r.Euclidean {
		factor /= y.scale()
	}
	return factor
}

// Compare implements CloudLoss.
func (r Relaxed) Compare(gradient, x, y []float64) (float64, error) {
	n, m := len(x)/r.Channels, len(y)/r.Channels
	nearestY, nearestX := make([]int32, n), make([]int32, m)
	costs := r.costs(x, y)
	for i := range n {
		for j := range m {
			if c := costs[i*m+j]; c < costs[i*m+int(nearestY[i])] {
				nearestY[i] = int32(j)
			}
			if c := costs[i*m+j]; c < costs[int(nearestX[j])*m+j] {
				nearestX[j] = int32(i)
			}
		}
	}
	return FinishRelaxed(r, gradient, x, y, nearestY, nearestX, r.CountsFor(SpreadOf(y, r.Channels))), nil
}

func (r Relaxed) costs(x, y []float64) []float64 {
	n, m := len(x)/r.Channels, len(y)/r.Channels
	if r.Euclidean {
		return pairCosts(x, y, r.Channels)
	}
	costs := make([]float64, 0, n*m)
	for i := range n {
		for j := range m {
			costs = append(costs, costOf(r, x, y, i, j))
		}
	}
	return costs
}

// costOf is the cost between point i of x and point j of y.
func costOf[T Float](r Relaxed, x, y []T, i, j int) float64 {
	n, m := len(x)/r.Channels, len(y)/r.Channels
	var xx, yy, xy, distance float64
	for c := range r.Channels {
		v, w := float64(x[c*n+i]), float64(y[c*m+j])
		xx += v * v
		yy += w * w
		xy += v * w
		distance += (v - w) * (v - w)
	}
	if r.Euclidean {
		return distance
	}
	if xx == 0 || yy == 0 {
		return 1
	}
	return 1 - xy/math.Sqrt(xx*yy)
}

// addCostGradient adds the gradient of the cost by point i of x, times factor.
func addCostGradient[T Float](r Relaxed, gradient, x, y []T, i, j int, factor float64) {
	n, m := len(x)/r.Channels, len(y)/r.Channels
	if r.Euclidean {
		for c := range r.Channels {
			gradient[c*n+i] += T(2 * factor * (float64(x[c*n+i]) - float64(y[c*m+j])))
		}
		return
	}
	var xx, yy, xy float64
	for c := range r.Channels {
		v, w := float64(x[c*n+i]), float64(y[c*m+j])
		xx += v * v
		yy += w * w
		xy += v * w
	}
	if xx == 0 || yy == 0 {
		return
	}
	along, across := xy/(xx*math.Sqrt(xx*yy)), 1/math.Sqrt(xx*yy)
	for c := range r.Channels {
		gradient[c*n+i] += T(factor * (along*float64(x[c*n+i]) - across*float64(y[c*m+j])))
	}
}

// FinishRelaxed returns the loss times factor, and writes its gradient by x (C×N),
// from the number of the nearest y (C×M) of each x and of the nearest x of each y.
// Nearest ones are kept for the gradient, which is that of the greater term only.
func FinishRelaxed[T Float](r Relaxed, gradient, x, y []T, nearestY, nearestX []int32, factor float64) float64 {
	var rows, columns float64
	for i, j := range nearestY {
		rows += costOf(r, x, y, i, int(j)) / float64(len(nearestY))
	}
	for j, i := range nearestX {
		columns += costOf(r, x, y, int(i), j) / float64(len(nearestX))
	}
	clear(gradient)
	if rows >= columns {
		for i, j := range nearestY {
			addCostGradient(r, gradient, x, y, i, int(j), factor/float64(len(nearestY)))
		}
	} else {
		for j, i := range nearestX {
			addCostGradient(r, gradient, x, y, int(i), j, factor/float64(len(nearestX)))
		}
	}
	return factor * max(rows, columns)
}
