package cuda

import (
	"math"
	"testing"

	"impasto/cuda/kernels"
)

// The figures are those of data sheets, of dense products that are summed in float32.
func TestPeaksAreThoseOfDataSheets(t *testing.T) {
	for _, test := range []struct {
		limits
		half, single, double, memory float64 // in 10¹² operations and bytes
	}{
		{limits{"NVIDIA A100-SXM4-40GB", "8.0", 108, 1.41e9, 1.215e9, 5120}, 312, 19.5, 9.7, 1.555},
		{limits{"NVIDIA H100 80GB HBM3", "9.0", 132, 1.83e9, 2.619e9, 5120}, 989, 62, 31, 3.35},
		{limits{"NVIDIA GeForce RTX 3090", "8.6", 82, 1.695e9, 9.751e9, 384}, 71, 35.6, 0.556, 0.936},
		{limits{"NVIDIA GeForce RTX 4090", "8.9", 128, 2.52e9, 10.501e9, 384}, 165, 82.6, 1.29, 1.008},
		{limits{"NVIDIA L40", "8.9", 142, 2.49e9, 9.001e9, 384}, 362, 90.5, 1.41, 0.864},
		{limits{"NVIDIA GeForce RTX 5090", "12.0", 170, 2.407e9, 14.001e9, 512}, 209.5, 104.8, 1.64, 1.792},
	} {
		p := test.peak()
		for what, pair := range map[string][2]float64{
			"float16": {p.Operations[kernels.MatrixHalf], test.half}, "float32": {p.Operations[kernels.Single], test.single},
			"float64": {p.Operations[kernels.Double], test.double}, "memory": {p.Bytes, test.memory},
		} {
			if got, want := pair[0]/1e12, pair[1]; math.Abs(got-want) > 0.03*want {
				t.Errorf("%s: %s at %.4g·10¹² a second, want %.4g·10¹²", test.name, what, got, want)
			}
		}
	}
}

func TestBoundIsTheLargerOfArithmeticAndMemory(t *testing.T) {
	p := limits{"", "9.0", 100, 1e9, 1e9, 4000}.peak() // 409.6·10¹² in float16, 10¹² bytes
	for _, test := range []struct {
		work kernels.Work
		want float64
	}{
		{kernels.Work{Unit: kernels.MatrixHalf, Operations: 409.6e9, Bytes: 1e6}, 1e-3},
		{kernels.Work{Unit: kernels.MatrixHalf, Operations: 1e9, Bytes: 1e9}, 1e-3},
		{kernels.Work{Bytes: 2e9}, 2e-3},
		{kernels.Work{}, 0},
	} {
		if got := p.Bound(test.work); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%+v takes %g s at least, want %g", test.work, got, test.want)
		}
	}
	unknown := limits{"", "99.0", 100, 1e9, 1e9, 4000}.peak()
	if got := unknown.Bound(kernels.Work{Operations: 1, Bytes: 1}); got != 0 {
		t.Errorf("of a device that nothing is known of, the bound is %g", got)
	}
}
