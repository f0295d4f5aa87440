package kernels

// productKernel computes a register tile of C = A·B, rows × vectors·lanes
// values at rows of C that are cRow apart:
//
//	for r := range rows {
//		for j := range (vectors-1)*lanes + last {
//			sum := 0
//			for k := range depth {
//				sum += a[k*panelRows+r] * b[k*vectors*lanes+j]
//			}
//			c[r*cRow+j] = sum // or += where accumulate is 1
//		}
//	}
//
// depth is at least 1, last from 1 to lanes.
type productKernel[T float32 | float64] func(c []T, cRow int, a, b []T, depth, accumulate, last int)

// packKernel copies rows of a whole register tile's width, at least one, to follow each
// other. In from they are stride apart.
type packKernel[T float32 | float64] func(to, from []T, stride, rows int)

// packLeftKernel lays out panelRows rows column by column:
//
//	to[k*panelRows+r] = from[r*stride+k], for every k below depth
//
// depth is a positive multiple of packedDepth.
type packLeftKernel[T float32 | float64] func(to, from []T, stride, depth int)

const packedDepth = 8

// productKernels are the inner loops of products of one type of element.
type productKernels[T float32 | float64] struct {
	tile     [tileVectors]productKernel[T] // element v is for rows of v+1 vectors
	pack     packKernel[T]
	packLeft packLeftKernel[T]
}

// packGo is packKernel in Go.
func packGo[T float32 | float64](columns int) packKernel[T] {
	return func(to, from []T, stride, rows int) {
		for k := range rows {
			copy(to[k*columns:(k+1)*columns], from[k*stride:])
		}
	}
}

// productGo is productKernel in Go, in squares of 4×4 (or 4×2) sums.
func productGo[T float32 | float64](vectors, lanes int) productKernel[T] {
	columns := vectors * lanes
	return func(c []T, cRow int, a, b []T, depth, accumulate, last int) {
		width := columns - lanes + last
		for j := 0; j < width; j += 4 {
			var sums square[T]
			n := min(4, width-j)
			if accumulate != 0 {
				for r := range sums {
					sums[r] = firstOf(c[r*cRow+j:], n)
				}
			}
			if columns-j >= 4 {
				sums.add(a, b[j:], columns, depth)
			} else {
				sums.addNarrow(a, b[j:], columns, depth)
			}
			for r, sum := range sums {
				sum.write(c[r*cRow+j:], n)
			}
		}
	}
}

// The blocking of matrix products. A part packs productRows × productDepth of
// A and productDepth × productColumns of B, which together fit into the second-level
// cache, and computes their product. A panel of B, 24 KB, stays in the first-level
// cache with one of A. On Zen 5 this reaches 85 % of the peak at 512×512×512; depths
// of 96 to 256 differ by 1 %.
const (
	productRows    = 128
	productDepth   = 128
	productColumns = 384
)

// MatrixProduct32 computes C = A·B for row-major matrices, A m×k and B k×n.
func MatrixProduct32(w *Workers, c, a, b []float32, m, n, k int) {
	matrixProduct(w, tiler[float32]{w.isa.product32, w.isa.lanes, w.isa.rows, nil}, (*workspace).float32s, c, a, b, m, n, k)
}

// MatrixProduct64 is MatrixProduct32 in float64.
func MatrixProduct64(w *Workers, c, a, b []float64, m, n, k int) {
	matrixProduct(w, tiler[float64]{w.isa.product64, w.isa.lanes / 2, w.isa.rows, nil}, (*workspace).float64s, c, a, b, m, n, k)
}

// matrixProduct computes C = A·B with the kernels of t. take returns memory of a
// workspace.
func matrixProduct[T float32 | float64](w *Workers, t tiler[T], take func(s *workspace, slot, n int) []T, c, a, b []T, m, n, k int) {
	c, a, b = c[:m*n], a[:m*k], b[:k*n]
	if k == 0 {
		clear(c)
		return
	}
	columns := productColumns * t.lanes / maxLanes
	downs, acrosses := (m+productRows-1)/productRows, (n+columns-1)/columns
	w.run(downs*acrosses, func(part int, s *workspace) {
		i, j := part/acrosses*productRows, part%acrosses*columns
		mi, nj := min(productRows, m-i), min(columns, n-j)
		left := take(s, 0, panels(mi)*panelRows*productDepth)
		right := take(s, 1, (columns+tileVectors*t.lanes)*productDepth)
		own := t
		own.edge = take(s, 2, panelRows*tileVectors*maxLanes)
		for p := 0; p < k; p += productDepth {
			depth := min(productDepth, k-p)
			packLeft(t.kernels.packLeft, left, a[i*k+p:], k, mi, depth)
			packRight(t.kernels.pack, right, b[p*n+j:], n, depth, depth, nj, t.lanes)
			own.product(c[i*n+j:], n, left, right, mi, nj, depth, p > 0)
		}
	})
}

// panels returns how many panels hold rows rows.
func panels(rows int) int { return (rows + panelRows - 1) / panelRows }

// packLeft copies rows × depth values into panels of panelRows rows, depth
// first, and fills the last panel up with zeros.
func packLeft[T float32 | float64](pack packLeftKernel[T], to, from []T, stride, rows, depth int) {
	for r := 0; r < rows; r += panelRows {
		panel := to[r*depth : (r+panelRows)*depth]
		if rows-r >= panelRows {
			whole := depth - depth%packedDepth
			if whole > 0 {
				pack(panel, from[r*stride:], stride, whole)
			}
			packLeftGo(panel[whole*panelRows:], from[r*stride+whole:], stride, depth-whole)
			continue
		}
		clear(panel)
		for i := range rows - r {
			for k, v := range from[(r+i)*stride : (r+i)*stride+depth] {
				panel[k*panelRows+i] = v
			}
		}
	}
}

// packLeftGo is packLeftKernel in Go, for any depth.
func packLeftGo[T float32 | float64](to, from []T, stride, depth int) {
	r0, r1, r2, r3 := from[:depth], from[stride:][:depth], from[2*stride:][:depth], from[3*stride:][:depth]
	r4, r5, r6, r7 := from[4*stride:][:depth], from[5*stride:][:depth], from[6*stride:][:depth], from[7*stride:][:depth]
	for k := range depth {
		p := to[k*panelRows : k*panelRows+panelRows : k*panelRows+panelRows]
		p[0], p[1], p[2], p[3] = r0[k], r1[k], r2[k], r3[k]
		p[4], p[5], p[6], p[7] = r4[k], r5[k], r6[k], r7[k]
	}
}

// packRight copies rows × columns values, and rows of ones up to depth, into
// panels of as many columns as a register tile has, depth first. The last panel
// is as many vectors wide as it needs to be; its surplus columns are not written.
func packRight[T float32 | float64](pack packKernel[T], to, from []T, stride, depth, rows, columns, lanes int) {
	for j := 0; j < columns; j += tileVectors * lanes {
		width, _, last := tileSplit(columns-j, lanes)
		n := width - lanes + last
		panel := to[j*depth:]
		if n == tileVectors*lanes && rows > 0 {
			pack(panel, from[j:], stride, rows)
		} else {
			for k := range rows {
				copy(panel[k*width:k*width+n], from[k*stride+j:])
			}
		}
		for i := rows * width; i < depth*width; i++ {
			panel[i] = 1
		}
	}
}

// tileSplit says how the next register tile of a row with columns left is
// shaped: its width, its vectors, and the columns in the last of them.
func tileSplit(columns, lanes int) (width, vectors, last int) {
	vectors = min(tileVectors, (columns+lanes-1)/lanes)
	return vectors * lanes, vectors, min(lanes, columns-(vectors-1)*lanes)
}

// tiler multiplies packed panels tile by tile.
type tiler[T float32 | float64] struct {
	kernels productKernels[T]
	lanes   int
	rows    int
	edge    []T // a register tile, for those that stick out of C
}

// product computes rows × columns values of C from panels as packLeft and
// packRight make them, or adds them to C where accumulate is set.
func (t tiler[T]) product(c []T, cRow int, left, right []T, rows, columns, depth int, accumulate bool) {
	add := 0
	if accumulate {
		add = 1
	}
	for j := 0; j < columns; j += tileVectors * t.lanes {
		width, vectors, last := tileSplit(columns-j, t.lanes)
		kernel, panel := t.kernels.tile[vectors-1], right[j*depth:]
		for r := 0; r < rows; r += t.rows {
			a := left[r/panelRows*panelRows*depth+r%panelRows:]
			to := c[r*cRow+j:]
			if rows-r >= t.rows {
				kernel(to, cRow, a, panel, depth, add, last)
				continue
			}
			n := width - t.lanes + last
			copyRows(t.edge, width, to, cRow, rows-r, n)
			kernel(t.edge, width, a, panel, depth, add, last)
			copyRows(to, cRow, t.edge, width, rows-r, n)
		}
	}
}

// copyRows copies rows of n values.
func copyRows[T float32 | float64](to []T, toRow int, from []T, fromRow, rows, n int) {
	for i := range rows {
		copy(to[i*toRow:i*toRow+n], from[i*fromRow:])
	}
}
