package kernels

import (
	"testing"
)

// The kernels differ from their definition by the order of summation only. For
// depth terms of size 1 that is about √depth roundings of 6e-8 (1e-16).
const (
	tolerance32 = 2e-6
	tolerance64 = 1e-14
)

func TestProductKernelsMatchTheirDefinition(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) {
		testProductKernels(t, set, set.product32, set.lanes, tolerance32)
		testProductKernels(t, set, set.product64, set.lanes/2, tolerance64)
	})
}

func testProductKernels[T float32 | float64](t *testing.T, set *isa, kernels productKernels[T], lanes int, tolerance float64) {
	for v, kernel := range kernels.tile {
		width := (v + 1) * lanes
		for _, depth := range []int{1, 2, 3, 17, 64} {
			for last := 1; last <= lanes; last++ {
				for accumulate := range 2 {
					a, b := convert[T](values(1, depth*panelRows)), convert[T](values(2, depth*width))
					n := width - lanes + last
					stride := n + accumulate*5
					c := newGuarded[T]((set.rows-1)*stride + n)
					want := convert[T](values(3, len(c.values)))
					copy(c.values, want)
					kernel(c.values, stride, a, b, depth, accumulate, last)
					for r := range set.rows {
						for j := range n {
							sum := want[r*stride+j] * T(accumulate)
							for k := range depth {
								sum += a[k*panelRows+r] * b[k*width+j]
							}
							want[r*stride+j] = sum
						}
					}
					what := set.name + shape(v+1, depth, last, accumulate)
					near(t, what, c.values, want, tolerance)
					c.check(t, what)
				}
			}
		}
	}
}

func TestPackCopiesRows(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) {
		testPack(t, set.product32.pack, tileVectors*set.lanes)
		testPack(t, set.product64.pack, tileVectors*set.lanes/2)
	})
}

func TestPackLeftTransposesRows(t *testing.T) {
	onEveryISA(t, func(t *testing.T, set *isa, _ *Workers) {
		testPackLeft(t, set.product32.packLeft)
		testPackLeft(t, set.product64.packLeft)
	})
}

func testPackLeft[T float32 | float64](t *testing.T, pack packLeftKernel[T]) {
	for _, depth := range []int{8, 16, 40} {
		for _, stride := range []int{depth, depth + 3} {
			from, to := convert[T](values(1, (panelRows-1)*stride+depth)), newGuarded[T](depth*panelRows)
			pack(to.values, from, stride, depth)
			for k := range depth {
				for r := range panelRows {
					if to.values[k*panelRows+r] != from[r*stride+k] {
						t.Fatalf("pack left %d rows apart: value %d of row %d is %v, want %v", stride, k, r, to.values[k*panelRows+r], from[r*stride+k])
					}
				}
			}
			to.check(t, "pack left "+shape(depth, stride))
		}
	}
}

func testPack[T float32 | float64](t *testing.T, pack packKernel[T], width int) {
	for _, rows := range []int{1, 2, 7, 64} {
		for _, stride := range []int{width, width + 3} {
			from, to := convert[T](values(1, (rows-1)*stride+width)), newGuarded[T](rows*width)
			pack(to.values, from, stride, rows)
			want := make([]T, rows*width)
			packGo[T](width)(want, from, stride, rows)
			same(t, "pack "+shape(rows, stride), to.values, want)
			to.check(t, "pack "+shape(rows, stride))
		}
	}
}

func convert[T, U float32 | float64](x []U) []T {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}

var productShapes = [][3]int{
	{1, 1, 1}, {1, 5, 3}, {3, 1, 7}, {8, 48, 16}, {9, 49, 193}, {7, 17, 400}, {64, 64, 64},
	{129, 385, 33}, {130, 100, 385}, {200, 700, 10}, {4, 4, 0},
}

func TestMatrixProductMatchesPlainLoops(t *testing.T) {
	onEveryISA(t, func(t *testing.T, _ *isa, w *Workers) {
		for _, s := range productShapes {
			m, n, k := s[0], s[1], s[2]
			a, b := values(1, m*k), values(2, k*n)
			want := plainProduct(float64s(a), float64s(b), m, n, k)
			c := newGuarded[float32](m * n)
			MatrixProduct32(w, c.values, a, b, m, n, k)
			near(t, "float32 "+shape(m, n, k), c.values, want, tolerance32)
			c.check(t, "float32 "+shape(m, n, k))
			d := newGuarded[float64](m * n)
			MatrixProduct64(w, d.values, float64s(a), float64s(b), m, n, k)
			near(t, "float64 "+shape(m, n, k), d.values, want, tolerance64)
			d.check(t, "float64 "+shape(m, n, k))
		}
	})
}

func plainProduct(a, b []float64, m, n, k int) []float64 {
	c := make([]float64, m*n)
	for i := range m {
		for p := range k {
			for j := range n {
				c[i*n+j] += a[i*k+p] * b[p*n+j]
			}
		}
	}
	return c
}

func BenchmarkMatrixProduct(b *testing.B) {
	const n = 512
	for _, set := range isas() {
		w := newWorkers(0+2, set)
		x, y, z := values(1, n*n), values(2, n*n), make([]float32, n*n)
		b.Run(set.name+"/float32/512", func(b *testing.B) {
			for b.Loop() {
				MatrixProduct32(w, z, x, y, n, n, n)
			}
			reportRate(b, 2*n*n*n)
		})
		x64, y64, z64 := float64s(x), float64s(y), make([]float64, n*n)
		b.Run(set.name+"/float64/512", func(b *testing.B) {
			for b.Loop() {
				MatrixProduct64(w, z64, x64, y64, n, n, n)
			}
			reportRate(b, 2*n*n*n)
		})
		w.Close()
	}
}

// BenchmarkPeak multiplies panels that stay in the first-level cache, on one
// thread: what the processor can do at most.
func BenchmarkPeak(b *testing.B) {
	for _, set := range isas() {
		const depth = 128
		width := tileVectors * set.lanes
		x, y, z := values(1, depth*panelRows), values(2, depth*width), make([]float32, panelRows*width)
		b.Run(set.name+"/float32", func(b *testing.B) {
			for b.Loop() {
				set.product32.tile[2](z, width, x, y, depth, 0, set.lanes)
			}
			reportRate(b, float64(2*depth*set.rows*width))
		})
		width /= 2
		x64, y64, z64 := float64s(x), float64s(y), make([]float64, panelRows*width)
		b.Run(set.name+"/float64", func(b *testing.B) {
			for b.Loop() {
				set.product64.tile[2](z64, width, x64, y64, depth, 0, set.lanes/2)
			}
			reportRate(b, float64(2*depth*set.rows*width))
		})
	}
}

// reportRate adds the rate of an operation of so many multiplications and
// additions.
func reportRate(b *testing.B, operations float64) {
	b.ReportMetric(operations*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
