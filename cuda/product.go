//go:build gpu && cgo && (linux || windows)

package cuda

import "impasto/cuda/kernels"

// matrixUnits tells whether the matrix units can multiply rows of in by a matrix of
// in×out elements.
func (d *Device) matrixUnits(in, out int) bool {
	slice := 32
	if d.precision == kernels.TF32 {
		slice = 16
	}
	return d.precision != kernels.F32 && in%slice == 0 && out%64 == 0
}

// rows is a product with a matrix of what lies in rows: positions of a map.
type rows struct {
	in, out, rows int
	taps          int // in the depth
}

// matrixTiling is how such a product is cut up: tiles are of 128 rows by so many columns, and
// each is summed in so many parts of the depth.
type matrixTiling struct{ columns, parts int }

// cycles estimates how long it takes on so many multiprocessors, of which each has the matrix
// units of an A100. On others all takes longer, by about as much.
func (t matrixTiling) cycles(r rows, multiprocessors int) int {
	// Of a slice of 32 elements of the depth by 128 columns the products take 512 cycles. By
	// 64 columns loads from shared memory for half as many take as long as these.
	slice := 512
	if t.columns == 64 {
		slice = 330
	}
	tiles := blocks(r.rows, 128) * (r.out / t.columns) * t.parts
	return blocks(tiles, multiprocessors)*blocks(r.taps*r.in/32, t.parts)*slice + partCycles(r.rows*r.out, t.parts, multiprocessors)
}

// partCycles estimates what it takes besides that so many results are made in parts.
func partCycles(results, parts, multiprocessors int) int {
	const (
		launch = 3500
		bytes  = 20 // a multiprocessor reads or writes in a cycle
	)
	if parts == 1 {
		return 0
	}
	return launch + 2*4*results*parts/(bytes*multiprocessors)
}

// matrixTiling is the quickest one by the estimate, by 64 or 128 columns, of which out is a
// multiple, and in so many parts at most.
func (r rows) matrixTiling(mostParts, multiprocessors int) matrixTiling {
	best := matrixTiling{64, 1}
	for _, columns := range []int{64, 128} {
		for parts := 1; parts <= mostParts && r.out%columns == 0; parts++ {
			if t := (matrixTiling{columns, parts}); t.cycles(r, multiprocessors) < best.cycles(r, multiprocessors) {
				best = t
			}
		}
	}
	return best
}

// shape is that of the kernels by so many columns.
func (t matrixTiling) shape(r rows) kernels.Shape {
	shape := grid(blocks(r.rows, 128), r.out/t.columns, t.parts)
	shape.Shared = 3 * 64 * (128 + t.columns)
	return shape
}

// product is rows of a map times a symmetric matrix of in×out elements, times *factor,
// plus bias and addend, zero where mask isn't positive.
type product struct {
	result, x, matrix elements
	factor, bias      pointer[float32]
	addend, mask      elements
	in, out, rows     int
}

// productPrecision is how a product is made, which tells what its matrix is made of.
func (d *Device) productPrecision(p product) kernels.Precision {
	if d.matrixUnits(p.in, p.out) {
		return d.precision
	}
	return kernels.F32
}

// product returns the launch of a product.
func (d *Device) product(p product) launch {
	if !d.matrixUnits(p.in, p.out) {
		return d.maps().Product(plainShape(p.rows, p.out), p.result, p.x, pointer[float32](p.matrix), p.factor, p.bias, p.addend, p.mask, p.in, p.out, p.rows)
	}
	r := rows{p.in, p.out, p.rows, 1}
	t := r.matrixTiling(1, d.multiprocessors)
	product := d.precision.ProductMatrix128
	if t.columns == 64 {
		product = d.precision.ProductMatrix64
	}
	return product(t.shape(r), p.result, p.x, p.matrix, p.factor, p.bias, p.addend, p.mask, p.in, p.out, p.rows)
}
