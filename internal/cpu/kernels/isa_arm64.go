package kernels

var isaNEON = isa{
	name:      "neon",
	lanes:     4,
	rows:      8,
	direct:    [tileVectors]directKernel{directNEONx1, directNEONx2, directNEONx3},
	narrow:    [tileVectors]directKernel{directNarrowNEONx1, directNarrowNEONx2, directNarrowNEONx3},
	product32: productKernels[float32]{[tileVectors]productKernel[float32]{product32NEONx1, product32NEONx2, product32NEONx3}, pack32NEON, packLeft32NEON},
	product64: productKernels[float64]{[tileVectors]productKernel[float64]{product64NEONx1, product64NEONx2, product64NEONx3}, pack64NEON, packLeft64NEON},
	winograd: winogradKernels{
		gather: gatherNEON, scatter: scatterNEON, transpose: transposeNEON,
		poolPixels: poolPixelsNEON, choosePixels: choosePixelsNEON, expandPixels: expandPixelsNEON,
		signPixels: signPixelsNEON, maskPixels: maskPixelsNEON,
		forms: [2]winogradForm{
			{4, 1, multiplyNEON, transformColumns4NEON, transformRows4NEON, transformFilter4NEON, invertRows4NEON, invertColumns4NEON},
			{6, 1, multiplyNEON, transformColumns6NEON, transformRows6NEON, transformFilter6NEON, invertRows6NEON, invertColumns6NEON},
		},
	},
	vector: vectorKernels{
		mask: maskNEON, axpy: axpyNEON, scale: scaleNEON, clamp: clampNEON, average: averageNEON, combine: combineNEON, addDifference: addDifferenceNEON,
		dot: dotNEON, sum: sumNEON, squaredDistance: squaredDistanceNEON, adam: adamNEON,
	},
	difference32:  differenceKernels[float32]{sumDifference32NEON, slope32NEON},
	difference64:  differenceKernels[float64]{sumDifference64NEON, slope64NEON},
	pool:          poolKernels{maxPoolNEON, maxPoolGradientNEON, meanPoolNEON, meanPoolGradientNEON, l2PoolNEON, l2PoolGradientNEON},
	half:          halfNEON,
	sweep:         sweepNEON,
	moments32:     moments32NEON,
	moments64:     moments64NEON,
	momentColumns: 6,
}

var halfNEON = halfAssembly{4, widenNEON, narrowNEON, maskHalfNEON, gatherHalfNEON, gatherMaskedHalfNEON, scatterHalfNEON}.orElse(halfGo)

// isas returns the instruction sets that this processor can run, best first. All
// processors of arm64 have NEON.
func isas() []*isa { return []*isa{&isaNEON, &isaGo} }
