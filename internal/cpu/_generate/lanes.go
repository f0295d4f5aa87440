package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// laneMask selects the lanes of a row's last vector that exist.
type laneMask struct {
	k    kernel
	bits reg.OpmaskVirtual // AVX-512
	sign reg.VecVirtual    // AVX2, all ones in lanes that exist
}

// firstLanes makes the mask of the first count lanes. AVX2 reads it from a table
// of ones followed by zeros, and needs a free vector register.
func (k kernel) firstLanes(count reg.GPVirtual, table operand.Mem) laneMask {
	m := laneMask{k: k}
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

// load loads the lanes that exist, and zeros.
func (m laneMask) load(from operand.Mem, to reg.VecVirtual) {
	switch {
	case m.k.bytes == 64 && m.k.double:
		m.k.VMOVUPD_Z(from, m.bits, to)
	case m.k.bytes == 64:
		m.k.VMOVUPS_Z(from, m.bits, to)
	default:
		m.move(from, to)
	}
}

// store stores the lanes that exist.
func (m laneMask) store(from reg.VecVirtual, to operand.Mem) {
	switch {
	case m.k.bytes == 64 && m.k.double:
		m.k.VMOVUPD(from, m.bits, to)
	case m.k.bytes == 64:
		m.k.VMOVUPS(from, m.bits, to)
	default:
		m.move(from, to)
	}
}

// move is what AVX2 loads and stores by.
func (m laneMask) move(from, to operand.Op) {
	if m.k.double {
		m.k.VMASKMOVPD(from, m.sign, to)
	} else {
		m.k.VMASKMOVPS(from, m.sign, to)
	}
}

// laneTable adds the read-only table that firstLanes reads for AVX2.
func laneTable(ctx *build.Context, name string) operand.Mem {
	table := ctx.StaticGlobal(name)
	ctx.DataAttributes(readOnlyTable)
	for i := range 64 / 8 {
		v := uint64(0)
		if i < 32/8 {
			v = ^uint64(0)
		}
		ctx.AddDatum(i*8, operand.U64(v))
	}
	return table
}
