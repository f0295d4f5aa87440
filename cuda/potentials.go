//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"
	"slices"

	"gorgonia.org/cu"

	"impasto/internal/pure"
)

// potentials are what a Sinkhorn loss keeps from one run to the next: f and g of the plan
// between x and y, p and q of those of x and of y with themselves; and, where it looks at
// samples, all that of the sample before. What a run can go on from is known on the host
// beforehand, but for ε, which follows from the target; see settle.
type potentials struct {
	f, g, p, q cu.DevicePtr
	numbers    cu.DevicePtr // ε and what follows from it, by sinkhorn_numbers
	sampled    bool
	before     sample // where it looks at samples

	epsilon      float64 // of the last run, 0 where there is nothing to go on from
	fresh, other bool    // the target was written, another sample drawn since
	forgets      bool    // the target may change at any time
	// What the next run starts from, for the parts of the evaluation to look at: pure's
	// Cold, Moved, not Warm, not Cold.
	cold, moved, notWarm, going bool
}

// sample is what the next sample goes on from.
type sample struct {
	x, y             cloud
	f, p, q, numbers cu.DevicePtr
}

// keep makes the potentials of an evaluation, with slots for its value and numbers.
func (c *clouds) keep(t task) *potentials {
	m, x, y := c.machine, c.x, c.y
	k := &potentials{
		f: m.reserve(8 * x.n), g: m.reserve(8 * y.n), p: m.reserve(8 * x.n), q: m.reserve(8 * y.n),
		sampled: x.positions != none || y.positions != none,
	}
	if k.sampled {
		before := func(of cloud) cloud {
			return cloud{points: m.reserve(4 * of.n * c.depth), squares: m.reserve(8 * of.n), n: of.n}
		}
		k.before = sample{
			x: before(x), y: before(y),
			f: m.reserve(8 * x.n), p: m.reserve(8 * x.n), q: m.reserve(8 * y.n), numbers: m.reserve(2 * 8),
		}
	}
	value, at := m.slot()
	m.losses[t.result] = at
	number, at := m.slot()
	for range sinkhornSlots - 2 {
		m.slot()
	}
	k.numbers = at
	k.forgets = !slices.Contains(m.schedule.Inputs, y.from)
	m.wrote[y.from] = append(m.wrote[y.from], func() { k.fresh = true; k.decide() })
	m.ended = append(m.ended, func() (bool, error) {
		return k.settle(m.result(value), m.result(number), m.result(number+3) != 0), nil
	})
	k.decide()
	return k
}

// sinkhornSlots are the value and the four numbers of sinkhorn_numbers.
const sinkhornSlots = 5

// resample says that another sample was drawn.
func (k *potentials) resample() {
	k.other = true
	k.decide()
}

// decide works out what the next run starts from.
func (k *potentials) decide() {
	start := pure.Warm
	switch {
	case k.epsilon == 0 || k.forgets || k.fresh && !k.other:
		start = pure.Cold
	case k.other:
		start = pure.Moved
	}
	k.cold, k.moved, k.notWarm, k.going = start == pure.Cold, start == pure.Moved, start != pure.Warm, start != pure.Cold
}

// settle takes in what a run came to, and tells whether it has to be made again because
// its ε is another than that of the potentials which it started from.
func (k *potentials) settle(value, epsilon float64, constant bool) (again bool) {
	if again = !k.cold && !constant && (epsilon > 2*k.epsilon || k.epsilon > 2*epsilon); again || constant || math.IsNaN(value) || math.IsInf(value, 0) {
		epsilon = 0
	}
	k.epsilon, k.fresh, k.other = epsilon, false, false
	k.decide()
	return again
}

// remember makes the sample of the last run the one before.
func (s *sinkhorn) remember() {
	to, one := s.before, s.machine.array(math.Float64bits(1))
	for _, c := range [][2]cloud{{to.x, s.x}, {to.y, s.y}} {
		n := c[0].n * s.depth
		s.add(over(n, "scale_by", c[0].points, c[1].points, one, n))
		s.copy(c[0].squares, c[1].squares, c[0].n)
	}
	s.copy(to.f, s.f, s.x.n)
	s.copy(to.p, s.p, s.x.n)
	s.copy(to.q, s.q, s.y.n)
	s.copy(to.numbers, s.numbers, 2)
}

// carry makes potentials of those before: each is defined everywhere by what it is on the
// points of a sample.
func (s *sinkhorn) carry() {
	from := s.before
	s.softmin(s.g, from.f, s.y, from.x, from.numbers, false, none)
	s.softmin(s.p, from.p, s.x, from.x, from.numbers, false, none)
	s.softmin(s.q, from.q, s.y, from.y, from.numbers, false, none)
}
