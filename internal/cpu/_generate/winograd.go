package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Sizes that Go code and kernels agree on; see winograd.go of package kernels.
const (
	channelBlock = 16
	pixelBytes   = 4 * channelBlock
	rowBytes     = 4 * 64     // of V, U and M: a chunk of channels
	tapBytes     = pixelBytes // between the taps of a filter
)

// emitWinograd adds the kernels of Winograd's convolutions. The transforms work
// on vectors of neighbouring channels and need no shuffles. They load and store
// each value of V and M once, and each pixel twice, which stays in the first- or
// second-level cache. They do 2 (3) operations a value of V or M for tiles of 4 (6),
// so the caches bound them, not arithmetic.
func emitWinograd(ctx *build.Context) {
	table := laneTable(ctx, "winogradMask")
	bits := bitTable(ctx, "winogradBits")
	constants := newConstants(ctx, "winogradConstants")
	for _, isa := range isas {
		w := winograd{kernel: kernel{ctx, isa, false}, constants: constants, table: table, channelBits: bits}
		w.gather()
		w.poolPixels()
		w.choosePixels()
		w.expandPixels()
		w.signPixels()
		w.maskPixels()
		w.scatter()
		w.transposeSquare()
		w.multiply()
		for _, w.form = range forms {
			w.transformColumns()
			w.transformRows()
			w.transformFilter()
			w.invertRows()
			w.invertColumns()
		}
	}
}

// winograd are the kernels of one form, and those that all forms share.
type winograd struct {
	kernel
	*constants
	form
	table       operand.Mem // of lane masks
	channelBits operand.Mem // of channels of a pixel, for AVX2
}

// beginForm begins a kernel of one form.
func (w winograd) beginForm(name, signature string) {
	w.begin(fmt.Sprint(name, w.tile), signature)
}

// steps addresses rows 0 to 8 that are a stride apart.
type steps struct{ one, three, five, seven reg.GPVirtual }

// newSteps prepares to address rows 0 to rows, at most 8.
func (w winograd) newSteps(one reg.GPVirtual, rows int) steps {
	s := steps{one, w.GP64(), w.GP64(), w.GP64()}
	w.LEAQ(operand.Mem{Base: one, Index: one, Scale: 2}, s.three)
	w.LEAQ(operand.Mem{Base: one, Index: one, Scale: 4}, s.five)
	if rows > 7 {
		w.LEAQ(operand.Mem{Base: s.three, Index: one, Scale: 4}, s.seven)
	}
	return s
}

// at addresses a row, displaced by so many bytes.
func (s steps) at(base reg.Register, row, displacement int) operand.Mem {
	m := operand.Mem{Base: base, Disp: displacement}
	switch row {
	case 1, 2, 4, 8:
		m.Index, m.Scale = s.one, uint8(row)
	case 3, 6:
		m.Index, m.Scale = s.three, uint8(row/3)
	case 5:
		m.Index, m.Scale = s.five, 1
	case 7:
		m.Index, m.Scale = s.seven, 1
	}
	return m
}

// vectorsOfPixel calls f with the offset of every vector of a pixel.
func (w winograd) vectorsOfPixel(f func(offset int)) {
	for offset := 0; offset < pixelBytes; offset += w.bytes {
		f(offset)
	}
}
