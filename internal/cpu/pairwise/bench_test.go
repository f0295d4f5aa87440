package pairwise

import (
	"fmt"
	"testing"
	"time"

	"impasto/internal/cpu/kernels"
)

// BenchmarkLogSums compares the rate of a pass, 2·N·M·C operations, with that of
// a product of matrices of 1024×1024, taken in the same breath.
func BenchmarkLogSums(b *testing.B) {
	for _, shape := range [][2]int{{50176, 64}, {12544, 128}, {4096, 256}, {1024, 512}, {2048, 64}} {
		n, channels := shape[0], shape[1]
		b.Run(fmt.Sprintf("N=%d/C=%d", n, channels), func(b *testing.B) {
			w, rows := benchCloud(b, n, channels)
			out, e := make([]float64, n), NewEngine(w)
			for b.Loop() {
				e.LogSums(out, rows, rows, 0.1, nil)
			}
			reportRate(b, w, 2*float64(n)*float64(n)*float64(channels))
		})
	}
}

func BenchmarkGreatest(b *testing.B) {
	w, rows := benchCloud(b, 12544, 64)
	value, index, e := make([]float32, 12544), make([]int32, 12544), NewEngine(w)
	for b.Loop() {
		e.Greatest(value, index, rows, rows, nil)
	}
	reportRate(b, w, 2*12544*12544*64)
}

func BenchmarkPull(b *testing.B) {
	for _, mixed := range []bool{false, true} {
		b.Run(fmt.Sprintf("mixture=%t", mixed), func(b *testing.B) {
			w, rows := benchCloud(b, 12544, 64)
			e := NewEngine(w)
			for b.Loop() {
				e.Pull(rows, rows, Weighting{Scale: 0.01, Mixture: mixed}, func(_, _, _ int, _, _ []float32) {})
			}
			reportRate(b, w, 4*12544*12544*64)
		})
	}
}

func benchCloud(b *testing.B, n, channels int) (*kernels.Workers, *Cloud) {
	b.Helper()
	w, err := kernels.NewWorkers(0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Close)
	c := NewCloud(w, n, channels)
	c.Fill(w, Source{Features: planes(n, channels, 1)})
	return w, c
}

// reportRate adds the rate of so many operations, also as a share of that of
// matrix products right after.
func reportRate(b *testing.B, w *kernels.Workers, operations float64) {
	rate := operations * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e9, "GFLOP/s")
	const n, runs = 1024, 100
	x, y, z := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	b.StopTimer()
	began := time.Now()
	for range runs {
		kernels.MatrixProduct32(w, z, x, y, n, n, n)
	}
	b.ReportMetric(rate/(2*n*n*n*runs/time.Since(began).Seconds()), "of-matrix-rate")
}
