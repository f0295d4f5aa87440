// Package pairwise computes sums and maxima over all pairs of points of two clouds,
// without a matrix of all pairs. The cost of a pair is |x|² + |y|² − 2x·y, so a tile of
// costs is a matrix product of two tiles of points. What is needed of a cost, a term
// of a log-sum-exp, a candidate for the nearest point or the value of a kernel, is
// computed while the products are in registers.
//
// Memory is that of the clouds. Time is 2·N·M·C operations a pass, at the rate of a
// matrix product: for 50,176 points of 64 channels, those of relu1_1 at 224×224
// pixels, 405 GFLOP/s on two cores of a Zen 5 EPYC with AVX-512, where products of
// 1024×1024 matrices reached 416 in the same minute (BenchmarkLogSums).
//
// Products are of float32. Points should be centred, so that a cost is the difference
// of numbers of about its own size. The relative error of an exponential is at most
// 2.5e-7, plus that of its argument v, about 1e-7·|v|.
//
// A part of the work is a few tiles of rows with all columns in order, so results are
// the same bit by bit for any number of threads. Inner loops exist in Go, which is
// their definition, and in assembly for AVX2 with FMA and for AVX-512, which the
// program in ../_generate writes. Package kernels chooses which are used.
package pairwise

//go:generate go -C ../_generate run . cpu/pairwise
