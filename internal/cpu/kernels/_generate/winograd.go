package main

import (
	"fmt"
	"math"
	"slices"

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

// form is what the kernels need to know of F(tile×tile, 3×3); see winograd.go
// of the package for the matrices.
type form struct {
	tile int
	// pairs are the rows of G for points p and −p: the factors of g0, ±g1, g2.
	pairs [][3]float64
	// transform replaces vectors by Bᵀ times them and returns them in order.
	transform func(w winograd, d []reg.VecVirtual) []reg.VecVirtual
	// invert returns Aᵀ times vectors, in registers of theirs.
	invert func(w winograd, m []reg.VecVirtual) []reg.VecVirtual
}

func (f form) inputs() int { return f.tile + 2 }

var forms = []form{
	{4, [][3]float64{{1. / 6, math.Sqrt2 / 6, 1. / 3}, {-2. / 3, -math.Sqrt2 / 3, -1. / 3}}, winograd.transform4, winograd.invert4},
	{6, [][3]float64{{-2. / 9, -2. / 9, -2. / 9}, {1. / 90, 1. / 45, 2. / 45}, {32. / 45, 16. / 45, 8. / 45}}, winograd.transform6, winograd.invert6},
}

// emitWinograd adds the kernels of Winograd's convolutions. The transforms work
// on vectors of neighbouring channels and need no shuffles. They load and store
// each value of V and M once and of the pixels, which stay in the first- or
// second-level cache, twice; at 2 (3) operations a value of V or M for tiles of
// 4 (6), the caches bound them, not arithmetic.
func emitWinograd(ctx *build.Context) {
	table := maskTable(ctx, "winogradMask")
	constants := newConstants(ctx, "winogradConstants")
	for _, isa := range isas {
		w := winograd{kernel: kernel{ctx, isa, false}, constants: constants, mask: table}
		w.gather()
		w.gatherPooled()
		w.poolPixels()
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

type winograd struct {
	kernel
	*constants
	form
	mask operand.Mem
}

// constants are vectors of one repeated value each in read-only memory, from
// where kernels use them: AVX2 has no registers left for them.
type constants struct {
	ctx    *build.Context
	base   operand.Mem
	values []float64
}

func newConstants(ctx *build.Context, name string) *constants {
	c := &constants{ctx: ctx, base: ctx.StaticGlobal(name)}
	ctx.DataAttributes(24) // RODATA|NOPTR
	return c
}

// memory returns where a constant is.
func (c *constants) memory(v float64) operand.Mem {
	i := slices.Index(c.values, v)
	if i < 0 {
		i = len(c.values)
		c.values = append(c.values, v)
		for lane := range 16 {
			// As bits: avo prints the float 2 as 2, which the assembler reads as
			// an integer.
			c.ctx.AddDatum(64*i+4*lane, operand.U32(math.Float32bits(float32(v))))
		}
	}
	return c.base.Offset(64 * i)
}

func (w winograd) begin(name, signature string) {
	w.Function(name + w.kernel.name)
	w.Attributes(4) // NOSPLIT
	w.Pragma("noescape")
	w.SignatureExpr(signature)
	w.Doc(fmt.Sprintf("%s%s is %sGo.", name, w.kernel.name, name))
}

// beginForm begins a kernel of one form.
func (w winograd) beginForm(name, signature string) {
	w.begin(fmt.Sprint(name, w.tile), signature)
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

// steps addresses rows 0 to 8 that are a stride apart.
type steps struct{ one, three, five, seven reg.GPVirtual }

func (w winograd) newSteps(one reg.GPVirtual, rows int) steps {
	s := steps{one, w.GP64(), w.GP64(), w.GP64()}
	w.LEAQ(operand.Mem{Base: one, Index: one, Scale: 2}, s.three)
	w.LEAQ(operand.Mem{Base: one, Index: one, Scale: 4}, s.five)
	if rows > 7 {
		w.LEAQ(operand.Mem{Base: s.three, Index: one, Scale: 4}, s.seven)
	}
	return s
}

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

// loop repeats body until the counter, at least 1, is used up.
func (w winograd) loop(label string, counter reg.GPVirtual, body func()) {
	w.Label(label)
	body()
	w.DECQ(counter)
	w.JNZ(operand.LabelRef(label))
}

// add computes sum += factor·x, or sum −= where the factor is negative.
func (w winograd) add(sum reg.VecVirtual, factor float64, x reg.VecVirtual) {
	switch {
	case factor == 1:
		w.VADDPS(x, sum, sum)
	case factor == -1:
		w.VSUBPS(x, sum, sum)
	case factor > 0:
		w.VFMADD231PS(w.memory(factor), x, sum)
	default:
		w.VFNMADD231PS(w.memory(-factor), x, sum)
	}
}

func (w winograd) copy(x reg.VecVirtual) reg.VecVirtual {
	r := w.register()
	w.VMOVAPS(x, r)
	return r
}

// plusMinus returns a + p·b and a − p·b, the latter in place of a.
func (w winograd) plusMinus(a reg.VecVirtual, p float64, b reg.VecVirtual) (plus, minus reg.VecVirtual) {
	plus = w.copy(a)
	w.add(plus, p, b)
	w.add(a, -p, b)
	return plus, a
}

// transform4 is Bᵀ of F(4×4, 3×3): 12 operations.
func (w winograd) transform4(d []reg.VecVirtual) []reg.VecVirtual {
	w.add(d[0], 1, d[4])
	w.add(d[0], -2.5, d[2])
	w.add(d[5], 1, d[1])
	w.add(d[5], -2.5, d[3])
	wideEven, wideOdd := w.copy(d[4]), w.copy(d[3])
	w.add(wideEven, -2, d[2])
	w.add(wideOdd, -2, d[1])
	even, odd := d[4], d[3]
	w.add(even, -0.5, d[2])
	w.add(odd, -0.5, d[1])
	v1, v2 := w.plusMinus(even, math.Sqrt2, odd)
	v3, v4 := w.plusMinus(wideEven, math.Sqrt2/2, wideOdd)
	return []reg.VecVirtual{d[0], v1, v2, v3, v4, d[5]}
}

// transform6 is Bᵀ of F(6×6, 3×3): 24 operations, with 12 registers at most.
func (w winograd) transform6(d []reg.VecVirtual) []reg.VecVirtual {
	w.add(d[0], -1, d[6])
	w.add(d[0], 5.25, d[4])
	w.add(d[0], -5.25, d[2])
	w.add(d[7], -1, d[1])
	w.add(d[7], 5.25, d[3])
	w.add(d[7], -5.25, d[5])
	part := func(top, middle, bottom reg.VecVirtual, s, t float64) reg.VecVirtual {
		w.add(top, -s, middle)
		w.add(top, t, bottom)
		return top
	}
	even, odd := part(w.copy(d[6]), d[4], d[2], 4.25, 1), part(w.copy(d[5]), d[3], d[1], 4.25, 1)
	wideEven, wideOdd := part(w.copy(d[6]), d[4], d[2], 1.25, 0.25), part(w.copy(d[5]), d[3], d[1], 1.25, 0.25)
	nearEven, nearOdd := part(d[6], d[4], d[2], 5, 4), part(d[5], d[3], d[1], 5, 4)
	v1, v2 := w.plusMinus(even, 1, odd)
	v3, v4 := w.plusMinus(wideEven, 2, wideOdd)
	v5, v6 := w.plusMinus(nearEven, 0.5, nearOdd)
	return []reg.VecVirtual{d[0], v1, v2, v3, v4, v5, v6, d[7]}
}

func (w winograd) transformColumns() {
	w.beginForm("transformColumns", "func(x []float32, row, n int)")
	x, n := w.pointer("x"), w.value("n")
	rows := w.newSteps(w.stride("row"), w.inputs())
	d := w.registers(w.inputs())
	w.loop("loop", n, func() {
		w.vectorsOfPixel(func(offset int) {
			for i := range d {
				w.load(rows.at(x, i, offset), d[i])
			}
			for i, r := range w.transform(w, d) {
				w.store(r, rows.at(x, i, offset))
			}
		})
		w.ADDQ(operand.I32(pixelBytes), x)
	})
	w.end()
}

func (w winograd) transformRows() {
	w.beginForm("transformRows", "func(v, x []float32, step, row, n int)")
	w.transformAllRows(rowBytes, w.store)
	w.end()
}

// transformAllRows puts the values of tiles, tileBytes apart in each matrix.
func (w winograd) transformAllRows(tileBytes int, put func(r reg.VecVirtual, to operand.Mem)) {
	v, x, n, row := w.pointer("v"), w.pointer("x"), w.value("n"), w.stride("row")
	matrices := w.newSteps(w.stride("step"), w.inputs())
	d := w.registers(w.inputs())
	rows := w.GP64()
	w.MOVQ(operand.U32(uint32(w.inputs())), rows)
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
				for j, r := range w.transform(w, d) {
					put(r, matrices.at(to, j, offset))
				}
			})
			w.ADDQ(operand.I32(int32(w.tile*pixelBytes)), from)
			w.ADDQ(operand.I32(int32(tileBytes)), to)
		})
		w.ADDQ(row, x)
		w.LEAQ(matrices.at(v, w.inputs(), 0), v)
	})
}

// transformFilterRow returns G times three vectors, which it leaves as they are.
func (w winograd) transformFilterRow(g []reg.VecVirtual) []reg.VecVirtual {
	rows := []reg.VecVirtual{g[0]}
	for _, c := range w.pairs {
		even, odd, less := w.register(), w.register(), w.register()
		w.VMULPS(w.memory(c[0]), g[0], even)
		w.VFMADD231PS(w.memory(c[2]), g[2], even)
		w.VMULPS(w.memory(c[1]), g[1], odd)
		w.VSUBPS(odd, even, less)
		w.VADDPS(odd, even, even)
		rows = append(rows, even, less)
	}
	return append(rows, g[2])
}

func (w winograd) transformFilter() {
	w.beginForm("transformFilter", "func(u, filters []float32, step, turned int)")
	u, g := w.pointer("u"), w.pointer("filters")
	matrices := w.newSteps(w.stride("step"), w.inputs())
	taps := w.taps(g)
	channels := w.GP64()
	w.MOVQ(operand.U32(channelBlock), channels)
	w.loop("loop", channels, func() {
		w.vectorsOfPixel(func(offset int) {
			to := w.GP64()
			w.MOVQ(u, to)
			for _, rows := range w.filterRows(taps, g, offset) {
				for _, row := range rows() {
					for j, r := range w.transformFilterRow(row) {
						w.store(r, matrices.at(to, j, offset))
					}
					w.LEAQ(matrices.at(to, w.inputs(), 0), to)
				}
			}
		})
		for tap := range 9 { // of the block of filters behind this one, which is next but few
			w.PREFETCHT0(operand.Mem{Base: g, Disp: 9*tapBytes*channelBlock + tap*tapBytes})
		}
		w.ADDQ(operand.I32(9*tapBytes), g)
		w.ADDQ(operand.I32(rowBytes), u)
	})
	w.end()
}

// taps addresses the taps of a filter, backwards from its last where turned is
// set, to which it moves g.
func (w winograd) taps(g reg.GPVirtual) steps {
	tap, turned := w.GP64(), w.value("turned")
	w.MOVQ(operand.I32(tapBytes), tap)
	w.TESTQ(turned, turned)
	w.JZ(operand.LabelRef("start"))
	w.ADDQ(operand.I32(8*tapBytes), g)
	w.NEGQ(tap)
	w.Label("start")
	return w.newSteps(tap, 9)
}

// filterRows returns what computes the rows of G times a filter, one or two at
// a time.
func (w winograd) filterRows(taps steps, g reg.GPVirtual, offset int) []func() [][]reg.VecVirtual {
	edge := func(row int) func() [][]reg.VecVirtual {
		return func() [][]reg.VecVirtual {
			t := w.registers(3)
			for j := range t {
				w.load(taps.at(g, 3*row+j, offset), t[j])
			}
			return [][]reg.VecVirtual{t}
		}
	}
	rows := []func() [][]reg.VecVirtual{edge(0)}
	for _, c := range w.pairs {
		rows = append(rows, func() [][]reg.VecVirtual {
			plus, minus := w.registers(3), w.registers(3)
			for j := range plus {
				odd := w.register()
				w.load(taps.at(g, j, offset), plus[j])
				w.VMULPS(w.memory(c[0]), plus[j], plus[j])
				w.load(taps.at(g, 6+j, offset), odd)
				w.VFMADD231PS(w.memory(c[2]), odd, plus[j])
				w.load(taps.at(g, 3+j, offset), odd)
				w.VMULPS(w.memory(c[1]), odd, odd)
				w.VSUBPS(odd, plus[j], minus[j])
				w.VADDPS(odd, plus[j], plus[j])
			}
			return [][]reg.VecVirtual{plus, minus}
		})
	}
	return append(rows, edge(2))
}

// poolPixels takes the maximum of pixels two by two, of two rows.
func (w winograd) poolPixels() {
	w.begin("poolPixels", "func(to, x []float32, row, n int)")
	to, x, n, row := w.pointer("to"), w.pointer("x"), w.value("n"), w.stride("row")
	w.loop("loop", n, func() {
		w.vectorsOfPixel(func(offset int) {
			most := w.register()
			w.load(operand.Mem{Base: x, Disp: offset}, most)
			w.VMAXPS(operand.Mem{Base: x, Disp: pixelBytes + offset}, most, most)
			w.VMAXPS(operand.Mem{Base: x, Index: row, Scale: 1, Disp: offset}, most, most)
			w.VMAXPS(operand.Mem{Base: x, Index: row, Scale: 1, Disp: pixelBytes + offset}, most, most)
			w.store(most, operand.Mem{Base: to, Disp: offset})
		})
		w.ADDQ(operand.I32(2*pixelBytes), x)
		w.ADDQ(operand.I32(pixelBytes), to)
	})
	w.end()
}

// sumAndDifference returns a + b and a − b, the latter in place of a.
func (w winograd) sumAndDifference(a, b reg.VecVirtual) (sum, difference reg.VecVirtual) {
	sum = w.register()
	w.VADDPS(b, a, sum)
	w.VSUBPS(b, a, a)
	return sum, a
}

// invert4 is Aᵀ of F(4×4, 3×3): 12 operations.
func (w winograd) invert4(m []reg.VecVirtual) []reg.VecVirtual {
	sum, difference := w.sumAndDifference(m[1], m[2])
	wideSum, wideDifference := w.sumAndDifference(m[3], m[4])
	w.add(m[0], 1, sum)
	w.add(m[0], 1, wideSum)
	y1 := w.register()
	w.VMULPS(w.memory(math.Sqrt2), difference, y1)
	w.add(y1, math.Sqrt2/2, wideDifference)
	w.add(m[5], 2*math.Sqrt2, difference)
	w.add(m[5], math.Sqrt2/4, wideDifference)
	w.VMULPS(w.memory(2), sum, sum)
	w.add(sum, 0.5, wideSum)
	return []reg.VecVirtual{m[0], y1, sum, m[5]}
}

// invert6 is Aᵀ of F(6×6, 3×3): 20 operations.
func (w winograd) invert6(m []reg.VecVirtual) []reg.VecVirtual {
	sum, difference := w.sumAndDifference(m[1], m[2])
	wideSum, wideDifference := w.sumAndDifference(m[3], m[4])
	nearSum, nearDifference := w.sumAndDifference(m[5], m[6])
	row := func(to, wide reg.VecVirtual, factor float64, near reg.VecVirtual) reg.VecVirtual {
		w.add(to, factor, wide)
		w.add(to, 1/factor, near)
		return to
	}
	w.add(m[0], 1, sum)
	w.add(m[7], 1, difference)
	return []reg.VecVirtual{
		row(m[0], wideSum, 1, nearSum),
		row(w.copy(difference), wideDifference, 2, nearDifference),
		row(w.copy(sum), wideSum, 4, nearSum),
		row(difference, wideDifference, 8, nearDifference),
		row(sum, wideSum, 16, nearSum),
		row(m[7], wideDifference, 32, nearDifference),
	}
}

func (w winograd) invertRows() {
	w.beginForm("invertRows", "func(y, m []float32, step, row, n int)")
	y, m, n, row := w.pointer("y"), w.pointer("m"), w.value("n"), w.stride("row")
	matrices := w.newSteps(w.stride("step"), w.inputs())
	d := w.registers(w.inputs())
	rows := w.GP64()
	w.MOVQ(operand.U32(uint32(w.inputs())), rows)
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
				for j, r := range w.invert(w, d) {
					w.store(r, operand.Mem{Base: to, Disp: j*pixelBytes + offset})
				}
			})
			w.ADDQ(operand.I32(rowBytes), from)
			w.ADDQ(operand.I32(int32(w.tile*pixelBytes)), to)
		})
		w.ADDQ(row, y)
		w.LEAQ(matrices.at(m, w.inputs(), 0), m)
	})
	w.end()
}

func (w winograd) invertColumns() {
	w.beginForm("invertColumns", "func(y, biases []float32, row, n, rectify int)")
	y, biases, n := w.pointer("y"), w.pointer("biases"), w.value("n")
	rows := w.newSteps(w.stride("row"), w.inputs())
	rectify := w.value("rectify")
	d := w.registers(w.inputs())
	pixels := func(label string, finish func(reg.VecVirtual)) {
		w.loop(label, n, func() {
			w.vectorsOfPixel(func(offset int) {
				for i := range d {
					w.load(rows.at(y, i, offset), d[i])
				}
				for i, r := range w.invert(w, d) {
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
	pixels("rectifiedLoop", func(r reg.VecVirtual) { w.VMAXPS(r, zero, r) }) // in this order NaN stays NaN
	w.end()
}
