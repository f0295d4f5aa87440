package cpu

import (
	"math"

	"impasto/internal/cpu/pairwise"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

var sinkhornKernel = cloudKernel(1, func(m *machine, loss *ops.Clouds[pure.Sinkhorn], c clouds, in []*plan.Buffer) cloudEvaluation {
	var centre, key []float64
	if loss.Centred {
		centre = m.values[in[2]].double
	}
	if loss.Keyed {
		key = m.values[in[len(in)-1]].double
	}
	return newSinkhorn(c, loss.Loss, centre, key)
})

// softminKernel makes one pass over all pairs.
var softminKernel = kernel{
	when: onSingles,
	bind: func(m *machine, step plan.Step) (func() error, error) {
		op, in := step.Op.(*ops.SoftminPass), m.inputs(step)
		_, n := channelsAndPositions(step.Inputs[0])
		_, targets := channelsAndPositions(step.Inputs[1])
		s := newSinkhorn(newClouds(m.device.workers, op.Loss.Channels, n, targets), op.Loss, nil, nil)
		if op.Centred {
			s.centre = in[2].double
		}
		pass, potential := s.softmin(s.now.x, s.now.y), m.result(step).double
		return always(func() {
			spread := s.spread(in[1].single)
			epsilon, _ := s.loss.Regularisation(spread)
			s.fillAround(spread, in[0].single, in[1].single)
			if epsilon == 0 {
				copy(potential, s.now.x.Squares) // the target's one point is the centre
				return
			}
			pass(potential, s.now.g, epsilon)
		}), nil
	},
}

// sinkhorn evaluates pure.Sinkhorn in the log domain. Potentials are kept from one
// evaluation to the next: where points have moved a little, or others of the same
// clouds are looked at, few iterations suffice. A value then depends, within what
// the tolerance allows, on the evaluations before; the same evaluations one after
// the other give the same values.
type sinkhorn struct {
	clouds
	loss pure.Sinkhorn

	now, before side      // the clouds, and those of the sample before where it samples
	rows        []float64 // the potential that goes with p and gives rows their sums
	centre      []float64 // of both clouds, nil for the mean of y
	key         []float64 // by which points are sampled, nil where they aren't
	by          float64   // the key of now
	epsilon     float64   // of the last evaluation, 0 where there was none
	restored    bool      // what was kept is another machine's, of the same target
}

// side is a pair of clouds with their potentials: f and g of the plan between x
// and y, p and q of those of x and of y with themselves.
type side struct {
	x, y       *pairwise.Cloud
	f, g, p, q []float64
}

func newSinkhorn(c clouds, loss pure.Sinkhorn, centre, key []float64) *sinkhorn {
	s := &sinkhorn{clouds: c, loss: loss, now: c.side(), rows: make([]float64, c.n), centre: centre, key: key, by: math.NaN()}
	if key != nil {
		s.before = c.side()
	}
	return s
}

func (c clouds) side() side {
	n, m := c.n, c.m
	return side{
		x: c.cloud(n), y: c.cloud(m),
		f: make([]float64, n), g: make([]float64, m), p: make([]float64, n), q: make([]float64, m),
	}
}

func (s *sinkhorn) evaluate(gradient, x, y []float32) float64 {
	spread := s.spread(y)
	epsilon, factor := s.loss.Regularisation(spread)
	resampled := s.key != nil && s.by != s.key[0]
	if resampled {
		s.now, s.before = s.before, s.now
		s.by = s.key[0]
	}
	fresh := s.fillAround(spread, x, y)
	if epsilon == 0 {
		s.epsilon = 0
		return s.toOnePoint(gradient, factor)
	}
	start := s.begin(epsilon, fresh, resampled)
	d := s.now
	s.loss.Alternate(d.f, d.g, epsilon, start, s.softmin(d.x, d.y), s.softmin(d.y, d.x))
	if start != pure.Warm {
		s.loss.Symmetric(d.q, epsilon, start, s.softmin(d.y, d.y))
	}
	s.loss.SymmetricRows(s.rows, d.p, epsilon, start, s.softmin(d.x, d.x))
	s.pull(gradient, d.x, s.rows, d.p, epsilon, factor)
	pure.Settle(d.p, s.rows)
	s.pull(gradient, d.y, d.f, d.g, epsilon, -factor)
	value := factor * (mean(d.f) + mean(d.g) - mean(d.p) - mean(d.q))
	if math.IsNaN(value) || math.IsInf(value, 0) {
		s.epsilon = 0 // nothing to go on from
	}
	return value
}

// fillAround takes the points of both clouds from maps, less a centre, and tells
// whether y's are others than before. Points of two samples are compared with each
// other, and so have one centre.
func (s *sinkhorn) fillAround(spread pure.Spread, x, y []float32) (fresh bool) {
	centre := spread.Mean
	if s.centre != nil {
		centre = s.centre[:s.channels]
	}
	s.fill(s.now.x, x, centre)
	return s.fill(s.now.y, y, centre)
}

// begin readies the potentials, and tells what they are good for.
func (s *sinkhorn) begin(epsilon float64, fresh, resampled bool) pure.Start {
	last := s.epsilon
	fresh = fresh && !s.restored
	s.epsilon, s.restored = epsilon, false
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
func (s *sinkhorn) pull(gradient []float32, columns *pairwise.Cloud, f, g []float64, epsilon, factor float64) {
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
		s.put(gradient, first, n, func(c, i int) float32 {
			return weight * pulled[c*stride+i] / mass[i]
		})
	})
}

// toOnePoint is the cost of transport to a target of equal points, which is the
// centre.
func (s *sinkhorn) toOnePoint(gradient []float32, factor float64) float64 {
	weight := float32(factor * 2 / float64(s.now.x.Points()))
	s.now.x.Each(s.workers, func(first, n, stride int, points []float32) {
		s.put(gradient, first, n, func(c, i int) float32 { return weight * points[c*stride+i] })
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
