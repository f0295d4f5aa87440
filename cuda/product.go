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

// onMatrixUnits returns the shape of kernels on the matrix units, of which those by so
// many columns are meant, and the number of parts that share the depth where there
// would be too few blocks to fill a device.
func onMatrixUnits(r rows) (shape kernels.Shape, columns, parts int) {
	columns, bytes := 128, 65536
	if r.out%128 != 0 {
		columns, bytes = 64, 49152
	}
	shape = grid(blocks(r.rows, 128), r.out/columns, 1)
	shape.Shared = bytes
	// Two blocks fit on each of some 130 multiprocessors. A part is worth its memory
	// from some 32 slices of depth on.
	const together, depth = 256, 32 * 32
	parts = min(max(together/(shape.Grid.X*shape.Grid.Y), 1), max(r.taps*r.in/depth, 1), 8)
	shape.Grid.Z = parts
	return shape, columns, parts
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
	shape, columns, _ := onMatrixUnits(rows{p.in, p.out, p.rows, 1})
	shape.Grid.Z = 1
	product := d.precision.ProductMatrix128
	if columns == 64 {
		product = d.precision.ProductMatrix64
	}
	return product(shape, p.result, p.x, p.matrix, p.factor, p.bias, p.addend, p.mask, p.in, p.out, p.rows)
}
