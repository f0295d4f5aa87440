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

// sinkhorn binds pure.Sinkhorn as it is defined: each evaluation works its
// potentials out from nothing, so that it depends on none before it. Iterations
// that turn out not to be needed return at once.
func (c *clouds) sinkhorn(loss pure.Sinkhorn) {
	s := sinkhorn{clouds: c, loss: loss, numbers: c.machine.scratch(4 * 8), annealed: c.machine.scratch(2 * 8)}
	m, most := c.machine, max(c.x.n, c.y.n)
	s.errors, s.bias = m.scratch(8*sumBlocks), m.scratch(4*most)
	s.logs = m.scratch(8 * 16 * most)
	c.add(launch{kernel: "sinkhorn_numbers", arguments: []any{s.numbers, c.spread, loss.Epsilon, strengthOf(loss)}})
	f, g, p, q := c.zeros(c.x.n), c.zeros(c.y.n), c.zeros(c.x.n), c.zeros(c.y.n)
	s.alternate(f, g)
	s.symmetric(p, c.x)
	s.symmetric(q, c.y)
	rows := m.scratch(8 * c.x.n)
	s.copy(rows, p, c.x.n)
	s.softmin(rows, p, c.x, c.x, s.numbers, false, none)
	s.pull(rows, p, c.x, 1)
	s.pull(f, g, c.y, -1)
	c.add(launch{kernel: "sinkhorn_value", block: dim{x: 256}, arguments: []any{c.value, f, g, p, q, s.numbers, c.x.n, c.y.n}})
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
	loss              pure.Sinkhorn
	numbers, annealed cu.DevicePtr // ε and what follows from it, at the end and on the way
	bias, logs        cu.DevicePtr
	errors            cu.DevicePtr
	blocks            int // of the last softmin, which leave an error each
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
func (s *sinkhorn) alternate(f, g cu.DevicePtr) {
	x, y := s.x, s.y
	before := s.machine.scratch(8 * x.n)
	step := func(epsilon cu.DevicePtr) {
		s.copy(before, f, x.n)
		s.softmin(f, g, x, y, epsilon, true, none)
		s.softmin(g, before, y, x, epsilon, true, none)
	}
	s.anneal(step)
	for range coldSteps {
		step(s.numbers)
	}
	stop := s.zeros(1)
	s.softmin(f, g, x, y, s.numbers, false, none)
	for range s.loss.Iterations {
		s.softmin(g, f, y, x, s.numbers, false, stop)
		s.softmin(f, g, x, y, s.numbers, false, stop)
		s.stop(stop, x.n)
	}
}

// symmetric makes the potential of a cloud's plan with itself.
func (s *sinkhorn) symmetric(p cu.DevicePtr, of cloud) {
	s.anneal(func(epsilon cu.DevicePtr) { s.softmin(p, p, of, of, epsilon, true, none) })
	stop := s.zeros(1)
	for range s.loss.Iterations {
		s.softmin(p, p, of, of, s.numbers, true, stop)
		s.stop(stop, of.n)
	}
}

// stop sets the flag where the last softmin changed its n values by little enough.
func (s *sinkhorn) stop(flag cu.DevicePtr, n int) {
	s.add(launch{kernel: "sinkhorn_stop", block: dim{x: vectorThreads}, arguments: []any{flag, s.errors, s.loss.Tolerance, s.blocks, n}})
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
