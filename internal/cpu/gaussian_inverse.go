package cpu

import (
	"impasto/internal/cpu/kernels"
)

// inverter inverts symmetric positive definite matrices by halves,
//
//	⎡P  Qᵀ⎤⁻¹   ⎡P⁻¹ + VᵀW  −Vᵀ ⎤
//	⎣Q  R ⎦   = ⎣−V          S⁻¹⎦    W = QP⁻¹, S = R − WQᵀ, V = S⁻¹W,
//
// so that nearly all of the work is products: less than 2n³/3 multiplications
// and as many additions. It reads the lower triangle; the inverse is symmetric to
// the last bit.
type inverter struct {
	workers *kernels.Workers
	levels  []inverterLevel
	leaf    []float64 // kernels.SmallMatrix in square
	// careful refines W, which is half as much work again.
	careful bool
}

// inverterLevel is the memory of one halving.
type inverterLevel struct {
	p, s    []float64 // P⁻¹ and S⁻¹
	v, vt   []float64 // V and Vᵀ
	product []float64 // WQᵀ, then VᵀW
}

const (
	// inverterLeaf is the size up to which a matrix is inverted by elimination.
	inverterLeaf = kernels.SmallMatrix
	// inverterSplit is the size from which on a symmetric product leaves its upper
	// right quarter out; smaller ones lose more in the kernels than that saves.
	inverterSplit = 128
)

func newInverter(w *kernels.Workers, n int) *inverter {
	v := &inverter{workers: w, leaf: make([]float64, kernels.SmallMatrix*kernels.SmallMatrix)}
	for n > inverterLeaf {
		n -= n / 2
		var l inverterLevel
		for _, buffer := range []*[]float64{&l.p, &l.s, &l.v, &l.vt, &l.product} {
			*buffer = make([]float64, n*n)
		}
		v.levels = append(v.levels, l)
	}
	return v
}

// invert writes the inverse of an n×n matrix to to, or reports that the matrix
// is not positive definite.
func (v *inverter) invert(to, from []float64, n int) bool {
	return v.invertBlock(to, from, n, n, 0)
}

// invertBlock inverts the n×n matrix whose rows are stride apart.
func (v *inverter) invertBlock(to, from []float64, stride, n, level int) bool {
	if n <= inverterLeaf {
		return v.invertLeaf(to, from, stride, n)
	}
	k := n / 2
	h := n - k
	l := v.levels[level]
	p, sInverse, lower, upper := l.p[:h*h], l.s[:k*k], l.v[:k*h], l.vt[:h*k]
	// What is done with before to is written lies there: h ≥ k makes it fit.
	q, columns, w, s := to[:k*h], to[k*h:2*k*h], to[2*k*h:3*k*h], to[3*k*h:3*k*h+k*k]
	for i := range k {
		copy(q[i*h:(i+1)*h], from[(h+i)*stride:])
	}
	if !v.invertBlock(p, from, stride, h, level+1) {
		return false
	}
	kernels.MatrixProduct64(v.workers, w, q, p, k, h, h)
	if v.careful {
		v.refine(l, w, q, from, stride, h, k)
	}
	split := splitOf(k)
	transpose(columns[:h*split], q, split, h)
	transpose(columns[h*split:], q[split*h:], k-split, h)
	left, right := v.symmetric(l.product, w, columns, k, h)
	for i := range k {
		v.subtract(s[i*k:i*k+split], from[(h+i)*stride+h:], left[i*split:])
		if i >= split {
			v.subtract(s[i*k+split:(i+1)*k], from[(h+i)*stride+h+split:], right[(i-split)*(k-split):])
		}
	}
	if !v.invertBlock(sInverse, s, k, k, level+1) {
		return false
	}
	kernels.MatrixProduct64(v.workers, lower, sInverse, w, k, h, k)
	transpose(upper, lower, k, h)
	split = splitOf(h)
	for i := range k {
		copy(columns[i*split:(i+1)*split], w[i*h:])
		copy(columns[k*split+i*(h-split):k*split+(i+1)*(h-split)], w[i*h+split:])
	}
	left, right = v.symmetric(l.product, upper, columns, h, k)
	for i := range h {
		row := to[i*n : (i+1)*n]
		v.add(row[:split], p[i*h:], left[i*split:])
		if i >= split {
			v.add(row[split:h], p[i*h+split:], right[(i-split)*(h-split):])
		}
		v.negate(row[h:], upper[i*k:])
	}
	for i := range k {
		row := to[(h+i)*n : (h+i+1)*n]
		v.negate(row[:h], lower[i*h:])
		copy(row[h:], sInverse[i*k:])
	}
	mirror(to, n, h)
	return true
}

// refine adds (Q − WP)P⁻¹ to W.
func (v *inverter) refine(l inverterLevel, w, q, from []float64, stride, h, k int) {
	p, residual, change := l.product[:h*h], l.v[:k*h], l.vt[:k*h]
	for i := range h {
		copy(p[i*h:i*h+i+1], from[i*stride:])
	}
	mirror(p, h, h)
	kernels.MatrixProduct64(v.workers, residual, w, p, k, h, h)
	v.subtract(residual, q, residual)
	kernels.MatrixProduct64(v.workers, change, residual, l.p, k, h, h)
	v.add(w, w, change)
}

// splitOf says how many columns the left part of a symmetric product has.
func splitOf(n int) int {
	if n < inverterSplit {
		return n
	}
	return n / 2
}

// symmetric computes a·b, n×depth times depth×n, where that is symmetric: the
// left columns, n×split, and what the right ones have from row split on. b has
// its left columns first, then the right ones.
func (v *inverter) symmetric(to, a, b []float64, n, depth int) (left, right []float64) {
	split := splitOf(n)
	left, right = to[:n*split], to[n*split:n*split+(n-split)*(n-split)]
	kernels.MatrixProduct64(v.workers, left, a, b, n, split, depth)
	if split < n {
		kernels.MatrixProduct64(v.workers, right, a[split*depth:], b[split*depth:], n-split, n-split, depth)
	}
	return left, right
}

func (v *inverter) add(to, x, y []float64) { kernels.Combine(v.workers, to, 1, x, 1, y) }

func (v *inverter) subtract(to, x, y []float64) { kernels.Combine(v.workers, to, 1, x, -1, y) }

func (v *inverter) negate(to, x []float64) { kernels.Combine(v.workers, to, -1, x, 0, x) }

// invertLeaf inverts a small matrix, of which it reads the lower triangle.
func (v *inverter) invertLeaf(to, from []float64, stride, n int) bool {
	const size = kernels.SmallMatrix
	leaf := v.leaf
	clear(leaf)
	for i := range size {
		leaf[i*size+i] = 1 // where n is less, beside the matrix
	}
	for i := range n {
		for j, value := range from[i*stride : i*stride+i+1] {
			leaf[i*size+j], leaf[j*size+i] = value, value
		}
	}
	if !v.workers.InvertSmall(leaf) {
		return false
	}
	for i := range n {
		copy(to[i*n:(i+1)*n], leaf[i*size:])
	}
	mirror(to, n, n)
	return true
}

const transposeBlock = 16

// transpose writes the columns of a matrix as rows. It takes eight rows at a
// time, which become whole lines of the cache.
func transpose(to, from []float64, rows, columns int) {
	i := 0
	for ; i+8 <= rows; i += 8 {
		row := func(r int) []float64 { return from[(i+r)*columns:][:columns] }
		r0, r1, r2, r3, r4, r5, r6, r7 := row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)
		for j := range columns {
			line := to[j*rows+i:][:8]
			line[0], line[1], line[2], line[3] = r0[j], r1[j], r2[j], r3[j]
			line[4], line[5], line[6], line[7] = r4[j], r5[j], r6[j], r7[j]
		}
	}
	for ; i < rows; i++ {
		for j, v := range from[i*columns:][:columns] {
			to[j*rows+i] = v
		}
	}
}

// mirror copies the lower triangle of the leading m×m block of an n×n matrix to
// its upper one.
func mirror(x []float64, n, m int) {
	for i0 := 0; i0 < m; i0 += transposeBlock {
		i1 := min(m, i0+transposeBlock)
		for j := range i1 {
			for i := max(i0, j+1); i < i1; i++ {
				x[j*n+i] = x[i*n+j]
			}
		}
	}
}
