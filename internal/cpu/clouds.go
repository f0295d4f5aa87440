package cpu

import (
	"slices"

	"impasto/internal/cpu/kernels"
	"impasto/internal/cpu/pairwise"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// cloudEvaluation is a loss between two clouds of points, the columns of maps. It
// writes the gradient by x.
type cloudEvaluation interface {
	evaluate(gradient, x, y []float32) float64
}

// relaxedKernel and those below evaluate losses between clouds in memory for the
// points alone.
var relaxedKernel = cloudKernel(1, func(_ *machine, loss *ops.Clouds[pure.Relaxed], c clouds, _ []*plan.Buffer) cloudEvaluation {
	return newRelaxed(c, loss.Loss)
})

var mmdKernel = cloudKernel(1, func(_ *machine, loss *ops.Clouds[pure.MMD], c clouds, _ []*plan.Buffer) cloudEvaluation {
	return newMMD(c, loss.Loss)
})

// cloudKernel is the kernel of a loss that holds copies of its points.
func cloudKernel[L pure.CloudLoss](copies int64, evaluation func(*machine, *ops.Clouds[L], clouds, []*plan.Buffer) cloudEvaluation) kernel {
	return kernel{
		when: onSingles,
		evaluate: func(m *machine, loss ops.Loss, in []*plan.Buffer) func(gradient value) (float64, error) {
			of := loss.(*ops.Clouds[L])
			_, n := channelsAndPositions(in[0])
			_, targets := channelsAndPositions(in[1])
			c := evaluation(m, of, newClouds(m.device.workers, of.Loss.Dimensions(), n, targets), in)
			x, y := m.values[in[0]].single, m.values[in[1]].single
			if k, ok := c.(keeper); ok {
				m.keepers = append(m.keepers, k)
			}
			return func(gradient value) (float64, error) {
				clear(gradient.single)
				return c.evaluate(gradient.single, x, y), nil
			}
		},
		keeps: func(_ *Device, step plan.Step) (own, shared int64) {
			bytes := copies * int64(step.Inputs[0].Bytes()+step.Inputs[1].Bytes())
			if loss, _, _ := step.Loss(); loss.(*ops.Clouds[L]).Keyed {
				bytes *= 2 // and those of the sample before
			}
			return bytes, 0
		},
	}
}

// clouds is what evaluations of losses between clouds have in common.
type clouds struct {
	workers  *kernels.Workers
	engine   *pairwise.Engine
	channels int
	n, m     int // points of either side
}

// newClouds returns what the evaluation of clouds of n and m points works with.
func newClouds(w *kernels.Workers, channels, n, m int) clouds {
	return clouds{workers: w, engine: pairwise.NewEngine(w), channels: channels, n: n, m: m}
}

// spread is pure.SpreadOf on all threads.
func (c clouds) spread(y []float32) pure.Spread {
	each := make([]pure.Spread, c.channels)
	c.workers.Run(c.channels, func(i int) { each[i] = pure.ChannelSpread(y[i*c.m : (i+1)*c.m]) })
	total := pure.Spread{Mean: make([]float64, c.channels)}
	for i, s := range each {
		total.Add(i, s)
	}
	return total
}

// cloud returns the memory of a cloud of so many points.
func (c clouds) cloud(points int) *pairwise.Cloud {
	return pairwise.NewCloud(c.workers, points, c.channels)
}

// fill takes a cloud's points from a map.
func (c clouds) fill(cloud *pairwise.Cloud, from []float32, centre []float64) (changed bool) {
	return cloud.Fill(c.workers, pairwise.Source{Features: from, Centre: centre})
}

// put adds values of the points from number first on to the rows of a gradient: value
// gives those of a channel.
func (c clouds) put(gradient []float32, first, n int, value func(channel, i int) float32) {
	plane := len(gradient) / c.channels
	for channel := range c.channels {
		row := gradient[channel*plane+first:][:n]
		for i := range row {
			row[i] += value(channel, i)
		}
	}
}

// relaxed evaluates pure.Relaxed: nearest points by products in float32, their
// costs in float64.
type relaxed struct {
	clouds
	loss               pure.Relaxed
	x, y               *pairwise.Cloud
	nearestY, nearestX []int32
	value              []float32
}

func newRelaxed(c clouds, loss pure.Relaxed) *relaxed {
	n, m := c.n, c.m
	return &relaxed{
		clouds: c, loss: loss, x: c.cloud(n), y: c.cloud(m),
		nearestY: make([]int32, n), nearestX: make([]int32, m), value: make([]float32, max(n, m)),
	}
}

func (r *relaxed) evaluate(gradient, x, y []float32) float64 {
	spread := r.spread(y)
	centre := spread.Mean
	if !r.loss.Euclidean {
		centre = nil
	}
	unit := !r.loss.Euclidean
	r.x.Fill(r.workers, pairwise.Source{Features: x, Centre: centre, Unit: unit})
	r.y.Fill(r.workers, pairwise.Source{Features: y, Centre: centre, Unit: unit})
	r.engine.Greatest(r.value, r.nearestY, r.x, r.y, r.bias(r.y))
	r.engine.Greatest(r.value, r.nearestX, r.y, r.x, r.bias(r.x))
	return pure.FinishRelaxed(r.loss, gradient, x, y, r.nearestY, r.nearestX, r.loss.CountsFor(spread))
}

// bias makes the greatest product that of the nearest point: 2x·y − |y|² is |x|²
// less the squared distance.
func (r *relaxed) bias(columns *pairwise.Cloud) []float64 {
	if !r.loss.Euclidean {
		return nil
	}
	return halved(columns.Squares, -1)
}

// halved returns half the values times a sign.
func halved(values []float64, sign float64) []float64 {
	bias := slices.Clone(values)
	for i := range bias {
		bias[i] *= sign / 2
	}
	return bias
}

// mmd evaluates pure.MMD.
type mmd struct {
	clouds
	loss      pure.MMD
	x, y      *pairwise.Cloud
	sums      []float64
	bandwidth float64
	yy        float64
}

func newMMD(c clouds, loss pure.MMD) *mmd {
	n, m := c.n, c.m
	return &mmd{clouds: c, loss: loss, x: c.cloud(n), y: c.cloud(m), sums: make([]float64, max(n, m))}
}

func (k *mmd) evaluate(gradient, x, y []float32) float64 {
	spread := k.spread(y)
	k.fill(k.x, x, spread.Mean)
	if k.fill(k.y, y, spread.Mean) || k.bandwidth == 0 {
		k.bandwidth = k.loss.Bandwidth(pure.Probe(k.loss, y), spread)
		k.yy = k.sum(k.y, k.y)
	}
	n, m := k.x.Points(), k.y.Points()
	factor := k.loss.Scale(k.bandwidth, spread)
	pullX, pullY := k.loss.Pull(k.bandwidth, n, m)
	value := k.loss.Value(k.sum(k.x, k.x), k.sum(k.x, k.y), k.yy, n, m)
	k.pull(gradient, k.x, float32(factor*pullX))
	k.pull(gradient, k.y, float32(factor*pullY))
	return factor * value
}

// sum returns the sum of the mixture over all pairs of two clouds.
func (k *mmd) sum(rows, columns *pairwise.Cloud) float64 {
	s := k.loss.Exponent(k.bandwidth)
	sums := k.sums[:rows.Points()]
	k.engine.MixtureSums(sums, rows, columns, 2*s, halved(rows.Squares, -2*s), halved(columns.Squares, -1))
	var total float64
	for _, v := range sums {
		total += v
	}
	return total
}

// pull adds factor·Σ_j w_ij(x_i − y_j) to the gradient.
func (k *mmd) pull(gradient []float32, columns *pairwise.Cloud, factor float32) {
	s := k.loss.Exponent(k.bandwidth)
	w := pairwise.Weighting{
		Scale: 2 * s, Bias: halved(k.x.Squares, -1), ColumnBias: halved(columns.Squares, -2*s), Mixture: true,
	}
	k.engine.Pull(k.x, columns, w, func(first, n, stride int, pulled, mass []float32) {
		points := k.x.Tile(first)
		k.put(gradient, first, n, func(c, i int) float32 {
			return factor * (mass[i]*points[c*stride+i] - pulled[c*stride+i])
		})
	})
}
