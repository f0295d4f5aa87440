//go:build gpu && cgo && linux

package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/internal/pure"
)

// clouds are two maps on the device, with the points that an evaluation looks at.
type clouds struct {
	t                *testing.T
	e                element
	kind             string // of pairs
	c, depth         int
	n, m             int
	xs, ys           host.Memory
	x, y             host.Memory // points
	xSquares         host.Memory
	ySquares, spread host.Memory
	gradient         host.Memory
}

const cloudParts = 2

func newClouds(t *testing.T, e element, kind string, c int, x, y []float32, centred, unit bool) *clouds {
	l := &clouds{t: t, e: e, kind: kind, c: c, depth: blocks(c, 16) * 16, n: len(x) / c, m: len(y) / c}
	l.xs, l.ys = e.from(t, x), e.from(t, y)
	l.x, l.y, l.xSquares, l.ySquares = host.Allocate(4*l.n*l.depth), host.Allocate(4*l.m*l.depth), host.Allocate(8*l.n), host.Allocate(8*l.m)
	l.gradient, l.spread = host.From(make([]float32, c*l.n)), host.Allocate(16)
	var centre any = 0
	if centred {
		centre = l.mean(l.ys, e.suffix, c, l.m)
	}
	launch(t, "cloud_fill_"+e.suffix, host.Dim{X: blocks(l.n, 8)}, vectorBlock, 0, l.x, l.xSquares, l.xs, centre, truth(unit), truth(kind == "tf32"), c, l.depth, l.n)
	launch(t, "cloud_fill_"+e.suffix, host.Dim{X: blocks(l.m, 8)}, vectorBlock, 0, l.y, l.ySquares, l.ys, centre, truth(unit), truth(kind == "tf32"), c, l.depth, l.m)
	square := host.Allocate(8)
	launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, square, l.ySquares, l.m, 1/float64(l.m))
	launch(t, "cloud_spread", host.Dim{}, vectorBlock, 0, l.spread, l.mean(l.y, "f32", l.depth, l.m), square, centre, c)
	return l
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (l *clouds) mean(x host.Memory, suffix string, channels, n int) host.Memory {
	partials, means := host.Allocate(2*8*channels), host.Allocate(8*channels)
	launch(l.t, "channel_sums_"+suffix, channelGrid(channels, 2), channelBlock, 0, partials, x, channels, n)
	launch(l.t, "sum_rows", someGrid, vectorBlock, 0, means, partials, 1/float64(n), 2, channels)
	return means
}

func (l *clouds) grid(n int) host.Dim { return host.Dim{X: blocks(n, 128), Y: cloudParts} }

// defined is the loss between two clouds and its gradient by x, by the definition. All have
// their channels last.
func defined(t *testing.T, loss pure.CloudLoss, x, y []float32) (value float64, gradient []float64) {
	t.Helper()
	c, planes := loss.Dimensions(), make([]float64, len(x))
	value, err := loss.Compare(planes, pure.Doubles(planesOf(x, c)), pure.Doubles(planesOf(y, c)))
	if err != nil {
		t.Fatal(err)
	}
	return value, lastOf(planes, c)
}

func scalars(values ...float64) host.Memory { return host.From(values) }

func TestSinkhornOfCloudsMatchesItsDefinition(t *testing.T) {
	const different = -1 // points, and not but for a contrast
	for _, test := range []struct {
		n, m     int
		kind     string
		contrast float32
	}{
		{90, 70, "f32", different}, {50, 70, "tf32", different},
		{30, 20, "f32", 0}, {30, 20, "f32", 1e-5}, {30, 20, "tf32", 0}, {30, 20, "tf32", 5e-5},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			const c = 6
			x, y := normal(c*test.n, 1), normal(c*test.m, 2)
			for i := range y {
				if y[i] += 0.3; test.contrast != different {
					y[i] = (float32(i%c) + 1) * (1 + test.contrast*y[i])
				}
			}
			loss := pure.Sinkhorn{Channels: c, Epsilon: 0.05, Tolerance: 1e-4, Iterations: 200, Scaled: true}
			value, want := defined(t, loss, x, y)
			l := newClouds(t, single, test.kind, c, x, y, true, false)
			got := l.sinkhorn(loss)
			tolerance := 2e-3
			if test.kind == "tf32" {
				tolerance = 1e-2
			}
			near(t, "loss", []float64{got}, []float64{value}, tolerance)
			near(t, "gradient", host.Of[float32](l.gradient)[:len(x)], want, 5*tolerance)
		})
	}
}

// sinkhorn makes an evaluation that starts cold.
func (l *clouds) sinkhorn(loss pure.Sinkhorn) float64 {
	t, numbers, scaled := l.t, host.Allocate(32), host.Allocate(16)
	_, strength := loss.Regularisation(pure.Spread{Square: 1, Within: 1})
	launch(t, "sinkhorn_numbers", host.Dim{}, vectorBlock, 0, numbers, l.spread, loss.Epsilon, strength, pure.EqualPoints)
	zeros := func(n int) host.Memory { return host.From(make([]float64, n)) }
	f, g, p, q := zeros(l.n), zeros(l.m), zeros(l.n), zeros(l.m)
	bias, errors := host.Allocate(4*max(l.n, l.m)), host.Allocate(3*8)
	logs := host.Allocate(8 * cloudParts * max(l.n, l.m))
	type side struct {
		points, squares host.Memory
		n               int
	}
	x, y := side{l.x, l.xSquares, l.n}, side{l.y, l.ySquares, l.m}
	softmin := func(to, from host.Memory, rows, columns side, epsilon host.Memory, averaged int, stop any) {
		launch(t, "half_bias", someGrid, vectorBlock, 0, bias, from, columns.squares, columns.n)
		launch(t, "log_sums_"+l.kind, l.grid(rows.n), vectorBlock, pairMemory(l.depth), logs, rows.points, columns.points, bias, epsilon.At(8), stop, rows.n, columns.n, l.depth)
		launch(t, "softmin", someGrid, vectorBlock, 0, to, errors, logs, rows.squares, epsilon, stop, averaged, cloudParts, rows.n, columns.n)
	}
	scaleEpsilon := func(step func(epsilon host.Memory)) {
		for times := 1 / loss.Epsilon; times > 1; times /= 4 {
			launch(t, "scale_epsilon", host.Dim{}, vectorBlock, 0, scaled, numbers, times)
			step(scaled)
		}
		for range 3 {
			step(numbers)
		}
	}
	before := host.Allocate(8 * l.n)
	scaleEpsilon(func(e host.Memory) {
		copy(host.Of[float64](before), host.Of[float64](f)[:l.n])
		softmin(f, g, x, y, e, 1, 0)
		softmin(g, before, y, x, e, 1, 0)
	})
	stop := scalars(0)
	softmin(f, g, x, y, numbers, 0, 0)
	for range loss.Iterations {
		softmin(g, f, y, x, numbers, 0, stop)
		softmin(f, g, x, y, numbers, 0, stop)
		launch(t, "sinkhorn_stop", host.Dim{}, vectorBlock, 0, stop, errors, loss.Tolerance, 3, l.n)
	}
	rows := host.Allocate(8 * l.n)
	for _, s := range []struct {
		potential host.Memory
		side
	}{{p, x}, {q, y}} {
		scaleEpsilon(func(e host.Memory) { softmin(s.potential, s.potential, s.side, s.side, e, 1, 0) })
		stop := scalars(0)
		for range loss.Iterations {
			softmin(s.potential, s.potential, s.side, s.side, numbers, 1, stop)
			launch(t, "sinkhorn_stop", host.Dim{}, vectorBlock, 0, stop, errors, loss.Tolerance, 3, s.n)
		}
	}
	copy(host.Of[float64](rows), host.Of[float64](p)[:l.n])
	softmin(rows, p, x, x, numbers, 0, 0)
	pulled, mass, rowBias := host.Allocate(4*l.n*l.depth), host.Allocate(4*l.n), host.Allocate(4*l.n)
	pull := func(rows, columns host.Memory, of side, sign float64, itself int) {
		launch(t, "half_bias", someGrid, vectorBlock, 0, rowBias, rows, l.xSquares, l.n)
		launch(t, "half_bias", someGrid, vectorBlock, 0, bias, columns, of.squares, of.n)
		launch(t, "pull_"+l.kind, host.Dim{X: blocks(l.n, 128), Y: blocks(l.depth, 64)}, vectorBlock, 66560, pulled, mass, l.x, of.points, rowBias, bias, numbers.At(8), l.n, of.n, l.depth)
		launch(t, "sinkhorn_pull", host.Dim{X: blocks(l.n, 8)}, vectorBlock, 0, l.gradient, pulled, mass, l.x, numbers, sign, itself, l.n, l.c, l.depth)
	}
	pull(rows, p, x, 1, 1)
	pull(f, g, y, -1, 0)
	value := host.Allocate(8)
	launch(t, "sinkhorn_value", host.Dim{}, vectorBlock, 0, value, f, g, p, q, numbers, l.n, l.m)
	return host.Of[float64](value)[0]
}

func TestRelaxedMatchesItsDefinition(t *testing.T) {
	for _, test := range []struct {
		n, m      int
		euclidean bool
	}{{50, 70, false}, {150, 90, true}, {300, 20, true}, {20, 300, false}} {
		for _, e := range storage {
			t.Run(fmt.Sprint(test, e.suffix), func(t *testing.T) {
				const c = 20
				x, y := normal(c*test.n, 1), normal(c*test.m, 2)
				e.from(t, x)
				e.from(t, y)
				clear(y[:c]) // a point that is zero
				loss := pure.Relaxed{Channels: c, Euclidean: test.euclidean, Factor: 0.75, Scaled: true}
				value, want := defined(t, loss, x, y)
				l := newClouds(t, e, "f32", c, x, y, test.euclidean, !test.euclidean)
				got := l.relaxed(loss)
				near(t, "loss", []float64{got}, []float64{value}, 1e-6)
				near(t, "gradient", host.Of[float32](l.gradient)[:len(x)], want, 1e-4)
			})
		}
	}
}

func (l *clouds) relaxed(loss pure.Relaxed) float64 {
	t := l.t
	nearest := func(x, y, ySquares host.Memory, n, m int) host.Memory {
		var bias any = 0
		if loss.Euclidean {
			b := host.Allocate(4 * m)
			launch(t, "half_bias", someGrid, vectorBlock, 0, b, 0, ySquares, m)
			bias = b
		}
		values, indices, index := host.Allocate(4*cloudParts*n), host.Allocate(4*cloudParts*n), host.Allocate(4*n)
		launch(t, "greatest_f32", l.grid(n), vectorBlock, pairMemory(l.depth), values, indices, x, y, bias, n, m, l.depth)
		launch(t, "greatest_finish", someGrid, vectorBlock, 0, index, values, indices, cloudParts, n)
		return index
	}
	ofX, ofY := nearest(l.x, l.y, l.ySquares, l.n, l.m), nearest(l.y, l.x, l.xSquares, l.m, l.n)
	sums, costs, euclidean := host.Allocate(16), host.Allocate(8*max(l.n, l.m)), truth(loss.Euclidean)
	launch(t, "relaxed_costs_"+l.e.suffix, host.Dim{X: blocks(l.n, 8)}, vectorBlock, 0, costs, l.xs, l.ys, ofX, euclidean, l.c, l.n)
	launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, sums, costs, l.n, 1/float64(l.n))
	launch(t, "relaxed_costs_"+l.e.suffix, host.Dim{X: blocks(l.m, 8)}, vectorBlock, 0, costs, l.ys, l.xs, ofY, euclidean, l.c, l.m)
	launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, sums.At(8), costs, l.m, 1/float64(l.m))
	items, spare, counts := host.Allocate(8*l.m), host.Allocate(8*l.m), host.Allocate(4*256*blocks(l.m, 4096))
	launch(t, "index_places", someGrid, vectorBlock, 0, items, ofY, l.m)
	for shift := 0; shift < 32; shift += 8 {
		grid := host.Dim{X: blocks(l.m, 4096)}
		launch(t, "sort_count_places", grid, vectorBlock, 0, counts, items, shift, l.m)
		launch(t, "sort_scan", host.Dim{}, vectorBlock, 0, counts, blocks(l.m, 4096))
		launch(t, "sort_scatter_places", grid, vectorBlock, 0, spare, items, counts, shift, l.m)
		items, spare = spare, items
	}
	scale, value := host.Allocate(8), host.Allocate(8)
	launch(t, "relaxed_scale", host.Dim{}, vectorBlock, 0, scale, l.spread, loss.Factor, truth(loss.Scaled && loss.Euclidean))
	launch(t, "relaxed_pull_"+l.e.suffix, host.Dim{X: blocks(l.n, 8)}, vectorBlock, 0, l.gradient, l.xs, l.ys, ofX, items, sums, scale, euclidean, l.c, l.n, l.m)
	launch(t, "relaxed_value", host.Dim{}, vectorBlock, 0, value, sums, scale)
	return host.Of[float64](value)[0]
}

func TestMMDMatchesItsDefinition(t *testing.T) {
	for _, test := range []struct {
		n, m int
		kind string
	}{{50, 70, "f32"}, {150, 90, "f32"}, {30, 300, "tf32"}, {10, 1, "f32"}} {
		for _, e := range storage {
			t.Run(fmt.Sprint(test, e.suffix), func(t *testing.T) {
				const c = 20
				x, y := normal(c*test.n, 1), normal(c*test.m, 2)
				e.from(t, x)
				e.from(t, y)
				loss := pure.MMD{Channels: c, Scaled: true}
				value, want := defined(t, loss, x, y)
				l := newClouds(t, e, test.kind, c, x, y, true, false)
				got := l.mmd()
				tolerance := 1e-4
				if test.kind == "tf32" {
					tolerance = 1e-2
				}
				if d := math.Abs(got - value); !(d <= tolerance*math.Abs(value)) {
					t.Errorf("loss is %g, want %g", got, value)
				}
				near(t, "gradient", host.Of[float32](l.gradient)[:len(x)], want, 2*tolerance)
			})
		}
	}
}

func (l *clouds) mmd() float64 {
	t, count := l.t, min(l.m, 192)
	pairs := count * (count - 1) / 2
	var keys any = 0
	if pairs > 0 {
		distances := host.Allocate(4 * pairs)
		launch(t, "probe_distances_"+l.e.suffix, host.Dim{X: blocks(pairs, 8)}, vectorBlock, 0, distances, l.ys, l.c, l.m, count)
		keys = sorted(t, distances, 1, pairs, false)
	}
	numbers, sums, totals := host.Allocate(5*8), host.Allocate(8*cloudParts*max(l.n, l.m)), host.Allocate(3*8)
	launch(t, "mmd_numbers", host.Dim{}, vectorBlock, 0, numbers, keys, l.spread, pairs, 1, l.n, l.m)
	xBias, yBias := host.Allocate(4*l.n), host.Allocate(4*l.m)
	launch(t, "half_bias", someGrid, vectorBlock, 0, xBias, 0, l.xSquares, l.n)
	launch(t, "half_bias", someGrid, vectorBlock, 0, yBias, 0, l.ySquares, l.m)
	sum := func(to int, rows, columns, rowBias, bias host.Memory, n, m int) {
		launch(t, "mixture_sums_"+l.kind, l.grid(n), vectorBlock, pairMemory(l.depth), sums, rows, columns, rowBias, bias, numbers, n, m, l.depth)
		launch(t, "sum_partials", host.Dim{}, vectorBlock, 0, totals.At(8*to), sums, cloudParts*n, 1.0)
	}
	sum(0, l.x, l.x, xBias, xBias, l.n, l.n)
	sum(1, l.x, l.y, xBias, yBias, l.n, l.m)
	sum(2, l.y, l.y, yBias, yBias, l.m, l.m)
	pulled, mass, value := host.Allocate(4*l.n*l.depth), host.Allocate(4*l.n), host.Allocate(8)
	pull := func(number int, columns, bias host.Memory, m int) {
		launch(t, "pull_mixture_"+l.kind, host.Dim{X: blocks(l.n, 128), Y: blocks(l.depth, 64)}, vectorBlock, 66560, pulled, mass, l.x, columns, xBias, bias, numbers, l.n, m, l.depth)
		launch(t, "mmd_pull", host.Dim{X: blocks(l.n, 8)}, vectorBlock, 0, l.gradient, pulled, mass, l.x, numbers.At(8*number), l.n, l.c, l.depth)
	}
	pull(2, l.x, xBias, l.n)
	pull(3, l.y, yBias, l.m)
	launch(t, "mmd_value", host.Dim{}, vectorBlock, 0, value, totals, numbers, l.n, l.m)
	return host.Of[float64](value)[0]
}
