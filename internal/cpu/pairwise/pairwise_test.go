package pairwise

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"impasto/internal/cpu/kernels"
)

// onEveryISA runs a test with every instruction set that this machine has.
func onEveryISA(t *testing.T, test func(t *testing.T, w *kernels.Workers)) {
	t.Helper()
	for _, name := range kernels.ISAs() {
		t.Run(name, func(t *testing.T) {
			t.Setenv(kernels.Environment, name)
			w, err := kernels.NewWorkers(2)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			test(t, w)
		})
	}
}

// planes are a cloud's features, channel by channel.
func planes(points, channels int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 3))
	x := make([]float32, points*channels)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func dot(x, y []float32, i, j, n, m, channels int) float64 {
	var sum float64
	for c := range channels {
		sum += float64(x[c*n+i]) * float64(y[c*m+j])
	}
	return sum
}

// shapes are N, M and C: tiles of all instruction sets (12, 24 and 48 points) that are just
// full, one short and one over, single points, and channels that need filling up.
var shapes = [][3]int{
	{1, 1, 1}, {1, 30, 3}, {30, 1, 8}, {12, 13, 5}, {24, 23, 9}, {25, 48, 64}, {47, 49, 7}, {49, 47, 16}, {97, 145, 33}, {200, 96, 130},
}

type pair struct {
	n, m, channels int
	x, y           []float32
	rows, columns  *Cloud
	bias           []float64
}

func onEveryPair(t *testing.T, test func(t *testing.T, e *Engine, p pair)) {
	onEveryISA(t, func(t *testing.T, w *kernels.Workers) {
		for _, s := range shapes {
			t.Run(fmt.Sprint(s), func(t *testing.T) {
				p := pair{n: s[0], m: s[1], channels: s[2]}
				p.x, p.y = planes(p.n, p.channels, 1), planes(p.m, p.channels, 2)
				p.rows, p.columns = NewCloud(w, p.n, p.channels), NewCloud(w, p.m, p.channels)
				p.rows.Fill(w, Source{Features: p.x})
				p.columns.Fill(w, Source{Features: p.y})
				for j := range p.m {
					p.bias = append(p.bias, math.Cos(float64(j)))
				}
				test(t, NewEngine(w), p)
			})
		}
	})
}

// tolerance is of float32 products of 130 terms of size 1 that are multiplied by
// ten and exponentiated.
const tolerance = 2e-5

func near(t *testing.T, what string, got, want, size float64) {
	t.Helper()
	if d := math.Abs(got - want); !(d <= tolerance*size) {
		t.Fatalf("%s is %g, want %g; off by %.1e, tolerance %.0e", what, got, want, d/size, tolerance)
	}
}

func TestLogSumsAreThoseOfPlainLoops(t *testing.T) {
	onEveryPair(t, func(t *testing.T, e *Engine, p pair) {
		for _, scale := range []float64{0.01, 1, 10} {
			got := make([]float64, p.n)
			e.LogSums(got, p.rows, p.columns, scale, p.bias)
			for i := range p.n {
				most, sum := math.Inf(-1), 0.0
				exponent := func(j int) float64 { return scale * (dot(p.x, p.y, i, j, p.n, p.m, p.channels) + p.bias[j]) }
				for j := range p.m {
					most = max(most, exponent(j))
				}
				for j := range p.m {
					sum += math.Exp2(exponent(j) - most)
				}
				want := most + math.Log2(sum)
				near(t, fmt.Sprintf("row %d at scale %g", i, scale), got[i], want, max(1, math.Abs(want)))
			}
		}
	})
}

// TestLogSumsFollowTermsThatGrow has each tile's terms far above those before,
// so that sums must be made relative to ever greater ones, and far below.
func TestLogSumsFollowTermsThatGrow(t *testing.T) {
	onEveryISA(t, func(t *testing.T, w *kernels.Workers) {
		for _, step := range []float64{0.3, 5, -5, 200} {
			const n, m, channels = 50, 300, 2
			x, y := planes(n, channels, 1), planes(m, channels, 2)
			rows, columns := NewCloud(w, n, channels), NewCloud(w, m, channels)
			rows.Fill(w, Source{Features: x})
			columns.Fill(w, Source{Features: y})
			bias := make([]float64, m)
			for j := range bias {
				bias[j] = step * float64(j)
			}
			got := make([]float64, n)
			NewEngine(w).LogSums(got, rows, columns, 1, bias)
			for i := range got {
				most, sum := math.Inf(-1), 0.0
				for j := range m {
					most = max(most, dot(x, y, i, j, n, m, channels)+bias[j])
				}
				for j := range m {
					sum += math.Exp2(dot(x, y, i, j, n, m, channels) + bias[j] - most)
				}
				near(t, fmt.Sprintf("step %g, row %d", step, i), got[i], most+math.Log2(sum), max(1, math.Abs(most)))
			}
		}
	})
}

func TestWhatIsNotANumberStaysSo(t *testing.T) {
	onEveryISA(t, func(t *testing.T, w *kernels.Workers) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			x, y := planes(60, 4, 1), planes(70, 4, 2)
			x[50] = bad
			rows, columns := NewCloud(w, 60, 4), NewCloud(w, 70, 4)
			rows.Fill(w, Source{Features: x})
			columns.Fill(w, Source{Features: y})
			got := make([]float64, 60)
			NewEngine(w).LogSums(got, rows, columns, 1, nil)
			if v := got[50]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				t.Errorf("the row with %v has the sum %v", bad, v)
			}
			if v := got[0]; math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("a row beside one with %v has the sum %v", bad, v)
			}
		}
	})
}

func TestTheGreatestIsThatOfPlainLoops(t *testing.T) {
	onEveryPair(t, func(t *testing.T, e *Engine, p pair) {
		value, index := make([]float32, p.n), make([]int32, p.n)
		e.Greatest(value, index, p.rows, p.columns, p.bias)
		for i := range p.n {
			want := math.Inf(-1)
			for j := range p.m {
				want = max(want, dot(p.x, p.y, i, j, p.n, p.m, p.channels)+p.bias[j])
			}
			near(t, fmt.Sprintf("row %d", i), float64(value[i]), want, max(1, math.Abs(want)))
			at := dot(p.x, p.y, i, int(index[i]), p.n, p.m, p.channels) + p.bias[index[i]]
			near(t, fmt.Sprintf("row %d at its column %d", i, index[i]), at, want, max(1, math.Abs(want)))
		}
	})
}

func TestOfEqualsTheFirstIsTheGreatest(t *testing.T) {
	onEveryISA(t, func(t *testing.T, w *kernels.Workers) {
		rows, columns := NewCloud(w, 5, 2), NewCloud(w, 200, 2)
		value, index := make([]float32, 5), make([]int32, 5)
		bias := make([]float64, 200)
		for j := 77; j < len(bias); j++ {
			bias[j] = 1
		}
		NewEngine(w).Greatest(value, index, rows, columns, bias)
		if !slices.Equal(index, []int32{77, 77, 77, 77, 77}) {
			t.Errorf("found %v, want 77", index)
		}
	})
}

func plainMixture(u float64) (value, slope float64) {
	u = min(u, 1)
	for k := 1.0; k <= 16; k *= 2 {
		value += math.Pow(u, k)
		slope += k * math.Pow(u, k)
	}
	return value, slope
}

func TestMixtureSumsAreThoseOfPlainLoops(t *testing.T) {
	onEveryPair(t, func(t *testing.T, e *Engine, p pair) {
		rowBias := make([]float64, p.n)
		scale := 0.5 / float64(p.channels)
		for i := range rowBias {
			rowBias[i] = -1 + 0.1*math.Sin(float64(i))
		}
		got := make([]float64, p.n)
		e.MixtureSums(got, p.rows, p.columns, scale, rowBias, p.bias)
		for i := range got {
			var want float64
			for j := range p.m {
				v, _ := plainMixture(math.Exp2(scale*(dot(p.x, p.y, i, j, p.n, p.m, p.channels)+p.bias[j]) + rowBias[i]))
				want += v
			}
			near(t, fmt.Sprintf("row %d", i), got[i], want, 10*want)
		}
	})
}

func TestPulledPointsAreThoseOfPlainLoops(t *testing.T) {
	onEveryPair(t, func(t *testing.T, e *Engine, p pair) {
		for _, mixed := range []bool{false, true} {
			w := Weighting{Scale: 0.5 / float64(p.channels), Bias: make([]float64, p.n), ColumnBias: p.bias, Mixture: mixed}
			for i := range w.Bias {
				w.Bias[i] = -3 + math.Sin(float64(i))
			}
			got, mass := make([]float32, p.n*p.channels), make([]float32, p.n)
			e.Pull(p.rows, p.columns, w, func(first, n, stride int, pulled, masses []float32) {
				copy(mass[first:first+n], masses)
				for c := range p.channels {
					copy(got[c*p.n+first:c*p.n+first+n], pulled[c*stride:])
				}
			})
			for i := range p.n {
				var total float64
				want := make([]float64, p.channels)
				for j := range p.m {
					weight := math.Exp2(w.Scale*(dot(p.x, p.y, i, j, p.n, p.m, p.channels)+w.Bias[i]) + p.bias[j])
					if mixed {
						_, weight = plainMixture(weight)
					}
					total += weight
					for c := range want {
						want[c] += weight * float64(p.y[c*p.m+j])
					}
				}
				near(t, fmt.Sprintf("mass of row %d", i), float64(mass[i]), total, 10*total)
				for c, v := range want {
					near(t, fmt.Sprintf("row %d, channel %d", i, c), float64(got[c*p.n+i]), v, 10*total)
				}
			}
		}
	})
}

func TestTheExponentialIsAccurate(t *testing.T) {
	worst := 0.0
	for x := float32(-125); x <= 40; x += 0.000983 {
		want := math.Exp2(float64(x))
		worst = max(worst, math.Abs(float64(exp2(x))-want)/want)
	}
	t.Logf("relative error at most %.2g", worst)
	if worst > 2.5e-7 {
		t.Errorf("relative error %.2g, want at most 2.5e-7", worst)
	}
	for _, x := range []float32{-126, -1e30, float32(math.Inf(-1))} {
		if y := exp2(x); y < 0 || y > 0x1p-124 {
			t.Errorf("2^%g is %g", x, y)
		}
	}
}

// TestEveryInstructionSetHasTheSameExponential looks at single pairs of points on a line,
// whose products are exact.
func TestEveryInstructionSetHasTheSameExponential(t *testing.T) {
	onEveryISA(t, func(t *testing.T, w *kernels.Workers) {
		const n = 4096
		x := make([]float32, n)
		for i := range x {
			x[i] = -90 + float32(i)*0.0305 // what fills tiles up weighs 2^−125
		}
		rows, columns := NewCloud(w, n, 1), NewCloud(w, 1, 1)
		rows.Fill(w, Source{Features: x})
		columns.Fill(w, Source{Features: []float32{1}})
		worst := 0.0
		take := func(first, n, _ int, _, mass []float32) {
			for i, m := range mass[:n] {
				want := math.Exp2(float64(x[first+i]))
				worst = max(worst, math.Abs(float64(m)-want)/want)
			}
		}
		w1, err := kernels.NewWorkers(1)
		if err != nil {
			t.Fatal(err)
		}
		defer w1.Close()
		NewEngine(w1).Pull(rows, columns, Weighting{Scale: 1}, take)
		t.Logf("relative error at most %.2g", worst)
		if worst > 2.5e-7 {
			t.Errorf("relative error %.2g, want at most 2.5e-7", worst)
		}
	})
}

func TestResultsAreTheSameForAnyNumberOfThreads(t *testing.T) {
	const n, m, channels = 1000, 700, 20
	run := func(threads int) []float64 {
		w, err := kernels.NewWorkers(threads)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		rows, columns := NewCloud(w, n, channels), NewCloud(w, m, channels)
		rows.Fill(w, Source{Features: planes(n, channels, 1)})
		columns.Fill(w, Source{Features: planes(m, channels, 2)})
		e := NewEngine(w)
		out := make([]float64, n)
		e.LogSums(out, rows, columns, 1, nil)
		pulled := make([]float64, n)
		e.Pull(rows, columns, Weighting{Scale: 0.1}, func(first, count, _ int, p, mass []float32) {
			for i := range count {
				pulled[first+i] = float64(p[i]) + float64(mass[i])
			}
		})
		mixed := make([]float64, n)
		e.MixtureSums(mixed, rows, columns, 0.01, nil, nil)
		return append(append(out, pulled...), mixed...)
	}
	want := run(1)
	for _, threads := range []int{2, 3, 8} {
		if !slices.Equal(run(threads), want) {
			t.Errorf("%d threads give other results than one", threads)
		}
	}
}

func TestACloudKnowsWhetherItsPointsAreNew(t *testing.T) {
	onEveryISA(t, func(t *testing.T, w *kernels.Workers) {
		x := planes(100, 3, 1)
		c := NewCloud(w, 2, 3)
		source := Source{Features: x, Positions: []int32{99, 5}, Centre: []float64{1, 0, -1}, Unit: true}
		if !c.Fill(w, source) || c.Fill(w, source) {
			t.Error("a cloud is new the first time, not the second")
		}
		x[5]++
		if !c.Fill(w, source) {
			t.Error("a changed point goes unnoticed")
		}
		if math.Abs(c.Squares[0]-1) > 1e-6 {
			t.Errorf("a point of unit length has the square %g", c.Squares[0])
		}
		x[6]++
		if c.Fill(w, source) {
			t.Error("a point that isn't the cloud's counts as its own")
		}
	})
}
