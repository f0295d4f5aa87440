//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"

	"gorgonia.org/cu"

	"impasto/internal/pure"
)

const (
	// annealing and coldSteps are pure.Sinkhorn's way to potentials from nothing.
	annealing = 4
	coldSteps = 3
)

// sinkhorn binds pure.Sinkhorn. Potentials are kept from one run to the next, as package
// cpu keeps them. Iterations that turn out not to be needed return at once.
func (c *clouds) sinkhorn(loss pure.Sinkhorn, kept *potentials) {
	s := sinkhorn{clouds: c, potentials: kept, loss: loss, annealed: c.machine.scratch(2 * 8)}
	m, most := c.machine, max(c.x.n, c.y.n)
	s.errors, s.bias = m.scratch(8*sumBlocks), m.scratch(4*most)
	s.logs = m.scratch(8 * 16 * most)
	if kept.sampled {
		s.only(&kept.moved)
		s.remember()
	}
	s.only(nil)
	s.fill(true, false)
	s.add(launch{kernel: "sinkhorn_numbers", arguments: []any{s.numbers, c.spread, loss.Epsilon, strengthOf(loss)}})
	if kept.sampled {
		s.only(&kept.moved)
		s.carry()
	}
	s.alternate()
	s.symmetric(s.q, c.y, 0, &kept.notWarm, &kept.moved)
	s.symmetric(s.p, c.x, 1, nil, &kept.going)
	s.only(nil)
	rows, half := m.scratch(8*c.x.n), m.array(math.Float64bits(0.5))
	s.softmin(rows, s.p, c.x, c.x, s.numbers, false, none)
	s.pull(rows, s.p, c.x, 1)
	s.add(
		over(c.x.n, "add_f64", s.p, s.p, rows, c.x.n),
		over(c.x.n, "scale_by_f64", s.p, s.p, half, c.x.n))
	s.pull(s.f, s.g, c.y, -1)
	c.add(launch{kernel: "sinkhorn_value", block: dim{x: 256}, arguments: []any{c.value, s.f, s.g, s.p, s.q, s.numbers, c.x.n, c.y.n}})
}

// strengthOf is what a scaled loss counts for in units of the target's mean square,
// or 0.
func strengthOf(loss pure.Sinkhorn) float64 {
	if !loss.Scaled {
		return 0
	}
	_, factor := loss.Regularisation(pure.Spread{Square: 1, Within: 1})
	return factor
}

type sinkhorn struct {
	*clouds
	*potentials
	loss       pure.Sinkhorn
	annealed   cu.DevicePtr // ε on the way and what follows from it, as numbers have it
	bias, logs cu.DevicePtr
	errors     cu.DevicePtr
	blocks     int // of the last softmin, which leave an error each
}

// softmin makes a potential of rows from one of columns, or, averaged, the mean of
// the two. Nothing happens where stop isn't none and set.
func (s *sinkhorn) softmin(to, from cu.DevicePtr, rows, columns cloud, epsilon cu.DevicePtr, averaged bool, stop cu.DevicePtr) {
	update := over(rows.n, "softmin", to, s.errors, s.logs, rows.squares, epsilon, stop, flag(averaged),
		pairParts(rows.n, columns.n), rows.n, columns.n)
	update.grid.x = min(update.grid.x, sumBlocks)
	s.blocks = update.grid.x
	s.add(
		over(columns.n, "half_bias", s.bias, from, columns.squares, columns.n),
		s.pairs("log_sums_", rows.n, columns.n, s.logs, rows.points, columns.points, s.bias, epsilon+8, stop),
		update)
}

// anneal calls step for each ε on the way from the squared diameter.
func (s *sinkhorn) anneal(step func(epsilon cu.DevicePtr)) {
	for times := 1 / s.loss.Epsilon; times > 1; times /= annealing {
		s.add(launch{kernel: "sinkhorn_anneal", arguments: []any{s.annealed, s.numbers, times}})
		step(s.annealed)
	}
}

// alternate makes the potentials of the plan between x and y.
func (s *sinkhorn) alternate() {
	x, y, f, g := s.x, s.y, s.f, s.g
	before := s.machine.scratch(8 * x.n)
	step := func(epsilon cu.DevicePtr) {
		s.copy(before, f, x.n)
		s.softmin(f, g, x, y, epsilon, true, none)
		s.softmin(g, before, y, x, epsilon, true, none)
	}
	s.only(&s.cold)
	s.clear(f, x.n)
	s.clear(g, y.n)
	s.anneal(step)
	for range coldSteps {
		step(s.numbers)
	}
	s.only(&s.notWarm)
	s.softmin(f, g, x, y, s.numbers, false, none)
	s.iterate(0, nil, &s.going, func(stop cu.DevicePtr) {
		s.softmin(g, f, y, x, s.numbers, false, stop)
		s.softmin(f, g, x, y, s.numbers, false, stop)
		s.stop(stop, x.n)
	})
}

// symmetric makes the potential of a cloud's plan with itself, where when says so, in
// fewer iterations than else by less.
func (s *sinkhorn) symmetric(p cu.DevicePtr, of cloud, less int, when, whenGoing *bool) {
	s.only(&s.cold)
	s.clear(p, of.n)
	s.anneal(func(epsilon cu.DevicePtr) { s.softmin(p, p, of, of, epsilon, true, none) })
	s.iterate(less, when, whenGoing, func(stop cu.DevicePtr) {
		s.softmin(p, p, of, of, s.numbers, true, stop)
		s.stop(stop, of.n)
	})
}

// iterate makes a step as often as it may be, where when says so: Iterations times from
// cold potentials, Refinements times from others, which whenGoing tells of.
func (s *sinkhorn) iterate(less int, when, whenGoing *bool, step func(stop cu.DevicePtr)) {
	cold := s.loss.Iterations - less
	going := cold
	if s.loss.Refinements > 0 {
		going = s.loss.Refinements - less
	}
	s.only(when)
	stop := s.zeros(1)
	for range min(cold, going) {
		step(stop)
	}
	more, wanted := cold-going, &s.cold
	if going > cold {
		more, wanted = going-cold, whenGoing
	}
	s.only(wanted)
	for range more {
		step(stop)
	}
}

// stop sets the flag where the last softmin changed its n values by little enough.
func (s *sinkhorn) stop(flag cu.DevicePtr, n int) {
	s.add(launch{kernel: "sinkhorn_stop", block: dim{x: vectorThreads}, arguments: []any{flag, s.errors, s.loss.Tolerance, s.blocks, n}})
}

func (s *sinkhorn) clear(potential cu.DevicePtr, n int) {
	s.add(over(2*n, "fill", potential, 0., 2*n))
}

func (s *sinkhorn) copy(to, from cu.DevicePtr, n int) {
	one := s.machine.array(math.Float64bits(1))
	s.add(over(n, "scale_by_f64", to, from, one, n))
}

// pull adds the gradient of the plan between x and columns, with potentials of both.
func (s *sinkhorn) pull(rows, columns cu.DevicePtr, of cloud, sign float64) {
	m := s.machine
	pulled, mass := m.scratch(4*s.x.n*s.depth), m.scratch(4*s.x.n)
	s.add(s.clouds.pull("pull_", pulled, mass, of, s.halfBias(rows, s.x), s.halfBias(columns, of), s.numbers+8))
	s.each(s.x.n, "sinkhorn_pull", s.gradient, pulled, mass, s.x.points, s.x.positions, s.numbers, sign,
		flag(of.points == s.x.points), s.x.n, s.channels, s.depth)
}
