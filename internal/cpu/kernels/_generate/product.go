package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitProduct adds the kernels of matrix products on packed panels. From the
// first-level cache they run at the peak: 268 GFLOP/s a core on Zen 5 in float32
// and half of that in float64 (AVX2: 130).
func emitProduct(ctx *build.Context) {
	table := maskTable(ctx, "productMask")
	for _, isa := range isas {
		for _, double := range []bool{false, true} {
			for vectors := 1; vectors <= 3; vectors++ {
				product(kernel{ctx, isa, double}, vectors, table)
			}
			pack(kernel{ctx, isa, double})
			packLeft(kernel{ctx, isa, double})
		}
	}
}

func product(k kernel, vectors int, table operand.Mem) {
	bits := 8 * k.element()
	name := fmt.Sprintf("product%d%sx%d", bits, k.name, vectors)
	k.Function(name)
	k.Attributes(4) // NOSPLIT
	k.Pragma("noescape")
	k.SignatureExpr(fmt.Sprintf("func(c []float%[1]d, cRow int, a, b []float%[1]d, depth, accumulate, last int)", bits))
	k.Doc(fmt.Sprintf("%s is a productKernel for %d rows by up to %d columns.",
		name, k.rows, vectors*k.lanes()))

	c := k.Load(k.Param("c").Base(), k.GP64())
	cRow := k.Load(k.Param("cRow"), k.GP64())
	shift := operand.U8(2)
	if k.double {
		shift = 3
	}
	k.SHLQ(shift, cRow)
	sums := make([][]reg.VecVirtual, k.rows)
	for r := range sums {
		sums[r] = k.registers(vectors)
	}

	// Where C is far away, it comes while products are summed.
	address := k.GP64()
	k.MOVQ(c, address)
	for r := range sums {
		for v := range vectors {
			k.zero(sums[r][v])
			k.PREFETCHT0(operand.Mem{Base: address, Disp: v * k.bytes})
		}
		k.ADDQ(cRow, address)
	}
	a := k.Load(k.Param("a").Base(), k.GP64())
	b := k.Load(k.Param("b").Base(), k.GP64())
	depth := k.Load(k.Param("depth"), k.GP64())
	right := k.registers(vectors)
	left := k.register()
	k.Label("loop")
	for v := range right {
		k.load(operand.Mem{Base: b, Disp: v * k.bytes}, right[v])
	}
	for r := range sums {
		k.broadcast(operand.Mem{Base: a, Disp: r * k.element()}, left)
		for v := range right {
			k.multiplyAdd(left, right[v], sums[r][v])
		}
	}
	k.ADDQ(operand.U32(panelRows*k.element()), a)
	k.ADDQ(operand.U32(vectors*k.bytes), b)
	k.DECQ(depth)
	k.JNZ(operand.LabelRef("loop"))

	last := k.Load(k.Param("last"), k.GP64()).(reg.GPVirtual)
	accumulate := k.Load(k.Param("accumulate"), k.GP64())
	k.TESTQ(accumulate, accumulate)
	k.JZ(operand.LabelRef("write"))
	m := k.maskOf(last, table)
	k.MOVQ(c, address)
	for r := range sums {
		for v := range vectors - 1 {
			k.add(operand.Mem{Base: address, Disp: v * k.bytes}, sums[r][v])
		}
		m.load(operand.Mem{Base: address, Disp: (vectors - 1) * k.bytes}, left)
		k.add(left, sums[r][vectors-1])
		k.ADDQ(cRow, address)
	}
	k.Label("write")
	k.writeTile(c.(reg.GPVirtual), cRow, sums, last, table)
}

// pack copies rows of the right operand, as wide as a tile, into a panel.
func pack(k kernel) {
	const vectors = 3
	bits := 8 * k.element()
	name := fmt.Sprintf("pack%d%s", bits, k.name)
	k.Function(name)
	k.Attributes(4) // NOSPLIT
	k.Pragma("noescape")
	k.SignatureExpr(fmt.Sprintf("func(to, from []float%d, stride, rows int)", bits))
	k.Doc(fmt.Sprintf("%s is a packKernel.", name))
	to := k.Load(k.Param("to").Base(), k.GP64()).(reg.GPVirtual)
	from := k.Load(k.Param("from").Base(), k.GP64()).(reg.GPVirtual)
	stride := k.Load(k.Param("stride"), k.GP64()).(reg.GPVirtual)
	rows := k.Load(k.Param("rows"), k.GP64()).(reg.GPVirtual)
	shift := operand.U8(2)
	if k.double {
		shift = 3
	}
	k.SHLQ(shift, stride)
	row := k.registers(vectors)
	k.Label("loop")
	for v, r := range row {
		k.load(operand.Mem{Base: from, Disp: v * k.bytes}, r)
	}
	for v, r := range row {
		k.store(r, operand.Mem{Base: to, Disp: v * k.bytes})
	}
	k.ADDQ(stride, from)
	k.ADDQ(operand.I32(int32(vectors*k.bytes)), to)
	k.DECQ(rows)
	k.JNZ(operand.LabelRef("loop"))
	k.VZEROUPPER()
	k.RET()
}

// packLeft copies 8 rows of the left operand into a panel, column by column. Both
// instruction sets transpose squares of float32 in vectors of 8.
func packLeft(k kernel) {
	bits := 8 * k.element()
	name := fmt.Sprintf("packLeft%d%s", bits, k.name)
	k.Function(name)
	k.Attributes(4) // NOSPLIT
	k.Pragma("noescape")
	k.SignatureExpr(fmt.Sprintf("func(to, from []float%d, stride, depth int)", bits))
	k.Doc(fmt.Sprintf("%s is a packLeftKernel.", name))
	to := k.Load(k.Param("to").Base(), k.GP64()).(reg.GPVirtual)
	from := k.Load(k.Param("from").Base(), k.GP64()).(reg.GPVirtual)
	stride := k.Load(k.Param("stride"), k.GP64()).(reg.GPVirtual)
	depth := k.Load(k.Param("depth"), k.GP64()).(reg.GPVirtual)
	shift := operand.U8(2)
	if k.double {
		shift = 3
	} else {
		k.isa = isas[1]
	}
	k.SHLQ(shift, stride)
	k.Label("loop")
	row := k.GP64()
	k.MOVQ(from, row)
	for first := 0; first < panelRows; first += k.lanes() {
		rows := k.registers(k.lanes())
		for r := range rows {
			k.load(operand.Mem{Base: row}, rows[r])
			k.ADDQ(stride, row)
		}
		var columns []reg.VecVirtual
		if k.double {
			columns = k.transposeDoubles(rows)
		} else {
			columns = winograd{kernel: k}.transpose(rows)
		}
		for j, column := range columns {
			k.store(column, operand.Mem{Base: to, Disp: (j*panelRows + first) * k.element()})
		}
	}
	k.ADDQ(operand.I32(int32(k.bytes)), from)
	k.ADDQ(operand.I32(int32(k.lanes()*panelRows*k.element())), to)
	k.SUBQ(operand.U8(k.lanes()), depth)
	k.JNZ(operand.LabelRef("loop"))
	k.VZEROUPPER()
	k.RET()
}

// transposeDoubles returns the columns of a square of float64: neighbours are
// interleaved, then 128-bit lanes exchanged.
func (k kernel) transposeDoubles(rows []reg.VecVirtual) []reg.VecVirtual {
	n := len(rows)
	pairs := make([][2]reg.VecVirtual, n/2) // by two rows, then by column modulo 2
	for i := range pairs {
		low, high := k.register(), k.register()
		k.VUNPCKLPD(rows[2*i+1], rows[2*i], low)
		k.VUNPCKHPD(rows[2*i+1], rows[2*i], high)
		pairs[i] = [2]reg.VecVirtual{low, high}
	}
	columns := make([]reg.VecVirtual, n)
	for p := range 2 {
		if n == 4 {
			columns[p], columns[2+p] = k.register(), k.register()
			k.VPERM2F128(operand.U8(0x20), pairs[1][p], pairs[0][p], columns[p])
			k.VPERM2F128(operand.U8(0x31), pairs[1][p], pairs[0][p], columns[2+p])
			continue
		}
		low, high, low2, high2 := k.register(), k.register(), k.register(), k.register()
		k.VSHUFF64X2(operand.U8(0x44), pairs[1][p], pairs[0][p], low)
		k.VSHUFF64X2(operand.U8(0xee), pairs[1][p], pairs[0][p], high)
		k.VSHUFF64X2(operand.U8(0x44), pairs[3][p], pairs[2][p], low2)
		k.VSHUFF64X2(operand.U8(0xee), pairs[3][p], pairs[2][p], high2)
		for l := range 4 {
			columns[2*l+p] = k.register()
		}
		k.VSHUFF64X2(operand.U8(0x88), low2, low, columns[p])
		k.VSHUFF64X2(operand.U8(0xdd), low2, low, columns[2+p])
		k.VSHUFF64X2(operand.U8(0x88), high2, high, columns[4+p])
		k.VSHUFF64X2(operand.U8(0xdd), high2, high, columns[6+p])
	}
	return columns
}
