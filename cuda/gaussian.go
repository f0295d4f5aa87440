//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"unsafe"

	"gonum.org/v1/gonum/mat"
	"gorgonia.org/cu"

	"impasto/internal/ops"
	"impasto/internal/plan"
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
	target, inverse, probes, probed, numbers cu.DevicePtr // made from the target
	residual                                 int          // its place in the results, in numbers
}

// gaussian binds pure.Gaussian by the kernels of gaussian.cu, whose head says what
// each is for.
func (m *machine) gaussian(loss pure.Gaussian, t task) error {
	if loss.Ridge == 0 {
		return errors.New("without a ridge it takes an eigendecomposition, which the GPU has no kernel for; use the device cpu")
	}
	target := t.inputs[1]
	n := loss.Channels
	matrix := func() cu.DevicePtr { return m.scratch(8 * n * n) }
	g := gaussianLoss{
		Gaussian: loss,
		target:   m.reserve(8 * n * n), inverse: m.reserve(8 * n * n), numbers: m.reserve(8 * 3),
		probes: m.reserve(8 * transportProbes * n), probed: m.reserve(8 * transportProbes * n),
		residual: len(m.layout.results) + len(m.residuals),
	}
	m.residuals = append(m.residuals, g)
	if err := m.follow(target, func(values []float64) error { return m.aim(g, values) }); err != nil {
		return err
	}

	result, summary := m.at(t.result), m.at(t.inputs[0])
	sigma, tt, u, v, w, x, y := matrix(), matrix(), matrix(), matrix(), matrix(), matrix(), matrix()
	spares := [2]cu.DevicePtr{matrix(), matrix()}
	spreads, partials := m.scratch(8*(transportSteps+1)), m.scratch(8*sumBlocks)
	thin := [2]cu.DevicePtr{m.scratch(8 * transportProbes * n), m.scratch(8 * transportProbes * n)}
	values, pivots := m.scratch(8*n), m.scratch(pivotBytes)
	parts, blocks := shared(n*n, "dot_partials_f64", partials, g.target, sigma, n*n)

	launches := []launch{
		over(n*n, "gaussian_covariance", sigma, summary, g.numbers, n), parts,
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
	residual := m.memory.at + cu.DevicePtr(m.layout.resultsAt+8*g.residual)
	launches = append(launches,
		product(thin[0], tt, g.probes), product(thin[1], sigma, thin[0]), product(thin[0], tt, thin[1]),
		launch{kernel: "transport_residual", block: dim{x: vectorThreads}, arguments: []any{residual, thin[0], g.probed, n}},
		launch{
			kernel: "gaussian_rows", grid: dim{x: (n + 7) / 8}, block: dim{x: vectorThreads},
			arguments: []any{result, values, summary, m.at(target), tt, sigma, g.numbers, n},
		},
		launch{kernel: "gaussian_value", block: dim{x: vectorThreads}, arguments: []any{result, values, g.numbers, n}})
	return m.add(launches...)
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
// and vectors to try results on, which package cpu's transport describes.
func (m *machine) aim(g gaussianLoss, values []float64) error {
	n := g.Channels
	target := g.Target(values)
	covariance := mat.NewSymDense(n, slices.Clone(target.Covariance))
	var cholesky mat.Cholesky
	if !cholesky.Factorize(covariance) {
		return fmt.Errorf("the covariance of the target of %v has no inverse, as where a style picture is of one colour; use the device cpu", g.Gaussian)
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
	// Between runs nobody else uses the workspace.
	spare := m.memory.at + cu.DevicePtr(m.layout.workspaceAt)
	pivots := spare + cu.DevicePtr(8*n*n)
	for _, l := range invert(n, pivots, none, inversion{g.inverse, g.target, spare}) {
		if err := m.device.run(l); err != nil {
			return err
		}
	}
	return nil
}

// checkResiduals reports a transport map that the iteration didn't find. One that
// isn't a number is left to whoever looks at the loss, which isn't either.
func (m *machine) checkResiduals() error {
	for _, g := range m.residuals {
		if r := m.results.Float64s(8*g.residual, 1)[0]; r > transportResidual {
			return fmt.Errorf("%v: the transport map is off by %.2g of its size, want at most %g; use the device cpu", g.Gaussian, r, transportResidual)
		}
	}
	return nil
}

// gaussians is how many losses of the kind a schedule has.
func gaussians(s *plan.Schedule) int {
	count := 0
	for _, step := range s.Steps {
		if c, ok := step.Op.(*ops.Comparison); ok {
			if _, ok := c.Loss.(pure.Gaussian); ok {
				count++
			}
		}
	}
	return count
}
