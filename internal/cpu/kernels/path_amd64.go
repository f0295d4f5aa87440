package kernels

import "golang.org/x/sys/cpu"

var avx2Path = path{
	name:      "avx2",
	lanes:     8,
	rows:      4,
	direct:    [tileVectors]directKernel{directAVX2x1, directAVX2x2, directAVX2x3},
	narrow:    [tileVectors]directKernel{directAVX2x1, directAVX2x2, directAVX2x3},
	product32: [tileVectors]productKernel[float32]{product32AVX2x1, product32AVX2x2, product32AVX2x3},
	product64: [tileVectors]productKernel[float64]{product64AVX2x1, product64AVX2x2, product64AVX2x3},
	winograd: winogradKernels{
		gather:           gatherAVX2,
		scatter:          scatterAVX2,
		transpose:        transposeAVX2,
		transformColumns: transformColumnsAVX2,
		transformRows:    transformRowsAVX2,
		transformFilter:  transformFilterAVX2,
		multiply:         multiplyAVX2,
		invertRows:       invertRowsAVX2,
		invertColumns:    invertColumnsAVX2,
	},
	vector: vectorKernels{
		gate:    gateAVX2,
		axpy:    axpyAVX2,
		scale:   scaleAVX2,
		clamp:   clampAVX2,
		average: averageAVX2,
		dot:     dotAVX2,
		sum:     sumAVX2,
		adam:    adamAVX2,
	},
	pool:          poolKernels{maxPoolAVX2, maxPoolGradientAVX2},
	moments:       momentsAVX2,
	momentColumns: 3,
}

var avx512Path = path{
	name:      "avx512",
	lanes:     16,
	rows:      8,
	direct:    [tileVectors]directKernel{directAVX512x1, directAVX512x2, directAVX512x3},
	narrow:    [tileVectors]directKernel{directNarrowAVX512x1, directNarrowAVX512x2, directNarrowAVX512x3},
	product32: [tileVectors]productKernel[float32]{product32AVX512x1, product32AVX512x2, product32AVX512x3},
	product64: [tileVectors]productKernel[float64]{product64AVX512x1, product64AVX512x2, product64AVX512x3},
	winograd: winogradKernels{
		gather:           gatherAVX512,
		scatter:          scatterAVX512,
		transpose:        transposeAVX512,
		transformColumns: transformColumnsAVX512,
		transformRows:    transformRowsAVX512,
		transformFilter:  transformFilterAVX512,
		multiply:         multiplyAVX512,
		invertRows:       invertRowsAVX512,
		invertColumns:    invertColumnsAVX512,
	},
	vector: vectorKernels{
		gate:    gateAVX512,
		axpy:    axpyAVX512,
		scale:   scaleAVX512,
		clamp:   clampAVX512,
		average: averageAVX512,
		dot:     dotAVX512,
		sum:     sumAVX512,
		adam:    adamAVX512,
	},
	pool:          poolKernels{maxPoolAVX512, maxPoolGradientAVX512},
	moments:       momentsAVX512,
	momentColumns: 6,
}

// paths returns what this processor can run, best first.
func paths() []*path {
	all := []*path{&goPath}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2 {
		all = append([]*path{&avx2Path}, all...)
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
			all = append([]*path{&avx512Path}, all...)
		}
	}
	return all
}
