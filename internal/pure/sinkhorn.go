package pure

import (
	"math"
	"slices"
)

// Sinkhorn is the debiased entropic transport cost between two clouds of points
// of equal weight,
//
//	S = OT(x,y) − ½OT(x,x) − ½OT(y,y)
//	OT(x,y) = min over plans P of Σ P_ij |x_i−y_j|² + ε·KL(P | 1/NM)
//
// (Cuturi 2013; Feydy et al. 2019). For ε → 0 it is the squared Wasserstein-2
// distance.
type Sinkhorn struct {
	Channels int
	// Epsilon is ε in units of the mean squared distance between two points of y.
	// That stands for the cloud's squared diameter, since the greatest distance
	// would hang on a single point.
	Epsilon float64
	// Tolerance is the error of a plan's marginals, Σ|row sum − 1/N|, with which
	// potentials are good enough; Iterations is how many are made at most at the
	// final ε. Each updates both potentials.
	Tolerance  float64
	Iterations int
	// Refinements takes the place of Iterations where machines, which remember
	// potentials, go on from those of an evaluation before; 0 leaves that as it is.
	Refinements int
	// Scaled divides by y's mean square activation, summed over channels, and
	// multiplies by sinkhornStrength.
	Scaled bool
}

// sinkhornStrength is what the scaled loss counts for: at a half it leaves some
// pictures pale, and whole it leaves less of the content than other losses do with
// equal weights.
const sinkhornStrength = 0.75

// scaling is what ε is divided by from one step to the next when there are no
// potentials to start from (ε-scaling; Schmitzer 2019, "Stabilized Sparse Scaling
// Algorithms for Entropy Regularized Transport Problems").
const scaling = 4

// coldSteps is how many steps are made at the final ε before updates alternate.
const coldSteps = 3

// Dimensions implements CloudLoss.
func (s Sinkhorn) Dimensions() int { return s.Channels }

// Regularisation returns ε for a target, and what the loss counts for. ε is zero
// for a target of equal points, to which there is but one plan.
func (s Sinkhorn) Regularisation(y Spread) (epsilon, factor float64) {
	factor = 1
	if s.Scaled {
		factor = sinkhornStrength / y.scale()
	}
	if y.Constant() {
		return 0, factor
	}
	return s.Epsilon * 2 * y.Within, factor
}

// Softmin writes −ε·log(1/M Σ_j exp((potential_j − cost_ij)/ε)) for every i.
type Softmin func(to, potential []float64, epsilon float64)

// Start says what potentials are good for at the start.
type Start int

const (
	// Cold potentials are good for nothing.
	Cold Start = iota
	// Moved ones are those of another sample, carried over to the points of this one:
	// g of y, p and q; but not f.
	Moved
	// Warm ones are those of points nearby.
	Warm
)

// iterations is how many iterations are made at most.
func (s Sinkhorn) iterations(start Start) int {
	if start != Cold && s.Refinements > 0 {
		return s.Refinements
	}
	return s.Iterations
}

// Alternate improves the potentials f of x and g of y for ε. f is the softmin over
// g when it returns, and so the rows of the plan have the right sums. Cold
// potentials are worked out by ε-scaling from an ε that is the squared diameter, in
// steps to the means of both with their softmins: equal clouds keep equal potentials
// so, and arrive at them as fast as Symmetric does.
func (s Sinkhorn) Alternate(f, g []float64, epsilon float64, start Start, towardsX, towardsY Softmin) {
	before := make([]float64, len(f))
	if start == Cold {
		clear(f)
		clear(g)
		nextOfY := make([]float64, len(g))
		step := func(e float64) {
			towardsX(before, g, e)
			towardsY(nextOfY, f, e)
			average(f, before)
			average(g, nextOfY)
		}
		for e := epsilon / s.Epsilon; e > epsilon; e /= scaling {
			step(e)
		}
		for range coldSteps {
			step(epsilon)
		}
	}
	if start != Warm {
		towardsX(f, g, epsilon)
	}
	for range s.iterations(start) {
		copy(before, f)
		towardsY(g, f, epsilon)
		towardsX(f, g, epsilon)
		if marginalError(before, f, epsilon) <= s.Tolerance {
			return
		}
	}
}

// Symmetric improves the potential p of a cloud with itself, in steps to the mean
// of p and its softmin. The mean of p is then half the transport cost, to second
// order.
func (s Sinkhorn) Symmetric(p []float64, epsilon float64, start Start, softmin Softmin) {
	s.symmetric(p, epsilon, start, s.iterations(start), softmin)
}

// SymmetricRows is Symmetric with the last step left open: rows are the potential
// that goes with p for a plan whose rows have the right sums, and p is still to be
// brought to the mean of both, by Settle.
func (s Sinkhorn) SymmetricRows(rows, p []float64, epsilon float64, start Start, softmin Softmin) {
	s.symmetric(p, epsilon, start, s.iterations(start)-1, softmin)
	softmin(rows, p, epsilon)
}

// Settle ends what SymmetricRows began.
func Settle(p, rows []float64) { average(p, rows) }

func (s Sinkhorn) symmetric(p []float64, epsilon float64, start Start, iterations int, softmin Softmin) {
	next := make([]float64, len(p))
	step := func(e float64) (failure float64) {
		softmin(next, p, e)
		failure = marginalError(p, next, e)
		average(p, next)
		return failure
	}
	if start == Cold {
		clear(p)
		for e := epsilon / s.Epsilon; e > epsilon; e /= scaling {
			step(e)
		}
	}
	for range iterations {
		if step(epsilon) <= s.Tolerance {
			return
		}
	}
}

// average replaces potentials by their means with others.
func average(p, next []float64) {
	for i, v := range next {
		p[i] = (p[i] + v) / 2
	}
}

// marginalError returns Σ|row sum − 1/N| of the plan whose potential of the rows is
// before and would have to be f.
func marginalError(before, f []float64, epsilon float64) float64 {
	var sum float64
	for i, v := range f {
		sum += math.Abs(math.Expm1((before[i] - v) / epsilon))
	}
	return sum / float64(len(f))
}

// Compare implements CloudLoss on whole matrices of costs.
func (s Sinkhorn) Compare(gradient, x, y []float64) (float64, error) {
	n, m := len(x)/s.Channels, len(y)/s.Channels
	epsilon, factor := s.Regularisation(SpreadOf(y, s.Channels))
	xy := pairCosts(x, y, s.Channels)
	if epsilon == 0 {
		for c := range s.Channels {
			for i := range n {
				gradient[c*n+i] = factor * 2 / float64(n) * (x[c*n+i] - y[c*m])
			}
		}
		return factor * meanOf(xy), nil
	}
	f, g, p, q := make([]float64, n), make([]float64, m), make([]float64, n), make([]float64, m)
	s.Alternate(f, g, epsilon, Cold, softminOf(xy), softminOf(transposed(xy, n)))
	xx := pairCosts(x, x, s.Channels)
	s.Symmetric(p, epsilon, Cold, softminOf(xx))
	s.Symmetric(q, epsilon, Cold, softminOf(pairCosts(y, y, s.Channels)))
	clear(gradient)
	s.pull(gradient, x, xx, p, epsilon, factor)
	s.pull(gradient, y, xy, g, epsilon, -factor)
	return factor * (meanOf(f) + meanOf(g) - meanOf(p) - meanOf(q)), nil
}

// pull adds (2/N)·Σ_j P_ij·y_j times factor, where the rows of P, which a potential
// of y gives, sum to one. By the envelope theorem the gradient by x_i is that of
// x's plan with itself less that of the one with y.
func (s Sinkhorn) pull(gradient, y, costs, potential []float64, epsilon, factor float64) {
	m := len(potential)
	n := len(costs) / m
	row := make([]float64, m)
	for i := range n {
		for j := range row {
			row[j] = (potential[j] - costs[i*m+j]) / epsilon
		}
		most := slices.Max(row)
		var sum float64
		for j := range row {
			row[j] = math.Exp(row[j] - most)
			sum += row[j]
		}
		for c := range s.Channels {
			for j, w := range row {
				gradient[c*n+i] += factor * 2 / float64(n) * w / sum * y[c*m+j]
			}
		}
	}
}

func softminOf(costs []float64) Softmin {
	return func(to, potential []float64, epsilon float64) {
		m := len(potential)
		for i := range to {
			row := costs[i*m : (i+1)*m]
			most := math.Inf(-1)
			for j, c := range row {
				most = max(most, potential[j]-c)
			}
			var sum float64
			for j, c := range row {
				sum += math.Exp((potential[j] - c - most) / epsilon)
			}
			to[i] = -most - epsilon*math.Log(sum/float64(m))
		}
	}
}

// Pass returns the potential of x (C×N) for a target y (C×M) whose potential is zero,
//
//	f_i = −ε·log(1/M Σ_j exp(−|x_i−y_j|²/ε))
//
// which goes over all pairs once: half of one of the iterations that Compare makes.
// It is the cost |x_i−y|² of a target of equal points, for which ε is zero.
func (s Sinkhorn) Pass(x, y []float64) []float64 {
	n, m := len(x)/s.Channels, len(y)/s.Channels
	epsilon, _ := s.Regularisation(SpreadOf(y, s.Channels))
	costs, potential := pairCosts(x, y, s.Channels), make([]float64, n)
	if epsilon == 0 {
		for i := range potential {
			potential[i] = costs[i*m]
		}
		return potential
	}
	softminOf(costs)(potential, make([]float64, m), epsilon)
	return potential
}
