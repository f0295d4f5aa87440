package main

import (
	"bytes"
	"testing"

	"impasto/cuda"
	"impasto/cuda/kernels"
	"impasto/internal/bench"
)

func TestLaunchesAreATableWithSums(t *testing.T) {
	report := bench.LaunchReport{
		Launches: []bench.LaunchTiming{
			{Kernel: "adam", Grid: [3]int{8, 1, 1}, Block: [3]int{256, 1, 1}, Seconds: 2e-6, Counted: true, Bytes: 1e6, Unit: "f32", Bound: 1e-6},
			{Kernel: "convolution_f16", Grid: [3]int{16, 2, 4}, Block: [3]int{384, 1, 1}, Shared: 1024, Seconds: 40e-6, Counted: true, Operations: 2e9, Bytes: 3e6, Unit: "f16", Bound: 10e-6},
			{Kernel: "convolution_f16", Grid: [3]int{16, 2, 1}, Block: [3]int{384, 1, 1}, Seconds: 20e-6, Counted: true, Operations: 1e9, Bytes: 1e6, Unit: "f16", Bound: 5e-6},
			{Kernel: "unknown", Grid: [3]int{1, 1, 1}, Block: [3]int{32, 8, 1}, Seconds: 1e-6},
		},
		Iterations: 5, Empty: 1.5e-6,
		Peak: cuda.Peak{Bytes: 2e12, Operations: [kernels.Units]float64{60e12, 30e12, 400e12, 800e12}},
	}
	const want = `4 launches, medians of 5 iterations; a launch with nothing to do takes 1.5 µs
by its maker's figures the GPU does 2 TB/s, 60 TFLOP/s in f32, 30 TFLOP/s in f64, 400 TFLOP/s in tf32, 800 TFLOP/s in f16

kernel                                   grid block  shared        µs     GFLOP        MB  unit  share
adam                                        8   256       0       2.0     0.000      1.00   f32   50 %
convolution_f16                        16×2×4   384    1024      40.0     2.000      3.00   f16   25 %
convolution_f16                          16×2   384       0      20.0     1.000      1.00   f16   25 %
unknown                                     1  32×8       0       1.0         –         –            –

all launches of a kernel             launches                      µs     GFLOP        MB  unit  share
convolution_f16                             2                    60.0     3.000      4.00   f16   25 %
adam                                        1                     2.0     0.000      1.00   f32   50 %
unknown                                     1                     1.0         –         –            –
together                                    4                    63.0
`
	var got bytes.Buffer
	if err := printLaunches(&got, report); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", got.String(), want)
	}
}
