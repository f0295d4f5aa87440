package kernels

import "golang.org/x/sys/cpu"

var isaAVX2 = isa{
	name:      "avx2",
	lanes:     8,
	rows:      4,
	direct:    [tileVectors]directKernel{directAVX2x1, directAVX2x2, directAVX2x3},
	narrow:    [tileVectors]directKernel{directAVX2x1, directAVX2x2, directAVX2x3},
	product32: productKernels[float32]{[tileVectors]productKernel[float32]{product32AVX2x1, product32AVX2x2, product32AVX2x3}, pack32AVX2, packLeft32AVX2},
	product64: productKernels[float64]{[tileVectors]productKernel[float64]{product64AVX2x1, product64AVX2x2, product64AVX2x3}, pack64AVX2, packLeft64AVX2},
	winograd: winogradKernels{
		gather: gatherAVX2, scatter: scatterAVX2, transpose: transposeAVX2,
		poolPixels: poolPixelsAVX2, choosePixels: choosePixelsAVX2, expandPixels: expandPixelsAVX2,
		signPixels: signPixelsAVX2, maskPixels: maskPixelsAVX2,
		forms: [2]winogradForm{
			{4, 1, multiplyAVX2, transformColumns4AVX2, transformRows4AVX2, transformFilter4AVX2, invertRows4AVX2, invertColumns4AVX2},
			{6, 1, multiplyAVX2, transformColumns6AVX2, transformRows6AVX2, transformFilter6AVX2, invertRows6AVX2, invertColumns6AVX2},
		},
	},
	vector: vectorKernels{
		mask: maskAVX2, axpy: axpyAVX2, scale: scaleAVX2, clamp: clampAVX2, average: averageAVX2, combine: combineAVX2, addDifference: addDifferenceAVX2,
		dot: dotAVX2, sum: sumAVX2, squaredDistance: squaredDistanceAVX2, adam: adamAVX2,
	},
	difference32:  differenceKernels[float32]{sumDifference32AVX2, slope32AVX2},
	difference64:  differenceKernels[float64]{sumDifference64AVX2, slope64AVX2},
	pool:          poolKernels{maxPoolAVX2, maxPoolGradientAVX2, meanPoolAVX2, meanPoolGradientAVX2, l2PoolAVX2, l2PoolGradientAVX2},
	half:          halfAVX2,
	sweep:         sweepAVX2,
	moments32:     moments32AVX2,
	moments64:     moments64AVX2,
	momentColumns: 3,
}

var isaAVX512 = isa{
	name:      "avx512",
	lanes:     16,
	rows:      8,
	direct:    [tileVectors]directKernel{directAVX512x1, directAVX512x2, directAVX512x3},
	narrow:    [tileVectors]directKernel{directNarrowAVX512x1, directNarrowAVX512x2, directNarrowAVX512x3},
	product32: productKernels[float32]{[tileVectors]productKernel[float32]{product32AVX512x1, product32AVX512x2, product32AVX512x3}, pack32AVX512, packLeft32AVX512},
	product64: productKernels[float64]{[tileVectors]productKernel[float64]{product64AVX512x1, product64AVX512x2, product64AVX512x3}, pack64AVX512, packLeft64AVX512},
	winograd: winogradKernels{
		gather: gatherAVX512, scatter: scatterAVX512, transpose: transposeAVX512,
		poolPixels: poolPixelsAVX512, choosePixels: choosePixelsAVX512, expandPixels: expandPixelsAVX512,
		signPixels: signPixelsAVX512, maskPixels: maskPixelsAVX512,
		forms: [2]winogradForm{
			{4, 1, multiplyAVX512, transformColumns4AVX512, transformRows4AVX512, transformFilter4AVX512, invertRows4AVX512, invertColumns4AVX512},
			{6, 1, multiplyAVX512, transformColumns6AVX512, transformRows6AVX512, transformFilter6AVX512, invertRows6AVX512, invertColumns6AVX512},
		},
		bfloat16: bfloat16AVX512(),
	},
	vector: vectorKernels{
		mask: maskAVX512, axpy: axpyAVX512, scale: scaleAVX512, clamp: clampAVX512, average: averageAVX512, combine: combineAVX512, addDifference: addDifferenceAVX512,
		dot: dotAVX512, sum: sumAVX512, squaredDistance: squaredDistanceAVX512, adam: adamAVX512,
	},
	difference32:  differenceKernels[float32]{sumDifference32AVX512, slope32AVX512},
	difference64:  differenceKernels[float64]{sumDifference64AVX512, slope64AVX512},
	pool:          poolKernels{maxPoolAVX512, maxPoolGradientAVX512, meanPoolAVX512, meanPoolGradientAVX512, l2PoolAVX512, l2PoolGradientAVX512},
	half:          halfAVX512,
	sweep:         sweepAVX512,
	moments32:     moments32AVX512,
	moments64:     moments64AVX512,
	momentColumns: 6,
}

var (
	halfAVX2   = halfAssembly{8, widenAVX2, narrowAVX2, maskHalfAVX2, gatherHalfAVX2, gatherMaskedHalfAVX2, scatterHalfAVX2}.orElse(halfGo)
	halfAVX512 = halfAssembly{16, widenAVX512, narrowAVX512, maskHalfAVX512, gatherHalfAVX512, gatherMaskedHalfAVX512, scatterHalfAVX512}.orElse(halfAVX2)
)

// bfloat16AVX512 is the form with products of bfloat16, or nil where the processor has
// none.
func bfloat16AVX512() *winogradForm {
	if !cpu.X86.HasAVX512BF16 {
		return nil
	}
	return &winogradForm{
		4, 2, multiplyBFloat16AVX512, transformColumns4AVX512, transformRowsBFloat16AVX512, transformFilterBFloat16AVX512,
		invertRows4AVX512, invertColumns4AVX512,
	}
}

// isaAMX is AVX-512 with convolutions in bfloat16 by AMX.
func isaAMX() *isa {
	set := isaAVX512
	set.name, set.base = "amx", &isaAVX512
	set.tiles = &tileKernels{packPixelsAMX, packFiltersAMX, convolveTilesAMX}
	return &set
}

// isas returns the instruction sets that this processor can run, best first.
func isas() []*isa {
	all := []*isa{&isaGo}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C && cpu.X86.HasBMI2 {
		all = append([]*isa{&isaAVX2}, all...)
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
			all = append([]*isa{&isaAVX512}, all...)
			if cpu.X86.HasAVX512BF16 && cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && allowTiles() {
				all = append([]*isa{isaAMX()}, all...)
			}
		}
	}
	return all
}
