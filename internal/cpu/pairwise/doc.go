// Package pairwise goes through all pairs of points of two clouds without ever
// keeping what it finds of each: the cost of a pair is |x|² + |y|² − 2x·y, so a
// tile of costs is a matrix product of two tiles of points, and what becomes of
// it, a term of a log-sum-exp, a candidate for the nearest point or the value of
// a kernel, is worked out while the products are in registers. Memory is that
// of the clouds; time is 2·N·M·C operations a pass, at the rate of a matrix
// product: at 50,176 points of 64 channels, that of relu1_1 of 224×224 pixels,
// 405 GFLOP/s on two cores of a Zen 5 EPYC with AVX-512, where products of
// 1024×1024 matrices reached 416 in the same minute (BenchmarkLogSums).
//
// Products are float32. Points should be centred before, for a cost is then the
// difference of numbers of its own size. An exponential has a relative error of
// at most 2.5e-7 by itself; that of its argument v, some 1e-7·|v|, comes on top.
//
// A part of the work is a few tiles of rows with all columns in their order, so
// results are the same bit by bit for any number of threads. Inner loops exist
// in Go, which is their definition, and in assembly for AVX2 with FMA and for
// AVX-512, which the program in _generate writes; package kernels says which of
// them is used.
package pairwise

//go:generate go -C _generate run .
