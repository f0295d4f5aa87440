// Package kernels is the arithmetic of the CPU executor: 3×3 convolution and
// its data gradient, pooling, second moments, matrix products and the vector
// work of optimisers.
//
// Feature maps are planar: channels × height × width of float32, row-major. Maps that
// are kept for long may be of Half, which takes half of the memory. Arithmetic is in
// float32 all the same, and cotangents are always of float32. Of maps that only the
// gradients of Winograd convolutions ask for, signs or choices are kept, in pixels of 16
// channels: a bit for each, or a byte for each in a window of two by two.
//
// Every operation takes the Workers it runs on, which own all threads and their
// workspaces. How an operation is split into parts depends on its shapes only, so
// results are the same bit by bit for any number of threads.
//
// Inner loops exist for four instruction sets: in Go, which is their definition, and
// in assembly for AVX2 with FMA and F16C, for AVX-512, and for Arm's NEON, which the
// program in ../_generate writes. Products of bfloat16 are there for AMX, too. The best
// that the processor has is used; the environment variable IMPASTO_CPU (amx, avx512,
// avx2, neon or go) forces one.
//
// The package serves the executor, which has checked shapes before. A slice that is
// too short for its shape panics as an index out of range does, before anything is
// written.
package kernels

//go:generate go -C ../_generate run . cpu/kernels
