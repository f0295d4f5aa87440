package cpu

import (
	"slices"

	"impasto/internal/cpu/kernels"
	"impasto/internal/cpu/pairwise"
	"impasto/internal/ops"
	"impasto/internal/pure"
)

// clouds evaluates pure.CompareClouds in memory for the points alone.
type clouds struct {
	workers    *kernels.Workers
	engine     *pairwise.Engine
	comparison pure.CloudComparison
	loss       cloudLoss
	n, m       int // positions of the maps, before sampling
}

// cloudLoss is a loss on two clouds. It writes the gradient at the positions
// looked at of gradient, which is zero.
type cloudLoss interface {
	evaluate(gradient []float32, x, y sampled) float64
}

// sampled is a map with those of its positions that are looked at, nil for all.
type sampled struct {
	features  []float32
	positions []int32
}

// newClouds returns the evaluation for maps of n and m positions.
func newClouds(w *kernels.Workers, comparison pure.CloudComparison, n, m int) *clouds {
	c := &clouds{workers: w, engine: pairwise.NewEngine(w), comparison: comparison, n: n, m: m}
	x, y := comparison.Sample.Of(n), comparison.Sample.Of(m)
	switch loss := comparison.Loss.(type) {
	case pure.Sinkhorn:
		c.loss = newSinkhorn(c, loss, x, y)
	case pure.Relaxed:
		c.loss = newRelaxed(c, loss, x, y)
	case pure.MMD:
		c.loss = newMMD(c, loss, x, y)
	}
	return c
}

// cloudBytes is the memory of the clouds of an evaluation of maps of n and m
// positions.
func cloudBytes(comparison pure.CloudComparison, n, m int) int64 {
	x, y := comparison.Sample.Of(n), comparison.Sample.Of(m)
	bytes := 4 * int64(x+y) * int64(comparison.Channels)
	if _, ok := comparison.Loss.(pure.Sinkhorn); ok && (x < n || y < m) {
		bytes *= 2 // and those of the sample before
	}
	return bytes
}

// run writes the gradient by x and then the loss, in two parts, to result.
func (c *clouds) run(result, x, y []float32, draw float64) {
	gradient := result[:len(x)]
	clear(gradient)
	value := c.loss.evaluate(gradient,
		sampled{x, c.comparison.Sample.Positions(c.n, draw)},
		sampled{y, c.comparison.Sample.Positions(c.m, draw)})
	ops.SplitLoss(result[len(x):], value)
}

// spread is pure.SpreadOf on all threads.
func (c *clouds) spread(y sampled) pure.Spread {
	channels := c.comparison.Channels
	plane := len(y.features) / channels
	each := make([]pure.Spread, channels)
	c.workers.Run(channels, func(i int) {
		each[i] = pure.ChannelSpread(y.features[i*plane:(i+1)*plane], y.positions)
	})
	total := pure.Spread{Mean: make([]float64, channels)}
	for i, s := range each {
		total.Add(i, s)
	}
	return total
}

// cloud returns the memory of a cloud of so many points.
func (c *clouds) cloud(points int) *pairwise.Cloud {
	return pairwise.NewCloud(c.workers, points, c.comparison.Channels)
}

// fill takes a cloud's points from a map.
func (c *clouds) fill(cloud *pairwise.Cloud, from sampled, centre []float64) (changed bool) {
	return cloud.Fill(c.workers, pairwise.Source{Features: from.features, Positions: from.positions, Centre: centre})
}

// put adds values of the points from number first on to the planes of a gradient:
// value gives those of a channel.
func (x sampled) put(gradient []float32, channels, first, n int, value func(channel, i int) float32) {
	plane := len(gradient) / channels
	for c := range channels {
		row := gradient[c*plane : (c+1)*plane]
		for i := range n {
			at := first + i
			if x.positions != nil {
				at = int(x.positions[at])
			}
			row[at] += value(c, i)
		}
	}
}

// relaxed evaluates pure.Relaxed: nearest points by products in float32, their
// costs in float64.
type relaxed struct {
	*clouds
	loss               pure.Relaxed
	x, y               *pairwise.Cloud
	nearestY, nearestX []int32
	value              []float32
}

func newRelaxed(c *clouds, loss pure.Relaxed, n, m int) *relaxed {
	return &relaxed{
		clouds: c, loss: loss, x: c.cloud(n), y: c.cloud(m),
		nearestY: make([]int32, n), nearestX: make([]int32, m), value: make([]float32, max(n, m)),
	}
}

func (r *relaxed) evaluate(gradient []float32, x, y sampled) float64 {
	spread := r.spread(y)
	centre := spread.Mean
	if !r.loss.Euclidean {
		centre = nil
	}
	unit := !r.loss.Euclidean
	r.x.Fill(r.workers, pairwise.Source{Features: x.features, Positions: x.positions, Centre: centre, Unit: unit})
	r.y.Fill(r.workers, pairwise.Source{Features: y.features, Positions: y.positions, Centre: centre, Unit: unit})
	r.engine.Greatest(r.value, r.nearestY, r.x, r.y, r.bias(r.y))
	r.engine.Greatest(r.value, r.nearestX, r.y, r.x, r.bias(r.x))
	return pure.FinishRelaxed(r.loss, gradient, x.features, y.features, x.positions, y.positions,
		r.nearestY, r.nearestX, r.loss.CountsFor(spread))
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
	*clouds
	loss      pure.MMD
	x, y      *pairwise.Cloud
	sums      []float64
	bandwidth float64
	yy        float64
}

func newMMD(c *clouds, loss pure.MMD, n, m int) *mmd {
	return &mmd{clouds: c, loss: loss, x: c.cloud(n), y: c.cloud(m), sums: make([]float64, max(n, m))}
}

func (k *mmd) evaluate(gradient []float32, x, y sampled) float64 {
	spread := k.spread(y)
	k.fill(k.x, x, spread.Mean)
	if k.fill(k.y, y, spread.Mean) || k.bandwidth == 0 {
		k.bandwidth = k.loss.Bandwidth(pure.Probe(k.loss, y.features, y.positions), spread)
		k.yy = k.sum(k.y, k.y)
	}
	n, m := k.x.Points(), k.y.Points()
	factor := k.loss.Scale(k.bandwidth, spread)
	pullX, pullY := k.loss.Pull(k.bandwidth, n, m)
	value := k.loss.Value(k.sum(k.x, k.x), k.sum(k.x, k.y), k.yy, n, m)
	k.pull(gradient, x, k.x, float32(factor*pullX))
	k.pull(gradient, x, k.y, float32(factor*pullY))
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
func (k *mmd) pull(gradient []float32, x sampled, columns *pairwise.Cloud, factor float32) {
	s := k.loss.Exponent(k.bandwidth)
	w := pairwise.Weighting{
		Scale: 2 * s, Bias: halved(k.x.Squares, -1), ColumnBias: halved(columns.Squares, -2*s), Mixture: true,
	}
	k.engine.Pull(k.x, columns, w, func(first, n, stride int, pulled, mass []float32) {
		points := k.x.Tile(first)
		x.put(gradient, k.loss.Channels, first, n, func(c, i int) float32 {
			return factor * (mass[i]*points[c*stride+i] - pulled[c*stride+i])
		})
	})
}
