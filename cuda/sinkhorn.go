//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/cuda/kernels"
	"impasto/internal/pure"
)

const (
	// epsilonScaling and coldSteps are pure.Sinkhorn's way to potentials from nothing.
	epsilonScaling = 4
	coldSteps      = 3
)

// sinkhorn is an evaluation of pure.Sinkhorn being bound.
type sinkhorn struct {
	*clouds
	*potentials
	loss    pure.Sinkhorn
	scaled  pointer[float64] // ε on the way and what follows from it, as numbers have it
	bias    pointer[float32]
	logs    pointer[float64]
	errors  pointer[float64]
	updates int // blocks of the last softmin, which leave an error each
}

// bindSinkhorn binds pure.Sinkhorn. Potentials are kept from one run to the next, as package
// cpu keeps them. Iterations that turn out not to be needed return at once.
func bindSinkhorn(c *clouds, loss pure.Sinkhorn) {
	sampled := c.key != nil
	if sampled {
		c.place(c.keptCloud) // for the next sample to go on from
	} else {
		c.place(c.cloud)
	}
	b, most := c.binder, max(c.x.n, c.y.n)
	s := &sinkhorn{
		clouds: c, potentials: c.potentials(), loss: loss, scaled: workspace[float64](b, 2),
		errors: workspace[float64](b, sumBlocks), bias: workspace[float32](b, most), logs: workspace[float64](b, 16*most),
	}
	if sampled {
		s.only(s.isMoved)
		s.remember()
		s.only(nil)
	}
	if c.centre == none {
		c.centre = c.meanOfY()
	}
	s.fill(c.centre, false)
	s.add(kernels.SinkhornNumbers(oneThread, s.numbers, c.spread, loss.Epsilon, strengthOf(loss), c.equalPoints()))
	if sampled {
		s.only(s.isMoved)
		s.carry()
	}
	s.alternate()
	s.symmetric(s.q, c.y, 0, s.isntWarm, s.isMoved)
	s.symmetric(s.p, c.x, 1, nil, s.isntCold)
	s.only(nil)
	s.finish()
}

// finish binds what follows from the potentials: the loss and its gradient.
func (s *sinkhorn) finish() {
	n, rows, half := s.x.n, workspace[float64](s.binder, s.x.n), s.binder.inTable(0.5)
	s.softmin(rows, s.p, s.x, s.x, s.numbers, false, none)
	s.pull(rows, s.p, s.x, 1)
	s.add(
		kernels.AddF64(over(n), s.p, s.p, rows, n),
		kernels.ScaleByF64(over(n), s.p, s.p, half, n))
	s.pull(s.f, s.g, s.y, -1)
	s.add(kernels.SinkhornValue(oneBlock, s.clouds.value.at(), s.f, s.g, s.p, s.q, s.numbers, n, s.y.n))
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

// equalPoints is up to where points count as equal (pure.EqualPoints), or, where that is
// more, what rounding to what maps are made of may leave between points that are equal.
func (c *clouds) equalPoints() float64 {
	rounding := 0.
	switch c.device.precision {
	case kernels.F16:
		rounding = 0x1p-11
	case kernels.BF16:
		rounding = 0x1p-8
	}
	return max(pure.EqualPoints, rounding*rounding)
}

// softmin makes a potential of rows from one of columns, or, averaged, the mean of
// the two. Nothing happens where stop isn't none and set.
func (s *sinkhorn) softmin(to, from pointer[float64], rows, columns cloud, epsilon pointer[float64], averaged bool, stop pointer[float64]) {
	n, m := rows.n, columns.n
	update := over(n)
	update.Grid.X = min(update.Grid.X, sumBlocks)
	s.updates = update.Grid.X
	s.add(
		kernels.HalfBias(over(m), s.bias, from, columns.squares, m),
		s.pairs.LogSums(s.pairShape(n, m), s.logs, rows.points, columns.points, s.bias, epsilon.Plus(1), stop, n, m, s.depth),
		kernels.Softmin(update, to, s.errors, s.logs, rows.squares, epsilon, stop, flag(averaged), pairParts(n, m), n, m))
}

// scaleEpsilon calls step for each ε on the way from the squared diameter.
func (s *sinkhorn) scaleEpsilon(step func(epsilon pointer[float64])) {
	for times := 1 / s.loss.Epsilon; times > 1; times /= epsilonScaling {
		s.add(kernels.ScaleEpsilon(oneThread, s.scaled, s.numbers, times))
		step(s.scaled)
	}
}

// alternate makes the potentials of the plan between x and y.
func (s *sinkhorn) alternate() {
	x, y, f, g := s.x, s.y, s.f, s.g
	before := workspace[float64](s.binder, x.n)
	step := func(epsilon pointer[float64]) {
		s.copy(before, f, x.n)
		s.softmin(f, g, x, y, epsilon, true, none)
		s.softmin(g, before, y, x, epsilon, true, none)
	}
	s.only(s.isCold)
	s.clear(f, x.n)
	s.clear(g, y.n)
	s.scaleEpsilon(step)
	for range coldSteps {
		step(s.numbers)
	}
	s.only(s.isntWarm)
	s.softmin(f, g, x, y, s.numbers, false, none)
	s.iterate(0, nil, s.isntCold, func(stop pointer[float64]) {
		s.softmin(g, f, y, x, s.numbers, false, stop)
		s.softmin(f, g, x, y, s.numbers, false, stop)
		s.stop(stop, x.n)
	})
}

// symmetric makes the potential of a cloud's plan with itself, where when says so, in
// fewer iterations than else by less.
func (s *sinkhorn) symmetric(p pointer[float64], of cloud, less int, when, whenGoing func() bool) {
	s.only(s.isCold)
	s.clear(p, of.n)
	s.scaleEpsilon(func(epsilon pointer[float64]) { s.softmin(p, p, of, of, epsilon, true, none) })
	s.iterate(less, when, whenGoing, func(stop pointer[float64]) {
		s.softmin(p, p, of, of, s.numbers, true, stop)
		s.stop(stop, of.n)
	})
}

// iterate makes a step as often as it may be, where when says so: Iterations times from
// cold potentials, Refinements times from others, which whenGoing tells of.
func (s *sinkhorn) iterate(less int, when, whenGoing func() bool, step func(stop pointer[float64])) {
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
	more, wanted := cold-going, s.isCold
	if going > cold {
		more, wanted = going-cold, whenGoing
	}
	s.only(wanted)
	for range more {
		step(stop)
	}
}

// stop sets the flag where the last softmin changed its n values by little enough.
func (s *sinkhorn) stop(flag pointer[float64], n int) {
	s.add(kernels.SinkhornStop(oneBlock, flag, s.errors, s.loss.Tolerance, s.updates, n))
}

func (s *sinkhorn) copy(to, from pointer[float64], n int) {
	s.add(kernels.ScaleByF64(over(n), to, from, s.binder.inTable(1), n))
}

// pull adds the gradient of the plan between x and columns, with potentials of both.
func (s *sinkhorn) pull(rows, columns pointer[float64], of cloud, sign float64) {
	x := s.x
	pulled, mass := workspace[float32](s.binder, x.n*s.depth), workspace[float32](s.binder, x.n)
	rowBias, columnBias := s.halfBias(rows, x), s.halfBias(columns, of)
	s.add(
		s.pairs.Pull(s.pullShape(), pulled, mass, x.points, of.points, rowBias, columnBias, s.numbers.Plus(1), x.n, of.n, s.depth),
		kernels.SinkhornPull(overWarps(x.n), s.slopes, pulled, mass, x.points, s.numbers, sign,
			flag(of.points == x.points), x.n, s.channels, s.depth))
}
