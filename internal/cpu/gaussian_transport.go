package cpu

import (
	"math"

	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// transport finds the map that carries a normal distribution to a target's,
// T = Σₜ^½(Σₜ^½ Σ Σₜ^½)^{−½}Σₜ^½, from covariances that both have a ridge. T is the geometric mean of Σₜ and Σ⁻¹, to which Newton's iteration
//
//	T ← ½(μT + (μU)⁻¹)    U ← ½(μU + (μT)⁻¹)    from T = Σₜ, U = Σ
//
// converges, while U converges to T⁻¹ (Denman and Beavers 1976; for geometric
// means Iannazzo 2016, "The geometric mean of two matrices from a computational
// viewpoint"). Along each eigenvector of ΣₜΣ the iterates are T and T⁻¹ times
// one factor x, which starts at the root of the eigenvalue. The ridges make x² at
// least their product, and x² ≤ tr ΣₜΣ. On these bounds the best μ, and the number
// of steps, are known beforehand (Byers and Xu 2008). Once they are near, one
// step of higher order ends it; see lastStep. A usual descent takes three steps
// before that, eight inverses in all.
//
// Nothing is carried over from one evaluation to the next. Σ moves little
// between the steps of a descent, but its least eigenvalues, down at the ridge,
// change by factors of hundreds, and it is there that T is largest.
type transport struct {
	*transportWorkspace

	usable                bool // the target has an inverse
	ridge                 float64
	target, targetInverse []float64
	// V, whose columns have the covariance Σₜ⁻¹, and ΣₜV, n×pure.TransportProbes.
	probes, probed []float64
}

// transportWorkspace is what an evaluation for n channels works with and leaves
// nothing in. Layers with as many channels share it.
type transportWorkspace struct {
	n       int
	workers *kernels.Workers
	whole   *inverter    // uses all threads
	pair    [2]*inverter // use one thread each

	t, u, tInverse, uInverse, spare []float64

	moved [2][]float64 // n×pure.TransportProbes
}

// transportSpread is how far apart the bounds on x may be. Rounding leaves no accuracy
// from some 10⁸ on; a usual descent has 10⁵ to 10⁶.
const transportSpread = 1e12

// lastStep is a last step, T ← Factor(T + Σⱼ Weight[j](U + Shift[j]T⁻¹)⁻¹), which
// replaces x by
//
//	Factor·x(1 + Weight[0]/(x²+Shift[0]) + Weight[1]/(x²+Shift[1])),
//
// Zolotarev's best approximation to 1 of that form where Spread⁻½ ≤ x ≤ Spread½
// (Nakatsukasa and Freund 2016, "Computing fundamental matrix decompositions
// accurately via the matrix sign function in two iterations", with l = 1/Spread,
// r = 2, centred on 1). It is off by 1.04e-5, equally often to either side, so
// that the loss is off by less.
var lastStep = struct {
	Spread, Factor float64
	Weight, Shift  [2]float64
}{
	Spread: 1.85,
	Factor: 0.19536942958330472,
	Weight: [2]float64{2.239036840634024, 6.095581323643324},
	Shift:  [2]float64{0.10164626999785925, 1.922052128404471},
}

func newTransport(workspace *transportWorkspace) *transport {
	n := workspace.n
	return &transport{
		transportWorkspace: workspace,
		targetInverse:      make([]float64, n*n),
		probes:             make([]float64, n*pure.TransportProbes),
		probed:             make([]float64, n*pure.TransportProbes),
	}
}

func newTransportWorkspace(w *kernels.Workers, n int) (*transportWorkspace, error) {
	m := &transportWorkspace{n: n, workers: w}
	for i := range m.pair {
		if i > 0 && w.Threads() == 1 { // one after the other
			m.pair[i] = m.pair[0]
			continue
		}
		one, err := kernels.NewWorkers(1)
		if err != nil {
			return nil, err
		}
		m.pair[i] = newInverter(one, n)
	}
	m.whole = &inverter{workers: w, levels: m.pair[0].levels, leaf: m.pair[0].leaf}
	for _, buffer := range []*[]float64{&m.t, &m.u, &m.tInverse, &m.uInverse, &m.spare} {
		*buffer = make([]float64, n*n)
	}
	for i := range m.moved {
		m.moved[i] = make([]float64, n*pure.TransportProbes)
	}
	return m, nil
}

// aim prepares a target, whose covariance it keeps.
func (m *transport) aim(target *pure.GaussianTarget) {
	m.ridge, m.target = target.Ridge, target.Covariance
	m.setCareful(true)
	m.usable = m.whole.invert(m.targetInverse, m.target, m.n) && m.probe()
}

// probe draws the probes that results are tried on, and what a perfect one makes of
// them.
func (m *transport) probe() bool {
	copy(m.u, m.target)
	if !pure.ProbeTransport(m.probes, m.u) {
		return false
	}
	m.multiply(m.probed, m.target, m.probes)
	return true
}

// from returns the transport from a covariance with a ridge, which the function writes,
// or that it can't be had this way to the accuracy asked for. The map is valid until the next
// call.
func (m *transport) from(ridge float64, covariance func(to []float64)) (result pure.Transport, ok bool) {
	if !m.usable {
		return result, false
	}
	least := math.Sqrt(m.ridge * ridge)
	for _, careful := range []bool{false, true} {
		covariance(m.u)
		spread := math.Sqrt(dot(m.target, m.u)) / least
		if !(spread < transportSpread) {
			return result, false
		}
		m.setCareful(careful)
		if !m.iterate(least, spread) {
			continue
		}
		covariance(m.spare)
		if ok = m.residual(m.spare) <= pure.TransportResidual; ok {
			break
		}
	}
	if !ok {
		return result, false
	}
	result = pure.Transport{Map: m.t, Cross: dot(m.t, m.spare)}
	for i := range m.n {
		result.CovarianceTrace += m.spare[i*m.n+i]
	}
	return result, true
}

// iterate leaves the map from the covariance in m.u in m.t, where x is between
// least and spread times as much.
func (m *transport) iterate(least, spread float64) bool {
	t, u, tInverse := m.target, m.u, m.targetInverse
	for spread > lastStep.Spread {
		ok := false
		if &t[0] == &m.target[0] {
			ok = m.whole.invert(m.uInverse, u, m.n)
		} else {
			ok = m.invertPair(tInverse, t, m.uInverse, u)
		}
		if !ok {
			return false
		}
		root := math.Sqrt(spread)
		scale := 1 / (least * root)
		m.combine(m.t, scale/2, t, 0.5/scale, m.uInverse)
		m.combine(m.u, scale/2, u, 0.5/scale, tInverse)
		t, tInverse, least = m.t, m.tInverse, 1
		spread = (root + 1/root) / 2
	}
	return m.finish(t, u, 1/(least*math.Sqrt(spread)))
}

// finish makes the last step from t and u times scale.
func (m *transport) finish(t, u []float64, scale float64) bool {
	tInverse := m.targetInverse
	if &t[0] != &m.target[0] {
		if tInverse = m.tInverse; !m.whole.invert(tInverse, t, m.n) {
			return false
		}
	}
	m.combine(m.uInverse, scale, u, lastStep.Shift[1]/scale, tInverse)
	m.combine(m.u, scale, u, lastStep.Shift[0]/scale, tInverse)
	if !m.invertPair(m.spare, m.uInverse, m.tInverse, m.u) {
		return false
	}
	m.combine(m.t, lastStep.Factor*scale, t, lastStep.Factor*lastStep.Weight[1], m.spare)
	m.combine(m.t, 1, m.t, lastStep.Factor*lastStep.Weight[0], m.tInverse)
	return true
}

func (m *transport) setCareful(careful bool) {
	m.whole.careful, m.pair[0].careful, m.pair[1].careful = careful, careful, careful
}

// invertPair inverts two matrices at a time.
func (m *transport) invertPair(to0, from0, to1, from1 []float64) bool {
	to, from := [2][]float64{to0, to1}, [2][]float64{from0, from1}
	var ok [2]bool
	m.workers.Run(2, func(i int) { ok[i] = m.pair[i].invert(to[i], from[i], m.n) })
	return ok[0] && ok[1]
}

// combine computes to = a·x + b·y.
func (m *transport) combine(to []float64, a float64, x []float64, b float64, y []float64) {
	kernels.Combine(m.workers, to, a, x, b, y)
}

// residual is that of the map on the probes; see pure.TransportResidual.
func (m *transport) residual(covariance []float64) float64 {
	m.multiply(m.moved[0], m.t, m.probes)
	m.multiply(m.moved[1], covariance, m.moved[0])
	m.multiply(m.moved[0], m.t, m.moved[1])
	var difference, size float64
	for i, v := range m.probed {
		d := m.moved[0][i] - v
		difference += d * d
		size += v * v
	}
	return math.Sqrt(difference / size)
}

func (m *transport) multiply(to, matrix, thin []float64) {
	kernels.MatrixProduct64(m.workers, to, matrix, thin, m.n, pure.TransportProbes, m.n)
}

func dot(x, y []float64) float64 {
	var sums [4]float64
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		sums[0] += x[0] * y[0]
		sums[1] += x[1] * y[1]
		sums[2] += x[2] * y[2]
		sums[3] += x[3] * y[3]
		x, y = x[4:], y[4:]
	}
	for i, v := range x {
		sums[0] += v * y[i]
	}
	return sums[0] + sums[1] + (sums[2] + sums[3])
}
