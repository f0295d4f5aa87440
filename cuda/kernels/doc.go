// Package kernels holds the CUDA C++ that runs on the device, compiled.
//
// # Convention
//
// An entry point is a line KERNEL((threads), name, parameters…) in a *.cu file,
// and the comment above it is its contract: blocks and grid, dynamic shared
// memory, shapes and layouts. Every parameter is eight bytes wide: a pointer to
// device memory, a long long or a double. Where nothing is said, pointers need the
// alignment of their elements only and no dynamic shared memory is used. Operands
// that are results must not overlap with others unless the comment allows it.
//
// Feature maps lie channels last: position p = row·width + column, channel c at
// p·channels + c. The picture and its gradient lie in planes, channel c at
// c·positions + p, always float32. Kernels that work on maps come in several types
// of their elements, told by the end of the name: _f32, _f16, _bf16; _tf32 works on
// float32 maps by products of 10-bit mantissas. Summaries of features and losses
// are float64, in the order that package pure gives them.
//
// Sums are always made in one order, so that results are the same bit for bit from
// run to run on one kind of device.
//
// # Files
//
// device.h, and hopper.h for what compute capability 9.0 has, are the dialect that
// kernels are written in: one function an instruction that C++ has no word for, each
// with a second body that is plain loops. host/ emulates the rest of a device, so that
// the very same sources run in tests on any machine; ondevice/ runs these tests on a GPU.
// all.cu includes the others; compiled, it is the files in images/, which programs with GPU
// support embed and image.go chooses from. kernels.sum tells what they were made of. launches.go has a function in Go
// for each entry point, by which alone package cuda launches it: so arguments have the
// types that are declared.
//
//	go run ./wrap                          writes launches.go anew
//	NVRTC=$(./compiler.sh) go generate .   compiles anew too
//	go run ./wrap -check                   tells whether launches.go is current
//	go run ./generate -check               tells whether the images are current
//
//go:generate go run ./wrap
//go:generate go run ./generate
package kernels
