package arm64

import "fmt"

// R is a general register of 64 bits, V a vector register of 128 bits.
type (
	R int
	V int
)

func (r R) String() string { return fmt.Sprint("R", int(r)) }

// String is how the assembler calls the whole register or its lowest value.
func (v V) String() string { return fmt.Sprint("F", int(v)) }

// registers are those in use. They are taken in order and freed by the scope.
type registers struct{ general, vector int }

// generals are free for a function: R16 to R18 and R27 upwards have their uses.
var generals = []R{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26}

// General takes a general register.
func (f *Function) General() R {
	if f.used.general == len(generals) {
		panic(f.name + ": out of general registers")
	}
	f.used.general++
	return generals[f.used.general-1]
}

// Generals takes n general registers.
func (f *Function) Generals(n int) []R {
	r := make([]R, n)
	for i := range r {
		r[i] = f.General()
	}
	return r
}

// Vector takes a vector register.
func (f *Function) Vector() V {
	if f.used.vector == 32 {
		panic(f.name + ": out of vector registers")
	}
	f.used.vector++
	return V(f.used.vector - 1)
}

// Vectors takes n vector registers.
func (f *Function) Vectors(n int) []V {
	r := make([]V, n)
	for i := range r {
		r[i] = f.Vector()
	}
	return r
}

// Scope frees what body takes.
func (f *Function) Scope(body func()) {
	used := f.used
	body()
	f.used = used
}
