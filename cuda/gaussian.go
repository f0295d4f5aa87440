//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"impasto/cuda/kernels"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// transportSteps is how many steps of Newton's iteration an evaluation has room for;
// those that turn out not to be needed return at once.
const transportSteps = 4

// bindGaussian binds pure.Gaussian by the kernels of gaussian.cu, whose head says what each
// is for; on devices where float64 is slow, by those of polar.cu first, and by the others
// where these miss the accuracy. Where no iteration gets to a map, or none can as without a
// ridge, the host computes the loss.
func bindGaussian(c *comparison, loss pure.Gaussian) {
	b := c.binder
	g := &gaussianTarget{
		device: b.device, loss: loss, target: c.inputs[1],
		summary: c.summary, value: c.value.at(), cotangent: c.cotangent, grad: c.grad, residual: b.slot(),
	}
	b.isInput(g.target)
	b.keep(g)
	n := loss.Channels
	if loss.Ridge == 0 {
		b.part().result = g
		return
	}
	probes := n * pure.TransportProbes
	g.covariance, g.inverse, g.numbers = reserve[float64](b, n*n), reserve[float64](b, n*n), reserve[float64](b, 4)
	g.probes, g.probed = reserve[float64](b, probes), reserve[float64](b, probes)
	m := transportMap{workspace[float64](b, n*n), workspace[float64](b, 3), workspace[float64](b, n*n)}
	byFloat64 := func() {
		b.part().result = g
		b.add(kernels.GaussianCovariance(over(n*n), m.sigma, none, m.ridge, g.summary, g.numbers, none, n))
		b.transport(g, m)
		b.compareByMap(c, g, m)
	}
	if !b.device.polar(n) {
		byFloat64()
		return
	}
	g.polar = b.newPolarTarget(n)
	free := b.usedWorkspace()
	b.only(func() bool { return g.polar.promising })
	byFloat32 := len(b.parts) - 1
	b.part().result = g
	b.polar(g, m)
	b.compareByMap(c, g, m)
	b.reuseWorkspace(free)
	b.only(func() bool { return !g.polar.promising })
	byFloat64()
	b.parts[byFloat32].otherwise = b.part().launches
}

// compareByMap binds the residual of a map, the loss and the cotangent.
func (b *binder) compareByMap(c *comparison, g *gaussianTarget, m transportMap) {
	n := g.loss.Channels
	probes := n * pure.TransportProbes
	thin := [2]pointer[float64]{workspace[float64](b, probes), workspace[float64](b, probes)}
	values := workspace[float64](b, n)
	product := grid(blocks(n, 16), 1, 1)
	b.add(
		kernels.ThinProduct(product, thin[0], m.t, g.probes, n),
		kernels.ThinProduct(product, thin[1], m.sigma, thin[0], n),
		kernels.ThinProduct(product, thin[0], m.t, thin[1], n),
		kernels.TransportResidual(oneBlock, g.residual.at(), thin[0], g.probed, n),
		kernels.GaussianRows(overWarps(n), c.cotangent, values, c.summary, c.target, m.t, m.sigma, g.numbers, m.ridge, c.grad, n),
		kernels.GaussianValue(oneBlock, g.value, values, g.numbers, n))
}

// transportMap is the features' covariance, its ridge and the map T.
type transportMap struct{ sigma, ridge, t pointer[float64] }

// transport binds the iteration of gaussian.cu for the transport map from the features to a
// target. The covariance has been made.
func (b *binder) transport(g *gaussianTarget, m transportMap) {
	n := g.loss.Channels
	matrix := func() pointer[float64] { return workspace[float64](b, n*n) }
	t, u, v, w, x, y := m.t, matrix(), matrix(), matrix(), matrix(), matrix()
	spares := [2]pointer[float64]{matrix(), matrix()}
	spreads, partials := workspace[float64](b, transportSteps+1), workspace[float64](b, sumBlocks)
	pivots := workspace[float64](b, pivotSize)
	g.spare, g.pivots = spares[0], pivots
	shape, parts := overParts(n * n)
	b.add(
		kernels.DotPartialsF64(shape, partials, g.covariance, m.sigma, n*n),
		kernels.TransportBegin(over(n*n), t, u, v, spreads, g.covariance, g.inverse, m.sigma, partials, parts, m.ridge, n))
	for step := range transportSteps {
		pairs := []inversion{{w, u, spares[0]}, {v, t, spares[1]}}
		if step == 0 { // T is the target, whose inverse is known
			pairs = pairs[:1]
		}
		b.add(invert(n, pivots, spreads.Plus(step), pairs...)...)
		b.add(kernels.TransportCombine(over(n*n), t, u, spreads, v, w, m.ridge, n, step))
	}
	b.add(invert(n, pivots, none, inversion{v, t, spares[0]})...)
	b.add(kernels.TransportShift(over(n*n), x, y, u, v, spreads, m.ridge, n))
	b.add(invert(n, pivots, none, inversion{v, x, spares[0]}, inversion{w, y, spares[1]})...)
	b.add(kernels.TransportEnd(over(n*n), t, v, w, spreads, m.ridge, n))
}

// inversion is of the matrix at from, by way of spare memory.
type inversion struct{ to, from, spare pointer[float64] }

// pivotSize is how many numbers the steps of an inversion of one or two matrices leave
// for each other.
const pivotSize = 4096

// invert returns the launches that invert one or two matrices. They do nothing
// where the iteration that the spread tells of is near enough to its end; none
// stands for always.
func invert(n int, pivots, spread pointer[float64], pairs ...inversion) []launch {
	steps, edge := blocks(n, 32), blocks(n, 64)
	var launches []launch
	for step := range steps {
		operands := func(i inversion) (to, from pointer[float64]) {
			to, from = i.to, i.spare
			if (steps-step)%2 == 0 {
				to, from = i.spare, i.to
			}
			if step == 0 {
				from = i.from
			}
			return to, from
		}
		to0, from0 := operands(pairs[0])
		to1, from1 := operands(pairs[len(pairs)-1])
		launches = append(launches, kernels.InvertStep(grid(edge*edge+1, 1, len(pairs)), to0, from0, to1, from1, pivots, spread, n, step))
	}
	return launches
}

// gaussianTarget is the target of a distance between normal distributions, with what
// depends on it alone, and what it takes to compute the distance on the host.
type gaussianTarget struct {
	stateless
	device   *Device
	loss     pure.Gaussian
	target   *plan.Buffer
	residual slot
	values   []float64 // the target, as it was written
	usable   bool      // its covariance has an inverse

	summary, value, cotangent, grad pointer[float64] // as comparison has them

	covariance, inverse, probes, probed, numbers pointer[float64] // made from the target
	spare, pivots                                pointer[float64] // of the workspace, for between runs too
	polar                                        *polarTarget     // nil where the map is found in float64 only
}

// written takes in a target: its ridged covariance and the inverse of that, and vectors
// to try results on. A target without an inverse, such as one without any activation,
// leaves the loss to the host.
func (g *gaussianTarget) written(input *plan.Buffer, values []float64) error {
	if input != g.target {
		return nil
	}
	g.values = slices.Clone(values)
	if g.loss.Ridge == 0 {
		return nil
	}
	n, target := g.loss.Channels, g.loss.Target(g.values)
	probes := mat.NewDense(n, pure.TransportProbes, nil)
	if g.usable = pure.ProbeTransport(probes.RawMatrix().Data, slices.Clone(target.Covariance)); !g.usable {
		return nil
	}
	var probed mat.Dense
	probed.Mul(mat.NewSymDense(n, target.Covariance), probes)
	for _, part := range []struct {
		to     pointer[float64]
		values []float64
	}{
		{g.covariance, target.Covariance},
		{g.probes, probes.RawMatrix().Data},
		{g.probed, probed.RawMatrix().Data},
		{g.numbers, []float64{target.Ridge, target.Trace, target.Scale, g.loss.LeastRidge()}},
	} {
		if err := upload(g.device, part.to, part.values); err != nil {
			return err
		}
	}
	if g.polar != nil {
		if err := g.polar.write(g.device, target.Covariance, target.Ridge, n); err != nil {
			return err
		}
	}
	return g.device.run(invert(n, g.pivots, none, inversion{g.inverse, g.covariance, g.spare})...)
}

func (g *gaussianTarget) hopeless() bool { return !g.usable }

// found tells whether the last run found a transport map that is good enough.
func (g *gaussianTarget) found() bool {
	return g.usable && g.residual.value() <= pure.TransportResidual
}

// define computes the loss and its cotangent by eigendecomposition. Of features that
// aren't finite both are NaN.
func (g *gaussianTarget) define() (err error) {
	n := g.loss.Channels
	summary, cotangent := make([]float64, n+n*n), make([]float64, n+n*n)
	var value, grad [1]float64
	if err := errors.Join(download(g.device, summary, g.summary), download(g.device, grad[:], g.grad)); err != nil {
		return err
	}
	if slices.ContainsFunc(summary, func(v float64) bool { return !finite(v) }) {
		value[0], grad[0] = math.NaN(), math.NaN()
	} else if value[0], err = g.loss.Compare(cotangent, summary, g.values); err != nil {
		return err
	}
	for i := range cotangent {
		cotangent[i] *= grad[0]
	}
	return errors.Join(upload(g.device, g.value, value[:]), upload(g.device, g.cotangent, cotangent))
}
