package jpeg

import "math/bits"

// plane is a channel of one row of minimum coded units.
type plane struct {
	stride int
	values []float32
}

// scan writes the coefficients of all minimum coded units: one block of chroma, and the
// blocks of luma that share it.
func (e *encoder) scan(row func(y int, r, g, b []float32)) {
	side := 8 * e.step
	units := (e.width + side - 1) / side
	var full [3]plane // Y, Cb and Cr at every pixel
	for c := range full {
		full[c] = plane{units * side, make([]float32, units*side*side)}
	}
	coarse := full
	if e.step > 1 {
		for c := 1; c < 3; c++ {
			coarse[c] = plane{units * 8, make([]float32, units*8*8)}
		}
	}
	for top := 0; top < e.height; top += side {
		e.readRows(full, top, side, row)
		if e.step > 1 {
			shrink(coarse[1], full[1])
			shrink(coarse[2], full[2])
		}
		for unit := range units {
			for v := range e.step {
				for h := range e.step {
					e.block(coarse[0], unit*side+8*h, 8*v, 0)
				}
			}
			e.block(coarse[1], unit*8, 0, 1)
			e.block(coarse[2], unit*8, 0, 2)
		}
	}
	e.put(0x7f, 7) // fill the last byte with ones
}

// readRows reads the rows from top on and converts them (JFIF 1.02) to levels of −128 to
// 127, with the last row and column repeated where the picture ends.
func (e *encoder) readRows(to [3]plane, top, rows int, row func(y int, r, g, b []float32)) {
	for y := range rows {
		luma, cb, cr := to[0].row(y), to[1].row(y), to[2].row(y)
		if top+y >= e.height {
			for _, p := range to {
				copy(p.row(y), p.row(y-1))
			}
			continue
		}
		r, g, b := luma[:e.width], cb[:e.width], cr[:e.width]
		row(top+y, r, g, b)
		for x := range r {
			red, green, blue := 255*r[x], 255*g[x], 255*b[x]
			luma[x] = 0.299*red + 0.587*green + 0.114*blue - 128
			cb[x] = -0.168735892*red - 0.331264108*green + 0.5*blue
			cr[x] = 0.5*red - 0.418687589*green - 0.081312411*blue
		}
		for _, p := range [][]float32{luma, cb, cr} {
			for x := e.width; x < len(p); x++ {
				p[x] = p[e.width-1]
			}
		}
	}
}

func (p plane) row(y int) []float32 { return p.values[y*p.stride:][:p.stride] }

// shrink makes each sample the mean of four.
func shrink(to, from plane) {
	for y := range 8 {
		a, b := from.row(2*y), from.row(2*y+1)
		for x := range to.row(y) {
			to.row(y)[x] = (a[2*x] + a[2*x+1] + b[2*x] + b[2*x+1]) / 4
		}
	}
}

// block writes the block of a channel that begins at (x, y) (T.81, F.1.2).
func (e *encoder) block(p plane, x, y, channel int) {
	var values [64]float32
	for i := range 8 {
		copy(values[8*i:], p.values[(y+i)*p.stride+x:][:8])
	}
	transform(&values)
	kind := min(channel, 1)
	var coefficients [64]int32
	e.quantisers[kind].apply(&coefficients, &values)
	dc, ac := &dcCodes[kind], &acCodes[kind]
	e.number(dc, 0, coefficients[0]-e.previous[channel])
	e.previous[channel] = coefficients[0]
	zeros := byte(0)
	for _, v := range coefficients[1:] {
		if v == 0 {
			zeros++
			continue
		}
		for ; zeros > 15; zeros -= 16 {
			e.code(ac, 0xf0)
		}
		e.number(ac, zeros, v)
		zeros = 0
	}
	if zeros > 0 {
		e.code(ac, 0)
	}
}

// number writes how many zeros go before v and how many bits it has, by a Huffman code,
// and then those bits.
func (e *encoder) number(c *codeTable, zeros byte, v int32) {
	size := uint(bits.Len32(uint32(max(v, -v))))
	e.code(c, zeros<<4|byte(size))
	if v < 0 {
		v--
	}
	e.put(uint32(v)&(1<<size-1), size)
}

func (e *encoder) code(c *codeTable, symbol byte) {
	e.put(uint32(c[symbol].bits), uint(c[symbol].size))
}

// put writes the lowest size bits of v. A byte of ones is followed by zeros.
func (e *encoder) put(v uint32, size uint) {
	e.bits |= v << (32 - e.count - size)
	for e.count += size; e.count >= 8; e.count -= 8 {
		b := byte(e.bits >> 24)
		e.w.WriteByte(b)
		if b == 0xff {
			e.w.WriteByte(0)
		}
		e.bits <<= 8
	}
}
