package kernels

// four are four neighbouring values. The Go loops keep sums in such structs, because
// the compiler holds the fields of a struct in registers, but not the elements of an
// array.
type four[T float32 | float64] struct{ a, b, c, d T }

// fourOf returns the first four values of x.
func fourOf[T float32 | float64](x []T) four[T] {
	x = x[:4:4]
	return four[T]{x[0], x[1], x[2], x[3]}
}

// firstOf returns the first n values of x, at most four, and zeros.
func firstOf[T float32 | float64](x []T, n int) four[T] {
	var v [4]T
	copy(v[:n], x)
	return four[T]{v[0], v[1], v[2], v[3]}
}

// write copies the first n values, at most four, to x.
func (s four[T]) write(x []T, n int) {
	v := [4]T{s.a, s.b, s.c, s.d}
	copy(x[:n], v[:n])
}

// plus returns s + factor·r.
func (s four[T]) plus(factor T, r four[T]) four[T] {
	return four[T]{s.a + factor*r.a, s.b + factor*r.b, s.c + factor*r.c, s.d + factor*r.d}
}

// rectified returns s with zeros for negative values.
func (s four[T]) rectified() four[T] {
	return four[T]{rectified(s.a), rectified(s.b), rectified(s.c), rectified(s.d)}
}

// rectified returns v, or 0 where v is negative. NaN stays NaN.
func rectified[T float32 | float64](v T) T {
	if v < 0 {
		return 0
	}
	return v
}

// square are the sums of four rows and four columns.
type square[T float32 | float64] [4]four[T]

// add adds the product of 4 rows of a, packed in a panel, by 4 columns of b, whose rows
// are bRow values apart:
//
//	sums[i][j] += a[k*panelRows+i] * b[k*bRow+j], for every k below depth
func (sums *square[T]) add(a, b []T, bRow, depth int) {
	s0, s1, s2, s3 := sums[0], sums[1], sums[2], sums[3]
	for k := range depth {
		l, r := a[k*panelRows:k*panelRows+4:k*panelRows+4], fourOf(b[k*bRow:])
		s0, s1, s2, s3 = s0.plus(l[0], r), s1.plus(l[1], r), s2.plus(l[2], r), s3.plus(l[3], r)
	}
	*sums = square[T]{s0, s1, s2, s3}
}

// addNarrow is add for 2 columns.
func (sums *square[T]) addNarrow(a, b []T, bRow, depth int) {
	for k := range depth {
		l, r := a[k*panelRows:k*panelRows+4], b[k*bRow:k*bRow+2]
		for i := range sums {
			sums[i].a += l[i] * r[0]
			sums[i].b += l[i] * r[1]
		}
	}
}
