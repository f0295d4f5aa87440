package main

import (
	"math/bits"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is what kernels need to know of an instruction set. A kernel keeps a
// tile of rows × (3 vectors) in registers: 8 × 3 = 24 of AVX-512's 32, or
// 4 × 3 = 12 of AVX2's 16, which leaves three for a row of the right operand
// and at least one for a broadcast element of the left one. At three vectors
// a tile needs 11 (AVX2: 7) loads for 24 (12) multiply-adds, so that the two
// multipliers, not the two load ports, bound it. Rows of 8 also divide every
// channel count of VGG-19.
type isa struct {
	name   string
	bytes  int // in a vector
	rows   int // of a register tile
	vector func(*build.Context) reg.VecVirtual
}

var isas = []isa{
	{"AVX512", 64, 8, (*build.Context).ZMM},
	{"AVX2", 32, 4, (*build.Context).YMM},
}

const (
	// tileVectors is the count of vectors in a row of a whole register tile.
	tileVectors = 3
	// panelRows is the count of rows in a packed panel of the left operand, the
	// same for every instruction set.
	panelRows = 8
)

// Predicates of VCMPPS and VCMPPD: ordered, except notEqual, and quiet.
const (
	equal    = operand.U8(0)
	notEqual = operand.U8(4) // or unordered
	less     = operand.U8(17)
	greater  = operand.U8(30)
)

// Attributes of functions and of tables, as textflag.h names them.
const (
	noSplit       = 4
	readOnlyTable = 24 // RODATA|NOPTR
)

// kernel adds the instructions of one function, for one instruction set and one
// type of element.
type kernel struct {
	*build.Context
	isa
	double bool // float64 elements
}

// element is the size of an element in bytes.
func (k kernel) element() int {
	if k.double {
		return 8
	}
	return 4
}

// lanes is the count of elements in a vector.
func (k kernel) lanes() int { return k.bytes / k.element() }

// function begins a function of that name. doc goes on where the name ends.
func (k kernel) function(name, signature, doc string) {
	k.Function(name)
	k.Attributes(noSplit)
	k.Pragma("noescape")
	k.SignatureExpr(signature)
	k.Doc(name + " " + doc)
}

// begin begins the twin of the Go function nameGo.
func (k kernel) begin(name, signature string) {
	k.function(name+k.isa.name, signature, "is "+name+"Go.")
}

func (k kernel) end() {
	k.VZEROUPPER()
	k.RET()
}

// pointer loads the address of a slice.
func (k kernel) pointer(name string) reg.GPVirtual {
	return k.Load(k.Param(name).Base(), k.GP64()).(reg.GPVirtual)
}

// length loads the length of a slice.
func (k kernel) length(name string) reg.GPVirtual {
	return k.Load(k.Param(name).Len(), k.GP64()).(reg.GPVirtual)
}

// integer loads an integer.
func (k kernel) integer(name string) reg.GPVirtual {
	return k.Load(k.Param(name), k.GP64()).(reg.GPVirtual)
}

// stride loads a count of elements as a count of bytes.
func (k kernel) stride(name string) reg.GPVirtual {
	r := k.integer(name)
	k.toBytes(r)
	return r
}

// toBytes turns a count of elements into one of bytes.
func (k kernel) toBytes(r reg.GPVirtual) {
	k.SHLQ(operand.U8(bits.TrailingZeros(uint(k.element()))), r)
}

// scalar broadcasts an element that is a parameter.
func (k kernel) scalar(name string) reg.VecVirtual {
	m, err := k.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	r := k.register()
	k.broadcast(m.Addr, r)
	return r
}

// loop repeats body until the counter, at least 1, is used up.
func (k kernel) loop(label string, counter reg.GPVirtual, body func()) {
	k.Label(label)
	body()
	k.DECQ(counter)
	k.JNZ(operand.LabelRef(label))
}

// cursor is a pointer that advances by so many bytes a lane.
type cursor struct {
	pointer reg.GPVirtual
	bytes   int
}

// eachVector repeats body for count values, whole vectors of them, and ends the
// function.
func (k kernel) eachVector(count reg.GPVirtual, body func(), cursors ...cursor) {
	k.Label("loop")
	body()
	for _, c := range cursors {
		k.ADDQ(operand.I32(k.lanes()*c.bytes), c.pointer)
	}
	k.SUBQ(operand.U8(k.lanes()), count)
	k.JG(operand.LabelRef("loop"))
	k.end()
}

func (k kernel) register() reg.VecVirtual { return k.vector(k.Context) }

func (k kernel) registers(n int) []reg.VecVirtual {
	r := make([]reg.VecVirtual, n)
	for i := range r {
		r[i] = k.register()
	}
	return r
}

// registerTile returns the registers of rows × vectors sums.
func (k kernel) registerTile(rows, vectors int) [][]reg.VecVirtual {
	sums := make([][]reg.VecVirtual, rows)
	for r := range sums {
		sums[r] = k.registers(vectors)
	}
	return sums
}

func (k kernel) zero(r reg.VecVirtual) {
	if k.bytes == 64 {
		k.VPXORD(r, r, r)
	} else {
		k.VXORPS(r, r, r)
	}
}

// zeros returns n registers that hold zeros.
func (k kernel) zeros(n int) []reg.VecVirtual {
	r := k.registers(n)
	for _, s := range r {
		k.zero(s)
	}
	return r
}

func (k kernel) load(m operand.Mem, r reg.VecVirtual) { k.VMOVUPS(m, r) }

func (k kernel) store(r reg.VecVirtual, m operand.Mem) { k.VMOVUPS(r, m) }

// vectorAt addresses vector i of those that begin at an address.
func (k kernel) vectorAt(base reg.Register, i int) operand.Mem {
	return operand.Mem{Base: base, Disp: i * k.bytes}
}

// loadRow loads neighbouring vectors.
func (k kernel) loadRow(from reg.Register, to []reg.VecVirtual) {
	for i, r := range to {
		k.load(k.vectorAt(from, i), r)
	}
}

// storeRow stores neighbouring vectors.
func (k kernel) storeRow(from []reg.VecVirtual, to reg.Register) {
	for i, r := range from {
		k.store(r, k.vectorAt(to, i))
	}
}

func (k kernel) broadcast(m operand.Mem, r reg.VecVirtual) {
	if k.double {
		k.VBROADCASTSD(m, r)
	} else {
		k.VBROADCASTSS(m, r)
	}
}

func (k kernel) multiplyAdd(a, b, sum operand.Op) {
	if k.double {
		k.VFMADD231PD(a, b, sum)
	} else {
		k.VFMADD231PS(a, b, sum)
	}
}

// outerProduct adds to each row of a register tile the right row times an element
// of the left column, which it broadcasts to value.
func (k kernel) outerProduct(sums [][]reg.VecVirtual, left func(r int) operand.Mem, value reg.VecVirtual, right []reg.VecVirtual) {
	for r := range sums {
		k.broadcast(left(r), value)
		for j, x := range right {
			k.multiplyAdd(value, x, sums[r][j])
		}
	}
}

func (k kernel) add(a operand.Op, sum reg.VecVirtual) {
	if k.double {
		k.VADDPD(a, sum, sum)
	} else {
		k.VADDPS(a, sum, sum)
	}
}

func (k kernel) copy(x reg.VecVirtual) reg.VecVirtual {
	r := k.register()
	k.VMOVAPS(x, r)
	return r
}

// keepWherePositive makes values zero where of isn't positive. It changes of.
func (k kernel) keepWherePositive(values, of, zero reg.VecVirtual) {
	if k.bytes == 64 {
		positive := k.K()
		k.VCMPPS(less, of, zero, positive)
		k.VMOVAPS_Z(values, positive, values)
		return
	}
	k.VCMPPS(less, of, zero, of)
	k.VANDPS(of, values, values)
}
