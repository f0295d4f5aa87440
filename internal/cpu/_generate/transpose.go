package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose returns the columns of a square of as many rows as a vector has
// lanes: neighbours are interleaved within 128-bit lanes, then those lanes are
// exchanged. In float32 that takes 64 (AVX2: 24) shuffles.
func (k kernel) transpose(rows []reg.VecVirtual) []reg.VecVirtual {
	if k.double {
		return k.exchangeLanes(k.interleaveDoubles(rows))
	}
	return k.exchangeLanes(k.interleaveSingles(rows))
}

// interleaveSingles returns, of every four rows, the vectors whose 128-bit lanes
// hold a column of these rows each: vector p holds columns p, 4+p, …
func (k kernel) interleaveSingles(rows []reg.VecVirtual) [][]reg.VecVirtual {
	quads := make([][]reg.VecVirtual, len(rows)/4)
	for q := range quads {
		r := rows[4*q:]
		low01, high01, low23, high23 := k.register(), k.register(), k.register(), k.register()
		k.VUNPCKLPS(r[1], r[0], low01)
		k.VUNPCKHPS(r[1], r[0], high01)
		k.VUNPCKLPS(r[3], r[2], low23)
		k.VUNPCKHPS(r[3], r[2], high23)
		quads[q] = k.registers(4)
		k.VUNPCKLPD(low23, low01, quads[q][0])
		k.VUNPCKHPD(low23, low01, quads[q][1])
		k.VUNPCKLPD(high23, high01, quads[q][2])
		k.VUNPCKHPD(high23, high01, quads[q][3])
	}
	return quads
}

// interleaveDoubles is interleaveSingles for every two rows of float64.
func (k kernel) interleaveDoubles(rows []reg.VecVirtual) [][]reg.VecVirtual {
	pairs := make([][]reg.VecVirtual, len(rows)/2)
	for i := range pairs {
		pairs[i] = k.registers(2)
		k.VUNPCKLPD(rows[2*i+1], rows[2*i], pairs[i][0])
		k.VUNPCKHPD(rows[2*i+1], rows[2*i], pairs[i][1])
	}
	return pairs
}

// exchangeLanes returns the columns from groups of rows whose vectors hold a
// column in each 128-bit lane.
func (k kernel) exchangeLanes(groups [][]reg.VecVirtual) []reg.VecVirtual {
	shuffle := k.VSHUFF32X4
	if k.double {
		shuffle = k.VSHUFF64X2
	}
	each := len(groups[0])
	columns := make([]reg.VecVirtual, each*len(groups))
	for p := range each {
		if len(groups) == 2 {
			columns[p], columns[each+p] = k.register(), k.register()
			k.VPERM2F128(operand.U8(0x20), groups[1][p], groups[0][p], columns[p])
			k.VPERM2F128(operand.U8(0x31), groups[1][p], groups[0][p], columns[each+p])
			continue
		}
		low, high, low2, high2 := k.register(), k.register(), k.register(), k.register()
		shuffle(operand.U8(0x44), groups[1][p], groups[0][p], low)
		shuffle(operand.U8(0xee), groups[1][p], groups[0][p], high)
		shuffle(operand.U8(0x44), groups[3][p], groups[2][p], low2)
		shuffle(operand.U8(0xee), groups[3][p], groups[2][p], high2)
		for l := range 4 {
			columns[each*l+p] = k.register()
		}
		shuffle(operand.U8(0x88), low2, low, columns[p])
		shuffle(operand.U8(0xdd), low2, low, columns[each+p])
		shuffle(operand.U8(0x88), high2, high, columns[2*each+p])
		shuffle(operand.U8(0xdd), high2, high, columns[3*each+p])
	}
	return columns
}
