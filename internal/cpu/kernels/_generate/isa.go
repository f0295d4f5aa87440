package main

import (
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

// panelRows is the count of rows in a packed panel of the left operand, the
// same for every instruction set.
const panelRows = 8

// kernel is what every emitter keeps at hand.
type kernel struct {
	*build.Context
	isa
	double bool // float64 elements
}

func (k kernel) element() int {
	if k.double {
		return 8
	}
	return 4
}

func (k kernel) lanes() int { return k.bytes / k.element() }

func (k kernel) register() reg.VecVirtual { return k.vector(k.Context) }

func (k kernel) registers(n int) []reg.VecVirtual {
	r := make([]reg.VecVirtual, n)
	for i := range r {
		r[i] = k.register()
	}
	return r
}

func (k kernel) zero(r reg.VecVirtual) {
	if k.bytes == 64 {
		k.VPXORD(r, r, r)
	} else {
		k.VXORPS(r, r, r)
	}
}

func (k kernel) load(m operand.Mem, r reg.VecVirtual) { k.VMOVUPS(m, r) }

func (k kernel) store(r reg.VecVirtual, m operand.Mem) { k.VMOVUPS(r, m) }

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

func (k kernel) add(a operand.Op, sum reg.VecVirtual) {
	if k.double {
		k.VADDPD(a, sum, sum)
	} else {
		k.VADDPS(a, sum, sum)
	}
}

// mask is the set of lanes of a row's last vector that exist.
type mask struct {
	k    kernel
	bits reg.OpmaskVirtual // AVX-512
	sign reg.VecVirtual    // AVX2, all ones in lanes that exist
}

// maskOf makes the mask of the first count lanes. AVX2 reads it from a table
// of ones followed by zeros, and needs a free vector register.
func (k kernel) maskOf(count reg.GPVirtual, table operand.Mem) mask {
	m := mask{k: k}
	if k.bytes == 64 {
		ones := k.GP64()
		k.MOVQ(operand.I32(-1), ones)
		shifted := k.GP64()
		k.SHLXQ(count, ones, shifted)
		k.NOTQ(shifted)
		m.bits = k.K()
		k.KMOVW(shifted.As32(), m.bits)
		return m
	}
	start := k.GP64()
	k.LEAQ(table, start)
	offset := k.GP64()
	k.MOVQ(count, offset)
	k.NEGQ(offset)
	m.sign = k.register()
	k.load(operand.Mem{Base: start, Index: offset, Scale: uint8(k.element()), Disp: k.bytes}, m.sign)
	return m
}

func (m mask) load(from operand.Mem, to reg.VecVirtual) {
	switch {
	case m.k.bytes == 64 && m.k.double:
		m.k.VMOVUPD_Z(from, m.bits, to)
	case m.k.bytes == 64:
		m.k.VMOVUPS_Z(from, m.bits, to)
	case m.k.double:
		m.k.VMASKMOVPD(from, m.sign, to)
	default:
		m.k.VMASKMOVPS(from, m.sign, to)
	}
}

func (m mask) store(from reg.VecVirtual, to operand.Mem) {
	switch {
	case m.k.bytes == 64 && m.k.double:
		m.k.VMOVUPD(from, m.bits, to)
	case m.k.bytes == 64:
		m.k.VMOVUPS(from, m.bits, to)
	case m.k.double:
		m.k.VMASKMOVPD(from, m.sign, to)
	default:
		m.k.VMASKMOVPS(from, m.sign, to)
	}
}

// maskTable adds the read-only table that maskOf reads for AVX2.
func maskTable(ctx *build.Context, name string) operand.Mem {
	table := ctx.StaticGlobal(name)
	ctx.DataAttributes(24) // RODATA|NOPTR: read-only, no pointers
	for i := range 64 / 8 {
		v := uint64(0)
		if i < 32/8 {
			v = ^uint64(0)
		}
		ctx.AddDatum(i*8, operand.U64(v))
	}
	return table
}
