package cpu

import (
	"math"
	"slices"

	"impasto/internal/cpu/pairwise"
	"impasto/internal/pure"
)

// sinkhorn evaluates pure.Sinkhorn in the log domain. Potentials are kept from one
// evaluation to the next: where points have moved a little, or others of the same
// clouds are looked at, few iterations suffice. A value then depends, within what
// the tolerance allows, on the evaluations before; the same evaluations one after
// the other give the same values.
type sinkhorn struct {
	*clouds
	loss pure.Sinkhorn

	now, before side       // the clouds, and those of the sample before where it samples
	rows        []float64  // the potential that goes with p and gives rows their sums
	taken       [2][]int32 // the positions that now is of
	epsilon     float64    // of the last evaluation, 0 where there was none
}

// side is a pair of clouds with their potentials: f and g of the plan between x
// and y, p and q of those of x and of y with themselves.
type side struct {
	x, y       *pairwise.Cloud
	f, g, p, q []float64
}

func newSinkhorn(c *clouds, loss pure.Sinkhorn, n, m int) *sinkhorn {
	s := &sinkhorn{clouds: c, loss: loss, now: c.side(n, m), rows: make([]float64, n)}
	if n < c.n || m < c.m {
		s.before = c.side(n, m)
	}
	return s
}

func (c *clouds) side(n, m int) side {
	return side{
		x: c.cloud(n), y: c.cloud(m),
		f: make([]float64, n), g: make([]float64, m), p: make([]float64, n), q: make([]float64, m),
	}
}

// Pass readies the potentials of a sinkhorn loss between two maps, and all else that
// its evaluations hold, and returns one pass over the pairs of which they make many:
// half an iteration. The maps are read once. Other losses have none, and nil is
// returned.
func (d *Device) Pass(comparison pure.CloudComparison, x, y []float32) func() {
	n, m := len(x)/comparison.Channels, len(y)/comparison.Channels
	s, ok := newClouds(d.workers, comparison, n, m).loss.(*sinkhorn)
	if !ok {
		return nil
	}
	target := sampled{y, comparison.Sample.Positions(m, 0)}
	spread := s.spread(target)
	epsilon, _ := s.loss.Regularisation(spread)
	s.fill(s.now.x, sampled{x, comparison.Sample.Positions(n, 0)}, spread.Mean)
	s.fill(s.now.y, target, spread.Mean)
	pass := s.softmin(s.now.x, s.now.y)
	return func() { pass(s.now.f, s.now.g, epsilon) }
}

func (s *sinkhorn) evaluate(gradient []float32, x, y sampled) float64 {
	// Points of two samples are compared with each other, and so have one centre.
	centre := s.spread(sampled{features: y.features}).Mean
	epsilon, factor := s.loss.Regularisation(s.spread(y))
	resampled := !slices.Equal(s.taken[0], x.positions) || !slices.Equal(s.taken[1], y.positions)
	if resampled {
		s.now, s.before = s.before, s.now
		s.taken = [2][]int32{x.positions, y.positions}
	}
	s.fill(s.now.x, x, centre)
	fresh := s.fill(s.now.y, y, centre)
	if epsilon == 0 {
		s.epsilon = 0
		return s.toOnePoint(gradient, x, factor)
	}
	start := s.begin(epsilon, fresh, resampled)
	d := s.now
	s.loss.Alternate(d.f, d.g, epsilon, start, s.softmin(d.x, d.y), s.softmin(d.y, d.x))
	if start != pure.Warm {
		s.loss.Symmetric(d.q, epsilon, start, s.softmin(d.y, d.y))
	}
	s.loss.SymmetricRows(s.rows, d.p, epsilon, start, s.softmin(d.x, d.x))
	s.pull(gradient, x, d.x, s.rows, d.p, epsilon, factor)
	pure.Settle(d.p, s.rows)
	s.pull(gradient, x, d.y, d.f, d.g, epsilon, -factor)
	value := factor * (mean(d.f) + mean(d.g) - mean(d.p) - mean(d.q))
	if math.IsNaN(value) || math.IsInf(value, 0) {
		s.epsilon = 0 // nothing to go on from
	}
	return value
}

// begin readies the potentials, and tells what they are good for.
func (s *sinkhorn) begin(epsilon float64, fresh, resampled bool) pure.Start {
	last := s.epsilon
	s.epsilon = epsilon
	if last == 0 || epsilon > 2*last || last > 2*epsilon || fresh && !resampled {
		return pure.Cold
	}
	if resampled {
		// A potential is defined everywhere by what it is on the points of a sample.
		s.softmin(s.now.y, s.before.x)(s.now.g, s.before.f, last)
		s.softmin(s.now.x, s.before.x)(s.now.p, s.before.p, last)
		s.softmin(s.now.y, s.before.y)(s.now.q, s.before.q, last)
		return pure.Moved
	}
	return pure.Warm
}

// softmin is pure.Softmin for the costs |x−y|² of rows x and columns y.
func (s *sinkhorn) softmin(rows, columns *pairwise.Cloud) pure.Softmin {
	bias := make([]float64, columns.Points())
	shift := math.Log2(float64(columns.Points()))
	return func(to, potential []float64, epsilon float64) {
		for j := range bias {
			bias[j] = (potential[j] - columns.Squares[j]) / 2
		}
		s.engine.LogSums(to, rows, columns, 2*math.Log2E/epsilon, bias)
		for i, v := range to {
			to[i] = rows.Squares[i] - epsilon*math.Ln2*(v-shift)
		}
	}
}

// pull adds factor·(2/N)·Σ_j P_ij·y_j to the gradient, where the rows of the plan P
// sum to one, up to rounding, which is divided out.
func (s *sinkhorn) pull(gradient []float32, x sampled, columns *pairwise.Cloud, f, g []float64, epsilon, factor float64) {
	rows, scale := s.now.x, math.Log2E/epsilon
	w := pairwise.Weighting{Scale: 2 * scale, Bias: make([]float64, len(f)), ColumnBias: make([]float64, len(g))}
	for i, v := range f {
		w.Bias[i] = (v - rows.Squares[i]) / 2
	}
	for j, v := range g {
		w.ColumnBias[j] = scale*(v-columns.Squares[j]) - math.Log2(float64(len(g)))
	}
	weight := float32(factor * 2 / float64(len(f)))
	s.engine.Pull(rows, columns, w, func(first, n, stride int, pulled, mass []float32) {
		x.put(gradient, s.loss.Channels, first, n, func(c, i int) float32 {
			return weight * pulled[c*stride+i] / mass[i]
		})
	})
}

// toOnePoint is the cost of transport to a target of equal points, which is the
// centre.
func (s *sinkhorn) toOnePoint(gradient []float32, x sampled, factor float64) float64 {
	weight := float32(factor * 2 / float64(s.now.x.Points()))
	s.now.x.Each(s.workers, func(first, n, stride int, points []float32) {
		x.put(gradient, s.loss.Channels, first, n, func(c, i int) float32 { return weight * points[c*stride+i] })
	})
	return factor * mean(s.now.x.Squares)
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
