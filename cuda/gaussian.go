//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"math"
	"math/rand/v2"
	"slices"
	"unsafe"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/cu"

	"impasto/internal/pure"
)

const (
	// transportSteps is how many steps of Newton's iteration an evaluation has
	// room for; those that turn out not to be needed return at once.
	transportSteps = 4
	// transportProbes is the number of vectors that the result is tried on.
	transportProbes = 16
	// transportResidual is the largest residual that is accepted.
	transportResidual = 5e-5
)

// gaussianLoss is the distance between normal distributions at one place of a
// schedule. What depends on the target alone is made when the target is written.
type gaussianLoss struct {
	pure.Gaussian
	summary, result                          cu.DevicePtr
	target, inverse, probes, probed, numbers cu.DevicePtr // made from the target
	residual                                 int          // its number among the results
	residualAt                               cu.DevicePtr
	spare, pivots                            cu.DevicePtr // of the workspace, for between runs too
	values                                   []float64    // the target, as it was written
	usable                                   bool         // its covariance has an inverse
}

// gaussian binds pure.Gaussian by the kernels of gaussian.cu, whose head says what
// each is for. Where their iteration doesn't get to a map, or can't as without a
// ridge, runs are made in parts; see runInParts.
func (m *machine) gaussian(loss pure.Gaussian, t task) error {
	target := t.inputs[1]
	if loss.Ridge == 0 {
		g := &gaussianLoss{Gaussian: loss, summary: m.at(t.inputs[0]), result: m.at(t.result)}
		m.watch(g)
		return m.follow(target, func(values []float64) error {
			g.values, m.doubtful = slices.Clone(values), true
			return nil
		})
	}
	n := loss.Channels
	matrix := func() cu.DevicePtr { return m.scratch(8 * n * n) }
	g := &gaussianLoss{
		Gaussian: loss, summary: m.at(t.inputs[0]), result: m.at(t.result),
		target: m.reserve(8 * n * n), inverse: m.reserve(8 * n * n), numbers: m.reserve(8 * 3),
		probes: m.reserve(8 * transportProbes * n), probed: m.reserve(8 * transportProbes * n),
	}
	m.watch(g)
	if err := m.follow(target, func(values []float64) error { return m.aim(g, values) }); err != nil {
		return err
	}

	sigma, tt, u, v, w, x, y := matrix(), matrix(), matrix(), matrix(), matrix(), matrix(), matrix()
	spares := [2]cu.DevicePtr{matrix(), matrix()}
	spreads, partials := m.scratch(8*(transportSteps+1)), m.scratch(8*sumBlocks)
	thin := [2]cu.DevicePtr{m.scratch(8 * transportProbes * n), m.scratch(8 * transportProbes * n)}
	values, pivots := m.scratch(8*n), m.scratch(pivotBytes)
	g.spare, g.pivots = spares[0], pivots
	parts, blocks := shared(n*n, "dot_partials_f64", partials, g.target, sigma, n*n)

	launches := []launch{
		over(n*n, "gaussian_covariance", sigma, g.summary, g.numbers, n), parts,
		over(n*n, "transport_begin", tt, u, v, spreads, g.target, g.inverse, sigma, partials, blocks, g.numbers, n),
	}
	for step := range transportSteps {
		pairs := []inversion{{w, u, spares[0]}, {v, tt, spares[1]}}
		if step == 0 { // T is the target, whose inverse is known
			pairs = pairs[:1]
		}
		launches = append(launches, invert(n, pivots, spreads+cu.DevicePtr(8*step), pairs...)...)
		launches = append(launches, over(n*n, "transport_combine", tt, u, spreads, v, w, g.numbers, n, step))
	}
	launches = append(launches, invert(n, pivots, none, inversion{v, tt, spares[0]})...)
	launches = append(launches, over(n*n, "transport_shift", x, y, u, v, spreads, g.numbers, n))
	launches = append(launches, invert(n, pivots, none, inversion{v, x, spares[0]}, inversion{w, y, spares[1]})...)
	launches = append(launches, over(n*n, "transport_end", tt, v, w, spreads, g.numbers, n))
	product := func(to, matrix, from cu.DevicePtr) launch {
		return launch{
			kernel: "thin_product", grid: dim{x: (n + 15) / 16}, block: dim{x: vectorThreads},
			arguments: []any{to, matrix, from, n},
		}
	}
	launches = append(launches,
		product(thin[0], tt, g.probes), product(thin[1], sigma, thin[0]), product(thin[0], tt, thin[1]),
		launch{kernel: "transport_residual", block: dim{x: vectorThreads}, arguments: []any{g.residualAt, thin[0], g.probed, n}},
		launch{
			kernel: "gaussian_rows", grid: dim{x: (n + 7) / 8}, block: dim{x: vectorThreads},
			arguments: []any{g.result, values, g.summary, m.at(target), tt, sigma, g.numbers, n},
		},
		launch{kernel: "gaussian_value", block: dim{x: vectorThreads}, arguments: []any{g.result, values, g.numbers, n}})
	return m.add(launches...)
}

// watch gives a loss its place among the results and makes the step being bound its.
func (m *machine) watch(g *gaussianLoss) {
	g.residual, g.residualAt = m.slot()
	m.gaussians = append(m.gaussians, g)
	m.work[len(m.work)-1].gaussian = g
}

// inversion is of the matrix at from, by way of spare memory.
type inversion struct{ to, from, spare cu.DevicePtr }

// pivotBytes is what the steps of an inversion of one or two matrices leave for each
// other.
const pivotBytes = 8 * 4096

// invert returns the launches that invert one or two matrices. They do nothing
// where the iteration that the spread tells of is near enough to its end; none
// stands for always.
func invert(n int, pivots, spread cu.DevicePtr, pairs ...inversion) []launch {
	steps, edge := (n+31)/32, (n+63)/64
	var launches []launch
	for step := range steps {
		var arguments []any
		for _, p := range [2]inversion{pairs[0], pairs[len(pairs)-1]} {
			to, from := p.to, p.spare
			if (steps-step)%2 == 0 {
				to, from = p.spare, p.to
			}
			if step == 0 {
				from = p.from
			}
			arguments = append(arguments, to, from)
		}
		launches = append(launches, launch{
			kernel: "invert_step", grid: dim{x: edge*edge + 1, z: len(pairs)}, block: dim{x: vectorThreads},
			arguments: append(arguments, pivots, spread, n, step),
		})
	}
	return launches
}

// aim readies a loss for a target: its ridged covariance and the inverse of that,
// and vectors to try results on, which package cpu's transport describes. A target
// without an inverse, as a style picture of one colour has, leaves the loss unusable.
func (m *machine) aim(g *gaussianLoss, values []float64) error {
	n := g.Channels
	g.values = slices.Clone(values)
	target := g.Target(g.values)
	covariance := mat.NewSymDense(n, slices.Clone(target.Covariance))
	var cholesky mat.Cholesky
	if g.usable = cholesky.Factorize(covariance); !g.usable {
		m.doubtful = true
		return nil
	}
	random := rand.New(rand.NewPCG(1, 2))
	signs := mat.NewDense(n, transportProbes, nil)
	signs.Apply(func(int, int, float64) float64 { return float64(2*random.IntN(2) - 1) }, signs)
	var root mat.TriDense
	cholesky.UTo(&root)
	var probes, probed mat.Dense
	// What is ill-conditioned shows in the residual.
	_ = root.SolveTo(&probes, false, signs)
	probed.Mul(covariance, &probes)
	for _, part := range []struct {
		to     cu.DevicePtr
		values []float64
	}{
		{g.target, target.Covariance},
		{g.probes, probes.RawMatrix().Data},
		{g.probed, probed.RawMatrix().Data},
		{g.numbers, []float64{target.Ridge, target.Trace, target.Scale}},
	} {
		if err := m.device.upload(part.to, unsafe.Pointer(&part.values[0]), 8*len(part.values)); err != nil {
			return err
		}
	}
	for _, l := range invert(n, g.pivots, none, inversion{g.inverse, g.target, g.spare}) {
		if err := m.device.run(l); err != nil {
			return err
		}
	}
	return nil
}

// allFound tells whether the last run found all transport maps.
func (m *machine) allFound() bool {
	return !slices.ContainsFunc(m.gaussians, func(g *gaussianLoss) bool { return !m.found(g) })
}

// found tells whether the results, as they are on the host, have a transport map that
// is good enough.
func (m *machine) found(g *gaussianLoss) bool {
	return g.usable && m.result(g.residual) <= transportResidual
}

// runInParts makes a run that looks at each transport map before it goes on, and
// computes a loss whose map wasn't found on the host, as it is defined. Where none was
// wanting, later runs are made at once again.
func (m *machine) runInParts() error {
	m.doubtful = false
	for _, p := range m.work {
		g := p.gaussian
		if g == nil || g.usable {
			if err := p.issue(m.device.stream); err != nil {
				return err
			}
		}
		if g == nil {
			continue
		}
		if err := m.fetch(); err != nil {
			return err
		}
		if !m.found(g) {
			m.doubtful = true
			if err := m.define(g); err != nil {
				return err
			}
		}
	}
	return m.fetch()
}

// fetch waits until the results are there.
func (m *machine) fetch() error {
	if err := m.fetchResults(); err != nil {
		return err
	}
	return m.device.stream.Synchronize()
}

// define computes a loss and its cotangent on the host, by eigendecomposition. Of
// features that aren't finite both are NaN.
func (m *machine) define(g *gaussianLoss) (err error) {
	n := g.Channels
	summary, result := make([]float64, n+n*n), make([]float64, 1+n+n*n)
	if err := m.device.download(unsafe.Pointer(&summary[0]), g.summary, 8*len(summary)); err != nil {
		return err
	}
	if slices.ContainsFunc(summary, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
		for i := range result {
			result[i] = math.NaN()
		}
	} else if result[0], err = g.Compare(result[1:], summary, g.values); err != nil {
		return err
	}
	return m.device.upload(g.result, unsafe.Pointer(&result[0]), 8*len(result))
}

// Remark implements plan.Machine.
func (m *machine) Remark() string {
	if !m.doubtful {
		return ""
	}
	return "the transport map of a Gaussian loss takes an eigendecomposition on the processor, which is slow"
}
