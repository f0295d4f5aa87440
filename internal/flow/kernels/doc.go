// Package kernels has the inner loops of package flow: for amd64 with AVX-512 or AVX2 and
// for arm64 with NEON in assembly, and in Go, which is what defines them (loops.go). All
// give the same results bit by bit: what is computed of a value is in the same order
// everywhere, every operation rounds by itself, and sums have as many parts as the rows of
// a patch have values.
//
// Loops over a row of a picture go through blocks of 16 pixels, with no regard to where the
// row ends: rows must be allocated in whole blocks. Where a pixel has values of several
// kinds, those of a block lie in turn: 16 of the first kind, 16 of the second, and so on.
//
// The assembly is written by internal/cpu/_generate, of one description of each loop for
// all processors (program/flow.go there).
package kernels

//go:generate go -C ../../cpu/_generate run . flow/kernels
