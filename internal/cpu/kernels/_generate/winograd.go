package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Sizes that Go code and kernels agree on; see winograd.go there.
const (
	channelBlock = 16
	pixelBytes   = 4 * channelBlock
	rowBytes     = 4 * 64     // of V, U and M: a chunk of channels
	tapBytes     = pixelBytes // between the taps of a filter
)

// emitWinograd adds the kernels of Winograd's convolution F(4×4, 3×3).
func emitWinograd(ctx *build.Context) {
	table := maskTable(ctx, "winogradMask")
	constants := newConstants(ctx, "winogradConstants",
		2.5, 0.5, 2, math.Sqrt2, math.Sqrt2/2, 2*math.Sqrt2, math.Sqrt2/4,
		1./6, 1./3, math.Sqrt2/6, -2./3, -1./3, -math.Sqrt2/3)
	for _, isa := range isas {
		w := winograd{kernel{ctx, isa, false}, constants, table}
		w.gather()
		w.transposeSquare()
		w.scatter()
		w.transformColumns()
		w.transformRows()
		w.transformFilter()
		w.invertRows()
		w.invertColumns()
		w.multiply()
	}
}

type winograd struct {
	kernel
	constants
	mask operand.Mem
}

// constants are vectors of one repeated value each in read-only memory.
type constants struct {
	base  operand.Mem
	index map[float64]int
}

func newConstants(ctx *build.Context, name string, values ...float64) constants {
	c := constants{ctx.StaticGlobal(name), map[float64]int{}}
	ctx.DataAttributes(24) // RODATA|NOPTR
	for i, v := range values {
		c.index[v] = i
		for lane := range 16 {
			// As bits: avo prints the float 2 as 2, which the assembler reads as an
			// integer.
			ctx.AddDatum(64*i+4*lane, operand.U32(math.Float32bits(float32(v))))
		}
	}
	return c
}

func (c constants) memory(v float64) operand.Mem {
	i, ok := c.index[v]
	if !ok {
		panic(fmt.Sprintf("constant %v is not in the table", v))
	}
	return c.base.Offset(64 * i)
}

func (w winograd) constant(v float64) reg.VecVirtual {
	r := w.register()
	w.load(w.memory(v), r)
	return r
}

func (w winograd) begin(name, signature string) {
	w.Function(name + w.name)
	w.Attributes(4) // NOSPLIT
	w.Pragma("noescape")
	w.SignatureExpr(signature)
	w.Doc(fmt.Sprintf("%s%s is %sGo.", name, w.name, name))
}

func (w winograd) end() {
	w.VZEROUPPER()
	w.RET()
}

// pointer loads the base of a slice, value an integer, bytes an integer that
// counts float32 values, as bytes.
func (w winograd) pointer(name string) reg.GPVirtual {
	return w.Load(w.Param(name).Base(), w.GP64()).(reg.GPVirtual)
}

func (w winograd) value(name string) reg.GPVirtual {
	return w.Load(w.Param(name), w.GP64()).(reg.GPVirtual)
}

func (w winograd) stride(name string) reg.GPVirtual {
	r := w.value(name)
	w.SHLQ(operand.U8(2), r)
	return r
}

// steps addresses rows 0 to 5 that are a stride apart.
type steps struct{ one, three, five reg.GPVirtual }

func (w winograd) newSteps(one reg.GPVirtual) steps {
	s := steps{one, w.GP64(), w.GP64()}
	w.LEAQ(operand.Mem{Base: one, Index: one, Scale: 2}, s.three)
	w.LEAQ(operand.Mem{Base: one, Index: one, Scale: 4}, s.five)
	return s
}

func (s steps) at(base reg.Register, row, displacement int) operand.Mem {
	m := operand.Mem{Base: base, Disp: displacement}
	switch row {
	case 1, 2, 4:
		m.Index, m.Scale = s.one, uint8(row)
	case 3:
		m.Index, m.Scale = s.three, 1
	case 5:
		m.Index, m.Scale = s.five, 1
	}
	return m
}

// vectorsOfPixel calls f with the offset of every vector of a pixel.
func (w winograd) vectorsOfPixel(f func(offset int)) {
	for offset := 0; offset < pixelBytes; offset += w.bytes {
		f(offset)
	}
}

// loop repeats body until the counter, at least 1, is used up.
func (w winograd) loop(label string, counter reg.GPVirtual, body func()) {
	w.Label(label)
	body()
	w.DECQ(counter)
	w.JNZ(operand.LabelRef(label))
}

// inputConstants are those of Bᵀ.
type inputConstants struct{ c52, c12, c2, root2, rootHalf reg.VecVirtual }

func (w winograd) inputConstants() inputConstants {
	return inputConstants{w.constant(2.5), w.constant(0.5), w.constant(2), w.constant(math.Sqrt2), w.constant(math.Sqrt2 / 2)}
}

// transform6 replaces six vectors by Bᵀ times them: 12 operations.
func (w winograd) transform6(d []reg.VecVirtual, c inputConstants) {
	wideEven, wideOdd := w.register(), w.register()
	w.VADDPS(d[4], d[0], d[0])
	w.VFNMADD231PS(c.c52, d[2], d[0])
	w.VADDPS(d[1], d[5], d[5])
	w.VFNMADD231PS(c.c52, d[3], d[5])
	w.VMOVAPS(d[4], wideEven)
	w.VFNMADD231PS(c.c2, d[2], wideEven)
	w.VFNMADD231PS(c.c12, d[2], d[4])
	w.VMOVAPS(d[3], wideOdd)
	w.VFNMADD231PS(c.c2, d[1], wideOdd)
	w.VFNMADD231PS(c.c12, d[1], d[3])
	// d[4], d[3] are even and odd; d[1] and d[2] are free.
	w.VMOVAPS(d[4], d[1])
	w.VFMADD231PS(c.root2, d[3], d[1])
	w.VMOVAPS(d[4], d[2])
	w.VFNMADD231PS(c.root2, d[3], d[2])
	w.VMOVAPS(wideEven, d[3])
	w.VFMADD231PS(c.rootHalf, wideOdd, d[3])
	w.VMOVAPS(wideEven, d[4])
	w.VFNMADD231PS(c.rootHalf, wideOdd, d[4])
}

func (w winograd) transformColumns() {
	w.begin("transformColumns", "func(x []float32, row, n int)")
	x, n := w.pointer("x"), w.value("n")
	rows := w.newSteps(w.stride("row"))
	c := w.inputConstants()
	d := w.registers(6)
	w.loop("loop", n, func() {
		w.vectorsOfPixel(func(offset int) {
			for i := range d {
				w.load(rows.at(x, i, offset), d[i])
			}
			w.transform6(d, c)
			for i := range d {
				w.store(d[i], rows.at(x, i, offset))
			}
		})
		w.ADDQ(operand.I32(pixelBytes), x)
	})
	w.end()
}

func (w winograd) transformRows() {
	w.begin("transformRows", "func(v, x []float32, step, row, n int)")
	v, x, n, row := w.pointer("v"), w.pointer("x"), w.value("n"), w.stride("row")
	matrices := w.newSteps(w.stride("step"))
	c := w.inputConstants()
	d := w.registers(6)
	rows := w.GP64()
	w.MOVQ(operand.U32(6), rows)
	w.loop("rows", rows, func() {
		to, from, left := w.GP64(), w.GP64(), w.GP64()
		w.MOVQ(v, to)
		w.MOVQ(x, from)
		w.MOVQ(n, left)
		w.loop("tiles", left, func() {
			w.vectorsOfPixel(func(offset int) {
				for j := range d {
					w.load(operand.Mem{Base: from, Disp: j*pixelBytes + offset}, d[j])
				}
				w.transform6(d, c)
				for j := range d {
					w.store(d[j], matrices.at(to, j, offset))
				}
			})
			w.ADDQ(operand.I32(4*pixelBytes), from)
			w.ADDQ(operand.I32(rowBytes), to)
		})
		w.ADDQ(row, x)
		w.LEAQ(operand.Mem{Base: v, Index: matrices.three, Scale: 2}, v)
	})
	w.end()
}

// transform3 returns G times three vectors, which it leaves as they are.
// Constants stay in memory, since AVX2 has no registers left for them.
func (w winograd) transform3(g []reg.VecVirtual) []reg.VecVirtual {
	even, odd, wideEven, wideOdd := w.register(), w.register(), w.register(), w.register()
	w.VMULPS(w.memory(1./6), g[0], even)
	w.VFMADD231PS(w.memory(1./3), g[2], even)
	w.VMULPS(w.memory(math.Sqrt2/6), g[1], odd)
	w.VMULPS(w.memory(-2./3), g[0], wideEven)
	w.VFMADD231PS(w.memory(-1./3), g[2], wideEven)
	w.VMULPS(w.memory(-math.Sqrt2/3), g[1], wideOdd)
	less, wideLess := w.register(), w.register()
	w.VSUBPS(odd, even, less)
	w.VADDPS(odd, even, even)
	w.VSUBPS(wideOdd, wideEven, wideLess)
	w.VADDPS(wideOdd, wideEven, wideEven)
	return []reg.VecVirtual{g[0], even, less, wideEven, wideLess, g[2]}
}

func (w winograd) transformFilter() {
	w.begin("transformFilter", "func(u, filters []float32, step, turned int)")
	u, g := w.pointer("u"), w.pointer("filters")
	matrices := w.newSteps(w.stride("step"))
	tap, back := w.GP64(), w.GP64()
	turned := w.value("turned")
	w.MOVQ(operand.I32(tapBytes), tap)
	w.LEAQ(operand.Mem{Base: g, Disp: 8 * tapBytes}, back)
	w.TESTQ(turned, turned)
	w.JZ(operand.LabelRef("start"))
	w.MOVQ(back, g)
	w.NEGQ(tap)
	w.Label("start")
	taps := w.newSteps(tap)
	seven := w.GP64()
	w.LEAQ(operand.Mem{Base: taps.three, Index: tap, Scale: 4}, seven)
	at := func(i, offset int) operand.Mem {
		switch i {
		case 6:
			return operand.Mem{Base: g, Index: taps.three, Scale: 2, Disp: offset}
		case 7:
			return operand.Mem{Base: g, Index: seven, Scale: 1, Disp: offset}
		case 8:
			return operand.Mem{Base: g, Index: tap, Scale: 8, Disp: offset}
		}
		return taps.at(g, i, offset)
	}
	channels := w.GP64()
	w.MOVQ(operand.U32(channelBlock), channels)
	w.loop("loop", channels, func() {
		w.vectorsOfPixel(func(offset int) {
			to := w.GP64()
			w.MOVQ(u, to)
			put := func(row []reg.VecVirtual) {
				for j, r := range w.transform3(row) {
					w.store(r, matrices.at(to, j, offset))
				}
				w.LEAQ(operand.Mem{Base: to, Index: matrices.three, Scale: 2}, to)
			}
			edge := func(row int) {
				t := w.registers(3)
				for j := range t {
					w.load(at(3*row+j, offset), t[j])
				}
				put(t)
			}
			pair := func(c0, c1, c2 float64) {
				plus, minus := w.registers(3), w.registers(3)
				for j := range plus {
					odd := w.register()
					w.load(at(j, offset), plus[j])
					w.VMULPS(w.memory(c0), plus[j], plus[j])
					w.load(at(6+j, offset), odd)
					w.VFMADD231PS(w.memory(c2), odd, plus[j])
					w.load(at(3+j, offset), odd)
					w.VMULPS(w.memory(c1), odd, odd)
					w.VSUBPS(odd, plus[j], minus[j])
					w.VADDPS(odd, plus[j], plus[j])
				}
				put(plus)
				put(minus)
			}
			edge(0)
			pair(1./6, math.Sqrt2/6, 1./3)
			pair(-2./3, -math.Sqrt2/3, -1./3)
			edge(2)
		})
		w.ADDQ(operand.I32(9*tapBytes), g)
		w.ADDQ(operand.I32(rowBytes), u)
	})
	w.end()
}

// outputConstants are those of Aᵀ.
type outputConstants struct{ c2, c12, root2, rootHalf, root8, rootEighth reg.VecVirtual }

func (w winograd) outputConstants() outputConstants {
	return outputConstants{w.constant(2), w.constant(0.5), w.constant(math.Sqrt2), w.constant(math.Sqrt2 / 2),
		w.constant(2 * math.Sqrt2), w.constant(math.Sqrt2 / 4)}
}

// invert6 returns Aᵀ times six vectors, four, in registers of the six: 12
// operations.
func (w winograd) invert6(m []reg.VecVirtual, c outputConstants) []reg.VecVirtual {
	sum, wideSum := w.register(), w.register()
	w.VADDPS(m[2], m[1], sum)
	w.VSUBPS(m[2], m[1], m[1])
	w.VADDPS(m[4], m[3], wideSum)
	w.VSUBPS(m[4], m[3], m[3])
	w.VADDPS(sum, m[0], m[0])
	w.VADDPS(wideSum, m[0], m[0])
	w.VMULPS(c.root2, m[1], m[2])
	w.VFMADD231PS(c.rootHalf, m[3], m[2])
	w.VFMADD231PS(c.root8, m[1], m[5])
	w.VFMADD231PS(c.rootEighth, m[3], m[5])
	w.VMULPS(c.c2, sum, sum)
	w.VFMADD231PS(c.c12, wideSum, sum)
	return []reg.VecVirtual{m[0], m[2], sum, m[5]}
}

func (w winograd) invertRows() {
	w.begin("invertRows", "func(y, m []float32, step, row, n int)")
	y, m, n, row := w.pointer("y"), w.pointer("m"), w.value("n"), w.stride("row")
	matrices := w.newSteps(w.stride("step"))
	c := w.outputConstants()
	d := w.registers(6)
	rows := w.GP64()
	w.MOVQ(operand.U32(6), rows)
	w.loop("rows", rows, func() {
		to, from, left := w.GP64(), w.GP64(), w.GP64()
		w.MOVQ(y, to)
		w.MOVQ(m, from)
		w.MOVQ(n, left)
		w.loop("tiles", left, func() {
			w.vectorsOfPixel(func(offset int) {
				for j := range d {
					w.load(matrices.at(from, j, offset), d[j])
				}
				for j, r := range w.invert6(d, c) {
					w.store(r, operand.Mem{Base: to, Disp: j*pixelBytes + offset})
				}
			})
			w.ADDQ(operand.I32(rowBytes), from)
			w.ADDQ(operand.I32(4*pixelBytes), to)
		})
		w.ADDQ(row, y)
		w.LEAQ(operand.Mem{Base: m, Index: matrices.three, Scale: 2}, m)
	})
	w.end()
}

func (w winograd) invertColumns() {
	w.begin("invertColumns", "func(y, biases []float32, row, n, rectify int)")
	y, biases, n := w.pointer("y"), w.pointer("biases"), w.value("n")
	rows := w.newSteps(w.stride("row"))
	rectify := w.value("rectify")
	c := w.outputConstants()
	d := w.registers(6)
	pixels := func(label string, finish func(reg.VecVirtual)) {
		w.loop(label, n, func() {
			w.vectorsOfPixel(func(offset int) {
				for i := range d {
					w.load(rows.at(y, i, offset), d[i])
				}
				for i, r := range w.invert6(d, c) {
					w.VADDPS(operand.Mem{Base: biases, Disp: offset}, r, r)
					finish(r)
					w.store(r, rows.at(y, i, offset))
				}
			})
			w.ADDQ(operand.I32(pixelBytes), y)
		})
	}
	w.TESTQ(rectify, rectify)
	w.JNZ(operand.LabelRef("rectified"))
	pixels("loop", func(reg.VecVirtual) {})
	w.end()
	w.Label("rectified")
	zero := w.register()
	w.zero(zero)
	pixels("rectifiedLoop", func(r reg.VecVirtual) { w.VMAXPS(zero, r, r) })
	w.end()
}

// transpose returns the columns of a square of as many rows as a vector has
// lanes: neighbours are interleaved one by one and two by two within 128-bit
// lanes, then those lanes are exchanged. 64 (24) shuffles.
func (w winograd) transpose(rows []reg.VecVirtual) []reg.VecVirtual {
	n := len(rows)
	quads := make([][]reg.VecVirtual, n/4) // by four rows, then by column modulo 4
	for q := range quads {
		r := rows[4*q:]
		low01, high01, low23, high23 := w.register(), w.register(), w.register(), w.register()
		w.VUNPCKLPS(r[1], r[0], low01)
		w.VUNPCKHPS(r[1], r[0], high01)
		w.VUNPCKLPS(r[3], r[2], low23)
		w.VUNPCKHPS(r[3], r[2], high23)
		quads[q] = w.registers(4)
		w.VUNPCKLPD(low23, low01, quads[q][0])
		w.VUNPCKHPD(low23, low01, quads[q][1])
		w.VUNPCKLPD(high23, high01, quads[q][2])
		w.VUNPCKHPD(high23, high01, quads[q][3])
	}
	columns := make([]reg.VecVirtual, n)
	for p := range 4 {
		if n == 8 {
			columns[p], columns[4+p] = w.register(), w.register()
			w.VPERM2F128(operand.U8(0x20), quads[1][p], quads[0][p], columns[p])
			w.VPERM2F128(operand.U8(0x31), quads[1][p], quads[0][p], columns[4+p])
			continue
		}
		low, high, low2, high2 := w.register(), w.register(), w.register(), w.register()
		w.VSHUFF32X4(operand.U8(0x44), quads[1][p], quads[0][p], low)
		w.VSHUFF32X4(operand.U8(0xee), quads[1][p], quads[0][p], high)
		w.VSHUFF32X4(operand.U8(0x44), quads[3][p], quads[2][p], low2)
		w.VSHUFF32X4(operand.U8(0xee), quads[3][p], quads[2][p], high2)
		for l := range 4 {
			columns[4*l+p] = w.register()
		}
		w.VSHUFF32X4(operand.U8(0x88), low2, low, columns[p])
		w.VSHUFF32X4(operand.U8(0xdd), low2, low, columns[4+p])
		w.VSHUFF32X4(operand.U8(0x88), high2, high, columns[8+p])
		w.VSHUFF32X4(operand.U8(0xdd), high2, high, columns[12+p])
	}
	return columns
}

func (w winograd) transposeSquare() {
	w.begin("transpose", "func(to, from []float32, toRow, fromRow int)")
	to, from := w.pointer("to"), w.pointer("from")
	toRow, fromRow := w.stride("toRow"), w.stride("fromRow")
	for column := 0; column < pixelBytes; column += w.bytes {
		source, target := w.GP64(), w.GP64()
		w.LEAQ(operand.Mem{Base: from, Disp: column}, source)
		w.vectorsOfPixel(func(offset int) {
			rows := w.registers(w.lanes())
			for i := range rows {
				w.load(operand.Mem{Base: source}, rows[i])
				w.ADDQ(fromRow, source)
			}
			w.LEAQ(operand.Mem{Base: to, Disp: offset}, target)
			for _, r := range w.transpose(rows) {
				w.store(r, operand.Mem{Base: target})
				w.ADDQ(toRow, target)
			}
		})
		if column+w.bytes < pixelBytes {
			w.MOVQ(toRow, target)
			w.SHLQ(operand.U8(3), target)
			w.ADDQ(target, to)
		}
	}
	w.end()
}

// groups calls body for every lanes pixels with the mask of those that exist.
func (w winograd) groups(label string, n reg.GPVirtual, body func(m mask)) {
	lanes := w.GP64()
	w.MOVQ(operand.U32(uint32(w.lanes())), lanes)
	w.Label(label)
	count := w.GP64()
	w.MOVQ(n, count)
	w.CMPQ(count, lanes)
	w.CMOVQGT(lanes, count)
	body(w.maskOf(count, w.mask))
	w.SUBQ(lanes, n)
	w.JG(operand.LabelRef(label))
}

func (w winograd) gather() {
	w.begin("gather", "func(to, x, gate []float32, plane, n, ahead int)")
	to, x, gate := w.pointer("to"), w.pointer("x"), w.pointer("gate")
	plane, n, ahead := w.stride("plane"), w.value("n"), w.stride("ahead")
	w.TESTQ(gate, gate)
	w.JNZ(operand.LabelRef("gated"))
	w.gatherLoop("loop", to, x, nil, plane, n, ahead)
	w.end()
	w.Label("gated")
	w.gatherLoop("gatedLoop", to, x, &gate, plane, n, ahead)
	w.end()
}

func (w winograd) gatherLoop(label string, to, x reg.GPVirtual, gate *reg.GPVirtual, plane, n, ahead reg.GPVirtual) {
	zero := w.register()
	if gate != nil {
		w.zero(zero)
	}
	w.groups(label, n, func(m mask) {
		from, gates := w.GP64(), w.GP64()
		w.MOVQ(x, from)
		if gate != nil {
			w.MOVQ(*gate, gates)
		}
		w.vectorsOfPixel(func(offset int) {
			rows := w.registers(w.lanes())
			for r := range rows {
				w.PREFETCHT0(operand.Mem{Base: from, Index: ahead, Scale: 1})
				if gate == nil {
					m.load(operand.Mem{Base: from}, rows[r])
				} else {
					w.PREFETCHT0(operand.Mem{Base: gates, Index: ahead, Scale: 1})
					w.loadGated(m, from, gates, zero, rows[r])
					w.ADDQ(plane, gates)
				}
				w.ADDQ(plane, from)
			}
			for p, column := range w.transpose(rows) {
				w.store(column, operand.Mem{Base: to, Disp: p*pixelBytes + offset})
			}
		})
		w.ADDQ(operand.I32(w.bytes), x)
		if gate != nil {
			w.ADDQ(operand.I32(w.bytes), *gate)
		}
		w.ADDQ(operand.I32(w.lanes()*pixelBytes), to)
	})
}

// loadGated loads the values whose gate is positive, and zeros.
func (k kernel) loadGated(m mask, from, gates reg.GPVirtual, zero, to reg.VecVirtual) {
	const lessThan = operand.U8(17) // ordered, quiet
	if k.bytes == 64 {
		open := k.K()
		k.VCMPPS(lessThan, operand.Mem{Base: gates}, zero, m.bits, open)
		k.VMOVUPS_Z(operand.Mem{Base: from}, open, to)
		return
	}
	open := k.register()
	m.load(operand.Mem{Base: gates}, open)
	k.VCMPPS(lessThan, open, zero, open)
	m.load(operand.Mem{Base: from}, to)
	k.VANDPS(open, to, to)
}

func (w winograd) scatter() {
	w.begin("scatter", "func(y, from []float32, plane, n int)")
	y, from := w.pointer("y"), w.pointer("from")
	plane, n := w.stride("plane"), w.value("n")
	body := func(put func(r reg.VecVirtual, to operand.Mem)) {
		to := w.GP64()
		w.MOVQ(y, to)
		w.vectorsOfPixel(func(offset int) {
			pixels := w.registers(w.lanes())
			for p := range pixels {
				w.load(operand.Mem{Base: from, Disp: p*pixelBytes + offset}, pixels[p])
			}
			for _, row := range w.transpose(pixels) {
				put(row, operand.Mem{Base: to})
				w.ADDQ(plane, to)
			}
		})
	}
	// Whole vectors first: AMD's processors store under an AVX2 mask slowly.
	w.Label("loop")
	w.CMPQ(n, operand.U8(w.lanes()))
	w.JL(operand.LabelRef("rest"))
	body(w.store)
	w.ADDQ(operand.I32(w.bytes), y)
	w.ADDQ(operand.I32(w.lanes()*pixelBytes), from)
	w.SUBQ(operand.U8(w.lanes()), n)
	w.JMP(operand.LabelRef("loop"))
	w.Label("rest")
	w.TESTQ(n, n)
	w.JZ(operand.LabelRef("done"))
	m := w.maskOf(n, w.mask)
	body(m.store)
	w.Label("done")
	w.end()
}

// multiply keeps 6 tiles × 4 vectors (AVX2: 2) of M in registers: 24 (12)
// sums, 10 (8) loads for 24 (12) multiply-adds. The last tiles, fewer than 6,
// have code of their own.
func (w winograd) multiply() {
	w.begin("multiply", "func(m, v, u []float32, n, depth, accumulate int)")
	vectors := 4
	if w.bytes == 32 {
		vectors = 2
	}
	m, v, u := w.pointer("m"), w.pointer("v"), w.pointer("u")
	depth, accumulate := w.value("depth"), w.value("accumulate")
	w.SHRQ(operand.U8(2), depth)
	t := multiplyRegisters{w.registers(vectors), w.register(), nil, w.GP64(), w.GP64(), w.GP64()}
	for range 6 {
		t.sums = append(t.sums, w.registers(vectors))
	}
	parts := w.GP64()
	w.MOVQ(operand.U32(uint32(rowBytes/(vectors*w.bytes))), parts)
	w.loop("parts", parts, func() {
		n := w.value("n")
		to, from := w.GP64(), w.GP64()
		w.MOVQ(m, to)
		w.MOVQ(v, from)
		w.Label("tiles")
		w.CMPQ(n, operand.U8(6))
		w.JL(operand.LabelRef("rest"))
		w.multiplyTiles(t, 6, to, from, u, depth, accumulate)
		w.ADDQ(operand.I32(6*rowBytes), to)
		w.ADDQ(operand.I32(6*rowBytes), from)
		w.SUBQ(operand.U8(6), n)
		w.JMP(operand.LabelRef("tiles"))
		w.Label("rest")
		for rows := 1; rows < 6; rows++ {
			next := fmt.Sprintf("not%d", rows)
			w.CMPQ(n, operand.U8(uint8(rows)))
			w.JNE(operand.LabelRef(next))
			w.multiplyTiles(t, rows, to, from, u, depth, accumulate)
			w.JMP(operand.LabelRef("next"))
			w.Label(next)
		}
		w.Label("next")
		w.ADDQ(operand.I32(vectors*w.bytes), m)
		w.ADDQ(operand.I32(vectors*w.bytes), u)
	})
	w.end()
}

// multiplyRegisters are shared by the code for every count of tiles.
type multiplyRegisters struct {
	weights            []reg.VecVirtual
	value              reg.VecVirtual
	sums               [][]reg.VecVirtual
	left, right, count reg.GPVirtual
}

func (w winograd) multiplyTiles(t multiplyRegisters, rows int, m, v, u, depth, accumulate reg.GPVirtual) {
	label := func(name string) string { return fmt.Sprintf("%s%d", name, rows) }
	at := func(r, j int) operand.Mem { return operand.Mem{Base: m, Disp: r*rowBytes + j*w.bytes} }
	sums := t.sums[:rows]
	w.TESTQ(accumulate, accumulate)
	w.JNZ(operand.LabelRef(label("accumulate")))
	for r := range sums {
		for _, sum := range sums[r] {
			w.zero(sum)
		}
	}
	w.JMP(operand.LabelRef(label("start")))
	w.Label(label("accumulate"))
	for r := range sums {
		for j, sum := range sums[r] {
			w.load(at(r, j), sum)
		}
	}
	w.Label(label("start"))
	w.MOVQ(v, t.left)
	w.MOVQ(u, t.right)
	w.MOVQ(depth, t.count)
	w.loop(label("depth"), t.count, func() {
		for k := range 4 {
			for j, weight := range t.weights {
				w.load(operand.Mem{Base: t.right, Disp: k*rowBytes + j*w.bytes}, weight)
			}
			for r := range sums {
				w.broadcast(operand.Mem{Base: t.left, Disp: r*rowBytes + 4*k}, t.value)
				for j, weight := range t.weights {
					w.multiplyAdd(t.value, weight, sums[r][j])
				}
			}
		}
		w.ADDQ(operand.I32(16), t.left)
		w.ADDQ(operand.I32(4*rowBytes), t.right)
	})
	for r := range sums {
		for j, sum := range sums[r] {
			w.store(sum, at(r, j))
		}
	}
}
