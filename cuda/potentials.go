//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// potentials are what a Sinkhorn loss keeps from one run to the next: f and g of the plan
// between x and y, p and q of those of x and of y with themselves; and, where it looks at
// samples, all that of the sample before. What a run can go on from is known on the host
// beforehand, but for ε, which follows from the target; see ended.
type potentials struct {
	stateless
	f, g, p, q pointer[float64]
	numbers    pointer[float64] // ε and what follows from it, by sinkhorn_numbers
	before     sample           // where it looks at samples

	target            *plan.Buffer // what the target's points follow from
	key               key
	value             slot    // the loss
	epsilon, constant slot    // among the numbers: ε, and whether the target is of equal points
	last              float64 // ε of the last run, 0 where there is nothing to go on from
	fresh, other      bool    // the target was written, another sample drawn since
	forgets           bool    // the target may change at any time
}

// sample is what the next sample goes on from.
type sample struct {
	x, y             cloud
	f, p, q, numbers pointer[float64]
}

// potentials makes those of an evaluation.
func (c *clouds) potentials() *potentials {
	b, x, y := c.binder, c.x, c.y
	k := &potentials{
		f: reserve[float64](b, x.n), g: reserve[float64](b, y.n), p: reserve[float64](b, x.n), q: reserve[float64](b, y.n),
		target: c.sourceOf(y.from), key: newKey(c.key), value: c.value,
	}
	k.forgets = !k.target.Input
	if c.key != nil {
		k.before = sample{
			x: c.keptCloud(x.from), y: c.keptCloud(y.from),
			f: reserve[float64](b, x.n), p: reserve[float64](b, x.n), q: reserve[float64](b, y.n), numbers: reserve[float64](b, 2),
		}
	}
	numbers := [4]slot{b.slot(), b.slot(), b.slot(), b.slot()}
	k.numbers, k.epsilon, k.constant = numbers[0].at(), numbers[0], numbers[3]
	b.keep(k)
	return k
}

// sourceOf is what a map's points follow from, and the key: the map that it is a selection
// of, or itself.
func (c *clouds) sourceOf(of *plan.Buffer) *plan.Buffer {
	for _, step := range c.machine.program.Steps {
		if _, ok := step.Op.(*ops.Selection); ok && step.Results[0] == of {
			if by := keyIn(step.Inputs); by == nil || by == c.key {
				return c.sourceOf(step.Inputs[0])
			}
		}
	}
	return of
}

func (k *potentials) written(input *plan.Buffer, values []float64) error {
	k.fresh = k.fresh || input == k.target
	k.other = k.other || k.key.changes(input, values)
	return nil
}

// start is what the next run starts from.
func (k *potentials) start() pure.Start {
	switch {
	case k.last == 0 || k.forgets || k.fresh && !k.other:
		return pure.Cold
	case k.other:
		return pure.Moved
	}
	return pure.Warm
}

// What parts of an evaluation are made for.
func (k *potentials) isCold() bool   { return k.start() == pure.Cold }
func (k *potentials) isMoved() bool  { return k.start() == pure.Moved }
func (k *potentials) isntWarm() bool { return k.start() != pure.Warm }
func (k *potentials) isntCold() bool { return k.start() != pure.Cold }

// ended takes in what a run came to, and has it made again where its ε is another than
// that of the potentials which it started from.
func (k *potentials) ended() (again bool, err error) {
	epsilon, constant := k.epsilon.value(), k.constant.value() != 0
	again = !k.isCold() && !constant && (epsilon > 2*k.last || k.last > 2*epsilon)
	if again || constant || !finite(k.value.value()) {
		epsilon = 0
	}
	k.last, k.fresh, k.other = epsilon, false, false
	return again, nil
}

// remember makes the sample of the last run the one before.
func (s *sinkhorn) remember() {
	to, one := s.before, s.binder.inTable(1)
	for _, c := range [][2]cloud{{to.x, s.x}, {to.y, s.y}} {
		n := c[0].n * s.depth
		s.add(kernels.ScaleBy(over(n), c[0].points, c[1].points, one, n))
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
