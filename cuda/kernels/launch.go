package kernels

import (
	"math"
	"unsafe"
)

// Launch is a kernel with all that it needs to run. The functions in launches.go make
// them, one function a kernel.
type Launch struct {
	Kernel string // the entry point's name
	Shape
	Arguments []uint64 // one word each
}

// Shape is how many threads run a kernel, and their shared memory.
type Shape struct {
	Grid Dim
	// Block is a row of as many threads as the kernel is declared for where it is zero.
	Block  Dim
	Shared int // bytes of dynamic shared memory
}

// Dim is the size of a grid or a block; zeros count as ones.
type Dim struct{ X, Y, Z int }

// Pointer is the address of elements of type T in the device's memory; 0 is null.
type Pointer[T any] uint64

// Plus is the address n elements further on.
func (p Pointer[T]) Plus(n int) Pointer[T] {
	var element T
	return p + Pointer[T](n*int(unsafe.Sizeof(element)))
}

// Elements is the address of elements whose type is only known at run time: those of a
// feature map, or of what a map is multiplied by. Which type they are is told beside it.
type Elements uint64

// Element is a type that feature maps are made of.
type Element int

// The element types of maps.
const (
	Float32 Element = iota
	Float16
	BFloat16
)

// Bytes is an element's size.
func (e Element) Bytes() int {
	if e == Float32 {
		return 4
	}
	return 2
}

// String is the ending of the names of the kernels that work on such maps.
func (e Element) String() string { return [...]string{"f32", "f16", "bf16"}[e] }

// Precision is how kernels multiply.
type Precision int

// The precisions, all of which sum up in float32 at least.
const (
	F32  Precision = iota // products of float32
	TF32                  // products of mantissas of 10 bits, of float32 maps
	F16                   // products of float16, of maps of them
	BF16                  // products of bfloat16, of maps of them
)

// Element is what maps are made of in this precision.
func (p Precision) Element() Element {
	return [...]Element{F32: Float32, TF32: Float32, F16: Float16, BF16: BFloat16}[p]
}

// String is the ending of the names of the kernels that multiply so.
func (p Precision) String() string { return [...]string{"f32", "tf32", "f16", "bf16"}[p] }

// Place is what kernels sort by its key: an item, and where it came from.
type Place struct{ Key, From uint32 }

// TensorMap is the driver's description of a tensor, at a multiple of 64 bytes.
type TensorMap [128]byte

// argument is a value that a kernel takes, each in eight bytes.
type argument interface{ word() uint64 }

type (
	integer int
	double  float64
)

func (p Pointer[T]) word() uint64 { return uint64(p) }
func (e Elements) word() uint64   { return uint64(e) }
func (i integer) word() uint64    { return uint64(i) }
func (d double) word() uint64     { return math.Float64bits(float64(d)) }

// launch is that of a kernel which is declared for so many threads.
func launch(kernel string, threads int, shape Shape, arguments ...argument) Launch {
	if shape.Block == (Dim{}) {
		shape.Block.X = threads
	}
	l := Launch{Kernel: kernel, Shape: shape, Arguments: make([]uint64, len(arguments))}
	for i, a := range arguments {
		l.Arguments[i] = a.word()
	}
	return l
}

func (e Element) launch(family string, threads int, shape Shape, arguments ...argument) Launch {
	return launch(family+"_"+e.String(), threads, shape, arguments...)
}

func (p Precision) launch(family string, threads int, shape Shape, arguments ...argument) Launch {
	return launch(family+"_"+p.String(), threads, shape, arguments...)
}
